package plainhttp

import (
	"bytes"
	"errors"
	"net"
	"time"
)

// handOver gives the connection away, with what was read of it.
func (c *conn) handOver() {
	read := bytes.Clone(c.unused())
	c.from = c.to
	c.release()
	c.setDeadline(time.Time{})
	c.server.forget(c)
	c.server.Rest(&begun{Conn: c.rwc, read: read})
}

// A begun connection has been read from; it gives that back first.
type begun struct {
	net.Conn
	read []byte
}

func (b *begun) Read(p []byte) (int, error) {
	if len(b.read) == 0 {
		return b.Conn.Read(p)
	}
	n := copy(p, b.read)
	if b.read = b.read[n:]; len(b.read) == 0 {
		b.read = nil
	}
	return n, nil
}

// CloseWrite ends the sending half where the connection has halves.
func (b *begun) CloseWrite() error {
	if half, ok := b.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}
