package gateway

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"outcrop/internal/tether"
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

// outlive is a context that goes on for a while when ctx ends. The waiting
// must be ended; it may be nil.
func (h *Hangup) outlive(ctx context.Context) (patient context.Context, w *waiting) {
	if h.Wait <= 0 {
		return ctx, nil
	}
	w = &waiting{hangup: h}
	w.patient.Over(ctx)
	w.client.Tie(ctx, w)
	return &w.patient, w
}

// A waiting is one answer whose client may have gone.
type waiting struct {
	hangup  *Hangup
	patient tether.Tether
	client  tether.Knot // on the client's context

	mu    sync.Mutex
	timer *time.Timer // runs while there is no client
	ended bool
}

// Ended implements tether.Follower: the client has gone.
func (w *waiting) Ended() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	if w.hangup.listening.Add(1) > maxListeningCalls {
		w.hangup.listening.Add(-1)
		w.patient.Cut(errHungUp)
		return
	}
	w.timer = time.AfterFunc(w.hangup.Wait, func() { w.patient.Cut(errWaited) })
}

func (w *waiting) end() {
	if w == nil {
		return
	}
	w.client.Untie()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	if w.timer != nil {
		w.timer.Stop()
		w.hangup.listening.Add(-1)
	}
	w.patient.Cut(errHungUp)
}

var errWaited = fmt.Errorf("%w, and the model went on for longer than is waited", errHungUp)

// listen says whether the rest of an answer without a client is listened to.
func (h *Hangup) listen(t *trip) bool {
	if t.unheard == 0 {
		t.unheard = t.meter.output
	}
	return h.Wait > 0 && t.meter.output-t.unheard <= maxUnheardBytes
}
