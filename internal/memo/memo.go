// Package memo remembers what is worked out from a key alone.
package memo

import (
	"maps"
	"sync"
	"sync/atomic"
)

// maxMemo is how many answers a Memo keeps.
const maxMemo = 1024

// A Memo remembers what never changes: addresses, for one. Who asks it waits for nobody. What comes when it is full
// is worked out each time. The zero value is empty.
type Memo[K comparable, V any] struct {
	mu  sync.Mutex // held to change all
	all atomic.Pointer[map[K]V]
}

// Get is what work makes of key. Errors are not remembered.
func (m *Memo[K, V]) Get(key K, work func(K) (V, error)) (V, error) {
	if v, ok := m.Find(key); ok {
		return v, nil
	}
	v, err := work(key)
	if err == nil {
		m.keep(key, v)
	}
	return v, err
}

// Find is what Get remembers.
func (m *Memo[K, V]) Find(key K) (v V, ok bool) {
	if all := m.all.Load(); all != nil {
		v, ok = (*all)[key]
	}
	return v, ok
}

func (m *Memo[K, V]) keep(key K, v V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := map[K]V{}
	if all := m.all.Load(); all != nil {
		if len(*all) >= maxMemo {
			return
		}
		next = maps.Clone(*all)
	}
	next[key] = v
	m.all.Store(&next)
}
