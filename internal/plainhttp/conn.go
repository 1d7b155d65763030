package plainhttp

import (
	"context"
	"net"
	"net/http"
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
