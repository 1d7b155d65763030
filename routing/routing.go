// Package routing plans the order in which to try a Target's Destinations:
// pure functions over a snapshot of the configured lanes.
package routing

import (
	"slices"

	"outcrop"
)

// MaxAttempts bounds the tries of one invocation.
const MaxAttempts = 4

// A Lane is one configured Upstream and what it can serve.
type Lane struct {
	Upstream string
	Regions  []outcrop.Region                          // empty: every Region
	Models   map[outcrop.ModelID]outcrop.UpstreamModel // nil: every model, by its own id
}

// serves says whether the lane can serve d, and what it calls the model.
func (l *Lane) serves(d outcrop.Destination) (outcrop.UpstreamModel, bool) {
	if len(l.Regions) > 0 && !slices.Contains(l.Regions, d.Region) {
		return "", false
	}
	if l.Models == nil {
		return outcrop.UpstreamModel(d.Model), true
	}
	name, ok := l.Models[d.Model]
	return name, ok
}

// Plan orders the attempts for t: the source Region first, as AWS does while
// it has room, then the other Destinations in the profile's order; within a
// Destination the lanes as configured. The Route never leaves t.Destinations.
// It is empty when no lane serves any of them.
func Plan(t *outcrop.Target, lanes []Lane) outcrop.Route {
	var route outcrop.Route
	for _, d := range sourceFirst(t) {
		for i := range lanes {
			name, ok := lanes[i].serves(d)
			if !ok {
				continue
			}
			route = append(route, outcrop.Attempt{Destination: d, Upstream: lanes[i].Upstream, Model: name, Number: len(route) + 1, Target: t})
			if len(route) == MaxAttempts {
				return route
			}
		}
	}
	return route
}

func sourceFirst(t *outcrop.Target) []outcrop.Destination {
	isSource := func(d outcrop.Destination) bool { return d.Region == t.Region }
	i := slices.IndexFunc(t.Destinations, isSource)
	if i <= 0 {
		return t.Destinations
	}
	ordered := make([]outcrop.Destination, 0, len(t.Destinations))
	ordered = append(ordered, t.Destinations[i])
	ordered = append(ordered, t.Destinations[:i]...)
	return append(ordered, t.Destinations[i+1:]...)
}
