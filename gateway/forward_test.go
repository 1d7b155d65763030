package gateway

import (
	"context"
	"errors"
	"iter"
	"slices"
	"testing"

	"outcrop"
	"outcrop/converse"
)

// A passing world forwards in some Regions; its upstream's pieces are frames
// of one letter, and the last one is a full stop.
type passing struct {
	*world
	regions []outcrop.Region
	frames  []string
	err     error
	whole   *Forwarded
	heard   []string
	deaf    int // pieces after which the client is gone; 0 is never
}

func newPassing(frames ...string) *passing {
	p := &passing{world: newWorld(whole), regions: []outcrop.Region{"us-east-1", "us-west-2"}, frames: frames}
	p.Upstreams = p
	return p
}

func (p *passing) Forwards(a outcrop.Attempt, _ *Form) bool {
	return slices.Contains(p.regions, a.Destination.Region)
}

func (p *passing) Forward(_ context.Context, a outcrop.Attempt, f *Form) (*Forwarded, error) {
	p.note("forward %d %s", a.Number, f.Body)
	return p.whole, p.err
}

func (p *passing) ForwardStream(_ context.Context, a outcrop.Attempt, f *Form) iter.Seq2[*Piece, error] {
	return func(yield func(*Piece, error) bool) {
		p.note("forward %d %s", a.Number, f.Body)
		for _, frame := range p.frames {
			piece := &Piece{Frame: []byte(frame), Last: frame == ".", Seen: converse.Glimpse{Output: 4}}
			if piece.Last {
				piece.Seen = converse.Glimpse{StopReason: "end_turn", Usage: &converse.TokenUsage{InputTokens: 1, OutputTokens: 2}}
			}
			if frame == "!" {
				piece.Seen.StopReason = "max_tokens"
			}
			if !yield(piece, nil) {
				p.note("upstream stopped")
				return
			}
		}
		if p.err != nil {
			yield(nil, p.err)
		}
	}
}

// listen makes the call and hears it to its end.
func (p *passing) listen(t *testing.T, c *Call) error {
	t.Helper()
	c.Form.Pass = func(piece *Piece) error {
		p.note("client hears %s", piece.Frame)
		p.heard = append(p.heard, string(piece.Frame))
		if len(p.heard) == p.deaf {
			return errors.New("gone")
		}
		return nil
	}
	stream, err := p.Gateway.ConverseStream(t.Context(), c)
	if err != nil {
		return err
	}
	for e, err := range stream.Events {
		if err != nil {
			return err
		}
		p.note("client hears %s", e.Name())
	}
	return nil
}

func formed() *Call {
	c := call()
	c.Form = &Form{Protocol: ConverseProtocol, Body: []byte("body")}
	return c
}

func TestFormsGoAsTheyAreAndTheLastPieceWaits(t *testing.T) {
	p := newPassing("a", "b", ".")
	if err := p.listen(t, formed()); err != nil {
		t.Fatal(err)
	}
	want := []string{"authorize", "open", "forward 1 body", "client hears a", "client hears b", "upstream stopped", "settle", "client hears ."}
	if !slices.Equal(p.log, want) {
		t.Errorf("log %q, want %q", p.log, want)
	}
	r := p.settled[0]
	if r.Usage.Of(outcrop.InputTokens) != 1 || r.Usage.Of(outcrop.OutputTokens) != 2 || r.Usage.Estimated || r.Outcome.StopReason != "end_turn" || r.FirstByte.IsZero() {
		t.Errorf("record %+v", r)
	}
}

func TestALastPieceThatIsNotOnDiskIsWithheld(t *testing.T) {
	p := newPassing("a", ".")
	p.lose = errors.New("disk full")
	if err := p.listen(t, formed()); outcrop.KindOf(err) != outcrop.Unavailable || slices.Contains(p.heard, ".") {
		t.Errorf("heard %q, then %v; want a 503 in place of the last piece", p.heard, err)
	}
}

func TestAnotherAttemptOnlyBeforeTheFirstPiece(t *testing.T) {
	p := newPassing()
	p.err = outcrop.Errorf(outcrop.Throttled, "busy")
	if err := p.listen(t, formed()); outcrop.KindOf(err) != outcrop.Throttled || !slices.Contains(p.log, "forward 2 body") {
		t.Errorf("%q, then %v; want a second attempt", p.log, err)
	}
	p = newPassing("a")
	p.err = outcrop.Errorf(outcrop.Throttled, "busy")
	if err := p.listen(t, formed()); outcrop.KindOf(err) != outcrop.Throttled || slices.Contains(p.log, "forward 2 body") {
		t.Errorf("%q, then %v; want no second attempt", p.log, err)
	}
	if r := p.settled[0]; !r.Usage.Estimated || r.Usage.Of(outcrop.OutputTokens) != 1 {
		t.Errorf("usage %+v, want an estimate of what was heard", r.Usage)
	}
}

// A route may lead from an upstream that forwards to one that does not.
func TestTheNextAttemptMayNeedTheMiddleForm(t *testing.T) {
	p := newPassing()
	p.regions, p.err = p.regions[:1], outcrop.Errorf(outcrop.Unavailable, "down")
	if err := p.listen(t, formed()); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(p.log, "attempt 2") || !slices.Contains(p.log, "client hears metadata") {
		t.Errorf("log %q", p.log)
	}
}

