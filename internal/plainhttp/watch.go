package plainhttp

import (
	"cmp"
	"io"
	"syscall"
	"time"

	"outcrop/internal/nowait"
)

// requestRead is told when the request is in: from now on the client has
// nothing to say, and a connection that can be read has ended.
func (c *conn) requestRead() {
	c.release()
	if c.to > c.from {
		return // the next request is here already
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = true
	if c.timer == nil {
		c.timer = time.AfterFunc(watchDelay, c.watch)
		return
	}
	c.timer.Reset(watchDelay)
}

// watch reads until the client says something, hangs up, or the call ends.
func (c *conn) watch() {
	c.mu.Lock()
	if !c.idle || c.watching || c.early {
		c.mu.Unlock()
		return // the call has ended meanwhile, or a timer of the one before came late
	}
	c.watching = true
	c.setDeadline(time.Time{})
	c.mu.Unlock()
	n, err := c.listen()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.early = n == 1
	c.watching = false
	if err != nil && !c.stopping {
		c.line.Cut(nil)
	}
	c.heard.Broadcast()
}

// listen reads one byte, and waits for it.
func (c *conn) listen() (n int, err error) {
	if c.raw == nil {
		return c.rwc.Read(c.one[:])
	}
	failed := c.raw.Read(func(fd uintptr) bool {
		n, err = nowait.Read(fd, c.one[:])
		return err != syscall.EAGAIN
	})
	if n > 0 {
		return n, nil
	}
	return 0, cmp.Or(failed, err, io.EOF)
}

// stopWatching returns when nobody else reads the connection. A byte of the
// next request that was read goes back into the buffer.
func (c *conn) stopWatching() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = false
	if c.timer != nil {
		c.timer.Stop()
	}
	if c.watching {
		c.stopping = true
		c.setDeadline(time.Unix(1, 0))
		for c.watching {
			c.heard.Wait()
		}
		c.stopping = false
	}
	if c.early {
		c.early = false
		c.buf = buffers.Get().(*[headSize]byte)
		c.buf[0] = c.one[0]
		c.from, c.to = 0, 1
	}
}
