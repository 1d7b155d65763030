package identity

import (
	"context"
	"maps"
	"sync"
	"time"
)

// Limits of what is remembered.
const (
	maxCacheEntries = 10_000
	maxCacheAge     = 15 * time.Second // how late another node's change is seen
)

// A cache remembers what was loaded. What is not found is not remembered.
// Entries are pointers: printing the cache prints addresses.
type cache[V any] struct {
	now func() time.Time

	mu         sync.RWMutex
	entries    map[string]*entry[V]
	generation int // how often it was cleared
}

type entry[V any] struct {
	value V
	until time.Time
}

func newCache[V any](now func() time.Time) *cache[V] {
	return &cache[V]{now: now, entries: map[string]*entry[V]{}}
}

// get answers from memory or loads. A value that was being loaded while the
// cache was cleared may be old: it is answered, as it would have been a moment
// earlier, and not remembered.
func (c *cache[V]) get(ctx context.Context, name string, load func(context.Context, string) (V, error)) (V, error) {
	now := c.now()
	c.mu.RLock()
	e, generation := c.entries[name], c.generation
	c.mu.RUnlock()
	if e != nil && now.Before(e.until) {
		return e.value, nil
	}
	v, err := load(ctx, name)
	if err == nil {
		c.put(name, &entry[V]{v, now.Add(maxCacheAge)}, generation)
	}
	return v, err
}

func (c *cache[V]) put(name string, e *entry[V], generation int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.generation != generation {
		return
	}
	if _, known := c.entries[name]; !known && len(c.entries) >= maxCacheEntries {
		for other := range c.entries { // any one: all are cheap to load again
			delete(c.entries, other)
			break
		}
	}
	c.entries[name] = e
}

// drop forgets what is told by about. Like clear, it keeps what is being loaded
// from being remembered.
func (c *cache[V]) drop(about func(V) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	maps.DeleteFunc(c.entries, func(_ string, e *entry[V]) bool { return about(e.value) })
}

func (c *cache[V]) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	clear(c.entries)
}
