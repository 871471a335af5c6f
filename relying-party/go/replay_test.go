package touchmark_test

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"touchmark"
)

func idOf(number int) (id touchmark.SpentID) {
	binary.BigEndian.PutUint64(id[:], uint64(number))
	return
}

func TestMemoryIsBounded(t *testing.T) {
	var store touchmark.MemoryReplayStore
	now := time.Unix(1790000000, 0)
	spend := func(number int, now, until time.Time) (bool, error) {
		return store.Spend(context.Background(), idOf(number), now, until)
	}
	for at := 0; at < 100_000; at++ {
		if first, err := spend(at, now, now.Add(time.Duration(1+at%100)*time.Second)); !first || err != nil {
			t.Fatal(at, first, err)
		}
	}
	if _, err := spend(100_000, now, now.Add(time.Second)); err == nil {
		t.Error("more than it may")
	}
	if first, err := spend(5, now, now.Add(time.Second)); first || err != nil {
		t.Error("forgets when it is full: ", first, err)
	}
	now = now.Add(time.Second)
	if first, err := spend(100_000, now, now.Add(time.Second)); !first || err != nil {
		t.Error("does not forget what counts no more: ", first, err)
	}
	if first, _ := spend(0, now, now.Add(time.Second)); !first {
		t.Error("remembers for too long")
	}
	if first, _ := spend(1, now, now.Add(time.Second)); first {
		t.Error("forgets too early")
	}
}

func TestATokenIsSpentOnceAmongMany(t *testing.T) {
	guard := guardOf(t, with("TOUCHMARK_SINGLE_USE", "memory"), touchmark.WithClock(newClock().read))
	token := signed(`{"did":"device","exp":1790000300,"jti":"1"}`)
	var served atomic.Int64
	var all sync.WaitGroup
	for at := 0; at < 50; at++ {
		all.Add(1)
		go func() {
			defer all.Done()
			if reasonOf(guard, token) == touchmark.ReasonOK {
				served.Add(1)
			}
		}()
	}
	all.Wait()
	if served.Load() != 1 {
		t.Errorf("is served %d times", served.Load())
	}
}

type lostStore struct{ closed bool }

func (*lostStore) Spend(ctx context.Context, _ touchmark.SpentID, _, _ time.Time) (bool, error) {
	if _, bounded := ctx.Deadline(); !bounded {
		panic("a store may take as long as it likes")
	}
	return false, errors.New("lost")
}

func (l *lostStore) Close() error {
	l.closed = true
	return nil
}

func TestALostStore(t *testing.T) {
	token := signed(`{"did":"device","exp":1790000300,"jti":"1"}`)
	for setting, reason := range map[string]touchmark.Reason{"closed": touchmark.ReasonNoReplayStore, "open": touchmark.ReasonOK} {
		store, asked := &lostStore{}, ""
		guard := guardOf(t, with("TOUCHMARK_SINGLE_USE", "redis://cache.example/1", "TOUCHMARK_REPLAY_FAILURE", setting),
			touchmark.WithClock(newClock().read), touchmark.WithReplayStore(func(location string) (touchmark.ReplayStore, error) {
				asked = location
				return store, nil
			}))
		if found := reasonOf(guard, token); found != reason || asked != "redis://cache.example/1" {
			t.Error(setting, found, asked)
		}
		if guard.Close(); !store.closed {
			t.Error("the store stays open")
		}
	}
	read, _ := touchmark.ReadSettings(with("TOUCHMARK_SINGLE_USE", "redis://cache.example"))
	if _, err := touchmark.NewGuard(read); err == nil {
		t.Error("a store that nobody opens is taken for none")
	}
}
