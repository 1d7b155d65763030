package adminapi

import (
	"context"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/routing"
)

// Routes tell and turn where calls go. Names are those of the configuration.
type Routes interface {
	Statuses() []routing.Status
	// About is what else is known of an upstream.
	About(upstream string) UpstreamFacts
	// Drain takes an upstream out for new calls, or back in, and keeps that.
	Drain(ctx context.Context, upstream string, drained bool) error
	Explain(ctx context.Context, who outcrop.Caller, modelID string, streaming bool) (*RouteFacts, error)
}

// UpstreamFacts are an upstream's, beside its status.
type UpstreamFacts struct {
	Kind     string
	Check    string  // what its active check found last; empty without one
	Headroom float64 // share of its limits that is free
}

// RouteFacts are what the way of a call depends on now.
type RouteFacts struct {
	Target     *outcrop.Target
	Candidates []routing.Candidate
	Retries    int
	Unserved   []outcrop.Region // destinations that no upstream serves
	Price      outcrop.Quote    // of the call, wherever it runs: AWS bills the source Region's
}

func (a *API) routeOperations() []awsapi.Handler {
	return []awsapi.Handler{
		awsapi.Op("ListUpstreams", a.listUpstreams),
		awsapi.Op("DrainUpstream", func(ctx context.Context, _ outcrop.Caller, in *DrainUpstreamInput) (*DrainUpstreamOutput, error) {
			u, err := a.drain(ctx, in.Name, true)
			return &DrainUpstreamOutput{Upstream: u}, err
		}),
		awsapi.Op("EnableUpstream", func(ctx context.Context, _ outcrop.Caller, in *EnableUpstreamInput) (*EnableUpstreamOutput, error) {
			u, err := a.drain(ctx, in.Name, false)
			return &EnableUpstreamOutput{Upstream: u}, err
		}),
		awsapi.Op("ExplainRoute", a.explainRoute),
	}
}

func (a *API) listUpstreams(context.Context, outcrop.Caller, *ListUpstreamsInput) (*ListUpstreamsOutput, error) {
	out := &ListUpstreamsOutput{Upstreams: []Upstream{}}
	for _, s := range a.Routes.Statuses() {
		out.Upstreams = append(out.Upstreams, a.upstream(&s))
	}
	return out, nil
}

func (a *API) drain(ctx context.Context, name string, drained bool) (*Upstream, error) {
	if err := a.Routes.Drain(ctx, name, drained); err != nil {
		return nil, err
	}
	for _, s := range a.Routes.Statuses() {
		if s.Upstream == name {
			u := a.upstream(&s)
			return &u, nil
		}
	}
	return nil, nil
}

func (a *API) upstream(s *routing.Status) Upstream {
	about := a.Routes.About(s.Upstream)
	u := Upstream{
		Name: s.Upstream, Kind: about.Kind, State: s.State.String(), Check: about.Check,
		InFlight: count(s.InFlight), Weight: count(s.Weight), HeadroomPercent: count(int(about.Headroom * 100)),
		Regions: []string{}, Models: []string{}, Lanes: []Lane{},
	}
	for _, r := range s.Regions {
		u.Regions = append(u.Regions, string(r))
	}
	for _, m := range s.Models {
		u.Models = append(u.Models, string(m))
	}
	for _, l := range s.Lanes {
		u.Lanes = append(u.Lanes, Lane{
			Region: string(l.Destination.Region), ModelId: string(l.Destination.Model), Health: l.Health.String(),
			EjectedForMillis: count(int(l.Until.Milliseconds())), FullForMillis: count(int(l.Full.Milliseconds())),
			FirstByteMicros: micros(l.FirstByte), WholeMicros: micros(l.Whole),
			InFlight: count(l.InFlight), Calls: count(int(l.Calls)), Failures: count(int(l.Failed)),
		})
	}
	return u
}

func (a *API) explainRoute(ctx context.Context, who outcrop.Caller, in *ExplainRouteInput) (*ExplainRouteOutput, error) {
	facts, err := a.Routes.Explain(ctx, who, in.ModelId, in.Streaming == nil || *in.Streaming)
	if err != nil {
		return nil, err
	}
	out := &ExplainRouteOutput{
		ModelId: string(facts.Target.Model.ID), ProfileArn: string(facts.Target.ProfileARN()), SourceRegion: string(facts.Target.Region),
		Retries: count(facts.Retries), Steps: []RouteStep{}, Unserved: []string{},
	}
	for _, r := range facts.Unserved {
		out.Unserved = append(out.Unserved, string(r))
	}
	for i := range facts.Candidates {
		c := &facts.Candidates[i]
		step := RouteStep{
			Region: string(c.Destination.Region), Upstream: c.Upstream, UpstreamModel: string(c.Model), Source: &c.Source, Health: c.Health.String(),
			HeadroomPercent: count(int(c.Headroom * 100)), LatencyMicros: micros(c.Measured), InFlight: count(c.InFlight), Weight: count(int(c.Weight)),
			InputPrice: priceOf(facts.Price, outcrop.InputTokens), OutputPrice: priceOf(facts.Price, outcrop.OutputTokens), Reason: c.Why.String(),
		}
		if c.Why.Tried() {
			step.Order = count(i + 1)
		}
		out.Steps = append(out.Steps, step)
	}
	return out, nil
}

// priceOf is in dollars for a million tokens, empty where there is no price.
func priceOf(q outcrop.Quote, k outcrop.TokenKind) string {
	rate, known := q.Rates.Get(k)
	if !known {
		return ""
	}
	return rate.String()
}

func count(n int) *int64 {
	wide := int64(n)
	return &wide
}

// micros leaves out what is not known.
func micros(d time.Duration) *int64 {
	if d == 0 {
		return nil
	}
	return count(int(d.Microseconds()))
}
