package identity

import (
	"context"
	"strings"
	"sync"

	"outcrop"
	"outcrop/iam"
)

// maxAllowed bounds what is remembered of invocations: some 400 bytes each.
const maxAllowed = 10_000

// AuthorizeInvocation is Authorize for an invocation's checks. Most calls ask
// what one before them asked, and are allowed without deciding anew.
func (d *Directory) AuthorizeInvocation(ctx context.Context, who outcrop.Caller, what iam.Invocation) error {
	g, err := d.PoliciesOf(ctx, who)
	if err != nil {
		return err
	}
	q, lasts := g.question(who, what)
	if lasts && d.allowed.has(q) {
		return nil
	}
	err = d.decide(g, who, what.Checks())
	if err == nil && lasts {
		d.allowed.add(q)
	}
	return err
}

// A question is everything that the decision on an invocation depends on, but
// for the time. Grants and Targets are never changed: when a policy, tag,
// membership or profile is, there is another one.
type question struct {
	grants *Grants
	who    outcrop.Caller
	what   iam.Invocation
}

// question leaves out of who what its policies do not look at. lasts is false
// when they look at the time.
func (g *Grants) question(who outcrop.Caller, what iam.Invocation) (q question, lasts bool) {
	reads := g.decider().Reads()
	if !reads.SourceIP {
		who.Origin.IP = ""
	}
	if !reads.UserAgent {
		who.Origin.UserAgent = ""
	}
	return question{g, who, what}, !reads.Time
}

// allowed are the questions that were answered with Allow; a refusal is always
// worked out, with its reasons. It needs no invalidation, since a question
// knows all that it depends on.
type allowed struct {
	mu   sync.RWMutex
	seen map[question]struct{}
}

func (a *allowed) has(q question) bool {
	a.mu.RLock()
	_, ok := a.seen[q]
	a.mu.RUnlock()
	return ok
}

// add starts over when full, which also lets go of Grants that hold no more.
func (a *allowed) add(q question) {
	q.who.Region = outcrop.Region(strings.Clone(string(q.who.Region))) // the request that these are cut from is not kept
	q.who.Origin.IP, q.who.Origin.UserAgent = strings.Clone(q.who.Origin.IP), strings.Clone(q.who.Origin.UserAgent)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.seen == nil || len(a.seen) >= maxAllowed {
		a.seen = map[question]struct{}{}
	}
	a.seen[q] = struct{}{}
}
