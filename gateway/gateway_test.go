package gateway

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/iam"

	"pgregory.net/rapid"
)

// A world is a gateway among fakes that note what happens, in order.
type world struct {
	*Gateway
	log      []string
	opened   map[outcrop.InvocationID]bool
	settled  []outcrop.UsageRecord
	refuse   error // of Ledger.Open
	lose     error // of Ledger.Settle
	attempts []outcrop.Attempt
	script   []attempt // by attempt number; the last repeats
	forbid   string    // action that Policy refuses
	asked    []iam.Check

	hold           func(a *outcrop.Attempt, retry bool) bool // of the router; nil holds nothing back
	started, heard int
	reports        []outcrop.AttemptReport

	mu sync.Mutex // of what attempts write that run beside each other
}

// An attempt is what the fake upstream does: events, then err.
type attempt struct {
	events []converse.Event
	err    error
}

var target = &outcrop.Target{
	Ref: outcrop.ParseModelRef("us.x.y"), Region: "us-east-1", Geography: "us",
	Model:        outcrop.FoundationModel{ID: "x.y"},
	Profile:      &outcrop.InferenceProfile{ARN: "arn:aws:bedrock:us-east-1:1:inference-profile/us.x.y", ID: "us.x.y"},
	Destinations: []outcrop.Destination{{Region: "us-east-1", Model: "x.y"}, {Region: "us-west-2", Model: "x.y"}},
	Tags:         outcrop.Tags{"team": "a"},
}

func newWorld(script ...attempt) *world {
	w := &world{opened: map[outcrop.InvocationID]bool{}, script: script}
	clock := time.Unix(1_800_000_000, 0)
	w.Gateway = &Gateway{
		Profiles: w, Policy: w, Ledger: w, Upstreams: w, Router: w,
		Now:   func() time.Time { clock = clock.Add(time.Millisecond); return clock },
		Quote: func(*outcrop.UsageRecord) outcrop.Quote { return outcrop.Quote{Price: "list#1"} },
	}
	return w
}

// Route goes through the destinations in their order.
func (w *world) Route(room outcrop.Route, ask outcrop.RouteAsk, _ *converse.Request) outcrop.Route {
	for i, d := range ask.Target.Destinations {
		room = append(room, outcrop.Attempt{Destination: d, Upstream: "fake", Number: i + 1})
	}
	return room
}

func (w *world) Start(a *outcrop.Attempt, retry bool) bool {
	if w.hold != nil && w.hold(a, retry) {
		return false
	}
	w.started++
	return true
}

func (w *world) Force(*outcrop.Attempt) {
	w.note("force")
	w.started++
}

func (w *world) Heard(*outcrop.Attempt, time.Duration) { w.heard++ }

func (w *world) Done(_ *outcrop.Attempt, r outcrop.AttemptReport) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reports = append(w.reports, r)
}

func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, fmt.Sprintf(format, args...))
}

func (w *world) Resolve(_ context.Context, _ outcrop.AccountID, _ outcrop.Region, ref outcrop.ModelRef) (*outcrop.Target, error) {
	if ref.Text == "unknown" {
		return nil, outcrop.Errorf(outcrop.Invalid, "The provided model identifier is invalid.")
	}
	return target, nil
}

func (w *world) Countable(ctx context.Context, a outcrop.AccountID, r outcrop.Region, ref outcrop.ModelRef) (*outcrop.Target, error) {
	w.note("countable")
	return w.Resolve(ctx, a, r, ref)
}

func (w *world) Authorize(_ context.Context, _ outcrop.Caller, checks ...iam.Check) error {
	w.note("authorize")
	w.asked = append(w.asked, checks...)
	for _, c := range checks {
		if c.Action == w.forbid {
			return outcrop.Errorf(outcrop.Denied, "not authorized to perform %s", c.Action)
		}
	}
	return nil
}

func (w *world) AuthorizeInvocation(ctx context.Context, who outcrop.Caller, what iam.Invocation) error {
	return w.Authorize(ctx, who, what.Checks()...)
}

