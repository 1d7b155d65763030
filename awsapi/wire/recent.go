package wire

import (
	"strings"
	"sync"
)

// Bounds of what a Router remembers.
const (
	maxRecent     = 4096
	maxRecentPath = 512 // bytes: an ARN and what is around it
)

// recent remembers where paths led: a client calls the same few again and
// again. It only keeps what a Router works out from the path and method alone,
// and that never changes.
type recent struct {
	mu      sync.RWMutex
	matches map[asked]match
}

type asked struct{ method, path string }

// A match is shared by all requests for its path: nobody changes the labels.
type match struct {
	op     *Operation
	labels Labels
}

func (c *recent) find(method, path string) (match, bool) {
	c.mu.RLock()
	m, ok := c.matches[asked{method, path}]
	c.mu.RUnlock()
	return m, ok
}

// keep starts over when full: all can be worked out again.
func (c *recent) keep(method, path string, m match) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.matches == nil || len(c.matches) >= maxRecent {
		c.matches = map[asked]match{}
	}
	c.matches[asked{strings.Clone(method), path}] = m
}
