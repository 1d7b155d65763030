package identity

import (
	"context"

	"outcrop"
	"outcrop/iam"
)

// Authorize says whether a caller may do everything that checks ask: nil, or
// AWS's AccessDenied for the first that is not allowed. A permission that was
// taken away is refused by the very next call.
func (d *Directory) Authorize(ctx context.Context, who outcrop.Caller, checks ...iam.Check) error {
	g, err := d.PoliciesOf(ctx, who)
	if err != nil {
		return err
	}
	return d.decide(g, who, checks)
}

func (d *Directory) decide(g *Grants, who outcrop.Caller, checks []iam.Check) error {
	base := d.request(g, who)
	decision, i := g.decider().DecideAll(checks, base)
	if i < 0 || decision.Allowed() { // nothing was asked, or all was allowed
		return nil
	}
	return decision.Err(checks[i].Request(base))
}

// Decisions answers every check for a caller, also those behind the first that
// is refused: it is what explaining is made of.
func (d *Directory) Decisions(ctx context.Context, who outcrop.Caller, checks ...iam.Check) ([]iam.Decision, error) {
	g, err := d.PoliciesOf(ctx, who)
	if err != nil {
		return nil, err
	}
	base := d.request(g, who)
	decisions := make([]iam.Decision, len(checks))
	for i, c := range checks {
		decisions[i] = g.decider().Decide(c.Request(base))
	}
	return decisions, nil
}

func (g *Grants) decider() *iam.Compiled {
	g.once.Do(func() { g.compiled = iam.Compile(g.Policies) })
	return g.compiled
}

// request is what every question of this caller has in common.
func (d *Directory) request(g *Grants, who outcrop.Caller) iam.Request {
	r := iam.Request{Principal: who.Principal, Role: g.Role}
	r.Context.SetCaller(who, g.Role, g.Tags)
	r.Context.SetTime(d.now())
	if who.Session != nil {
		r.Context.SetSession(who.Session)
	}
	if g.UserName != "" {
		r.Context.Set(iam.KeyUsername, g.UserName)
	}
	if who.Origin.IP != "" {
		r.Context.Set(iam.KeySourceIP, who.Origin.IP)
	}
	if who.Origin.UserAgent != "" {
		r.Context.Set(iam.KeyUserAgent, who.Origin.UserAgent)
	}
	r.Context.Set(iam.KeySecureTransport, boolean(who.Origin.TLS))
	return r
}

func boolean(b bool) string {
	if b {
		return "true"
	}
	return "false"
}
