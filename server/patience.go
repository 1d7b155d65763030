package server

import (
	"net/http"
	"sync"
	"time"
)

// How long clients may take: whoever holds a connection without using it takes
// what others need, whether it sends a body byte by byte or leaves an answer
// where it is.
const (
	leastPatience = 30 * time.Second // for however little
	leastRate     = 64 << 10         // bytes that pass in each second more
	untoldBytes   = 36 << 20         // the most that a body has which does not say its length (awsapi)
	longestAtOnce = 1 << 40          // so that no length overflows
)

// patience is how long a client may take to send a body of n bytes, or to make
// room for so many of its answer. A body that does not tell has n below 0.
func patience(n int64) time.Duration {
	if n < 0 {
		n = untoldBytes
	}
	return leastPatience + time.Duration(min(n, longestAtOnce)/leastRate)*time.Second
}

// patiently has net/http wait for clients as plainhttp does. A handler may set
// deadlines of its own.
func patiently(next http.Handler, patience func(n int64) time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := &patientWriter{ResponseWriter: w, control: http.NewResponseController(w), patience: patience}
		hears := time.Now() // until then
		if r.Body != http.NoBody {
			hears = hears.Add(patience(r.ContentLength))
			p.control.SetReadDeadline(hears)
		}
		next.ServeHTTP(p, r)
		rest := max(time.Until(hears), 0) + patience(0) // net/http reads what the handler left, then sends what was put off
		p.control.SetWriteDeadline(time.Now().Add(rest))
	})
}

// A patientWriter gives a client up that makes no room for its answer. It has a
// timer of its own, as a write deadline also ends an HTTP/2 stream that says
// nothing for a while.
type patientWriter struct {
	http.ResponseWriter
	control  *http.ResponseController
	patience func(n int64) time.Duration
	timer    *time.Timer // runs while something is written
	timed    bool        // the handler has set a write deadline

	mu      sync.Mutex
	writing bool
}

// Write implements http.ResponseWriter.
func (w *patientWriter) Write(p []byte) (int, error) {
	w.begin(int64(len(p)))
	defer w.end()
	return w.ResponseWriter.Write(p)
}

// FlushError sends what there is (http.ResponseController).
func (w *patientWriter) FlushError() error {
	w.begin(0)
	defer w.end()
	return w.control.Flush()
}

// SetWriteDeadline bounds writes in place of patience (http.ResponseController).
func (w *patientWriter) SetWriteDeadline(t time.Time) error {
	w.timed = !t.IsZero()
	return w.control.SetWriteDeadline(t)
}

// Unwrap leads to what else a writer can do (http.ResponseController).
func (w *patientWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *patientWriter) begin(n int64) {
	if w.timed {
		return
	}
	w.mu.Lock()
	w.writing = true
	w.mu.Unlock()
	if wait := w.patience(n); w.timer == nil {
		w.timer = time.AfterFunc(wait, w.giveUp)
	} else {
		w.timer.Reset(wait)
	}
}

// end returns when nobody gives up any more: after the handler there is no
// writer to do that with.
func (w *patientWriter) end() {
	w.mu.Lock()
	w.writing = false
	w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
}

func (w *patientWriter) giveUp() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.writing {
		w.control.SetWriteDeadline(time.Unix(1, 0))
	}
}
