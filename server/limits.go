package server

import (
	"outcrop"
	"outcrop/internal/strictyaml"
	"outcrop/quota"
)

// LaneLimits are what an upstream can take. Zero is no limit. A call that finds
// an upstream full goes to the next destination.
type LaneLimits struct {
	Concurrency       strictyaml.Whole `yaml:"concurrency"`       // calls under way at once
	TokensPerMinute   strictyaml.Whole `yaml:"tokensPerMinute"`   // input and output together
	RequestsPerMinute strictyaml.Whole `yaml:"requestsPerMinute"` // each attempt is one
}

func (l LaneLimits) limits() quota.Limits {
	limit := func(n strictyaml.Whole) quota.Limit { return quota.Limit{N: uint64(n), On: n > 0} }
	return quota.Limits{Concurrent: limit(l.Concurrency), Tokens: limit(l.TokensPerMinute), Requests: limit(l.RequestsPerMinute)}
}

// openLimits makes what admits calls.
func (e *engines) openLimits(c *Config) {
	e.quotas = quota.NewGate(func(quota.Key) quota.Limits { return quota.Limits{} }, laneLimits(c.Upstreams))
}

// laneLimits are the limits of upstreams by their names.
func laneLimits(configs map[string]UpstreamConfig) map[string]quota.Limits {
	lanes := make(map[string]quota.Limits, len(configs))
	for name, u := range configs {
		lanes[name] = u.Limits.limits()
	}
	return lanes
}

// burndown is how many quota tokens one output token of a model takes.
func (e *engines) burndown(id outcrop.ModelID) uint64 {
	facts, _ := e.catalog.Current().Facts(id)
	return facts.Burndown
}
