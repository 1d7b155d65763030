// Package plainhttp answers the plainest kind of HTTP/1.1 request in fewer
// steps than net/http, and hands every other connection to it.
//
// Plain is what AWS's clients send on the invocation path: an origin-form
// target, one Host, at most one Content-Length, nothing that changes framing.
// Whatever could be understood in two ways, or asks for more (chunks, Expect,
// Upgrade, HTTP/2's preface, a head beyond headSize, a malformed line), is not
// judged here: the connection goes to Server.Rest with every byte that was
// read, and stays there. So there is one place that decides about odd requests,
// net/http, and this package has no error answers of its own.
//
// Where the time is saved: the head is parsed in place, and what a client says
// again is not copied again; a call that the handler has freed leaves its memory
// to the next; small bodies arrive with the head, an answer leaves in one write, and looking for a hang-up starts only when a call has lasted
// watchDelay, so that short calls need no second goroutine.
package plainhttp

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// A Server serves plain connections. Set its fields before Serve.
type Server struct {
	Handler       http.Handler
	Rest          func(net.Conn) // takes over connections whose next request is not plain
	HeaderTimeout time.Duration  // from a request's first byte to the end of its head, and for a connection's first request
	IdleTimeout   time.Duration  // between requests, give or take a quarter
	Log           *slog.Logger   // told of panics of Handler

	// Patience is how long a client may take to send a body of n bytes, or to
	// make room for so many of an answer, unless the handler sets a deadline of
	// its own. Nil is for ever.
	Patience func(n int64) time.Duration

	ending    atomic.Bool
	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	conns     map[*conn]struct{}
}

// Serve answers l's connections until the server is ended, then returns
// http.ErrServerClosed, or net.ErrClosed when l was closed by another.
func (s *Server) Serve(l net.Listener) error {
	if !s.adopt(l) {
		return http.ErrServerClosed
	}
	for wait := time.Duration(0); ; {
		rwc, err := l.Accept()
		switch {
		case err == nil:
			wait = 0
			if c := s.track(rwc); c != nil {
				go c.serve()
			}
		case s.ending.Load():
			return http.ErrServerClosed
		case errors.Is(err, net.ErrClosed):
			return err
		default: // out of file descriptors, most likely: try again
			wait = min(max(2*wait, 5*time.Millisecond), time.Second)
			time.Sleep(wait)
		}
	}
}

func (s *Server) adopt(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending.Load() {
		l.Close()
		return false
	}
	if s.listeners == nil {
		s.listeners, s.conns = map[net.Listener]struct{}{}, map[*conn]struct{}{}
	}
	s.listeners[l] = struct{}{}
	return true
}

// track notes a new connection, or closes it when the server ends.
func (s *Server) track(rwc net.Conn) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending.Load() {
		rwc.Close()
		return nil
	}
	c := &conn{server: s, rwc: rwc}
	c.heard.L = &c.mu
	c.out.To(rwc)
	c.out.Stuck = c.stuck
	s.conns[c] = struct{}{}
	return c
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// How often Shutdown looks whether calls have ended.
const shutdownPoll = 5 * time.Millisecond

// Shutdown accepts nothing more, closes idle connections and waits for the
// calls that are open. It returns ctx's error when that ends first; Close cuts
// off the rest. Connections that Rest took are not its own.
func (s *Server) Shutdown(ctx context.Context) error {
	s.end()
	tick := time.NewTicker(shutdownPoll)
	defer tick.Stop()
	for !s.closeIdle() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// Close ends the server and cuts off what is open.
func (s *Server) Close() error {
	s.end()
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.rwc.Close()
	}
	return nil
}

func (s *Server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ending.Store(true)
	for l := range s.listeners {
		l.Close() // its owner hears of it through Serve
		delete(s.listeners, l)
	}
}

// closeIdle closes what waits for a request, and says whether that was all.
func (s *Server) closeIdle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if !c.busy.Load() {
			c.rwc.Close()
			delete(s.conns, c)
		}
	}
	return len(s.conns) == 0
}