func (w *world) Open(_ context.Context, r outcrop.UsageRecord) error {
	w.note("open")
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuse == nil {
		w.opened[r.Invocation] = true
	}
	return w.refuse
}

func (w *world) Settle(ctx context.Context, r outcrop.UsageRecord) error {
	if ctx.Err() != nil {
		return ctx.Err() // a gone client must not keep its record from being written
	}
	w.note("settle")
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.opened[r.Invocation] {
		return errors.New("settled and never opened")
	}
	w.settled = append(w.settled, r)
	return w.lose
}

func (w *world) Progress(outcrop.InvocationID, outcrop.Usage) {}

func (w *world) next(a outcrop.Attempt) attempt {
	w.note("attempt %d", a.Number)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.attempts = append(w.attempts, a)
	return w.script[min(len(w.attempts), len(w.script))-1]
}

func (w *world) ConverseStream(ctx context.Context, a outcrop.Attempt, _ *converse.Request) iter.Seq2[converse.Event, error] {
	return func(yield func(converse.Event, error) bool) {
		play := w.next(a)
		for _, e := range play.events {
			if ctx.Err() != nil {
				yield(converse.Event{}, ctx.Err())
				return
			}
			if !yield(e, nil) {
				w.note("upstream stopped")
				return
			}
		}
		if play.err != nil {
			yield(converse.Event{}, play.err)
		}
	}
}

func (w *world) Converse(ctx context.Context, a outcrop.Attempt, r *converse.Request) (*converse.Response, error) {
	return converse.Collect(w.ConverseStream(ctx, a, r))
}

func (w *world) CountTokens(_ context.Context, a outcrop.Attempt, _ *converse.Request) (outcrop.Tokens, error) {
	return 7, w.next(a).err
}

func call() *Call {
	text := "hello"
	return &Call{
		Invocation: "inv-1", Operation: outcrop.OpConverseStream, Ref: outcrop.ParseModelRef("us.x.y"),
		Caller: outcrop.Caller{Account: "1", Principal: "arn:aws:iam::1:user/a", Region: "us-east-1"},
		Request: func(*outcrop.Target) (*converse.Request, error) {
			return &converse.Request{Messages: []converse.Message{{Role: "user", Content: []converse.ContentBlock{{Text: &text}}}}}, nil
		},
	}
}

func text(s string) converse.Event {
	return converse.Event{ContentBlockDelta: &converse.ContentBlockDeltaEvent{Delta: converse.ContentBlockDelta{Text: &s}}}
}

var (
	start    = converse.Event{MessageStart: &converse.MessageStartEvent{Role: "assistant"}}
	stop     = converse.Event{MessageStop: &converse.MessageStopEvent{StopReason: "end_turn"}}
	metadata = converse.Event{Metadata: &converse.ConverseStreamMetadataEvent{Usage: &converse.TokenUsage{InputTokens: 3, OutputTokens: 4, TotalTokens: 7}}}
	whole    = attempt{events: []converse.Event{start, text("12345678"), {ContentBlockStop: &converse.ContentBlockStopEvent{}}, stop, metadata}}
	throttle = attempt{err: outcrop.Errorf(outcrop.Throttled, "Too many tokens, please wait before trying again.")}
)

// drink ranges over the stream, leaving after n events (n < 0: never).
func (w *world) drink(t interface{ Fatal(...any) }, ctx context.Context, n int) (events []converse.Event, failure error) {
	stream, err := w.Gateway.ConverseStream(ctx, call())
	if err != nil {
		return nil, err
	}
	for e, err := range stream.Events {
		if err != nil {
			w.note("client hears %s", outcrop.KindOf(err).Code())
			return events, err
		}
		w.note("client hears %s", e.Name())
		if events = append(events, e); len(events) == n {
			break
		}
	}
	return events, nil
}

