package server

import (
	"bufio"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"
)

// helloTimeout bounds the wait for a connection's first byte.
const helloTimeout = 10 * time.Second

// tlsRecord is the first byte of every TLS connection; no HTTP method or
// HTTP/2 preface begins with it.
const tlsRecord = 0x16

// A splitter serves TLS and plain connections on one port: it looks at each
// connection's first byte and hands it to one of two listeners.
type splitter struct {
	net.Listener
	plain, secure *handoff
	waiting       sync.WaitGroup
}

// split starts looking at l's connections until l is closed.
func split(l net.Listener, config *tls.Config) (plain, secure net.Listener) {
	s := &splitter{Listener: l, plain: newHandoff(l), secure: newHandoff(l)}
	go s.run()
	return s.plain, tls.NewListener(s.secure, config)
}

func (s *splitter) run() {
	defer s.finish()
	for {
		conn, err := s.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(5 * time.Millisecond) // out of file descriptors, most likely: try again
			continue
		}
		s.waiting.Go(func() { s.look(conn) })
	}
}

func (s *splitter) finish() {
	s.plain.close()
	s.secure.close()
	s.waiting.Wait()
}

func (s *splitter) look(conn net.Conn) {
	r := bufio.NewReaderSize(conn, 16)
	conn.SetReadDeadline(time.Now().Add(helloTimeout))
	first, err := r.Peek(1)
	conn.SetReadDeadline(time.Time{})
	if err != nil {
		conn.Close()
		return
	}
	to := s.plain
	if first[0] == tlsRecord {
		to = s.secure
	}
	to.give(&peekedConn{Conn: conn, r: r})
}

// A peekedConn gives back the bytes that were looked at.
type peekedConn struct {
	net.Conn
	r *bufio.Reader
}

func (c *peekedConn) Read(b []byte) (int, error) {
	if c.r.Buffered() > 0 {
		return c.r.Read(b)
	}
	return c.Conn.Read(b)
}

// A handoff is a listener whose connections come from a splitter.
type handoff struct {
	addr  net.Addr
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
	under net.Listener
}

func newHandoff(under net.Listener) *handoff {
	return &handoff{addr: under.Addr(), conns: make(chan net.Conn), done: make(chan struct{}), under: under}
}

func (h *handoff) give(c net.Conn) {
	select {
	case h.conns <- c:
	case <-h.done:
		c.Close()
	}
}

func (h *handoff) close() { h.once.Do(func() { close(h.done) }) }

// Accept implements net.Listener.
func (h *handoff) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}

// Close ends this half and the port below it, which the other half may have
// closed already.
func (h *handoff) Close() error {
	h.close()
	if err := h.under.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Addr implements net.Listener.
func (h *handoff) Addr() net.Addr { return h.addr }
