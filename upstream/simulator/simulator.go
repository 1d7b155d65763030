// Package simulator is the upstream that answers when no model is at hand: a
// good citizen that says what it is, validates as AWS does, counts with a real
// tokenizer and gives the same answer to the same question.
package simulator

import (
	"context"
	"iter"
	"math"
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/quota"
)

// Options are what an operator can turn. The zero value answers at once and
// never fails.
type Options struct {
	TimeToFirst time.Duration // wait before the first event, or before the whole answer
	Pace        time.Duration // wait before each further piece of text
	PieceTokens int           // tokens of text in one delta; default 4
	Faults      []Fault       // what goes wrong, beside what requests ask for (see Script)

	// Capacity is what each Region takes, as Bedrock counts it. A Region that
	// is not there takes everything.
	Capacity map[outcrop.Region]quota.Limits

	// Model describes a model, so that its limits are kept. Nil, or false for
	// a model that is not known, keeps none.
	Model func(outcrop.ModelID) (outcrop.FoundationModel, bool)
}

const defaultPieceTokens = 4

// A Simulator answers Attempts. It is safe for concurrent use and owns no
// goroutine.
type Simulator struct {
	options Options
	tokens  *counter
	prompts *promptCache
	answers generations[textKey, spoken] // to plain questions
	began   time.Time
	regions map[outcrop.Region]*quota.Counter
}

// New makes a Simulator.
func New(o Options) *Simulator {
	if o.PieceTokens <= 0 {
		o.PieceTokens = defaultPieceTokens
	}
	s := &Simulator{options: o, tokens: newCounter(), prompts: newPromptCache(), began: time.Now(), regions: countersOf(o.Capacity)}
	s.answers.limit = maxAnswers
	return s
}

// Converse answers at once.
func (s *Simulator) Converse(ctx context.Context, a outcrop.Attempt, r *converse.Request) (*converse.Response, error) {
	began := time.Now()
	p, script, room, err := s.begin(a, r)
	if err != nil {
		return nil, err
	}
	defer room.leave()
	if err := pause(ctx, script.wait(s.options.TimeToFirst)); err != nil {
		return nil, err
	}
	if script.Cut > 0 {
		return nil, outcrop.Errorf(outcrop.ModelFailed, "The simulator broke off its answer, as the request asked.")
	}
	w := s.answer(a, r, p, script)
	room.used(w)
	if err := pause(ctx, time.Duration(w.pieces(s.options.PieceTokens))*script.pace(s.options.Pace)); err != nil {
		return nil, err
	}
	return w.response(time.Since(began)), nil
}

// ConverseStream answers in events. Nothing happens before the first is asked
// for.
func (s *Simulator) ConverseStream(ctx context.Context, a outcrop.Attempt, r *converse.Request) iter.Seq2[converse.Event, error] {
	return func(yield func(converse.Event, error) bool) {
		began := time.Now()
		p, script, room, err := s.begin(a, r)
		defer room.leave()
		if err == nil {
			err = pause(ctx, script.wait(s.options.TimeToFirst))
		}
		if err != nil {
			yield(converse.Event{}, err)
			return
		}
		e := emitter{ctx: ctx, yield: yield, pace: script.pace(s.options.Pace), cut: script.Cut, size: s.options.PieceTokens}
		w := s.answer(a, r, p, script)
		room.used(w)
		e.answer(w, began)
	}
}

// CountTokens counts what r would be billed for as input if no prompt cache
// helped.
func (s *Simulator) CountTokens(ctx context.Context, a outcrop.Attempt, r *converse.Request) (outcrop.Tokens, error) {
	if err := ctx.Err(); err != nil {
		return 0, gone(err)
	}
	p, err := s.read(a, r)
	if err != nil {
		return 0, err
	}
	return outcrop.Tokens(p.total), nil
}

// begin refuses what AWS would refuse, then what the script wants refused.
// Then it makes room in the Region.
func (s *Simulator) begin(a outcrop.Attempt, r *converse.Request) (*prompt, Script, room, error) {
	p, err := s.read(a, r)
	if err != nil {
		return nil, Script{}, room{}, err
	}
	script, err := s.script(a, r)
	if err == nil {
		err = script.refusal(a)
	}
	if err != nil {
		return nil, script, room{}, err
	}
	room, err := s.enter(a, p, r)
	return p, script, room, err
}

// read validates and counts a request.
func (s *Simulator) read(a outcrop.Attempt, r *converse.Request) (*prompt, error) {
	if err := s.validate(a, r); err != nil {
		return nil, err
	}
	p := &prompt{tokens: s.tokens, most: s.window(a)}
	p.read(a, r)
	if p.total > p.most {
		return nil, refused("Input is too long for requested model.")
	}
	return p, nil
}

// window is how many tokens the model asked for takes.
func (s *Simulator) window(a outcrop.Attempt) int {
	if m, ok := s.model(a); ok && m.ContextWindow > 0 {
		return int(m.ContextWindow)
	}
	return math.MaxInt
}

// model is what is known of the model asked for.
func (s *Simulator) model(a outcrop.Attempt) (outcrop.FoundationModel, bool) {
	if s.options.Model == nil {
		return outcrop.FoundationModel{}, false
	}
	return s.options.Model(a.Destination.Model)
}

// answer thinks of what to say and what it costs.
func (s *Simulator) answer(a outcrop.Attempt, r *converse.Request, p *prompt, script Script) *answer {
	w := s.compose(a, r, script)
	if !script.NoUsage {
		w.usage = usage(p, s.prompts.bill(p, time.Now()), w.spend())
	}
	return w
}

// pause waits for d, or until ctx is done.
func pause(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return gone(err)
	}
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return gone(ctx.Err())
	}
}

// gone is the error for a context that ended; errors.Is finds the context's.
func gone(cause error) error {
	return outcrop.Errorf(outcrop.ModelTimeout, "The request ended before the model answered.").Because(cause)
}
