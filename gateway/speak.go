package gateway

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/speech"
)

// A Speaker is an upstream that serves models which listen and speak at once.
type Speaker interface {
	// Speaks says whether the upstream of an attempt does so.
	Speaks(outcrop.Attempt) bool
	// Speak answers what hear tells. The sequence ends after the client's
	// sessionEnd, or with one error; an error of hear, which is io.EOF where the
	// client said no more, is returned as it is.
	Speak(ctx context.Context, a outcrop.Attempt, hear Hear) iter.Seq2[speech.Event, error]
}

// Hear waits for the client's next event. An error that is context.Canceled
// says that the client went away.
type Hear func() (speech.Event, error)

// A Speech is a spoken conversation, begun.
type Speech struct {
	// Events yields what the model says. What follows the client's sessionEnd
	// is held back until the record is on disk: the last event leaves only then.
	Events iter.Seq2[speech.Event, error]
	// ServedIn is the Region of the last attempt, known once Events has begun.
	ServedIn func() outcrop.Region
}

// Speak begins a conversation in which both sides speak when they like. Its
// record is opened before anything is heard; breaking off the sequence settles
// what has passed. It must be ranged over, once.
func (g *Gateway) Speak(ctx context.Context, call *Call) (*Speech, error) {
	t, err := g.begin(ctx, call)
	if err != nil {
		return nil, err
	}
	return &Speech{ServedIn: func() outcrop.Region { return t.record.ServedIn }, Events: func(yield func(speech.Event, error) bool) {
		g.converse(ctx, t, yield)
	}}, nil
}

// A talk is what one spoken conversation has come to.
type talk struct {
	hear  Hear
	meter speech.Meter
	ended bool          // the client said sessionEnd
	last  *speech.Event // said after that, held back
	fault error         // why no more can be heard

	// Until the model has spoken, what was heard is kept for another attempt.
	kept     []speech.Event
	bytes    int
	overflow bool // more was heard than is kept
}

// maxKeptBytes is how much a client may say before the model's first word and
// still have another upstream tried.
const maxKeptBytes = 1 << 20

// readSpeech refuses models that cannot hear.
func (t *trip) readSpeech(call *Call) error {
	if !slices.Contains(t.target.Model.InputModalities, "SPEECH") {
		return outcrop.Errorf(outcrop.Invalid, "The model %s is unsupported for bidirectional streaming: it takes no speech.", t.target.Model.ID)
	}
	t.request, t.talk = &converse.Request{}, &talk{hear: call.Hear}
	t.meter.talk = &t.talk.meter
	return nil
}

// speakers leaves in the route of a spoken conversation those who can speak.
func (g *Gateway) speakers(t *trip) {
	if t.talk == nil {
		return
	}
	u, ok := g.Upstreams.(Speaker)
	t.route = slices.DeleteFunc(t.route, func(a outcrop.Attempt) bool { return !ok || !u.Speaks(a) })
}

func (g *Gateway) converse(ctx context.Context, t *trip, yield func(speech.Event, error) bool) {
	defer g.unwind(ctx, t)
	err := g.walk(ctx, t, func(ctx context.Context, attempt *outcrop.Attempt) error {
		return g.talk(ctx, t, attempt, yield)
	})
	if err == nil || t.talk.fault != nil { // a client that does not go on has been heard until then
		used := t.talk.meter.Usage(err == nil)
		t.meter.counted = &used
	}
	settled := g.settle(ctx, t, err)
	switch {
	case t.left || errors.Is(settled, errHungUp): // nobody ranges any more: nothing may be yielded
	case settled != nil:
		yield(speech.Event{}, settled)
	case t.talk.last != nil:
		yield(*t.talk.last, nil)
	}
}

// talk makes one attempt.
func (g *Gateway) talk(ctx context.Context, t *trip, a *outcrop.Attempt, yield func(speech.Event, error) bool) error {
	for said, err := range g.Upstreams.(Speaker).Speak(ctx, *a, g.ear(ctx, t)) {
		if err != nil {
			return t.talk.broken(t, err)
		}
		if !t.meter.spoke() {
			t.meter.firstByte = g.Now()
			t.meter.leg.heard(t.meter.firstByte)
			t.talk.kept = nil
		}
		t.talk.meter.Said(&said)
		if say := t.talk.hold(said); say != nil && !yield(*say, nil) {
			t.left = true
			return errHungUp
		}
		g.tellProgress(t)
	}
	if !t.talk.ended {
		return t.talk.broken(t, outcrop.Errorf(outcrop.StreamFailed, "The model's stream ended before it was complete."))
	}
	t.meter.stopReason = "end_turn"
	return nil
}

// hold lets an event pass, unless it may be the last: then the one before.
func (k *talk) hold(said speech.Event) *speech.Event {
	if !k.ended {
		return &said
	}
	before := k.last
	k.last = &said
	return before
}

// broken is how an attempt ended that did not end well.
func (k *talk) broken(t *trip, err error) error {
	if k.fault != nil {
		err = k.fault // the upstream can do nothing about it
	}
	switch {
	case errors.Is(err, context.Canceled):
		t.left = true
		return errHungUp
	case err == io.EOF:
		return outcrop.Errorf(outcrop.Invalid, "The event stream ended without a sessionEnd event.")
	}
	return err
}

// ear hears what the client says: first what another attempt has heard
// already, then what comes.
func (g *Gateway) ear(ctx context.Context, t *trip) Hear {
	k, next := t.talk, 0
	return func() (speech.Event, error) {
		if err := ctx.Err(); err != nil {
			return speech.Event{}, outcrop.Errorf(outcrop.ModelTimeout, "The conversation took longer than Outcrop lets a call take.").Because(err)
		}
		if next < len(k.kept) {
			next++
			return k.kept[next-1], nil
		}
		e, err := k.hear()
		if err != nil {
			k.fault = err
			return e, err
		}
		next++
		k.heard(e, t.meter.spoke())
		g.tellProgress(t)
		return e, nil
	}
}

func (k *talk) heard(e speech.Event, spoke bool) {
	k.meter.Heard(&e)
	k.ended = k.ended || e.Kind == speech.SessionEnd
	switch {
	case spoke || k.overflow:
	case k.bytes+len(e.Body) > maxKeptBytes:
		k.kept, k.overflow = nil, true
	default:
		k.kept, k.bytes = append(k.kept, e), k.bytes+len(e.Body)
	}
}

// deaf says that no other attempt could hear what this one did.
func (k *talk) deaf() bool { return k != nil && (k.fault != nil || k.overflow) }

func (g *Gateway) tellProgress(t *trip) {
	if seen, due := t.meter.progress(t.request, g.Now); due {
		g.Ledger.Progress(t.record.Invocation, seen)
	}
}
