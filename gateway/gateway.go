// Package gateway tells the story of one invocation, from Call to settled
// record. It is the only package that meets all the engines: it asks each in
// turn, and no engine calls another.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/task"
	"outcrop/iam"
)

// Profiles resolves what the client named.
type Profiles interface {
	// Countable is Resolve for CountTokens, which invokes nothing.
	Countable(ctx context.Context, account outcrop.AccountID, region outcrop.Region, ref outcrop.ModelRef) (*outcrop.Target, error)
	Resolve(ctx context.Context, account outcrop.AccountID, region outcrop.Region, ref outcrop.ModelRef) (*outcrop.Target, error)
}

// A Policy decides what a caller may do: nil when every check is allowed, else
// AWS's AccessDenied for the first that is not.
type Policy interface {
	Authorize(ctx context.Context, who outcrop.Caller, checks ...iam.Check) error
	// AuthorizeInvocation is Authorize for the checks of what is about to be
	// called, which may have been asked before.
	AuthorizeInvocation(ctx context.Context, who outcrop.Caller, what iam.Invocation) error
}

// Ledger keeps every invocation. Open refuses, before any upstream is called,
// when a record could not be kept; Settle returns once the record is on disk.
type Ledger interface {
	Open(ctx context.Context, begun outcrop.UsageRecord) error
	Settle(ctx context.Context, done outcrop.UsageRecord) error
	// Progress tells what a long answer has used so far, for the case that
	// this process does not live to settle it.
	Progress(id outcrop.InvocationID, seen outcrop.Usage)
}

// Upstreams answers one Attempt. A sequence ends after the metadata event, or
// with one error. Implementations are safe for concurrent use and stop soon
// after ctx does.
type Upstreams interface {
	Converse(context.Context, outcrop.Attempt, *converse.Request) (*converse.Response, error)
	ConverseStream(context.Context, outcrop.Attempt, *converse.Request) iter.Seq2[converse.Event, error]
	CountTokens(context.Context, outcrop.Attempt, *converse.Request) (outcrop.Tokens, error)
}

// A Gateway carries out Calls. All fields are required but those said to be
// optional.
type Gateway struct {
	Profiles      Profiles
	Policy        Policy
	Ledger        Ledger
	Upstreams     Upstreams
	Router        Router
	Deadlines     Deadlines                                // zero for none beside the upstreams' own
	NewInvocation func() outcrop.InvocationID              // names attempts that lost to a hedge; needed with Deadlines.Hedge
	Quote         func(*outcrop.UsageRecord) outcrop.Quote // the price that held for a settled record
	Now           func() time.Time
	Bindings      Bindings                     // optional: model ids that stand for application profiles
	Mistakes      *Mistakes                    // optional: counts the calls that miss the profile they mean
	Quota         Quota                        // optional: admits calls by what their account and the upstreams have left
	Budgets       Budgets                      // optional: admits calls by what they may cost
	Burndown      func(outcrop.ModelID) uint64 // optional: quota tokens that one output token takes
	Hangup        Hangup                       // what to do when a client goes away
	Exchanges     Exchanges                    // optional: hears what was said

	// Trace begins the span of an attempt and returns how to end it. Optional.
	Trace func(context.Context, *outcrop.Attempt) (context.Context, func(error))
	// Refused is told of a call that was turned away without a record. Optional.
	Refused func(outcrop.Caller, *outcrop.Target, error)
}

// A Call is an authenticated request to a model.
type Call struct {
	Invocation outcrop.InvocationID
	Operation  outcrop.Operation
	Caller     outcrop.Caller
	Ref        outcrop.ModelRef
	Binding    string // set by the gateway: the model id that a binding replaced by Ref
	Received   time.Time
	SDKAttempt string // amz-sdk-invocation-id: the same over a client's retries
	// BearerTokenType is iam.ShortTermToken or iam.LongTermToken for a call with
	// a Bedrock API key, empty for a signed one.
	BearerTokenType string
	// Request builds the conversation once the model is known: native bodies
	// are read by the model's family. It may be called once.
	Request func(*outcrop.Target) (*converse.Request, error)
	// Task reads the body of a model that does not converse; a nil Request is
	// none, and means a conversation. May be nil itself.
	Task func(*outcrop.Target) (*task.Request, error)
	// Hear is set in place of Request for a conversation that is spoken.
	Hear Hear
	// Form is the request as it came, for upstreams that speak its protocol;
	// nil when it can only be read and written anew (forward.go).
	Form *Form
	// Body is the request's, for Exchanges, and Native writes an answer in the
	// model's own format for them; nil for the Converse operations.
	Body   []byte
	Native Native

	target  *outcrop.Target // what Ref resolved to, once it has
	allowed bool            // the caller may call it
	answer  Answer          // room for what Converse answers
	stream  Stream          // and ConverseStream
}