func TestAHangUpOfAForwardedStreamIsBilled(t *testing.T) {
	p := newPassing("a", "b", "c", ".")
	p.deaf = 2
	if err := p.listen(t, formed()); err != nil {
		t.Fatal(err)
	}
	if r := p.settled[0]; !r.Outcome.HungUp || !r.Usage.Estimated || r.Usage.Of(outcrop.OutputTokens) != 2 {
		t.Errorf("record %+v, want a hang-up after two pieces", r)
	}
}

// What cannot be read is for the upstream to judge, if it gets the bytes.
func TestWhatCannotBeReadIsTheUpstreamsToRefuse(t *testing.T) {
	unreadable := func() *Call {
		c := formed()
		c.Request = func(*outcrop.Target) (*converse.Request, error) {
			return nil, outcrop.Errorf(outcrop.Invalid, "a member from the future")
		}
		return c
	}
	p := newPassing("a", ".")
	if err := p.listen(t, unreadable()); err != nil {
		t.Fatalf("forwarded: %v", err)
	}
	p = newPassing()
	p.regions = nil
	if err := p.listen(t, unreadable()); outcrop.KindOf(err) != outcrop.Invalid || len(p.opened) > 0 {
		t.Errorf("nobody forwards: %v, opened %d; want a refusal before the ledger", err, len(p.opened))
	}
	p = newPassing()
	p.regions, p.err = p.regions[:1], outcrop.Errorf(outcrop.Unavailable, "down")
	if err := p.listen(t, unreadable()); outcrop.KindOf(err) != outcrop.Invalid {
		t.Errorf("the second attempt cannot read it: %v, want Invalid", err)
	}
	c := unreadable()
	c.Ref, c.Form.Refusal = outcrop.ParseModelRef("unknown"), outcrop.Errorf(outcrop.Invalid, "broken constraint")
	if err := newPassing().listen(t, c); err == nil || err.Error() != "broken constraint" {
		t.Errorf("of an unknown model: %v; AWS names the constraint first", err)
	}
}

// A stream whose server never sends what closes it.
func TestAForwardedStreamWithoutItsEnd(t *testing.T) {
	p := newPassing("a", "!")
	if err := p.listen(t, formed()); err != nil || !slices.Contains(p.log, "client hears metadata") || !p.settled[0].Usage.Estimated {
		t.Errorf("%q, then %v; want Outcrop's own metadata with the estimate", p.log, err)
	}
	p = newPassing("a", "!")
	native := formed()
	native.Form.Protocol = InvokeProtocol
	if err := p.listen(t, native); err != nil || slices.Contains(p.log, "client hears metadata") {
		t.Errorf("native: %q, then %v; want no event of Converse's", p.log, err)
	}
	p = newPassing("a", "b")
	if err := p.listen(t, formed()); outcrop.KindOf(err) != outcrop.StreamFailed {
		t.Errorf("cut off: %v, want StreamFailed", err)
	}
}

func TestAWholeAnswerIsForwarded(t *testing.T) {
	p := newPassing()
	p.whole = &Forwarded{Body: []byte("answer"), Seen: converse.Glimpse{StopReason: "end_turn", Usage: &converse.TokenUsage{InputTokens: 5}}}
	a, err := p.Gateway.Converse(t.Context(), formed())
	if err != nil || a.Response != nil || string(a.Forwarded.Body) != "answer" || a.Usage.Of(outcrop.InputTokens) != 5 || len(p.settled) != 1 {
		t.Errorf("answer %+v, %v", a, err)
	}
	p.whole.Seen.Usage, p.whole.Seen.Output = nil, 8
	if a, err := p.Gateway.Converse(t.Context(), formed()); err != nil || !a.Usage.Estimated || a.Usage.Of(outcrop.OutputTokens) != 2 {
		t.Errorf("without usage: %+v, %v; want an estimate", a, err)
	}
}

// defaulted resolves to a profile with defaults.
type defaulted struct{ *world }

func (d defaulted) Resolve(context.Context, outcrop.AccountID, outcrop.Region, outcrop.ModelRef) (*outcrop.Target, error) {
	changed := *target
	changed.Defaults = &outcrop.Defaults{MaxTokens: new(int64(7))}
	return &changed, nil
}

// What a profile says where a call is silent has to be written into the call.
func TestDefaultsLeadThroughTheMiddleForm(t *testing.T) {
	p := newPassing("a", ".")
	p.Profiles = defaulted{p.world}
	c := formed()
	var asked *converse.Request
	read := c.Request
	c.Request = func(t *outcrop.Target) (r *converse.Request, err error) {
		asked, err = read(t)
		return asked, err
	}
	if err := p.listen(t, c); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(p.log, "forward 1 body") || !slices.Contains(p.log, "attempt 1") || *asked.InferenceConfig.MaxTokens != 7 {
		t.Errorf("log %q, asked %+v", p.log, asked.InferenceConfig)
	}
}
