// Package sim is a world in virtual time, made from a seed: Regions with
// capacity, prices, latency and outages, clients with bursts, shared prompts
// and hang-ups, and the real router and quota counters between them.
package sim

import (
	"fmt"
	"time"

	"outcrop"
	"outcrop/internal/strictyaml"
)

// A Scenario is a world to play. Its zero value, completed, is the default
// one.
type Scenario struct {
	Duration strictyaml.Duration `yaml:"duration"` // how long calls arrive; default 2m
	Regions  []Region            `yaml:"regions"`  // default: eight, of unlike sizes
	Clients  Clients             `yaml:"clients"`
	Retry    strictyaml.Whole    `yaml:"retry_percent"` // of the router; default its own
}

// A Region is a place that answers.
type Region struct {
	Name        outcrop.Region      `yaml:"name"`
	Tokens      strictyaml.Whole    `yaml:"tokens_per_minute"`   // default 2,000,000
	Requests    strictyaml.Whole    `yaml:"requests_per_minute"` // default none
	Concurrent  strictyaml.Whole    `yaml:"concurrency"`         // default 150; latency grows towards it
	FirstToken  strictyaml.Duration `yaml:"time_to_first_token"` // median; default 400ms
	Spread      float64             `yaml:"spread"`              // sigma of its logarithm; default 0.35
	Pace        strictyaml.Duration `yaml:"token_pace"`          // default 8ms
	Distance    strictyaml.Duration `yaml:"distance"`            // there and back again from another Region; default 60ms
	InputPrice  float64             `yaml:"input_price"`         // dollars for a million tokens; default 3
	OutputPrice float64             `yaml:"output_price"`        // default 15
	Outages     []Outage            `yaml:"outages"`
}

// An Outage is a time in which a Region does not do what it should.
type Outage struct {
	At   strictyaml.Duration `yaml:"at"`
	For  strictyaml.Duration `yaml:"for"`
	Kind string              `yaml:"kind"` // refuse (503, running streams are cut), hang (no answer within ten seconds), throttle (429) or slow (ten times)
}

// The kinds of outage.
const (
	Refuse   = "refuse"
	Hang     = "hang"
	Throttle = "throttle"
	Slow     = "slow"
)

// Clients are who calls.
type Clients struct {
	Rate         float64             `yaml:"rate"`          // calls a second; default 120
	Burst        float64             `yaml:"burst"`         // factor of the rate while a burst lasts; default 2.5
	BurstEvery   strictyaml.Duration `yaml:"burst_every"`   // default 30s
	BurstFor     strictyaml.Duration `yaml:"burst_for"`     // default 5s
	Tenants      strictyaml.Whole    `yaml:"tenants"`       // each with a prompt of its own; default 200
	Skew         float64             `yaml:"skew"`          // how unevenly tenants call: Zipf's exponent; default 0.9
	Home         float64             `yaml:"home"`          // share of the tenants who are in the first Region; default 0.5
	PromptTokens strictyaml.Whole    `yaml:"prompt_tokens"` // shared prefix: tools and system text; default 3000
	OwnTokens    strictyaml.Whole    `yaml:"own_tokens"`    // mean of what a call adds; default 400
	OutputTokens strictyaml.Whole    `yaml:"output_tokens"` // mean; default 250
	Hangup       float64             `yaml:"hangup"`        // share of the calls whose client leaves early; default 0.02
}

