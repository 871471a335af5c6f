package touchmarkredis_test

import (
	"context"
	"fmt"
	"net"
	"net/http/httptest"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"touchmark"
	"touchmark/internal/contract"
	"touchmark/touchmarkredis"
)

// redisServer is a real one, on a port of its own, with nothing on disk.
type redisServer struct {
	port    string
	process *exec.Cmd
}

func startRedis(t *testing.T) *redisServer {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal("redis-server is missing: tools/setup --tests installs it")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	server := &redisServer{port, exec.Command(program, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
		"--dir", t.TempDir())}
	if err := server.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.stop)
	for try := 0; try < 600; try++ {
		if connection, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
			connection.Close()
			return server
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("redis-server does not listen")
	return nil
}

func (r *redisServer) location() string { return "redis://127.0.0.1:" + r.port + "/1" }

func (r *redisServer) stop() {
	r.process.Process.Kill()
	r.process.Wait()
}

func open(t *testing.T, location string) touchmark.ReplayStore {
	t.Helper()
	store, err := touchmarkredis.Open(location)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

func TestATokenIsSpentOnceOverAllProcesses(t *testing.T) {
	server := startRedis(t)
	now := time.Unix(1790000000, 0)
	stores := []touchmark.ReplayStore{open(t, server.location()), open(t, server.location())}
	for number := 0; number < 20; number++ {
		var spent atomic.Int64
		var all sync.WaitGroup
		for _, store := range append(stores, stores...) {
			all.Add(1)
			go func(store touchmark.ReplayStore) {
				defer all.Done()
				first, err := store.Spend(context.Background(), touchmark.SpentID{byte(number)}, now, now.Add(time.Minute))
				if err != nil {
					t.Error(err)
				}
				if first {
					spent.Add(1)
				}
			}(store)
		}
		all.Wait()
		if spent.Load() != 1 {
			t.Errorf("is spent %d times", spent.Load())
		}
	}
}

func TestRedisForgetsWhatCountsNoMore(t *testing.T) {
	store := open(t, startRedis(t).location())
	now := time.Unix(1790000000, 0)
	id := touchmark.SpentID{1}
	spend := func(until time.Time) bool {
		first, err := store.Spend(context.Background(), id, now, until)
		if err != nil {
			t.Fatal(err)
		}
		return first
	}
	if !spend(now.Add(time.Second)) || spend(now.Add(time.Second)) {
		t.Error("is not spent once")
	}
	time.Sleep(1100 * time.Millisecond)
	// Beyond any clock, and the shortest time that Redis has.
	if !spend(time.Unix(1<<53, 0)) || spend(now) {
		t.Error("is not forgotten, or not kept")
	}
	id = touchmark.SpentID{2}
	if !spend(now.Add(time.Nanosecond)) {
		t.Error("is not spent")
	}
}

func TestSingleUseOfTheContract(t *testing.T) {
	server := startRedis(t)
	file := contract.Read(t, "../"+contract.Requests)
	group := file.Named(t, "single use")
	settings := group.Prepared(t)
	settings["TOUCHMARK_SINGLE_USE"] = server.location()
	read, err := touchmark.ReadSettings(settings)
	if err != nil {
		t.Fatal(err)
	}
	guard, err := touchmark.NewGuard(read, touchmark.WithReplayStore(touchmarkredis.Open),
		touchmark.WithClock(func() time.Time { return time.Unix(file.Now, 0) }), touchmark.WithLog(func(touchmark.LogLevel, string) {}))
	if err != nil {
		t.Fatal(err)
	}
	defer guard.Close()
	for _, c := range group.Cases {
		request := httptest.NewRequest(c.Method, "/", nil)
		for _, header := range c.Headers {
			request.Header.Add(header[0], header[1])
		}
		if decision, _ := guard.CheckHTTP(request, nil); string(decision.Reason) != c.Reason {
			t.Error(c.Name, decision.Reason)
		}
	}
}

func TestALostRedis(t *testing.T) {
	for setting, reason := range map[string]touchmark.Reason{"closed": touchmark.ReasonNoReplayStore, "open": touchmark.ReasonOK} {
		server := startRedis(t)
		file := contract.Read(t, "../"+contract.Requests)
		group := file.Named(t, "single use")
		settings := group.Prepared(t)
		settings["TOUCHMARK_SINGLE_USE"], settings["TOUCHMARK_REPLAY_FAILURE"] = server.location(), setting
		read, err := touchmark.ReadSettings(settings)
		if err != nil {
			t.Fatal(err)
		}
		guard, err := touchmark.NewGuard(read, touchmark.WithReplayStore(touchmarkredis.Open),
			touchmark.WithClock(func() time.Time { return time.Unix(file.Now, 0) }), touchmark.WithLog(func(touchmark.LogLevel, string) {}))
		if err != nil {
			t.Fatal(err)
		}
		check := func() touchmark.Reason {
			request := httptest.NewRequest("GET", "/", nil)
			request.Header.Set(group.Cases[0].Headers[0][0], group.Cases[0].Headers[0][1])
			decision, _ := guard.CheckHTTP(request, nil)
			return decision.Reason
		}
		if first, second := check(), check(); first != touchmark.ReasonOK || second != touchmark.ReasonReplayed {
			t.Error(first, second)
		}
		server.stop()
		begin := time.Now()
		if found := check(); found != reason {
			t.Error(setting, found)
		}
		if took := time.Since(begin); took > 10*time.Second {
			t.Error("a lost Redis keeps a request waiting for ", took)
		}
		guard.Close()
	}
}

// A server that takes the connection and says nothing.
func TestASilentRedis(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	store := open(t, fmt.Sprint("redis://", listener.Addr()))
	begin := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if _, err := store.Spend(ctx, touchmark.SpentID{}, begin, begin.Add(time.Minute)); err == nil {
		t.Error("answers")
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Error("keeps a request waiting for ", took)
	}
}
