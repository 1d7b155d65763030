package gateway

import (
	"context"
	"iter"
	"time"

	"outcrop"
	"outcrop/converse"
)

// A client and an upstream that speak the same protocol need no middle form:
// the request goes out as it came and the answer comes back as it came, byte
// for byte, so that members that Outcrop has never heard of survive. The meter
// looks on from the side. Everything else about the call stays as it is: it is
// opened before and settled after, its last piece waits for the record, and
// until the first piece another attempt may follow, forwarded or not.
//
// The conversation is read all the same, because quotas, defaults and estimates
// ask about it. What cannot be read is the upstream's to refuse, as long as it
// is the upstream that gets the bytes. Whoever changes the conversation on its
// way sets trip.form to nil, which leads through the middle form.

// A Protocol is what the bytes of a Form are.
type Protocol string

// The protocols that are forwarded.
const (
	ConverseProtocol Protocol = "converse"
	InvokeProtocol   Protocol = "invoke" // a model's native body
)

// A Form is a request as it came.
type Form struct {
	Protocol Protocol
	Body     []byte            // never changed
	Digest   string            // SHA-256 of Body in hex, where the client's signature has shown it; else empty
	Header   map[string]string // what belongs to the request beside its body, by canonical name; may be nil
	// Refusal is what is wrong with the body, for upstreams that get it read
	// and written anew; nil when nothing is.
	Refusal error
	// Pass hands a piece of a forwarded stream to the client; its error means
	// that the client has gone. Nil for whole answers.
	Pass func(*Piece) error
	// Flush sends what of the pieces was put off; see Piece.Later. May be nil.
	Flush func() error
	// Room is for what Forward answers: a form has one answer, that of the last
	// attempt.
	Room Forwarded
}

// copy is for an attempt that is made beside another. Nil stays nil.
func (f *Form) copy() *Form {
	if f == nil {
		return nil
	}
	own := *f
	return &own
}

// A Forwarded is a whole answer as it came.
type Forwarded struct {
	Body   []byte
	Header map[string]string // what the upstream told of the answer, by canonical name
	Seen   converse.Glimpse
	Lent   Lent // the memory of Body, to be returned unless the answer is kept; may be nil
}

// Lent is memory that is used again once it is returned.
type Lent interface{ Return() }

// A Piece is one piece of a forwarded stream: either a frame, as it came, or a
// native chunk that no frame was made of yet. It holds until the next one.
type Piece struct {
	Frame  []byte
	Chunk  []byte
	Header map[string]string // of the answer; with the first piece only
	Seen   converse.Glimpse
	Last   bool // it closes the answer, and waits until the record is on disk
	Later  bool // it may be put off: Form.Flush is called before anything is waited for
	// At is when it came, by a clock of the upstream's own that runs from any
	// moment on; zero when nobody asked one. It saves asking another.
	At time.Duration
}

// A Forwarder is an upstream that takes forms as they are.
type Forwarder interface {
	// Forwards says whether the attempt's model takes the form.
	Forwards(outcrop.Attempt, *Form) bool
	Forward(context.Context, outcrop.Attempt, *Form) (*Forwarded, error)
	// ForwardStream ends after the last piece, or with one error, or without
	// either when all was said and nothing closes it.
	ForwardStream(context.Context, outcrop.Attempt, *Form) iter.Seq2[*Piece, error]
}

// forwarder finds who takes the call's form as it is, nil when nobody does.
func (g *Gateway) forwarder(t *trip, a *outcrop.Attempt) Forwarder {
	if t.form == nil {
		return nil
	}
	if f, ok := g.Upstreams.(Forwarder); ok && f.Forwards(*a, t.form) {
		return f
	}
	return nil
}

// unreadable is the error of a body that an attempt would need read.
func (t *trip) unreadable() error {
	if t.form == nil {
		return nil
	}
	return t.form.Refusal
}

// forward passes the pieces of one attempt, all but the last.
func (g *Gateway) forward(t *trip, pieces iter.Seq2[*Piece, error]) error {
	for piece, err := range pieces {
		if err != nil {
			return err
		}
		t.meter.piece(piece, g.Now)
		t.exchange.passed(piece)
		if piece.Last {
			t.closing, t.last = *piece, &t.closing // it outlives the stream
			return nil
		}
		if t.left = t.left || t.form.Pass(piece) != nil; t.left && !g.Hangup.listen(t) {
			return errHungUp
		}
		if t.meter.quiet(piece) {
			continue
		}
		if seen, due := t.meter.progress(t.request, g.Now); due {
			g.Ledger.Progress(t.record.Invocation, seen)
		}
	}
	if t.meter.stopReason == "" {
		return errCutShort()
	}
	t.meter.closing = converse.Event{Metadata: new(converse.ConverseStreamMetadataEvent)}
	return nil
}

