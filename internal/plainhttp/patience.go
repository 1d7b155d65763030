package plainhttp

import "time"

// setDeadline bounds reads until it is set again.
func (c *conn) setDeadline(t time.Time) {
	c.until = t
	c.rwc.SetReadDeadline(t) // a connection that is gone is seen when it is read
}

// cutOff ends whatever reads.
func (c *conn) cutOff() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setDeadline(time.Unix(1, 0))
}

// patience is by when n bytes must have passed.
func (c *conn) patience(n int64) (until time.Time) {
	if c.server.Patience != nil {
		until = time.Now().Add(c.server.Patience(n))
	}
	return until
}

// stuck is told that n bytes find no room, and bounds the wait for it.
func (c *conn) stuck(n int) {
	if c.server.Patience != nil && !c.timed {
		c.slow = true
		c.rwc.SetWriteDeadline(c.patience(int64(n)))
	}
}

// quick ends what stuck began.
func (c *conn) quick() {
	if c.slow {
		c.slow = false
		c.rwc.SetWriteDeadline(time.Time{})
	}
}
