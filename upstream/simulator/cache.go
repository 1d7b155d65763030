package simulator

import (
	"strings"
	"sync"
	"time"

	"outcrop"
	"outcrop/converse"
)

// The times to live of a cache point.
const (
	ttlShort = "5m"
	ttlLong  = "1h"
)

// Bounds of the prompt cache.
const (
	maxCachedPrefixes = 1 << 14
	lookBackBlocks    = 20 // how far before a cache point a cached prefix is found, as Anthropic does
)

// leastByModel are the tokens a checkpoint needs
// (reference/runtime-metering-billing.md §8.5). The first name found in the
// model id counts.
var leastByModel = []struct {
	name   string
	tokens int
}{
	{"claude-opus-5", 512}, {"claude-opus-4-8", 1024}, {"claude-opus-4-7", 4096}, {"claude-opus-4-6", 4096}, {"claude-opus-4-5", 4096},
	{"claude-sonnet-4-5", 4096}, {"claude-haiku-4-5", 4096},
	{"claude-3-5-haiku", 2048}, {"claude", 1024},
	{"nova-lite", 1536}, {"nova-micro", 1536}, {"nova", 1024},
}

// leastCached is the size below which model caches nothing, 0 when it has no
// prompt cache.
func leastCached(model outcrop.ModelID) int {
	for _, row := range leastByModel {
		if strings.Contains(string(model), row.name) {
			return row.tokens
		}
	}
	return 0
}

// A promptCache remembers prefixes of prompts for as long as a model would. It
// keeps hashes, not text. What was written first leaves first.
type promptCache struct {
	mu      sync.Mutex
	entries map[uint64]cached
	order   []uint64 // as written; a ring once full
	next    int
}

type cached struct {
	expires time.Time
	life    time.Duration
}

func newPromptCache() *promptCache { return &promptCache{entries: make(map[uint64]cached)} }

// A cacheBill says how a prompt's tokens met the cache.
type cacheBill struct{ read, short, long int }

// bill finds the longest prefix that is cached, writes the cache points behind
// it, and says what that came to.
func (c *promptCache) bill(p *prompt, now time.Time) cacheBill {
	if p.points == 0 || p.least == 0 {
		return cacheBill{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	hit := c.longest(p, now)
	var b cacheBill
	if hit >= 0 {
		b.read = p.marks[hit].tokens
	}
	known := b.read
	for i, m := range p.marks {
		switch {
		case m.ttl == "" || m.tokens < p.least:
		case i <= hit:
			c.refresh(m.hash, now)
		default:
			b.write(m.ttl, m.tokens-known)
			known = m.tokens
			c.write(m.hash, m.ttl, now)
		}
	}
	return b
}

// longest looks for a live prefix at each cache point and a little before it,
// from the end. It returns the mark's index, -1 for none.
func (c *promptCache) longest(p *prompt, now time.Time) int {
	for i := len(p.marks) - 1; i >= 0; i-- {
		if p.marks[i].ttl == "" {
			continue
		}
		for j := i; j >= max(0, i-lookBackBlocks); j-- {
			if c.refresh(p.marks[j].hash, now) {
				return j
			}
		}
	}
	return -1
}

// refresh starts the life of a prefix anew, and says whether it was alive.
func (c *promptCache) refresh(hash uint64, now time.Time) bool {
	e, ok := c.entries[hash]
	if !ok || now.After(e.expires) {
		return false
	}
	e.expires = now.Add(e.life)
	c.entries[hash] = e
	return true
}

func (c *promptCache) write(hash uint64, ttl string, now time.Time) {
	life := 5 * time.Minute
	if ttl == ttlLong {
		life = time.Hour
	}
	if _, known := c.entries[hash]; !known {
		c.remember(hash)
	}
	c.entries[hash] = cached{now.Add(life), life}
}

func (c *promptCache) remember(hash uint64) {
	if len(c.order) < maxCachedPrefixes {
		c.order = append(c.order, hash)
		return
	}
	delete(c.entries, c.order[c.next])
	c.order[c.next] = hash
	c.next = (c.next + 1) % maxCachedPrefixes
}

func (b *cacheBill) write(ttl string, tokens int) {
	if ttl == ttlLong {
		b.long += tokens
	} else {
		b.short += tokens
	}
}

// usage puts the numbers into Converse's terms: the kinds are disjoint, and
// cacheDetails name one hour before five minutes.
func usage(p *prompt, b cacheBill, output int) *converse.TokenUsage {
	read, wrote := int64(b.read), int64(b.short+b.long)
	u := &converse.TokenUsage{
		InputTokens:           int64(p.total) - read - wrote,
		OutputTokens:          int64(output),
		TotalTokens:           int64(p.total + output),
		CacheReadInputTokens:  &read,
		CacheWriteInputTokens: &wrote,
	}
	if b.long > 0 {
		u.CacheDetails = append(u.CacheDetails, converse.CacheDetail{Ttl: ttlLong, InputTokens: int64(b.long)})
	}
	if b.short > 0 {
		u.CacheDetails = append(u.CacheDetails, converse.CacheDetail{Ttl: ttlShort, InputTokens: int64(b.short)})
	}
	return u
}
