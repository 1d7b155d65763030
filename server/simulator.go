package server

import (
	"fmt"
	"time"

	"outcrop"
	"outcrop/internal/strictyaml"
	"outcrop/quota"
	"outcrop/upstream/simulator"
)

// FaultConfig is something that goes wrong in the simulator. Empty members fit
// every call.
type FaultConfig struct {
	Script string              `yaml:"script"` // such as throttle, error, slow=3s, cut=5 (see simulator.ScriptKey)
	Region outcrop.Region      `yaml:"region"`
	Model  outcrop.ModelID     `yaml:"model"`
	Share  float64             `yaml:"share"` // of the calls, above 0 to 1; default all
	From   strictyaml.Duration `yaml:"from"`  // since the upstream began
	For    strictyaml.Duration `yaml:"for"`   // default for ever
}

// simulated are the options of a simulator.
func (e *engines) simulated(u *UpstreamConfig) simulator.Options {
	o := simulator.Options{TimeToFirst: time.Duration(u.FirstToken), Pace: time.Duration(u.TokenPace), Model: e.anyModel, Capacity: map[outcrop.Region]quota.Limits{}}
	for _, f := range u.Faults {
		script, _ := simulator.ParseScript(f.Script) // check has read it
		o.Faults = append(o.Faults, simulator.Fault{Model: f.Model, Region: f.Region, Share: f.Share, Script: script, From: time.Duration(f.From), For: time.Duration(f.For)})
	}
	for region, limits := range u.Capacity {
		o.Capacity[region] = limits.limits()
	}
	return o
}

// checkSimulated checks what only the simulator takes.
func (u *UpstreamConfig) checkSimulated() error {
	if u.Kind != "simulator" && (len(u.Faults) > 0 || len(u.Capacity) > 0) {
		return fmt.Errorf("faults and capacity are for the kind simulator")
	}
	for i, f := range u.Faults {
		if _, err := simulator.ParseScript(f.Script); err != nil {
			return fmt.Errorf("faults[%d]: %w", i, err)
		}
		if f.Script == "" || f.Share < 0 || f.Share > 1 {
			return fmt.Errorf("faults[%d]: script must not be empty, and share stands between 0 and 1", i)
		}
	}
	return nil
}
