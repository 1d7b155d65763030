package plainhttp

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"outcrop/internal/nowait"
	"outcrop/internal/tether"
)

// headSize is the longest head that is read here, with what comes behind it in
// the same segment: long session tokens fit.
const headSize = 8 << 10

// watchDelay is how long a call lasts before its connection is watched. Models
// take longer; what is answered from near by, even by a busy machine, is spared
// the watch.
const watchDelay = 25 * time.Millisecond

// partingWait is how long a connection stays half open after an answer that
// came before the request's end, so that the client reads it before the reset.
const partingWait = 500 * time.Millisecond

var buffers = sync.Pool{New: func() any { return new([headSize]byte) }}

// A conn is one connection. Its goroutine reads requests and runs the handler;
// a second one exists only while a long call is watched.
type conn struct {
	server *Server
	rwc    net.Conn
	out    nowait.Writer // to rwc
	timed  bool          // the handler has set a write deadline
	slow   bool          // the client's lack of room has
	busy   atomic.Bool   // a request has begun

	raw      syscall.RawConn    // nil where there is no socket to wait for
	take     func(uintptr) bool // c.read
	err      error              // of the last take
	buf      *[headSize]byte    // what was read and not yet used; nil when empty
	from, to int
	until    time.Time // read deadline
	remote   string

	mu       sync.Mutex // guards what follows
	heard    sync.Cond  // watching became false
	timer    *time.Timer
	line     *tether.Tether // the context of the request under way
	idle     bool           // the request was read to its end and is not answered
	watching bool
	stopping bool
	early    bool    // one holds a byte of the next request
	one      [1]byte // read by the watch
}

func (c *conn) serve() {
	defer c.server.forget(c)
	c.remote = c.rwc.RemoteAddr().String()
	if socket, ok := c.rwc.(syscall.Conn); ok {
		c.raw, _ = socket.SyscallConn()
		c.take = c.read
	}
	c.setDeadline(time.Now().Add(c.server.HeaderTimeout))
	for first := true; ; first = false {
		head, err := c.readHead(first)
		if err != nil {
			c.close()
			return
		}
		plain, goesOn := c.handle(head)
		if !plain {
			c.handOver()
			return
		}
		if !goesOn || c.server.ending.Load() {
			c.close()
			return
		}
		c.busy.Store(false)
		c.waitForNext()
	}
}

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

// handle answers the request that begins with head, when that is plain, and
// says whether another may follow.
func (c *conn) handle(head []byte) (plain, goesOn bool) {
	line := new(tether.Tether)
	line.Tie(context.Background())
	defer line.Cut(nil)
	x := calls.Get().(*call)
	x.prepare(line)
	if !x.read(head) {
		calls.Put(x) // nobody has seen it
		return false, false
	}
	c.from += len(head)
	x.begin(c, line)
	goesOn = c.answer(x)
	x.release()
	return true, goesOn
}

// answer runs the handler, and says whether another request may follow.
func (c *conn) answer(x *call) (goesOn bool) {
	b, w := &x.body, &x.response
	c.receive(x)
	returned := c.run(w, &x.request)
	if returned {
		w.finish()
	}
	b.end()
	c.stopWatching()
	w.release()
	if returned && b.left > 0 {
		c.part()
	}
	return returned && w.reusable()
}

// receive gives the request its body and says from when on a hang-up can be
// seen.
func (c *conn) receive(x *call) {
	c.line = x.response.line
	switch {
	case x.body.left == 0:
		c.requestRead()
		return
	case int64(c.to-c.from) < x.body.left:
		c.setDeadline(c.patience(x.body.left))
	}
	x.request.Body = &x.body
}

// run calls the handler, and says whether it returned.
func (c *conn) run(w http.ResponseWriter, r *http.Request) (returned bool) {
	defer func() {
		if returned {
			return
		}
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			c.server.Log.Error("a handler panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	c.server.Handler.ServeHTTP(w, r)
	return true
}

// waitForNext gives the client the idle time for its next request. The deadline
// is moved only when a quarter of that is over: moving it is not free.
func (c *conn) waitForNext() {
	idle := c.server.IdleTimeout
	now := time.Now()
	if left := c.until.Sub(now); left < idle-idle/4 || left > idle {
		c.setDeadline(now.Add(idle))
	}
}

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

// part ends an answer that came before its request's end: the client reads it
// before what it still sends is refused.
func (c *conn) part() {
	if half, ok := c.rwc.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		time.Sleep(partingWait)
	}
}

func (c *conn) close() {
	c.rwc.Close()
	c.from = c.to
	c.release()
}
