package h1

import (
	"io"
	"os"
	"syscall"

	"outcrop/internal/nowait"
)

// A question is a request that is written to a socket by who waits for the
// answer: the wait begins before the write, so that nobody asks the socket for
// an answer that cannot be there yet. A server that has closed the connection
// before resets it at the request, which ends the wait.
type question struct {
	text []byte
	sent int
	step func(fd uintptr) bool // made once for the connection
	err  error                 // of the socket
}

// ask writes text, and reads the first of what comes back where it can. It says
// how much was sent.
func (c *conn) ask(text []byte) (sent int, err error) {
	if c.raw == nil || c.Conn != c.socket {
		return c.Write(text)
	}
	q := &c.question
	q.text, q.sent, q.err = text, 0, nil
	err = c.raw.Read(q.step)
	q.text = nil
	switch {
	case err != nil: // it was broken off
		return q.sent, err
	case q.err != nil:
		return q.sent, q.err
	case q.sent < len(text): // the socket is full
		n, err := c.Write(text[q.sent:])
		return q.sent + n, err
	}
	return q.sent, nil
}

// step writes when it is called first, and reads when something has come. It
// returns true when there is nothing more to wait for.
func (c *conn) step(fd uintptr) (over bool) {
	q := &c.question
	if q.sent == 0 {
		n, err := nowait.Write(fd, q.text)
		switch {
		case err == syscall.EAGAIN:
			return true
		case err != nil:
			q.err = os.NewSyscallError("write", err)
			return true
		}
		q.sent = n
		return n < len(q.text)
	}
	n, err := nowait.Read(fd, (*c.buffer)[c.to:])
	switch {
	case err == syscall.EAGAIN:
		return false
	case err != nil:
		q.err = os.NewSyscallError("read", err)
	case n == 0:
		q.err = io.EOF
	default:
		c.to += n
	}
	return true
}
