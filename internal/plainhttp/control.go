package plainhttp

import (
	"net/http"
	"time"
)

// FlushError sends what there is (http.ResponseController).
func (w *response) FlushError() error {
	if w.ended.Load() {
		return errEnded
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.err == nil {
		if !w.framed {
			w.frame(false, nil)
		}
		w.flush()
	}
	return w.err
}

// Flush implements http.Flusher.
func (w *response) Flush() { w.FlushError() }

// SetReadDeadline bounds reading the request's body (http.ResponseController).
func (w *response) SetReadDeadline(t time.Time) error {
	w.conn.mu.Lock()
	defer w.conn.mu.Unlock()
	w.conn.setDeadline(t)
	return nil
}

// SetWriteDeadline bounds writes (http.ResponseController).
func (w *response) SetWriteDeadline(t time.Time) error {
	w.conn.timed = true
	return w.conn.rwc.SetWriteDeadline(t)
}

// EnableFullDuplex leaves the request's body to the handler
// (http.ResponseController).
func (w *response) EnableFullDuplex() error {
	w.duplex = true
	return nil
}
