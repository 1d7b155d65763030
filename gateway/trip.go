package gateway

import (
	"context"
	"errors"
	"strings"
	"sync"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/task"
	"outcrop/iam"
)

// A trip is one invocation under way.
type trip struct {
	target  *outcrop.Target
	request *converse.Request
	route   outcrop.Route
	room    [4]outcrop.Attempt // what route fills first, without an allocation of its own
	leg     leg
	hedged  *outcrop.Attempt // made beside another one; nil for none

	streaming bool
	record    outcrop.UsageRecord
	meter     meter
	exchange  *Exchange // nil when nobody wants to know what was said
	left      bool      // the client went away: nothing may be told any more
	unheard   int       // bytes that had passed by then

	admission admission
	form      *Form              // nil: every attempt goes through the middle form
	response  *converse.Response // the whole answer, or
	forwarded *Forwarded         // the answer as it came
	last      *Piece             // what closes a forwarded stream, held back
	closing   Piece              // room for it
	task      *task.Request      // nil for a conversation
	talk      *talk              // nil unless it is spoken
	made      *task.Response     // what was made of the task
}

// trips are used again: what hangs from one, from the record to the room for
// its route, is most of what a call would allocate.
var trips = sync.Pool{New: func() any { return new(trip) }}

// release gives the trip back. Nothing that outlives the call may know it:
// attempts that lost have ended, and who keeps the record has a copy.
func (t *trip) release() {
	*t = trip{}
	trips.Put(t)
}

// plan resolves the call and finds its way.
func (g *Gateway) plan(ctx context.Context, call *Call) (*trip, error) {
	target, err := g.Allowed(ctx, call)
	if err != nil {
		return nil, err
	}
	t := trips.Get().(*trip)
	t.target, t.streaming, t.meter.window = target, call.Operation.Streaming(), target.Model.ContextWindow
	if err := t.read(call); err != nil {
		return nil, err
	}
	t.route = g.Router.Route(t.room[:0], outcrop.RouteAsk{Target: target, Streaming: t.streaming}, t.request)
	g.speakers(t)
	if len(t.route) == 0 {
		return nil, outcrop.Errorf(outcrop.Unavailable,
			"No configured upstream serves %s in a Region of this call. Add the model and a Region to an upstream in the configuration, or enable one that is drained (outcrop upstream list).", target.Model.ID)
	}
	for i := range t.route {
		t.route[i].Invocation, t.route[i].Told = call.Invocation, &t.meter.aside
	}
	return t, g.readable(t)
}

// Allowed finds what a call is about, and refuses it to those who may not have
// it. It invokes nothing.
func (g *Gateway) Allowed(ctx context.Context, call *Call) (*outcrop.Target, error) {
	resolve := g.Profiles.Resolve
	if call.Operation == outcrop.OpCountTokens {
		resolve = g.Profiles.Countable
	}
	target, err := g.resolve(call, func(ref outcrop.ModelRef) (*outcrop.Target, error) {
		return resolve(ctx, call.Caller.Account, call.Caller.Region, ref)
	})
	if err != nil {
		return nil, call.firstly(err)
	}
	call.target = target
	if err := g.authorize(ctx, call, target); err != nil {
		return nil, call.firstly(err)
	}
	call.allowed = true
	return target, nil
}

// authorize asks whether target may be called.
func (g *Gateway) authorize(ctx context.Context, call *Call, target *outcrop.Target) error {
	what := iam.Invocation{Target: target, Action: iam.ActionInvoke, Rules: iam.InvocationRules{BearerTokenType: call.BearerTokenType}}
	switch {
	case call.Operation == outcrop.OpCountTokens:
		return g.authorizeCount(ctx, call, target, what.Rules)
	case call.Operation == outcrop.OpInvokeModelBidirectional:
		what.Action = iam.ActionInvokeBidirectional
	case call.Operation.Streaming():
		what.Action = iam.ActionInvokeStream
	}
	return g.Policy.AuthorizeInvocation(ctx, call.Caller, what)
}

// authorizeCount asks about the model alone: counting has no other resource.
func (g *Gateway) authorizeCount(ctx context.Context, call *Call, target *outcrop.Target, rules iam.InvocationRules) error {
	model := *target
	model.Profile, model.Geography = nil, ""
	return g.Policy.Authorize(ctx, call.Caller, rules.Checks(&model, "bedrock:CountTokens")...)
}

// begin plans the call and opens its invocation in the ledger.
func (g *Gateway) begin(ctx context.Context, call *Call) (_ *trip, err error) {
	recorded := false
	defer func() {
		if !recorded {
			g.refused(call, err)
		}
	}()
	t, err := g.plan(ctx, call)
	if err != nil {
		return nil, err
	}
	g.describe(t, call)
	refusal := g.admit(t)
	t.exchange = g.exchange(call)
	if err := g.open(ctx, t); err != nil {
		g.leave(t, false)
		return nil, err
	}
	if recorded = true; refusal != nil { // so that throttles can be counted
		err := g.settle(ctx, t, refusal)
		g.tell(t)
		return nil, err
	}
	return t, nil
}

