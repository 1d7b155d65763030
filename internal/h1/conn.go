package h1

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"outcrop/internal/nowait"
	"outcrop/internal/tether"
)

// A server is where a connection leads.
type server struct{ scheme, host string }

func serverOf(r *http.Request) server { return server{r.URL.Scheme, r.URL.Host} }

// address is what to dial.
func (s server) address() string {
	u := url.URL{Host: s.host}
	port := u.Port()
	switch {
	case port != "":
	case s.scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// A conn is one connection. Its buffer is its own only while it is used.
type conn struct {
	net.Conn          // what is read and written: the socket, or TLS over it
	socket   net.Conn // closed to break off
	server   server
	t        *Transport
	look     func(fd uintptr) bool // looks whether anything has come; see quiet
	raw      syscall.RawConn       // nil where there is no socket to look at
	seen     error
	question question  // under way, where there is a socket
	answers  int       // so far
	since    time.Time // when it became idle

	buffer   *[]byte // what has come and is not read yet is in (*buffer)[from:to]
	from, to int
}

const bufferBytes = 4 << 10

var bufferPool = sync.Pool{New: func() any { b := make([]byte, bufferBytes); return &b }}

// connect finds an idle connection or makes one.
func (t *Transport) connect(ctx context.Context, to server, fresh bool) (*conn, error) {
	for !fresh {
		c := t.idle.take(to)
		if c == nil {
			break
		}
		if c.quiet() {
			c.borrow()
			return c, nil
		}
		c.socket.Close()
	}
	var c *conn
	var err error
	elsewhere(func() { c, err = t.make(ctx, to) })
	if err != nil {
		return nil, errors.Join(tether.Cause(ctx), err)
	}
	c.prepareLook()
	c.borrow()
	return c, nil
}

// elsewhere runs f on a stack of its own. To make a connection takes more stack
// than all the rest of a call, above all with TLS, and a stack that has grown
// stays as it is while the call is under way.
func elsewhere(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

// make makes a connection.
func (t *Transport) make(ctx context.Context, to server) (*conn, error) {
	socket, err := t.dial(ctx, to.address())
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: socket, socket: socket, server: to, t: t}
	if to.scheme == "https" {
		if c.Conn, err = t.secure(ctx, socket, to); err != nil {
			socket.Close()
			return nil, err
		}
	}
	return c, nil
}

func (t *Transport) dial(ctx context.Context, address string) (net.Conn, error) {
	if t.base.DialContext != nil {
		return t.base.DialContext(ctx, "tcp", address)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", address)
}

// secure makes TLS of a socket.
func (t *Transport) secure(ctx context.Context, socket net.Conn, to server) (net.Conn, error) {
	config := t.base.TLSClientConfig.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	if config.ServerName == "" {
		config.ServerName = (&url.URL{Host: to.host}).Hostname()
	}
	config.NextProtos = []string{"http/1.1"}
	if limit := t.base.TLSHandshakeTimeout; limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, errors.New("TLS handshake timeout"))
		defer cancel()
	}
	c := tls.Client(socket, config)
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("TLS handshake with %s: %w", to.host, err)
	}
	return c, nil
}

// prepareLook readies quiet, so that it allocates nothing.
func (c *conn) prepareLook() {
	s, ok := c.socket.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return
	}
	c.question.step = c.step
	var room [1]byte
	c.raw, c.look = raw, func(fd uintptr) bool {
		_, c.seen = nowait.Peek(fd, room[:])
		return true
	}
}

// quiet says whether an idle connection is still open and silent. One that the
// server has closed is of no use; and what it says on one that nobody asked would
// be the next caller's answer, so that every connection is looked at.
func (c *conn) quiet() bool {
	if c.raw == nil {
		return true
	}
	err := c.raw.Read(c.look)
	return err == nil && c.seen == syscall.EAGAIN
}

