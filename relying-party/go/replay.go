package touchmark

import (
	"container/heap"
	"context"
	"errors"
	"sync"
	"time"
)

// maxSpent bounds the memory of spent tokens: about ten megabytes.
const maxSpent = 100_000

// SpentID stands for a token that was spent: SHA-256 of its jti.
type SpentID [32]byte

// ReplayStore remembers the tokens that were spent. Servers that share one share what was spent.
type ReplayStore interface {
	// Spend remembers a token until it would not count any more, and says whether it is the first to
	// do so. An error: the store cannot tell. `now` is the time by the check's clock.
	Spend(ctx context.Context, id SpentID, now, until time.Time) (first bool, err error)
	// Close lets go of what the store holds, such as connections.
	Close() error
}

// MemoryReplayStore is a ReplayStore for a server of one process. The zero value is ready for use.
type MemoryReplayStore struct {
	mutex sync.Mutex
	spent map[SpentID]struct{}
	ends  spentHeap
}

type spentToken struct {
	id    SpentID
	until time.Time
}

// Spend keeps at most 100,000 tokens: one more, while all of them still count, is an error.
func (m *MemoryReplayStore) Spend(_ context.Context, id SpentID, now, until time.Time) (bool, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for len(m.ends) > 0 && !now.Before(m.ends[0].until) {
		delete(m.spent, heap.Pop(&m.ends).(spentToken).id)
	}
	if _, found := m.spent[id]; found {
		return false, nil
	}
	if len(m.spent) >= maxSpent {
		return false, errors.New("the memory of spent tokens is full")
	}
	if m.spent == nil {
		m.spent = map[SpentID]struct{}{}
	}
	m.spent[id] = struct{}{}
	heap.Push(&m.ends, spentToken{id, until})
	return true, nil
}

// Close does nothing.
func (m *MemoryReplayStore) Close() error { return nil }

// spentHeap has what ends first at its front (container/heap).
type spentHeap []spentToken

func (h spentHeap) Len() int           { return len(h) }
func (h spentHeap) Less(i, j int) bool { return h[i].until.Before(h[j].until) }
func (h spentHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *spentHeap) Push(one any)      { *h = append(*h, one.(spentToken)) }
func (h *spentHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
