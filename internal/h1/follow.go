package h1

import (
	"errors"
	"io"
	"net/http"
	"os"
	"syscall"
	"time"

	"outcrop/internal/nowait"
)

// A body that is followed (io.WriterTo, which io.Copy uses) is handed on piece
// by piece, out of the connection's own buffer, as it comes. Beside Read this
// saves a copy; a system call for each piece, as a socket that has just been
// read empty is waited for without asking it again; and memory, as who waits
// holds no buffer.
//
// What is written to runs while the connection is being read: it must not read
// the body itself, and must not keep what it was given. When it is a Flusher it
// hears whenever nothing more has come, before that is waited for.

// A Flusher passes on what it has put off.
type Flusher interface{ Flush() error }

// A following is a body on its way to w.
type following struct {
	x     *exchange
	w     io.Writer
	put   Flusher // w, or nil
	n     int64
	done  bool
	err   error // of the connection or of w
	armed bool  // there is a read deadline; see recheck
}

// WriteTo implements io.WriterTo. Its error may be w's; then what w did not
// take is lost, and the rest can still be read.
func (x *exchange) WriteTo(w io.Writer) (int64, error) {
	switch {
	case x.closed.Load():
		return 0, http.ErrBodyReadAfterClose
	case x.err == io.EOF:
		return 0, nil
	case x.err != nil:
		return 0, x.err
	}
	f := &x.following
	*f = following{x: x, w: w}
	f.put, _ = w.(Flusher)
	f.pass()
	for !f.done && f.err == nil {
		f.wait()
	}
	if f.armed {
		x.deadline(time.Time{})
	}
	if x.c.buffer == nil {
		x.c.borrow()
	}
	return f.n, f.end()
}

// end is how the body ended, if it did.
func (f *following) end() error {
	x := f.x
	var writer writeError
	switch {
	case f.done:
		x.finish()
		return nil
	case errors.As(f.err, &writer):
		return writer.error
	}
	x.end(false)
	x.err = x.because(f.err)
	return x.err
}

// A writeError is w's.
type writeError struct{ error }

// pass hands on what has come.
func (f *following) pass() {
	for f.err == nil && !f.done {
		var p []byte
		if p, f.done, f.err = f.x.piece(); len(p) == 0 {
			return
		}
		n, err := f.w.Write(p)
		if f.n += int64(n); err != nil {
			f.done, f.err = false, writeError{err}
		}
	}
}

// piece is what has come of the body, up to the end of a chunk, and whether it
// is the last. It is empty when nothing has.
func (x *exchange) piece() (p []byte, last bool, err error) {
	c := x.c
	if x.chunked && x.left == 0 {
		if last, err = x.nextChunk(false); last || err != nil || x.left == 0 {
			return nil, last, err
		}
	}
	n := c.unread()
	if x.left >= 0 {
		n = int(min(int64(n), x.left))
	}
	if n == 0 {
		return nil, false, nil
	}
	p = (*c.buffer)[c.from : c.from+n : c.from+n]
	if c.from += n; x.left > 0 {
		x.left -= int64(n)
	}
	if x.left == 0 && x.chunked {
		x.edge = afterData
	}
	return p, x.left == 0 && !x.chunked, nil
}

// recheck is how soon the end of a connection is seen that came together with
// its last bytes: the socket then says only once that it can be read, and that
// was for the bytes.
const recheck = 200 * time.Millisecond

// wait reads once, or again and again where there is a socket to wait for and
// the body says itself where it ends.
func (f *following) wait() {
	c := f.x.c
	if c.raw == nil || c.Conn != c.socket || f.x.left < 0 {
		if f.flush() {
			f.ended(c.more())
			f.pass()
		}
		return
	}
	err := c.raw.Read(f.read)
	if errors.Is(err, os.ErrDeadlineExceeded) && f.x.deadline(time.Time{}) {
		f.armed = false // from now on it is asked before it is waited for
		return
	}
	if err != nil && f.err == nil {
		f.err = err
	}
}

// read reads until the socket is empty, and passes on what it said. It returns
// true when there is nothing more to wait for.
func (f *following) read(fd uintptr) (over bool) {
	for {
		room := f.x.c.room()
		n, err := nowait.Read(fd, room)
		switch {
		case err == syscall.EAGAIN:
			f.x.c.lend()
			return !f.flush()
		case err != nil:
			f.err = os.NewSyscallError("read", err)
			return true
		case n == 0:
			f.ended(io.EOF)
			return true
		}
		f.x.c.to += n
		if f.pass(); f.done || f.err != nil {
			return true
		}
		if f.x.c.lend(); n < len(room) { // it is empty: more will be told of
			return !f.arm() || !f.flush()
		}
	}
}

// flush says whether it may be waited.
func (f *following) flush() bool {
	if f.put == nil {
		return true
	}
	if err := f.put.Flush(); err != nil {
		f.err = writeError{err}
	}
	return f.err == nil
}

// ended follows an error of the connection. Its end is that of a body without
// an end of its own.
func (f *following) ended(err error) {
	switch {
	case err == io.EOF && f.x.left < 0:
		f.done = true
	case err != nil:
		f.err = unexpected(err)
	}
}

// arm has the socket read again before long, whatever comes, and says whether
// it may be waited for. A deadline that was set stays as it is, so that neither
// the clock nor a timer is asked at each piece.
func (f *following) arm() bool {
	if f.armed {
		return true
	}
	f.armed = true
	if !f.x.deadline(time.Now().Add(recheck)) {
		f.err = os.ErrDeadlineExceeded // see abort
		return false
	}
	return true
}

// deadline moves the time by which something must be read, unless the exchange
// is broken off.
func (x *exchange) deadline(t time.Time) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return !x.broken && x.c.socket.SetReadDeadline(t) == nil
}