// Promise: the closing event leaves only when the record is on disk.
func TestTheClosingEventWaitsForTheRecord(t *testing.T) {
	w := newWorld(whole)
	if _, err := w.drink(t, t.Context(), -1); err != nil {
		t.Fatal(err)
	}
	settle, closing := slices.Index(w.log, "settle"), slices.Index(w.log, "client hears metadata")
	if settle < 0 || closing < settle || slices.Index(w.log, "client hears messageStop") > settle {
		t.Errorf("order: %q", w.log)
	}
	r := w.settled[0]
	if r.Usage.Of(outcrop.InputTokens) != 3 || r.Usage.Of(outcrop.OutputTokens) != 4 || r.Usage.Estimated {
		t.Errorf("usage = %+v, want what the upstream reported", r.Usage)
	}
	if r.Outcome != (outcrop.Outcome{Status: 200, StopReason: "end_turn"}) || r.Tags["team"] != "a" || r.Quote.Price != "list#1" ||
		r.ServedIn != "us-east-1" || r.Attempts != 1 || r.FirstByte.IsZero() || !r.Ended.After(r.FirstByte) || r.MetricID != "us.x.y" {
		t.Errorf("record = %+v", r)
	}
}

func TestARecordThatCannotBeWrittenWithholdsTheAnswersEnd(t *testing.T) {
	w := newWorld(whole)
	w.lose = errors.New("disk full")
	events, err := w.drink(t, t.Context(), -1)
	if outcrop.KindOf(err) != outcrop.Unavailable || slices.ContainsFunc(events, func(e converse.Event) bool { return e.Metadata != nil }) {
		t.Errorf("events %v, err %v; want a 503 in place of the metadata", w.log, err)
	}
	if _, err := w.Gateway.Converse(t.Context(), call()); outcrop.KindOf(err) != outcrop.Unavailable {
		t.Errorf("Converse: err = %v, want Unavailable", err)
	}
}

func TestALedgerThatCannotWriteRefusesBeforeTheUpstreamIsCalled(t *testing.T) {
	w := newWorld(whole)
	w.refuse = outcrop.Errorf(outcrop.Unavailable, "The ledger cannot write.")
	if _, err := w.drink(t, t.Context(), -1); outcrop.KindOf(err) != outcrop.Unavailable || len(w.attempts) > 0 {
		t.Errorf("err = %v after %d attempts, want Unavailable and none", err, len(w.attempts))
	}
}

func TestAnotherDestinationIsTriedBeforeTheFirstEventOnly(t *testing.T) {
	w := newWorld(throttle, whole)
	if _, err := w.drink(t, t.Context(), -1); err != nil {
		t.Fatal(err)
	}
	if r := w.settled[0]; r.Attempts != 2 || r.ServedIn != "us-west-2" || r.Outcome.Status != 200 {
		t.Errorf("record = %+v, want the second attempt in us-west-2", r)
	}

	w = newWorld(attempt{events: []converse.Event{start, text("12345678")}, err: outcrop.Errorf(outcrop.Unavailable, "gone")}, whole)
	events, err := w.drink(t, t.Context(), -1)
	if outcrop.KindOf(err) != outcrop.Unavailable || len(w.attempts) != 1 || len(events) != 2 {
		t.Errorf("after the first event: %d attempts, err %v; want one and the failure", len(w.attempts), err)
	}
	u := w.settled[0].Usage
	if !u.Estimated || u.Of(outcrop.OutputTokens) != 2 {
		t.Errorf("usage = %+v, want two output tokens estimated from eight bytes", u)
	}
}

func TestWhatAnotherDestinationCannotMendIsNotRetried(t *testing.T) {
	w := newWorld(attempt{err: outcrop.Errorf(outcrop.Invalid, "bad")}, whole)
	if _, err := w.drink(t, t.Context(), -1); outcrop.KindOf(err) != outcrop.Invalid || len(w.attempts) != 1 {
		t.Errorf("%d attempts, err %v; want one and Invalid", len(w.attempts), err)
	}
	r := w.settled[0]
	if r.Usage.Known() || r.Outcome.Error != "ValidationException" || r.Outcome.Status != 400 {
		t.Errorf("record = %+v, want no usage and the error", r)
	}
}

