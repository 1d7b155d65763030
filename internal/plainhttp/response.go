package plainhttp

import (
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"outcrop/internal/tether"
)

// heldBack is how much of an answer is held back to learn its length. What is
// longer, or flushed before its end, and has no Content-Length goes in chunks.
const heldBack = 8 << 10

// directly is from where on a write goes to the connection without a copy.
const directly = 8 << 10

var outputs = sync.Pool{New: func() any { b := make([]byte, 0, heldBack+2<<10); return &b }}

// A response is an http.ResponseWriter. Its buffers are its own only while
// something is in them, so that an open stream that is silent holds none.
type response struct {
	conn   *conn
	call   *call
	header http.Header
	line   *tether.Tether

	status  int
	length  int64 // as the handler declared it, or -1
	framed  bool  // how the body ends is decided, and the head is in out
	chunked bool
	close   bool
	duplex  bool
	wrote   int64
	head    *[]byte // status line and fields, before framing
	out     *[]byte // to be sent; before framing: of the body
	ended   atomic.Bool
	err     error
}

// Header implements http.ResponseWriter.
func (w *response) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter. Informational answers go out at
// once.
func (w *response) WriteHeader(status int) {
	if w.status != 0 {
		return
	}
	if status < 100 || status > 999 {
		panic("plainhttp: no such status: " + strconv.Itoa(status))
	}
	if status < 200 && status != http.StatusSwitchingProtocols {
		w.inform(status)
		return
	}
	w.status, w.length = status, -1
	if text := w.header.Get("Content-Length"); text != "" {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 {
			w.length = n
		}
	}
	w.close = strings.EqualFold(w.header.Get("Connection"), "close")
	w.head = outputs.Get().(*[]byte)
	*w.head = appendHead((*w.head)[:0], status, w.header)
}

func (w *response) inform(status int) {
	b := append(appendHead(nil, status, w.header), "\r\n"...)
	w.send(b, nil)
}

// Write implements http.ResponseWriter.
func (w *response) Write(p []byte) (int, error) {
	if w.ended.Load() {
		return 0, errEnded
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case w.err != nil:
		return 0, w.err
	case !hasBody(w.status):
		return 0, http.ErrBodyNotAllowed
	}
	if w.wrote += int64(len(p)); w.length >= 0 && w.wrote > w.length {
		return 0, http.ErrContentLength
	}
	if len(p) == 0 {
		return 0, nil
	}
	if !w.framed {
		if w.hold(p) {
			return len(p), nil
		}
		w.frame(false, p)
	}
	w.put(p)
	return len(p), w.err
}

// hold keeps p back when the whole answer may be short.
func (w *response) hold(p []byte) bool {
	if w.wrote > heldBack || w.length > heldBack {
		return false
	}
	w.reserve()
	*w.out = append(*w.out, p...)
	return true
}

func (w *response) reserve() {
	if w.out == nil {
		w.out = outputs.Get().(*[]byte)
		*w.out = (*w.out)[:0]
	}
}

// frame ends the head by saying how the body ends, and puts what was held back
// behind it. An answer that comes before its request was read ends the
// connection, unless little is left to read. Next is what will be written next.
func (w *response) frame(last bool, next []byte) {
	w.framed = true
	if !w.duplex && !w.call.body.discard() {
		w.close = true
	}
	held := w.out
	w.out, w.head = w.head, nil
	if held != nil && len(*held) > 0 {
		next = *held
	}
	w.sniff(next)
	b := *w.out
	switch {
	case !hasBody(w.status):
	case w.length >= 0:
		b = strconv.AppendInt(append(b, "Content-Length: "...), w.length, 10)
		b = append(b, "\r\n"...)
	case last:
		b = strconv.AppendInt(append(b, "Content-Length: "...), w.wrote, 10)
		b = append(b, "\r\n"...)
	default:
		w.chunked = true
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	}
	if w.close {
		b = append(b, "Connection: close\r\n"...)
	}
	*w.out = append(b, "\r\n"...)
	if held != nil {
		if len(*held) > 0 {
			w.put(*held)
		}
		giveBack(held)
	}
}

// sniff names the type of a body that has none, as net/http does.
func (w *response) sniff(start []byte) {
	if len(start) == 0 || w.header["Content-Type"] != nil || w.header.Get("Content-Encoding") != "" {
		return
	}
	b := append(*w.out, "Content-Type: "...)
	*w.out = append(append(b, http.DetectContentType(start)...), "\r\n"...)
}

// put adds a piece of the body to what is sent.
func (w *response) put(p []byte) {
	w.reserve()
	if w.chunked {
		*w.out = append(strconv.AppendUint(*w.out, uint64(len(p)), 16), "\r\n"...)
	}
	if len(p) >= directly {
		w.send(*w.out, p)
		*w.out = (*w.out)[:0]
	} else {
		*w.out = append(*w.out, p...)
	}
	if w.chunked {
		*w.out = append(*w.out, "\r\n"...)
	}
	if len(*w.out) >= heldBack {
		w.flush()
	}
}

func (w *response) flush() {
	if w.out == nil {
		return
	}
	if len(*w.out) > 0 {
		w.send(*w.out, nil)
	}
	giveBack(w.out)
	w.out = nil
}

// send writes both to the connection. When that fails, so does the call.
func (w *response) send(a, b []byte) {
	if w.err != nil {
		return
	}
	if b == nil {
		_, w.err = w.conn.out.Write(a)
	} else {
		both := net.Buffers{a, b}
		w.conn.stuck(len(a) + len(b)) // it may be
		_, w.err = both.WriteTo(w.conn.rwc)
	}
	w.conn.quick()
	if w.err != nil {
		w.line.Cut(nil)
	}
}

// finish ends the answer.
func (w *response) finish() {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if !w.framed {
		w.frame(true, nil)
	}
	if w.chunked {
		w.reserve()
		*w.out = append(*w.out, "0\r\n\r\n"...)
	}
	w.flush()
	if w.conn.timed {
		w.conn.timed = false
		w.conn.rwc.SetWriteDeadline(time.Time{})
	}
}

// release gives the buffers of an answer that was not finished back.
func (w *response) release() {
	w.ended.Store(true)
	for _, b := range []*[]byte{w.head, w.out} {
		if b != nil {
			giveBack(b)
		}
	}
	w.head, w.out = nil, nil
}

// errEnded is for handlers that write after they returned.
var errEnded = errors.New("plainhttp: the call has ended")

func giveBack(b *[]byte) {
	if cap(*b) <= 4*heldBack {
		outputs.Put(b)
	}
}

// reusable says whether another request may follow.
func (w *response) reusable() bool {
	return w.err == nil && !w.close && w.call.body.left == 0 && (w.length < 0 || w.wrote == w.length || !hasBody(w.status))
}

func hasBody(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}
