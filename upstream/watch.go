package upstream

import (
	"context"
	"errors"
	"io"
	"time"

	"outcrop"
)

// A Watch ends a call that takes too long. It is wound up again whenever the
// server shows life.
type Watch struct {
	ctx    context.Context
	parent context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

// NewWatch starts a watch of limit. Its Stop must be called.
func NewWatch(parent context.Context, limit time.Duration) *Watch {
	ctx, cancel := context.WithCancelCause(parent)
	return &Watch{ctx, parent, cancel, time.AfterFunc(limit, func() { cancel(errSlow) })}
}

// Wind lets the watch run for limit from now.
func (w *Watch) Wind(limit time.Duration) { w.timer.Reset(limit) }

// Stop ends the watch, and what is left of the call.
func (w *Watch) Stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// Gone is the error of a call that ended because its context did, or because
// its time ran out; nil when neither is so.
func (w *Watch) Gone() error {
	if err := w.parent.Err(); err != nil {
		return outcrop.Errorf(outcrop.ModelTimeout, "The request ended before the model answered.").Because(err)
	}
	if errors.Is(context.Cause(w.ctx), errSlow) {
		return outcrop.Errorf(outcrop.ModelTimeout, "The model took too long. Try again.").Because(errSlow)
	}
	return nil
}

// Left says whether the caller itself has gone.
func (w *Watch) Left() bool { return w.parent.Err() != nil }

// Bounds of the end of a stream.
const (
	ClosingTime = 10 * time.Second       // from why the answer ended to the end, where usage comes
	drainTime   = 250 * time.Millisecond // for the last bytes
	drainBytes  = 4 << 10
)

// Drain reads what may follow the last event of a stream, so that the
// connection can be used again. What goes wrong now costs a connection, not
// the answer.
func (w *Watch) Drain(body io.Reader) {
	w.Wind(drainTime)
	io.CopyN(io.Discard, body, drainBytes)
}
