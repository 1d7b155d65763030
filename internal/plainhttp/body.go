package plainhttp

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// A body is a request's, of a known length.
type body struct {
	conn   *conn
	closed atomic.Bool
	mu     sync.Mutex // held to read
	left   int64      // not read yet
}

// Read reads what was received with the head first, then the connection,
// straight into p. A connection that ends early is io.ErrUnexpectedEOF.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed.Load():
		return 0, http.ErrBodyReadAfterClose
	case b.left == 0:
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	}
	return b.read(p[:min(int64(len(p)), b.left)])
}

func (b *body) read(p []byte) (n int, err error) {
	c := b.conn
	if c.to > c.from {
		n = copy(p, c.buf[c.from:c.to])
		c.from += n
		c.release()
	} else if n, err = c.rwc.Read(p); n > 0 {
		err = nil
	}
	if b.left -= int64(n); b.left == 0 {
		c.requestRead()
		return n, io.EOF
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Close refuses further reads; what was not read is dealt with at the end.
func (b *body) Close() error {
	b.closed.Store(true)
	return nil
}

// end follows the handler's return. Whoever reads on beside it is cut off: from
// now on what comes is the next request.
func (b *body) end() {
	b.closed.Store(true)
	if !b.mu.TryLock() {
		b.conn.cutOff()
		b.mu.Lock()
	}
	b.mu.Unlock()
}

// maxDiscarded is how much of a request that the handler did not read is read
// for it, to use the connection again.
const maxDiscarded = 256 << 10

// discard reads what is left when that is little, and says whether the whole
// request was read.
func (b *body) discard() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left == 0 || b.left > maxDiscarded {
		return b.left == 0
	}
	for scratch := make([]byte, 512); b.left > 0; {
		if _, err := b.read(scratch[:min(int64(len(scratch)), b.left)]); err != nil && err != io.EOF {
			return false
		}
	}
	return true
}
