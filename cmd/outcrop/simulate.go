package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/schollz/progressbar/v3"

	"outcrop/internal/strictyaml"
	"outcrop/test/sim"
)

type simulateCommand struct {
	Policy []string `help:"Policy to play; repeat it, or leave it out for all: outcrop, no-affinity, p2c, round-robin, source-only." placeholder:"NAME"`
	Seed   uint64   `help:"Which world: the same seed makes the same clients and the same luck." default:"1"`
	Config string   `help:"Scenario: Regions, clients, outages; an empty one is valid." placeholder:"FILE"`
	Sweep  bool     `help:"Also play at other loads, from a quarter of the scenario's rate to twice it."`
	SVG    string   `help:"Draw the sweep into this file; implies --sweep." name:"svg" placeholder:"FILE"`
	JSON   bool     `help:"Write the results as JSON." name:"json"`
}

var sweepFactors = []float64{0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2}

// Run plays the scenario in virtual time, once for each policy.
func (s *simulateCommand) Run(ctx context.Context) error {
	scenario, err := readScenario(s.Config)
	if err != nil {
		return err
	}
	policies, err := policiesNamed(s.Policy)
	if err != nil {
		return err
	}
	bar := progress(1000)
	told := func(share float64) { bar.Set(int(share * 1000)) }
	defer bar.Finish()
	if !s.Sweep && s.SVG == "" {
		results, err := sim.Compare(ctx, scenario, policies, s.Seed, told)
		if err != nil {
			return err
		}
		return s.write(bar, []sim.Point{{Load: scenario.Clients.Rate, Results: results}})
	}
	points, err := sim.Sweep(ctx, scenario, policies, sweepFactors, s.Seed, told)
	if err != nil {
		return err
	}
	if s.SVG != "" {
		if err := s.draw(points); err != nil {
			return err
		}
	}
	return s.write(bar, points)
}

func (s *simulateCommand) write(bar *progressbar.ProgressBar, points []sim.Point) error {
	bar.Finish()
	if s.JSON {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(points)
	}
	for i, p := range points {
		if len(points) > 1 {
			fmt.Printf("%s%.4g calls a second\n", strings.Repeat("\n", min(i, 1)), p.Load)
		}
		if err := sim.WriteTable(os.Stdout, p.Results); err != nil {
			return err
		}
	}
	return nil
}

func (s *simulateCommand) draw(points []sim.Point) error {
	f, err := os.Create(s.SVG)
	if err != nil {
		return err
	}
	name := s.Config
	if name == "" {
		name = "the default scenario"
	}
	return errors.Join(sim.WriteSVG(f, fmt.Sprintf("Routing policies in %s, seed %d", name, s.Seed), points), f.Close())
}

func readScenario(name string) (*sim.Scenario, error) {
	scenario := new(sim.Scenario)
	if name != "" {
		text, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no scenario file %s", name)
		}
		if err != nil {
			return nil, err
		}
		if err := strictyaml.Decode(name, text, scenario, os.LookupEnv); err != nil {
			return nil, err
		}
	}
	if err := scenario.Complete(); err != nil {
		return nil, fmt.Errorf("scenario: %w", err)
	}
	return scenario, nil
}

func policiesNamed(names []string) ([]sim.Policy, error) {
	if len(names) == 0 {
		return sim.Policies, nil
	}
	var policies []sim.Policy
	for _, name := range names {
		p, ok := sim.PolicyNamed(name)
		if !ok {
			var all []string
			for _, p := range sim.Policies {
				all = append(all, p.Name)
			}
			return nil, fmt.Errorf("there is no policy %q: the policies are %s", name, strings.Join(all, ", "))
		}
		policies = append(policies, p)
	}
	return policies, nil
}
