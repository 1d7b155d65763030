package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/speech"
	"outcrop/quota"
)

// A Quota admits calls by what their account and the upstreams have left;
// *quota.Gate is one. Its refusals are of kind Throttled and say when to come
// back.
type Quota interface {
	// Admit takes one request and n tokens from the account's counter, once for
	// each call.
	Admit(now time.Time, k quota.Key, n outcrop.Tokens) (quota.Hold, error)
	// Enter takes the same from an upstream, for each attempt.
	Enter(now time.Time, upstream string, n outcrop.Tokens) (quota.Hold, error)
}

// Budgets admit calls by what they may cost. Each call is counted once against
// every budget that it falls under, from Reserve on.
type Budgets interface {
	// Any says whether the account has a budget at all. It is cheap.
	Any(outcrop.AccountID) bool
	// Reserve holds what worst costs against every budget that the call falls
	// under, or against none and refuses, naming one of them. It does not keep
	// worst.
	Reserve(worst *outcrop.UsageRecord) error
	// Settle replaces what is held by what the settled record costs.
	Settle(done *outcrop.UsageRecord)
	// Cancel lets go of what is held for a call that leaves no record.
	Cancel(outcrop.InvocationID)
}

// fallbackMaxOutput is reserved for a call that names no maximum, to a model
// that none is known of.
const fallbackMaxOutput outcrop.Tokens = 8192

// An admission is what a call holds from its first question until it is
// settled.
type admission struct {
	tokens   outcrop.Tokens // reserved: the input as estimated, and the most output
	account  quota.Hold
	lane     quota.Hold
	budgeted bool
	settled  bool
}

// admit takes what the call may need at most, all of it or nothing. The
// record is that of the beginning, with the usage that was estimated.
func (g *Gateway) admit(t *trip) (err error) {
	a := &t.admission
	most := t.mostOutput()
	a.tokens = t.record.Usage.Of(outcrop.InputTokens) + most
	if g.Quota != nil {
		if a.account, err = g.Quota.Admit(g.Now(), quota.KeyOf(t.record.Account, t.target), a.tokens); err != nil {
			return err
		}
	}
	if g.Budgets == nil || !g.Budgets.Any(t.record.Account) {
		return nil
	}
	worst := dearest.Get().(*outcrop.UsageRecord)
	defer dearest.Put(worst)
	g.worst(worst, t, most)
	if err := g.Budgets.Reserve(worst); err != nil {
		a.account.Cancel(g.Now())
		return err
	}
	a.budgeted = true
	return nil
}

// mostOutput is how much the call may answer at most.
func (t *trip) mostOutput() outcrop.Tokens {
	if t.task != nil {
		return 0 // it answers in vectors, rankings or pictures
	}
	if c := t.request.InferenceConfig; c != nil && c.MaxTokens != nil && *c.MaxTokens > 0 {
		return outcrop.Tokens(*c.MaxTokens)
	}
	if t.target.Model.MaxOutput > 0 {
		return t.target.Model.MaxOutput
	}
	return fallbackMaxOutput
}

// dearest are records that budgets look at while they admit a call.
var dearest = sync.Pool{New: func() any { return new(outcrop.UsageRecord) }}

// worst makes of r the dearest record that the call can become: as much input
// as its text can possibly be, kept in a cache where it asks for that, and the
// whole output, at the price of now.
func (g *Gateway) worst(r *outcrop.UsageRecord, t *trip, most outcrop.Tokens) {
	*r = t.record
	if t.talk != nil {
		r.Usage = speech.Most(most)
		r.Quote = g.Quote(r)
		return
	}
	r.Usage = outcrop.Usage{Estimated: true}
	input := t.meter.sizeOf(t.request).Most()
	if t.task != nil {
		tokens := int64(input)
		r.Usage = t.task.Usage(&tokens, t.task.Pictures())
		r.Quote = g.Quote(r)
		return
	}
	r.Usage.Set(outcrop.OutputTokens, most)
	r.Usage.Set(outcrop.InputTokens, input)
	r.Quote = g.Quote(r)
	if !converse.Caches(t.request) {
		return
	}
	kind := outcrop.InputTokens
	for _, k := range []outcrop.TokenKind{outcrop.CacheWrite5mTokens, outcrop.CacheWrite1hTokens} {
		if rate, ok := r.Quote.Rates.Get(k); ok && rate > r.Quote.Rates.Of(kind) {
			kind = k
		}
	}
	r.Usage.Set(outcrop.InputTokens, 0)
	r.Usage.Set(kind, input)
}

// enter makes room for one attempt, in place of the one before. It refuses when
// the upstream is full.
func (g *Gateway) enter(t *trip, a *outcrop.Attempt) (err error) {
	if g.Quota == nil {
		return nil
	}
	t.admission.lane.Release(g.Now())
	t.admission.lane, err = g.Quota.Enter(g.Now(), a.Upstream, t.admission.tokens)
	return err
}

// turnBack gives back the room of an attempt that is not made after all.
func (g *Gateway) turnBack(t *trip) { t.admission.lane.Cancel(g.Now()) }

// sooner is the refusal that may be tried again first.
func sooner(a, b error) error {
	var x, y *outcrop.Error
	if errors.As(a, &x) && errors.As(b, &y) && x.RetryAfter <= y.RetryAfter {
		return a
	}
	return b
}

// quotaTokens is what the call came to in tokens of quota: what was read from
// a cache is free, and output weighs as the model's burndown says (§8.2).
func (g *Gateway) quotaTokens(r *outcrop.UsageRecord) outcrop.Tokens {
	weight := outcrop.Tokens(1)
	if g.Burndown != nil {
		weight = outcrop.Tokens(max(g.Burndown(r.Model), 1))
	}
	u := &r.Usage
	return u.Total() - u.Of(outcrop.CacheReadTokens) + u.Output()*(weight-1)
}

// leave ends what the call holds, once. recorded says whether its record is or
// will be in the ledger; without one it cost nothing.
func (g *Gateway) leave(t *trip, recorded bool) {
	a := &t.admission
	if a.settled {
		return
	}
	a.settled = true
	now, u := g.Now(), &t.record.Usage
	a.account.Settle(now, t.record.QuotaTokens)
	a.lane.Settle(now, u.Total()-u.Of(outcrop.CacheReadTokens))
	switch {
	case !a.budgeted:
	case recorded:
		g.Budgets.Settle(&t.record)
	default:
		g.Budgets.Cancel(t.record.Invocation)
	}
}

// unwind settles a call whose function ends by a panic, so that nothing stays
// held and what was answered is billed.
func (g *Gateway) unwind(ctx context.Context, t *trip) {
	if t.admission.settled {
		return
	}
	g.settle(ctx, t, errors.New("the call ended by a panic"))
}