// open tells the ledger of t. A record is large, and begin's frame is on the
// stack of all that planning calls: so the copy is made in a frame of its own.
//
//go:noinline
func (g *Gateway) open(ctx context.Context, t *trip) error { return g.Ledger.Open(ctx, t.record) }

// describe writes into the record what is known before anything is asked.
func (g *Gateway) describe(t *trip, call *Call) {
	t.record = outcrop.UsageRecord{
		Invocation: call.Invocation, Operation: call.Operation,
		Account: call.Caller.Account, Principal: call.Caller.Principal, AccessKey: call.Caller.AccessKey,
		SDKAttempt: call.SDKAttempt, Started: call.Received,
		Region: t.target.Region, ModelRef: call.Ref.Text, MetricID: t.target.MetricID(),
		Profile: t.target.ProfileARN(), Model: t.target.Model.ID, Geography: t.target.Geography,
		Binding: call.Binding, Tags: t.target.Tags, RequestMetadata: t.request.RequestMetadata,
	}
	if call.Caller.Session != nil {
		t.record.SessionTags = call.Caller.Session.Tags
	}
	if t.task != nil {
		t.record.ImageSize, t.record.ImageSteps = t.task.Pictured()
	}
	// A record outlives the request's body, whose memory is used again.
	t.record.TierAsked, t.record.LatencyAsked = strings.Clone(tierName(t.request.ServiceTier)), strings.Clone(latencyName(t.request.PerformanceConfig))
	t.record.ServiceTier = t.record.TierAsked
	// Should this process die, what it opened is all that recovery can bill by.
	t.record.Usage = t.meter.estimate(t.request)
	t.record.Quote = g.Quote(&t.record)
}

// try notes where the next attempt goes.
func (t *trip) try(a *outcrop.Attempt) {
	t.meter.aside = outcrop.Told{}
	t.record.Attempts = a.Number
	t.record.Upstream = a.Upstream
	t.record.ServedIn = a.Destination.Region
}

// settle closes the record, writes it and returns what the client is to be
// told: cause, or the failure to write. It writes even when the client has
// gone.
func (g *Gateway) settle(ctx context.Context, t *trip, cause error) error {
	r := &t.record
	r.Ended = g.Now()
	r.FirstByte = t.meter.firstByte
	r.UpstreamRequest = t.meter.aside.Request
	if t.left || ctx.Err() != nil {
		cause = errHungUp
	}
	r.Usage = t.meter.usage(t.request, cause)
	t.meter.disclose(r.Usage)
	t.noteTiers()
	r.Outcome = outcomeOf(cause, t.meter.stopReason)
	r.Quote = g.Quote(r)
	r.QuotaTokens = g.quotaTokens(r)
	defer g.leave(t, true)
	if err := g.Ledger.Settle(context.WithoutCancel(ctx), *r); err != nil {
		return outcrop.Errorf(outcrop.Unavailable, "The usage of this call could not be recorded, so its answer is withheld. Try again.").Because(err)
	}
	return cause
}

// noteTiers records which service tier and performance configuration served:
// what the upstream told, else what was asked for, which is then billed.
func (t *trip) noteTiers() {
	if closing := t.meter.closing.Metadata; closing != nil {
		t.meter.tier, t.meter.latency = closing.ServiceTier, closing.PerformanceConfig
		closing.ServiceTier = t.served(closing.ServiceTier)
		closing.PerformanceConfig = t.performed(closing.PerformanceConfig)
	}
	if t.meter.stopReason == "guardrail_intervened" {
		t.record.Guardrail = "INTERVENED"
	}
	if told := t.meter.tier; told != nil {
		t.record.ServiceTier = tierName(told)
	}
	if told := t.meter.latency; told != nil {
		t.record.Latency = latencyName(told)
	}
}

func tierName(t *converse.ServiceTier) string {
	if t == nil || t.Type == "default" {
		return ""
	}
	return t.Type
}

func latencyName(p *converse.PerformanceConfiguration) string {
	if p == nil || p.Latency == "standard" {
		return ""
	}
	return p.Latency
}

// served is the service tier that the answer tells of: the upstream's word, or
// the tier asked for, which is the one billed.
func (t *trip) served(told *converse.ServiceTier) *converse.ServiceTier {
	if told != nil {
		return told
	}
	return t.request.ServiceTier
}

// performed is the performance configuration that the answer tells of. Only an
// upstream that says so has optimized anything; AWS, too, serves a call at
// standard latency when it cannot do better, and says that.
func (t *trip) performed(told *converse.PerformanceConfiguration) *converse.PerformanceConfiguration {
	if told != nil || t.request.PerformanceConfig == nil {
		return told
	}
	return &converse.PerformanceConfiguration{Latency: "standard"}
}

// StatusHungUp is recorded as the status of a call whose client went away; it
// is a web server's word, never sent.
const StatusHungUp = 499

func outcomeOf(cause error, stopReason string) outcrop.Outcome {
	switch {
	case cause == nil:
		return outcrop.Outcome{Status: 200, StopReason: stopReason}
	case errors.Is(cause, errHungUp):
		return outcrop.Outcome{Status: StatusHungUp, HungUp: true, StopReason: stopReason}
	}
	kind := outcrop.KindOf(cause)
	return outcrop.Outcome{Status: kind.Status(), Error: kind.Code(), StopReason: stopReason}
}