// An Answer is a whole response with what the operation's headers tell.
type Answer struct {
	Response *converse.Response // nil when one of the next two is not
	Task     *task.Response     // of a model that does not converse
	// Forwarded is the answer as it came. It is nil unless the call had a Form.
	Forwarded *Forwarded
	Kept      bool // an Exchange has the Response, which may hold parts of the request's body, or the Forwarded one's
	Target    *outcrop.Target
	Usage     outcrop.Usage
	ServedIn  outcrop.Region
	Latency   time.Duration
}

// Converse answers a call at once. The answer is on disk when it returns, and
// in the call's own memory.
func (g *Gateway) Converse(ctx context.Context, call *Call) (*Answer, error) {
	t, err := g.begin(ctx, call)
	if err != nil {
		return nil, err
	}
	told, err := g.whole(ctx, t, &call.answer)
	t.release() // not after a panic: nothing is known then
	return told, err
}

// whole answers a call that has begun.
func (g *Gateway) whole(ctx context.Context, t *trip, room *Answer) (told *Answer, err error) {
	defer g.unwind(ctx, t)
	err = g.walk(ctx, t, func(ctx context.Context, attempt *outcrop.Attempt) (err error) {
		if err = g.answer(ctx, t, attempt); err == nil {
			t.note()
		}
		return err
	})
	if err = g.settle(ctx, t, err); err == nil {
		told = t.told(room)
	}
	g.tell(t)
	return told, err
}

// A Stream is an answer in events, begun.
type Stream struct {
	Target *outcrop.Target
	// Events yields the answer. An error that comes first means nothing has
	// been said yet. The metadata event leaves only when the record is on disk.
	Events iter.Seq2[converse.Event, error]

	trip     *trip // nil when it is over
	servedIn outcrop.Region
	usage    outcrop.Usage
}

// ServedIn is the Region of the last attempt, known once Events has begun.
func (s *Stream) ServedIn() outcrop.Region {
	if s.trip != nil {
		return s.trip.record.ServedIn
	}
	return s.servedIn
}

// Usage is what was settled, known once the metadata event has come. It tells
// kinds that the event has no words for.
func (s *Stream) Usage() outcrop.Usage {
	if s.trip != nil {
		return s.trip.record.Usage
	}
	return s.usage
}

// over lets go of the trip when all is said. Not after a panic: nothing is
// known then.
func (s *Stream) over() {
	t := s.trip
	s.trip, s.servedIn, s.usage = nil, t.record.ServedIn, t.record.Usage
	t.release()
}

// ConverseStream begins a call answered in events. Breaking off the sequence
// settles what the upstream then counts (Hangup); the sequence must be ranged
// over, once. The Stream is in the call's own memory.
func (g *Gateway) ConverseStream(ctx context.Context, call *Call) (*Stream, error) {
	t, err := g.begin(ctx, call)
	if err != nil {
		return nil, err
	}
	s := &call.stream
	*s = Stream{Target: t.target, trip: t}
	s.Events = func(yield func(converse.Event, error) bool) {
		g.follow(ctx, t, yield)
		s.over()
	}
	return s, nil
}

// follow walks the route until an attempt has said something, then passes its
// events on. The closing event is held back until the record is settled.
func (g *Gateway) follow(ctx context.Context, t *trip, yield func(converse.Event, error) bool) {
	defer g.unwind(ctx, t)
	err := g.walk(ctx, t, func(ctx context.Context, attempt *outcrop.Attempt) error {
		return g.pass(ctx, t, attempt, yield)
	})
	settled := g.settle(ctx, t, err)
	g.tell(t)
	switch {
	case t.left || errors.Is(settled, errHungUp): // nobody ranges any more: nothing may be yielded
	case settled != nil:
		yield(converse.Event{}, settled)
	default:
		t.close(yield)
	}
}

var errHungUp = fmt.Errorf("the client went away: %w", context.Canceled)

// CountTokens counts without invoking: free, never recorded.
func (g *Gateway) CountTokens(ctx context.Context, call *Call) (outcrop.Tokens, error) {
	t, err := g.plan(ctx, call)
	if err != nil {
		return 0, err
	}
	defer func() { t.admission.lane.Release(g.Now()) }()
	var n outcrop.Tokens
	err = g.walk(ctx, t, func(ctx context.Context, attempt *outcrop.Attempt) (err error) {
		n, err = g.Upstreams.CountTokens(ctx, *attempt, t.request)
		return err
	})
	return n, err
}
