package h1

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"outcrop/internal/tether"
)

// An exchange is one request on a connection with its response, which holds
// the connection until its body is read to the end or closed.
type exchange struct {
	c         *conn
	again     bool // the connection has been used before, so that nobody dialled by the context
	ctx       context.Context
	knot      tether.Knot // has the exchange aborted when the context ends
	head      head
	response  http.Response
	following following // of the body, where it is followed

	sent    int64 // bytes of the request, by one write
	heard   bool  // a byte has come back
	writing chan struct{}
	wrote   error // known once writing is closed

	chunked bool
	left    int64 // of the body, or of the chunk under way; -1 for all that comes
	edge    edge
	trailer int   // bytes of it so far
	keep    bool  // the connection can be used again
	err     error // of the body, once it ended

	closed atomic.Bool // by who asked
	mu     sync.Mutex  // held to end
	ended  bool        // the connection is no more this exchange's
	alone  bool        // nobody but who asked knows of it any more
	broken bool        // the context has ended
}

var exchanges = sync.Pool{New: func() any { return new(exchange) }}

// Recycle gives the memory of a response back, whose body has been closed. From
// then on nothing of it may be used. It says whether all that was lent for the
// request, its header, its body and its context, is known to nobody else.
func Recycle(r *http.Response) (alone bool) {
	x, ok := r.Body.(*exchange)
	if !ok || !x.alone || x.writing != nil {
		return false
	}
	again := x.again
	if x.head.memory.Small() {
		*x = exchange{head: x.head.again()}
		exchanges.Put(x)
	}
	return again
}

// maxInterim is how many responses may come before the one that counts.
const maxInterim = 8

// begin sends the request and reads the head of the response. When it fails
// the connection is closed.
func (x *exchange) begin(r *http.Request, out *outgoing) error {
	x.knot.Tie(x.ctx, x)
	err := x.send(out)
	if err == nil {
		err = x.c.head(x)
	}
	if err != nil {
		x.end(false)
		return x.because(err)
	}
	x.read(r)
	return nil
}

// send writes the request. A large body is written beside, as the server may
// answer before it has read all of it.
func (x *exchange) send(out *outgoing) error {
	if out.body == nil {
		n, err := x.c.ask(out.text)
		x.sent, x.heard = int64(n), x.c.unread() > 0
		return err
	}
	parts, text := net.Buffers{append([]byte(nil), out.text...), out.body}, out.body
	x.writing, x.sent = make(chan struct{}), int64(len(text)) // some of it
	go func() {
		defer close(x.writing)
		_, x.wrote = parts.WriteTo(x.c.Conn)
	}()
	return nil
}

// read prepares the response for who asked.
func (x *exchange) read(r *http.Request) {
	h := &x.head
	x.response = http.Response{
		Status: h.status, StatusCode: h.code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: h.minor,
		Header: h.header, ContentLength: h.length, Close: h.close, Request: r, Body: x,
	}
	if h.minor == 0 {
		x.response.Proto = "HTTP/1.0"
	}
	x.keep = !h.close
	switch {
	case r.Method == http.MethodHead:
		x.finish()
	case h.code == http.StatusNoContent || h.code == http.StatusNotModified:
		x.response.ContentLength = 0
		x.finish()
	case h.chunked:
		x.response.TransferEncoding = chunkedCoding
		x.chunked = true
	case h.length == 0:
		x.finish()
	case h.length > 0:
		x.left = h.length
	default:
		x.left, x.keep = -1, false
	}
}

var chunkedCoding = []string{"chunked"}

// Read implements io.Reader for the body.
func (x *exchange) Read(p []byte) (n int, err error) {
	switch {
	case x.closed.Load():
		return 0, http.ErrBodyReadAfterClose
	case x.err != nil || len(p) == 0:
		return 0, x.err
	}
	switch {
	case x.chunked:
		n, err = x.readChunks(p)
	case x.left < 0:
		n, err = x.c.read(p)
	default:
		n, err = x.readSized(p)
	}
	switch {
	case err == nil:
		return n, nil
	case err == io.EOF:
		x.finish()
	default:
		x.end(false)
		x.err = x.because(err)
	}
	return n, x.err
}

func (x *exchange) readSized(p []byte) (int, error) {
	n, err := x.c.read(p[:min(int64(len(p)), x.left)])
	if x.left -= int64(n); x.left == 0 {
		return n, io.EOF
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Close implements io.Closer for the body. A connection whose body was not
// read to its end is closed.
func (x *exchange) Close() error {
	x.closed.Store(true)
	x.abort()
	x.end(false)
	return nil
}

// finish follows the end of the body. A connection on which more has come than
// was asked for is of no further use.
func (x *exchange) finish() {
	x.err = io.EOF
	x.end(x.keep && x.c.unread() == 0 && x.allSent())
}

// sendGrace is how long the last of a request may take after its whole
// response has come, for the connection to be used again.
const sendGrace = 50 * time.Millisecond

func (x *exchange) allSent() bool {
	if x.writing == nil {
		return true
	}
	timer := time.NewTimer(sendGrace)
	defer timer.Stop()
	select {
	case <-x.writing:
		return x.wrote == nil
	case <-timer.C:
		return false
	}
}

// end gives the connection back, or closes it. Only its first call counts.
func (x *exchange) end(keep bool) {
	x.mu.Lock()
	first := !x.ended
	keep = keep && !x.broken
	if x.ended = true; first && keep {
		x.c.giveBack()
	}
	x.mu.Unlock()
	if first {
		x.alone = x.knot.Untie()
	}
	if first && !keep {
		x.c.socket.Close()
	}
	if first && !keep && x.writing != nil {
		<-x.writing // what is closed is not written to for long
	}
}

// Ended implements tether.Follower: the context has.
func (x *exchange) Ended() { x.abort() }

// abort breaks off whatever the connection does for this exchange. It does not
// close it, which would wait for who reads, and that may be who calls.
func (x *exchange) abort() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.broken = true; !x.ended {
		x.c.socket.SetDeadline(time.Unix(1, 0)) // a connection that is gone is seen when it is read
	}
}

// because is the error that ended an exchange: that of its context, when it is
// why the connection broke.
func (x *exchange) because(err error) error {
	switch {
	case x.ctx.Err() != nil:
		return tether.Cause(x.ctx)
	case x.heard:
		return err
	case err == io.EOF:
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("no answer from %s: %w", x.c.server.host, err)
}
