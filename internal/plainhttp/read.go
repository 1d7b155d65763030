package plainhttp

import (
	"bytes"
	"cmp"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"outcrop/internal/nowait"
)

var buffers = sync.Pool{New: func() any { return new([headSize]byte) }}

// readHead reads on until a head is whole, within the time for that, which
// runs from the first byte or, timed, has begun. A head that does not fit or
// is cut off is returned as it is, which nobody can parse.
func (c *conn) readHead(timed bool) ([]byte, error) {
	for {
		have := c.unused()
		if len(have) > 0 {
			c.busy.Store(true)
			if end := bytes.Index(have, headEnd); end >= 0 {
				return have[:end+len(headEnd)], nil
			}
			if len(have) == headSize || !mayBePlain(have) {
				return have, nil
			}
			if !timed {
				c.setDeadline(time.Now().Add(c.server.HeaderTimeout))
				timed = true
			}
		}
		if err := c.fill(); err == io.EOF && len(have) > 0 {
			return c.unused(), nil
		} else if err != nil {
			return nil, err
		}
	}
}

// unused is what was read and not used yet.
func (c *conn) unused() []byte {
	if c.buf == nil {
		return nil
	}
	return c.buf[c.from:c.to]
}

var headEnd = []byte("\r\n\r\n")

// mayBePlain says whether a head that has begun is worth waiting for: HTTP/2's
// preface has no end that is a head's.
func mayBePlain(have []byte) bool {
	switch have[0] {
	case 'G', 'P', 'D':
		return len(have) < 2 || have[1] != 'R'
	}
	return false
}

// fill reads once into the buffer. While nothing comes, an empty one is not
// held: most connections wait for a request most of the time.
func (c *conn) fill() error {
	if c.buf == nil && c.raw != nil {
		c.err = nil
		return cmp.Or(c.raw.Read(c.take), c.err)
	}
	if c.buf == nil {
		c.buf = buffers.Get().(*[headSize]byte)
	}
	if c.from > 0 {
		c.to = copy(c.buf[:], c.buf[c.from:c.to])
		c.from = 0
	}
	n, err := c.rwc.Read(c.buf[c.to:])
	c.to += n
	if n > 0 {
		return nil
	}
	return err
}

// read reads once into a buffer of its own, and says whether anything came:
// bytes, or the end.
func (c *conn) read(fd uintptr) bool {
	c.buf = buffers.Get().(*[headSize]byte)
	n, err := nowait.Read(fd, c.buf[:])
	switch {
	case err == syscall.EAGAIN:
	case err != nil:
		c.err = os.NewSyscallError("read", err)
	case n == 0:
		c.err = io.EOF
	}
	c.from, c.to = 0, max(n, 0)
	c.release()
	return err != syscall.EAGAIN
}

// release gives the buffer back when nothing is in it.
func (c *conn) release() {
	if c.buf != nil && c.from == c.to {
		buffers.Put(c.buf)
		c.buf, c.from, c.to = nil, 0, 0
	}
}