func TestAHangUpStopsTheUpstreamAndIsBilled(t *testing.T) {
	w := newWorld(whole)
	if _, err := w.drink(t, t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(w.log, "upstream stopped") {
		t.Errorf("the upstream went on: %q", w.log)
	}
	r := w.settled[0]
	if !r.Outcome.HungUp || r.Outcome.Status != StatusHungUp || !r.Usage.Estimated || r.Usage.Of(outcrop.OutputTokens) != 2 || r.Usage.Of(outcrop.InputTokens) == 0 {
		t.Errorf("record = %+v, want a hang-up with what was seen", r)
	}
}

func TestAClientThatIsGoneStillSettles(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := newWorld(whole)
	stream, err := w.Gateway.ConverseStream(ctx, call())
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	for range stream.Events {
		t.Error("a gone client was told something")
	}
	if len(w.settled) != 1 || !w.settled[0].Outcome.HungUp {
		t.Errorf("settled = %+v, want one hang-up", w.settled)
	}
}

func TestUsageThatNobodyReportsIsEstimatedAndDisclosed(t *testing.T) {
	silent := attempt{events: []converse.Event{start, text("12345678"), stop, {Metadata: &converse.ConverseStreamMetadataEvent{}}}}
	w := newWorld(silent)
	events, err := w.drink(t, t.Context(), -1)
	if err != nil {
		t.Fatal(err)
	}
	told := events[len(events)-1].Metadata.Usage
	if told == nil || told.OutputTokens != 2 || !w.settled[0].Usage.Estimated {
		t.Errorf("told %+v, recorded %+v; want the same estimate", told, w.settled[0].Usage)
	}
	zero := attempt{events: []converse.Event{start, stop, {Metadata: &converse.ConverseStreamMetadataEvent{Usage: &converse.TokenUsage{}}}}}
	w = newWorld(zero)
	if _, err := w.drink(t, t.Context(), -1); err != nil || w.settled[0].Usage.Estimated || w.settled[0].Usage.Total() != 0 {
		t.Errorf("an explicit zero became %+v (err %v)", w.settled[0].Usage, err)
	}
}

func TestNothingHappensWithoutPermission(t *testing.T) {
	for op, action := range map[outcrop.Operation]string{
		outcrop.OpConverse: iam.ActionInvoke, outcrop.OpInvokeModel: iam.ActionInvoke,
		outcrop.OpConverseStream: iam.ActionInvokeStream, outcrop.OpInvokeModelStream: iam.ActionInvokeStream,
		outcrop.OpCountTokens: "bedrock:CountTokens",
	} {
		w := newWorld(whole)
		w.forbid = action
		c := call()
		c.Operation = op
		c.Request = func(*outcrop.Target) (*converse.Request, error) {
			t.Errorf("%s: the body was read before the caller was known to be allowed", op)
			return nil, errors.New("no")
		}
		_, err := w.Gateway.Converse(t.Context(), c)
		if op == outcrop.OpCountTokens {
			_, err = w.Gateway.CountTokens(t.Context(), c)
		}
		if outcrop.KindOf(err) != outcrop.Denied || len(w.opened)+len(w.attempts) > 0 {
			t.Errorf("%s: err %v, %q", op, err, w.log)
		}
	}
}

func TestAnAPIKeyNeedsItsOwnPermission(t *testing.T) {
	w := newWorld(whole)
	c := call()
	c.BearerTokenType = iam.LongTermToken
	w.forbid = iam.ActionBearerToken
	if _, err := w.Gateway.Converse(t.Context(), c); outcrop.KindOf(err) != outcrop.Denied || w.asked[0].Action != iam.ActionBearerToken {
		t.Errorf("err %v after %+v", err, w.asked)
	}
}

func TestCountTokensIsNeverRecorded(t *testing.T) {
	w := newWorld(whole)
	c := call()
	c.Operation = outcrop.OpCountTokens
	if n, err := w.Gateway.CountTokens(t.Context(), c); n != 7 || err != nil || !slices.Contains(w.log, "countable") {
		t.Errorf("n = %d, err %v, %q", n, err, w.log)
	}
	if len(w.settled)+len(w.opened) > 0 {
		t.Error("counting was recorded")
	}
}

func TestTheTierAskedForIsTold(t *testing.T) {
	w := newWorld(whole)
	c := call()
	request, _ := c.Request(target)
	request.ServiceTier = &converse.ServiceTier{Type: "flex"}
	c.Request = func(*outcrop.Target) (*converse.Request, error) { return request, nil }
	answer, err := w.Gateway.Converse(t.Context(), c)
	if err != nil || answer.Response.ServiceTier == nil || answer.Response.ServiceTier.Type != "flex" || w.settled[0].ServiceTier != "flex" {
		t.Errorf("answer %+v, err %v; want the tier flex, told and recorded", answer, err)
	}
	stream, err := w.Gateway.ConverseStream(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	var last converse.Event
	for e := range stream.Events {
		last = e
	}
	if last.Metadata == nil || last.Metadata.ServiceTier == nil || last.Metadata.ServiceTier.Type != "flex" {
		t.Errorf("closing event %+v, want the tier flex", last.Metadata)
	}
}

// Nobody said that it was optimized, so the answer says that it was not.
func TestTheLatencyServedIsTold(t *testing.T) {
	w := newWorld(whole)
	c := call()
	request, _ := c.Request(target)
	request.PerformanceConfig = &converse.PerformanceConfiguration{Latency: "optimized"}
	c.Request = func(*outcrop.Target) (*converse.Request, error) { return request, nil }
	answer, err := w.Gateway.Converse(t.Context(), c)
	if err != nil || answer.Response.PerformanceConfig == nil || answer.Response.PerformanceConfig.Latency != "standard" {
		t.Errorf("answer %+v, %v; want standard latency", answer, err)
	}
	if r := w.settled[0]; r.LatencyAsked != "optimized" || r.Latency != "" {
		t.Errorf("recorded %q of %q", r.Latency, r.LatencyAsked)
	}
}

func TestAnUnknownModelOpensNothing(t *testing.T) {
	w := newWorld(whole)
	c := call()
	c.Ref = outcrop.ParseModelRef("unknown")
	if _, err := w.Gateway.Converse(t.Context(), c); outcrop.KindOf(err) != outcrop.Invalid || len(w.opened) > 0 {
		t.Errorf("err = %v, opened %d", err, len(w.opened))
	}
}

// Property: whatever the upstreams do and whenever the client leaves, what was
// opened is settled exactly once, and a closing event means a record.
func TestOpenedMeansSettledOnce(t *testing.T) {
	kinds := []outcrop.Kind{outcrop.Throttled, outcrop.Unavailable, outcrop.Invalid, outcrop.ModelFailed, outcrop.StreamFailed, outcrop.Internal}
	rapid.Check(t, func(t *rapid.T) {
		script := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) attempt {
			a := attempt{events: whole.events[:rapid.IntRange(0, len(whole.events)).Draw(t, "events")]}
			if len(a.events) < len(whole.events) && rapid.Bool().Draw(t, "fails") {
				a.err = outcrop.Errorf(rapid.SampledFrom(kinds).Draw(t, "kind"), "x")
			}
			return a
		}), 1, 3).Draw(t, "script")
		w := newWorld(script...)
		if rapid.Bool().Draw(t, "disk full") {
			w.lose = errors.New("disk full")
		}
		events, err := w.drink(t, context.Background(), rapid.IntRange(-1, 6).Draw(t, "leaves after"))
		if len(w.settled) != 1 {
			t.Fatalf("settled %d times: %q", len(w.settled), w.log)
		}
		if n := len(events); n > 0 && events[n-1].Metadata != nil && (w.lose != nil || err != nil || w.settled[0].Outcome.Status != 200) {
			t.Fatalf("a closing event for %+v (err %v)", w.settled[0].Outcome, err)
		}
		if len(w.attempts) > len(target.Destinations) {
			t.Fatalf("%d attempts for %d destinations", len(w.attempts), len(target.Destinations))
		}
	})
}
