package server

import (
	"context"
	"fmt"
	"time"

	"outcrop"
	"outcrop/awsapi/adminapi"
	"outcrop/gateway"
	"outcrop/internal/strictyaml"
	"outcrop/pricing"
	"outcrop/routing"
)

// RoutingConfig turns how calls find their way to upstreams.
type RoutingConfig struct {
	RetryPercent *strictyaml.Whole   `yaml:"retry_percent"`      // retries allowed for each hundred calls; default 20, 0 for none
	Affinity     *bool               `yaml:"prompt_affinity"`    // keep calls that share a cached prompt on the lane that holds it; default true
	FirstByte    strictyaml.Duration `yaml:"first_byte_timeout"` // of an attempt at a stream while another may follow; default 60s
	Attempt      strictyaml.Duration `yaml:"attempt_timeout"`    // of an attempt at a whole answer while another may follow; default the upstream's own
	Call         strictyaml.Duration `yaml:"call_timeout"`       // of all attempts together; default none beside the upstreams' own
	Hedge        strictyaml.Duration `yaml:"hedge_after"`        // how long an attempt may take to begin before another is made beside it; default never
}

const defaultFirstByte = strictyaml.Duration(time.Minute)

func (c *RoutingConfig) options() routing.Options {
	o := routing.Options{NoAffinity: c.Affinity != nil && !*c.Affinity}
	if c.RetryPercent != nil {
		if o.RetryPercent = int(*c.RetryPercent); o.RetryPercent == 0 {
			o.RetryPercent = -1
		}
	}
	return o
}

func (c *RoutingConfig) deadlines() gateway.Deadlines {
	setDefault(&c.FirstByte, defaultFirstByte)
	return gateway.Deadlines{FirstByte: time.Duration(c.FirstByte), Whole: time.Duration(c.Attempt), Call: time.Duration(c.Call), Hedge: time.Duration(c.Hedge)}
}

// openRouting makes the router and the upstreams behind it.
func (e *engines) openRouting(ctx context.Context, c *Config) error {
	o := c.Routing.options()
	o.Headroom = e.headroom
	o.Ejected = func(a *outcrop.Attempt, err error) {
		e.log.Warn("a lane fails and is left out for a while", "upstream", a.Upstream, "region", a.Destination.Region, "model", a.Destination.Model, "err", err)
	}
	e.router, e.backends = routing.New(o), newBackends()
	e.closers = append(e.closers, e.backends.Close)
	e.checks = newChecks(e.router, e.log)
	e.closers = append(e.closers, e.checks.close)
	if err := e.useUpstreams(ctx, c.Upstreams); err != nil {
		return err
	}
	drained, err := e.store.Drained(ctx)
	if err != nil {
		return fmt.Errorf("read drained upstreams: %w", err)
	}
	for _, name := range drained {
		if err := e.router.Drain(name, true); err == nil {
			e.log.Info("an upstream is drained: it gets no calls until outcrop upstream enable", "upstream", name)
		}
	}
	return nil
}

// routes answer what the admin API asks about routing.
type routes struct {
	*routing.Router
	engines *engines
}

// About implements adminapi.Routes.
func (r routes) About(upstream string) adminapi.UpstreamFacts {
	return adminapi.UpstreamFacts{Kind: r.engines.inUse.kind(upstream), Check: r.engines.checks.told(upstream), Headroom: r.engines.headroom(upstream, outcrop.Destination{})}
}

// Drain implements adminapi.Routes.
func (r routes) Drain(ctx context.Context, upstream string, drained bool) error {
	if err := r.Router.Drain(upstream, drained); err != nil {
		return err
	}
	if err := r.engines.store.SetDrained(ctx, upstream, drained, time.Now()); err != nil {
		return fmt.Errorf("keep the state of upstream %s: %w", upstream, err)
	}
	return nil
}

// Explain implements adminapi.Routes.
func (r routes) Explain(ctx context.Context, who outcrop.Caller, modelID string, streaming bool) (*adminapi.RouteFacts, error) {
	t, err := r.engines.profiles.Resolve(ctx, who.Account, who.Region, outcrop.ParseModelRef(modelID))
	if err != nil {
		return nil, err
	}
	facts := &adminapi.RouteFacts{Target: t, Candidates: r.Router.Explain(outcrop.RouteAsk{Target: t, Streaming: streaming}), Retries: r.Retries()}
	facts.Price = r.engines.prices.Quote(pricing.Query{Model: t.Model.ID, Geography: t.Geography, Region: t.Region, At: time.Now()})
	served := map[outcrop.Region]bool{}
	for i := range facts.Candidates {
		served[facts.Candidates[i].Destination.Region] = true
	}
	for _, d := range t.Destinations {
		if !served[d.Region] {
			facts.Unserved = append(facts.Unserved, d.Region)
		}
	}
	return facts, nil
}

// headroom is the share of an upstream's limits that is free.
func (e *engines) headroom(upstream string, _ outcrop.Destination) float64 {
	return e.quotas.Headroom(time.Now(), upstream)
}
