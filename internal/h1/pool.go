package h1

import (
	"slices"
	"sync"
	"time"
)

// A pool keeps idle connections, by server, the one used last at the end.
type pool struct {
	timeout time.Duration // how long one is kept; 0 for ever
	most    int           // how many are kept in all; 0 for no limit

	mu    sync.Mutex
	idle  map[server][]*conn
	count int
	shut  bool        // nothing is kept until the next call
	timer *time.Timer // of the next sweep; nil while nothing is kept
}

// take finds the connection to a server that was used last, nil when there is
// none.
func (p *pool) take(to server) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shut = false
	list := p.idle[to]
	if len(list) == 0 {
		return nil
	}
	c := list[len(list)-1]
	list[len(list)-1] = nil
	p.idle[to] = list[:len(list)-1]
	p.count--
	return c
}

// put keeps a connection, and drops the one that has been idle the longest when
// there are too many.
func (p *pool) put(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shut {
		c.socket.Close()
		return
	}
	if p.idle == nil {
		p.idle = make(map[server][]*conn)
	}
	c.since = time.Now()
	p.idle[c.server] = append(p.idle[c.server], c)
	if p.count++; p.most > 0 && p.count > p.most {
		p.dropOldest()
	}
	if p.timer == nil && p.timeout > 0 {
		p.timer = time.AfterFunc(p.timeout, p.sweep)
	}
}

func (p *pool) dropOldest() {
	var oldest *conn
	for _, list := range p.idle {
		if len(list) > 0 && (oldest == nil || list[0].since.Before(oldest.since)) {
			oldest = list[0]
		}
	}
	p.drop(oldest.server, 1)
}

// drop closes the first n connections to a server.
func (p *pool) drop(to server, n int) {
	list := p.idle[to]
	for _, c := range list[:n] {
		c.socket.Close()
	}
	p.count -= n
	if list = slices.Delete(list, 0, n); len(list) == 0 {
		delete(p.idle, to)
		return
	}
	p.idle[to] = list
}

// sweep closes what has been idle for too long.
func (p *pool) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	until := time.Now().Add(-p.timeout)
	var next time.Time
	for to, list := range p.idle {
		n := 0
		for n < len(list) && !list[n].since.After(until) {
			n++
		}
		if n < len(list) && (next.IsZero() || list[n].since.Before(next)) {
			next = list[n].since
		}
		p.drop(to, n)
	}
	if p.timer = nil; p.count > 0 {
		p.timer = time.AfterFunc(time.Until(next.Add(p.timeout)), p.sweep)
	}
}

// close closes everything that is idle.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shut = true
	for to, list := range p.idle {
		p.drop(to, len(list))
	}
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
}