func setDefault[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

const seconds = strictyaml.Duration(time.Second)

// Complete fills in the defaults and checks what a type cannot say.
func (s *Scenario) Complete() error {
	setDefault(&s.Duration, 120*seconds)
	if len(s.Regions) == 0 {
		s.Regions = usualRegions()
	}
	c := &s.Clients
	setDefault(&c.Rate, 120)
	setDefault(&c.Burst, 2.5)
	setDefault(&c.BurstEvery, 30*seconds)
	setDefault(&c.BurstFor, 5*seconds)
	setDefault(&c.Tenants, 200)
	setDefault(&c.Skew, 0.9)
	setDefault(&c.Home, 0.5)
	setDefault(&c.PromptTokens, 3000)
	setDefault(&c.OwnTokens, 400)
	setDefault(&c.OutputTokens, 250)
	setDefault(&c.Hangup, 0.02)
	seen := map[outcrop.Region]bool{}
	for i := range s.Regions {
		if err := s.Regions[i].complete(); err != nil {
			return fmt.Errorf("regions[%d]: %w", i, err)
		}
		if seen[s.Regions[i].Name] {
			return fmt.Errorf("regions[%d]: %s is there twice", i, s.Regions[i].Name)
		}
		seen[s.Regions[i].Name] = true
	}
	return s.check()
}

// Bounds of a scenario: it must end within minutes and fit into memory.
const (
	maxCalls   = 5_000_000
	maxRegions = 64
	maxTenants = 20_000
	maxPrompt  = 200_000
)

func (s *Scenario) check() error {
	c := &s.Clients
	calls := c.Rate * max(c.Burst, 1) * time.Duration(s.Duration).Seconds()
	switch {
	case len(s.Regions) > maxRegions:
		return fmt.Errorf("%d regions: at most %d can be simulated", len(s.Regions), maxRegions)
	case c.Rate < 0 || c.Burst < 0 || c.Skew < 0 || c.Home < 0 || c.Home > 1 || c.Hangup < 0 || c.Hangup > 1:
		return fmt.Errorf("clients: rate, burst and skew must not be negative, home and hangup stand between 0 and 1")
	case calls > maxCalls:
		return fmt.Errorf("clients: up to %.0f calls: at most %d can be simulated; lower rate or duration", calls, maxCalls)
	case c.Tenants > maxTenants || c.PromptTokens > maxPrompt || int(c.Tenants)*int(c.PromptTokens) > 100_000_000:
		return fmt.Errorf("clients: %d tenants with prompts of %d tokens are too many to hold in memory", c.Tenants, c.PromptTokens)
	}
	return nil
}

func (r *Region) complete() error {
	if r.Name == "" {
		return fmt.Errorf("name is empty")
	}
	setDefault(&r.Tokens, 2_000_000)
	setDefault(&r.Concurrent, 150)
	setDefault(&r.FirstToken, 400*seconds/1000)
	setDefault(&r.Spread, 0.35)
	setDefault(&r.Pace, 8*seconds/1000)
	setDefault(&r.Distance, 60*seconds/1000)
	setDefault(&r.InputPrice, 3)
	setDefault(&r.OutputPrice, 15)
	for i, o := range r.Outages {
		switch o.Kind {
		case Refuse, Hang, Throttle, Slow:
		default:
			return fmt.Errorf("outages[%d]: unknown kind %q: the kinds are refuse, hang, throttle and slow", i, o.Kind)
		}
	}
	return nil
}

// usualRegions are unlike in size, speed and distance, and the second is down
// for a while.
func usualRegions() []Region {
	ms := seconds / 1000
	return []Region{
		{Name: "us-east-1", Tokens: 3_000_000, FirstToken: 420 * ms, Distance: 10 * ms},
		{Name: "us-west-2", Tokens: 2_500_000, FirstToken: 380 * ms, Distance: 70 * ms, Outages: []Outage{{At: 60 * seconds, For: 20 * seconds, Kind: Refuse}}},
		{Name: "us-east-2", Tokens: 1_500_000, FirstToken: 450 * ms, Distance: 20 * ms},
		{Name: "us-west-1", Tokens: 800_000, FirstToken: 500 * ms, Distance: 65 * ms},
		{Name: "ca-central-1", Tokens: 1_000_000, FirstToken: 430 * ms, Distance: 30 * ms},
		{Name: "eu-west-1", Tokens: 1_200_000, FirstToken: 400 * ms, Distance: 85 * ms},
		{Name: "eu-central-1", Tokens: 1_200_000, FirstToken: 410 * ms, Distance: 95 * ms, Outages: []Outage{{At: 90 * seconds, For: 15 * seconds, Kind: Slow}}},
		{Name: "ap-northeast-1", Tokens: 800_000, FirstToken: 520 * ms, Distance: 150 * ms},
	}
}
