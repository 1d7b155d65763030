package gateway

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// A Hangup says how an upstream is heard to its end when the client has gone:
// most bill for what they produced, and only their last event says how much
// that was. What is cut off before that is billed by what was seen, and marked
// as estimated. The zero value cuts off at once.
type Hangup struct {
	Wait time.Duration // how long an upstream is listened to after its client has gone

	listening atomic.Int64 // answers without a client
}

// Listening is how many answers are listened to whose client has gone.
func (h *Hangup) Listening() int { return int(h.listening.Load()) }

// Bounds of listening to upstreams for clients that have gone.
const (
	maxListeningCalls = 1024    // more than that are cut off at once
	maxUnheardBytes   = 1 << 20 // of one answer
)

// outlive is a context that goes on for a while when ctx ends. done must be
// called at the end.
func (h *Hangup) outlive(ctx context.Context) (patient context.Context, done func()) {
	if h.Wait <= 0 {
		return ctx, func() {}
	}
	patient, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	w := &waiting{hangup: h, cancel: cancel}
	stop := context.AfterFunc(ctx, w.begin)
	return patient, func() {
		stop()
		w.end()
	}
}

// A waiting is one answer whose client may have gone.
type waiting struct {
	hangup *Hangup
	cancel context.CancelCauseFunc

	mu    sync.Mutex
	timer *time.Timer // runs while there is no client
	ended bool
}

// begin follows the end of the client.
func (w *waiting) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	if w.hangup.listening.Add(1) > maxListeningCalls {
		w.hangup.listening.Add(-1)
		w.cancel(errHungUp)
		return
	}
	w.timer = time.AfterFunc(w.hangup.Wait, func() { w.cancel(errWaited) })
}

func (w *waiting) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	if w.timer != nil {
		w.timer.Stop()
		w.hangup.listening.Add(-1)
	}
	w.cancel(errHungUp)
}

var errWaited = fmt.Errorf("%w, and the model went on for longer than is waited", errHungUp)

// listen says whether the rest of an answer without a client is listened to.
func (h *Hangup) listen(t *trip) bool {
	if t.unheard == 0 {
		t.unheard = t.meter.output
	}
	return h.Wait > 0 && t.meter.output-t.unheard <= maxUnheardBytes
}
