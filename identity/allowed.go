package identity

import (
	"context"
	"slices"
	"strings"
	"sync"

	"outcrop"
	"outcrop/iam"
)

// Bounds of what is remembered of invocations: some 300 bytes each.
const (
	maxAllowed = 10_000
	maxAskers  = 8 // of one target by one caller: Regions, addresses
)

// AuthorizeInvocation is Authorize for an invocation's checks. Most calls ask
// what one before them asked, and are allowed without deciding anew.
func (d *Directory) AuthorizeInvocation(ctx context.Context, who outcrop.Caller, what iam.Invocation) error {
	g, err := d.PoliciesOf(ctx, who)
	if err != nil {
		return err
	}
	q, lasts := g.question(who, what)
	if lasts && d.allowed.has(&q) {
		return nil
	}
	err = d.decide(g, who, what.Checks())
	if err == nil && lasts {
		d.allowed.add(&q)
	}
	return err
}

// A question is everything that the decision on an invocation depends on, but
// for the time. Grants and Targets are never changed: when a policy, tag,
// membership or profile is, there is another one.
type question struct {
	subject
	asker
}

// A subject is the part of a question that finds the rest.
type subject struct {
	grants *Grants
	target *outcrop.Target
}

// An asker is compared, which is quicker than to hash it: most of its strings
// are the very ones that were compared before.
type asker struct {
	who    outcrop.Caller
	action string
	rules  iam.InvocationRules
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
	return question{subject{g, what.Target}, asker{who, what.Action, what.Rules}}, !reads.Time
}

// allowed are the questions that were answered with Allow; a refusal is always
// worked out, with its reasons. It needs no invalidation, since a question
// knows all that it depends on.
type allowed struct {
	mu   sync.RWMutex
	seen map[subject][]asker // the lists are not changed, but replaced
	n    int                 // askers in all of them
}

func (a *allowed) has(q *question) bool {
	a.mu.RLock()
	askers := a.seen[q.subject]
	a.mu.RUnlock()
	for i := range askers {
		if askers[i] == q.asker {
			return true
		}
	}
	return false
}

// add starts over when full, which also lets go of Grants that hold no more.
func (a *allowed) add(q *question) {
	q.who.Region = outcrop.Region(strings.Clone(string(q.who.Region))) // the request that these are cut from is not kept
	q.who.Origin.IP, q.who.Origin.UserAgent = strings.Clone(q.who.Origin.IP), strings.Clone(q.who.Origin.UserAgent)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.seen == nil || a.n >= maxAllowed {
		a.seen, a.n = map[subject][]asker{}, 0
	}
	askers := a.seen[q.subject]
	if len(askers) == maxAskers {
		askers, a.n = nil, a.n-maxAskers
	}
	a.seen[q.subject] = append(slices.Clip(askers), q.asker)
	a.n++
}
