package profile

import (
	"hash/maphash"
	"strings"
	"sync"

	"outcrop"
	"outcrop/catalog"
)

// cacheShards spreads the locks of the cache; a power of two.
const cacheShards = 64

// A cache keeps resolved Targets, so that an invocation costs no query. An
// entry lives until its profile changes or the catalogue is another one.
//
// A reader may have read the store just before a change and want to put the
// old Target in just after. Each shard therefore counts its changes: a reader
// notes the count before it reads the store, and its Target is only put in
// while the count is still the same.
type cache struct {
	seed   maphash.Seed
	limit  int // entries per shard
	shards [cacheShards]shard
}

type shard struct {
	mu      sync.RWMutex
	changes uint64
	entries map[cacheKey]cached
}

type cacheKey struct {
	account outcrop.AccountID
	region  outcrop.Region
	text    string // modelId as the client wrote it
}

type cached struct {
	catalog *catalog.Catalog // that held when the Target was resolved
	target  *outcrop.Target
}

func newCache(entries int) *cache {
	c := &cache{seed: maphash.MakeSeed(), limit: max(1, entries/cacheShards)}
	for i := range c.shards {
		c.shards[i].entries = map[cacheKey]cached{}
	}
	return c
}

func (c *cache) shard(k cacheKey) *shard {
	return &c.shards[maphash.String(c.seed, k.text)%cacheShards]
}

// get finds k's Target. changes is what put wants to know.
func (c *cache) get(k cacheKey, now *catalog.Catalog) (t *outcrop.Target, changes uint64) {
	s := c.shard(k)
	s.mu.RLock()
	e, ok := s.entries[k]
	changes = s.changes
	s.mu.RUnlock()
	if !ok || e.catalog != now {
		return nil, changes
	}
	return e.target, changes
}

// put keeps a Target that was resolved after get had said changes.
func (c *cache) put(k cacheKey, now *catalog.Catalog, t *outcrop.Target, changes uint64) {
	k = cacheKey{outcrop.AccountID(strings.Clone(string(k.account))), outcrop.Region(strings.Clone(string(k.region))), strings.Clone(k.text)}
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changes != changes {
		return
	}
	if _, known := s.entries[k]; !known && len(s.entries) >= c.limit {
		for victim := range s.entries { // whichever comes first: a map's order is random
			delete(s.entries, victim)
			break
		}
	}
	s.entries[k] = cached{now, t}
}

// forget drops k, and whatever is being resolved for it right now.
func (c *cache) forget(k cacheKey) {
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	delete(s.entries, k)
}
