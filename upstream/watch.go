package upstream

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"outcrop"
	"outcrop/internal/tether"
)

// A Watch ends a call that takes too long. It is wound up again whenever the
// server shows life.
type Watch struct {
	line   tether.Tether // the call's context
	parent context.Context
	alarm  *alarm
}

// start starts a watch of limit. It must be stopped.
func (w *Watch) start(parent context.Context, limit time.Duration) {
	w.parent = parent
	w.line.Tie(parent)
	w.alarm = setAlarm(w, limit)
}

// Wind lets the watch run for limit from now, and says for how long it has run.
func (w *Watch) Wind(limit time.Duration) (ran time.Duration) { return w.alarm.wind(limit) }

// stop ends the watch, and what is left of the call. It says whether the watch is
// alone: nothing will end it again.
func (w *Watch) stop() (alone bool) {
	silent := w.alarm.release()
	w.alarm = nil // it is another's by now
	return w.line.Cut(nil) && silent
}

// Gone is the error of a call that ended because its context did, or because
// its time ran out; nil when neither is so.
func (w *Watch) Gone() error {
	if err := w.parent.Err(); err != nil {
		return outcrop.Errorf(outcrop.ModelTimeout, "The request ended before the model answered.").Because(err)
	}
	if tether.Cause(&w.line) == errSlow {
		return outcrop.Errorf(outcrop.ModelTimeout, "The model took too long. Try again.").Because(errSlow)
	}
	return nil
}

// Left says whether the caller itself has gone.
func (w *Watch) Left() bool { return w.parent.Err() != nil }

// An alarm ends its watch at a time that may be put off as often as somebody
// likes: the timer is left alone until it rings, and is then set to what is left.
// It is used again by another watch.
type alarm struct {
	timer *time.Timer
	began int64        // by the clock, when the watch did
	until atomic.Int64 // by the clock, when the watch ends
	rings atomic.Int64 // when the timer does, or earlier

	mu    sync.Mutex // guards the rest
	watch *Watch     // nil when it was let go
	rung  bool
}

// clock is how long this process has run: cheaper than the time of day.
func clock() int64 { return int64(time.Since(started)) }

var started = time.Now()

var alarms sync.Pool

func setAlarm(w *Watch, limit time.Duration) *alarm {
	a, again := alarms.Get().(*alarm)
	if !again {
		a = new(alarm)
	}
	now := clock()
	until := now + int64(limit)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.watch, a.began = w, now
	a.until.Store(until)
	a.rings.Store(until)
	if again {
		a.timer.Reset(limit)
	} else {
		a.timer = time.AfterFunc(limit, a.ring)
	}
	return a
}

// wind moves the end, and the timer only when it would ring too late.
func (a *alarm) wind(limit time.Duration) (ran time.Duration) {
	now := clock()
	until := now + int64(limit)
	a.until.Store(until)
	if until < a.rings.Load() {
		a.rings.Store(until)
		a.timer.Reset(limit)
	}
	return time.Duration(now - a.began)
}

// ring ends the watch if it is time, and else rings again when it will be.
func (a *alarm) ring() {
	if w := a.due(); w != nil {
		w.line.Cut(errSlow)
	}
}

// due is the watch whose time is up. Else the timer is set again.
func (a *alarm) due() *Watch {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.watch != nil {
		until := a.until.Load()
		left := until - clock()
		if left <= 0 {
			a.rung = true
			return a.watch
		}
		a.rings.Store(until)
		a.timer.Reset(time.Duration(left))
		if a.until.Load() >= until {
			break // it was not wound to end sooner meanwhile
		}
	}
	return nil
}

// release keeps the alarm for another watch, unless it has rung.
func (a *alarm) release() (silent bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.watch = nil
	if silent = a.timer.Stop() && !a.rung; silent {
		alarms.Put(a)
	}
	return silent
}

// ErrEnough is returned by who follows a body (io.Copy) and wants no more of it.
var ErrEnough = errors.New("the stream is over for who follows it")

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