// giveBack makes the connection idle.
func (c *conn) giveBack() {
	c.dropBuffer()
	c.answers++
	c.t.idle.put(c)
}

func (c *conn) dropBuffer() {
	if len(*c.buffer) == bufferBytes {
		bufferPool.Put(c.buffer)
	}
	c.buffer, c.from, c.to = nil, 0, 0
}

// unread is how many bytes have come that are not read yet.
func (c *conn) unread() int { return c.to - c.from }

func (c *conn) borrow() { c.buffer = bufferPool.Get().(*[]byte) }

// lend gives an empty buffer away until there is something to read.
func (c *conn) lend() {
	if c.from == c.to {
		c.dropBuffer()
	}
}

// room is where to read to.
func (c *conn) room() []byte {
	if c.buffer == nil {
		c.borrow()
	}
	b := *c.buffer
	switch {
	case c.from == c.to:
		c.from, c.to = 0, 0
	case c.to == len(b) && c.from > 0:
		c.from, c.to = 0, copy(b, b[c.from:c.to])
	case c.to == len(b):
		larger := make([]byte, 2*len(b))
		copy(larger, b)
		b, *c.buffer = larger, larger
	}
	return b[c.to:]
}

// more waits for more bytes and puts them into the buffer.
func (c *conn) more() error {
	n, err := c.Conn.Read(c.room())
	if c.to += n; n > 0 {
		return nil
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// read is for data: what has come, or else what comes next.
func (c *conn) read(p []byte) (int, error) {
	if c.unread() == 0 {
		if len(p) >= bufferBytes {
			return c.Conn.Read(p)
		}
		if err := c.more(); err != nil {
			return 0, err
		}
	}
	n := copy(p, (*c.buffer)[c.from:c.to])
	c.from += n
	return n, nil
}

var lineEnd = []byte("\r\n")

// line is the next line without its end. It is nil when not the whole line has
// come and nobody waits for it.
func (c *conn) line(wait bool) ([]byte, error) {
	for {
		text := (*c.buffer)[c.from:c.to]
		i := bytes.IndexByte(text, '\r') // where nearly every line ends
		if i < 0 || i+1 == len(text) || text[i+1] != '\n' {
			i = bytes.Index(text, lineEnd)
		}
		if i >= 0 {
			c.from += i + len(lineEnd)
			return text[:i:i], nil
		}
		if len(text) > maxLineBytes {
			return nil, errChunk
		}
		if !wait {
			return nil, nil
		}
		if err := c.more(); err != nil {
			return nil, err
		}
	}
}

var headEnd = []byte("\r\n\r\n")

// head reads the head of the response, and passes over those that only say
// that one will come.
func (c *conn) head(x *exchange) error {
	for range maxInterim {
		text, err := c.headText(x)
		if err != nil {
			return err
		}
		h := &x.head
		*h = h.again()
		if err := h.parse(text); err != nil || h.code >= 200 {
			return err
		}
		if h.code == http.StatusSwitchingProtocols || h.chunked || h.length > 0 {
			return errMalformed
		}
	}
	return errMalformed
}

// headText is a head to its empty line, in the buffer: it holds until more is
// read.
func (c *conn) headText(x *exchange) (string, error) {
	most := int(c.t.base.MaxResponseHeaderBytes)
	if most <= 0 {
		most = 10 << 20 // as net/http has it
	}
	for seen := 0; ; {
		text := (*c.buffer)[c.from:c.to]
		if i := bytes.Index(text[seen:], headEnd); i >= 0 {
			end := seen + i + len(headEnd)
			c.from += end
			return unsafe.String(unsafe.SliceData(text), end), nil
		}
		if len(text) > most {
			return "", errTooLong
		}
		seen = max(len(text)-len(headEnd)+1, 0)
		if err := c.more(); err != nil {
			if len(text) > 0 {
				err = unexpected(err)
			}
			return "", err
		}
		x.heard = true
	}
}