// close sends what closes the answer, now that the record is on disk.
func (t *trip) close(yield func(converse.Event, error) bool) {
	switch {
	case t.last != nil:
		if t.last.Seen.Usage == nil {
			told := converse.UsageOf(t.record.Usage)
			t.last.Seen.Usage = &told
		}
		_ = t.form.Pass(t.last) // a client that has gone does not read it; the record is kept
	case t.meter.passed && t.form.Protocol == InvokeProtocol: // the native stream was complete without it
	default:
		yield(t.meter.closing, nil)
	}
}

// piece notes a piece of a forwarded stream.
func (m *meter) piece(p *Piece, now func() time.Time) {
	if !m.spoke() {
		m.firstByte = now()
		m.leg.heard(m.firstByte)
	}
	m.passed = true
	m.seen(&p.Seen)
}

// seen notes what a glimpse tells.
func (m *meter) seen(s *converse.Glimpse) {
	m.output += s.Output
	if s.StopReason != "" {
		m.stopReason = s.StopReason
	}
	if s.Usage != nil {
		m.reported = s.Usage
	}
	if s.ServiceTier != nil {
		m.tier = s.ServiceTier
	}
	if s.PerformanceConfig != nil {
		m.latency = s.PerformanceConfig
	}
}

// firstly is the error that AWS would name first: a body that breaks the
// service's own constraints is refused before anybody looks for its model.
func (c *Call) firstly(err error) error {
	if c.Form != nil && c.Form.Protocol == ConverseProtocol && c.Form.Refusal != nil {
		return c.Form.Refusal
	}
	return err
}

// read reads the conversation. Where that fails, the call goes on for now, if
// somebody may take the body as it is.
func (t *trip) read(call *Call) error {
	if call.Hear != nil {
		return t.readSpeech(call)
	}
	t.form = call.Form
	isTask, err := t.readTask(call)
	if !isTask && err == nil {
		if err = silent(call, &t.target.Model); err != nil {
			return err
		}
		t.request, err = call.Request(t.target)
	}
	if err == nil && !isTask && t.target.Defaults != nil {
		t.request.Default(t.target.Defaults, t.target.Model.ID)
		t.form = nil // what is silent no longer goes as it came
	}
	if err == nil || t.form == nil || t.target.Defaults != nil {
		return err
	}
	t.form.Refusal = err
	t.request = unread(t.form.Body)
	return nil
}

// readable refuses a body that could not be read unless somebody on the route
// takes it as it is.
func (g *Gateway) readable(t *trip) error {
	if t.unreadable() == nil {
		return nil
	}
	for i := range t.route {
		if g.takes(t, &t.route[i]) {
			return nil
		}
	}
	return t.form.Refusal
}

// takes says whether an attempt can be made at all: with a body that could not
// be read, by those alone who take it as it is.
func (g *Gateway) takes(t *trip, a *outcrop.Attempt) bool {
	return t.unreadable() == nil || g.forwarder(t, a) != nil
}

// unread stands for a conversation that could not be read: its size is all
// that is known.
func unread(body []byte) *converse.Request {
	text := string(body)
	return &converse.Request{Messages: []converse.Message{{Role: "user", Content: []converse.ContentBlock{{Text: &text}}}}}
}

// note meters the whole answer.
func (t *trip) note() {
	if t.forwarded != nil {
		t.meter.seen(&t.forwarded.Seen)
		if t.task != nil {
			t.noteTask()
		}
		return
	}
	if t.task != nil {
		t.noteTask()
		return
	}
	t.meter.response(t.response)
}

// told is the whole answer, in a, with what was settled of it.
func (t *trip) told(a *Answer) *Answer {
	r := &t.record
	*a = Answer{Response: t.response, Forwarded: t.forwarded, Task: t.made, Kept: t.exchange != nil, Target: t.target, Usage: r.Usage, ServedIn: r.ServedIn, Latency: r.Ended.Sub(r.Started)}
	if a.Response == nil {
		return a
	}
	if a.Response.Usage == nil {
		told := converse.UsageOf(r.Usage)
		a.Response.Usage = &told
	}
	a.Response.ServiceTier = t.served(a.Response.ServiceTier)
	a.Response.PerformanceConfig = t.performed(a.Response.PerformanceConfig)
	return a
}
