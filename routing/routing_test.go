package routing

import (
	"slices"
	"testing"

	"outcrop"

	"pgregory.net/rapid"
)

func target(source outcrop.Region, regions ...outcrop.Region) *outcrop.Target {
	t := &outcrop.Target{Region: source}
	for _, r := range regions {
		t.Destinations = append(t.Destinations, outcrop.Destination{Region: r, Model: "amazon.nova-lite-v1:0"})
	}
	return t
}

func plan(t *outcrop.Target, lanes ...Lane) outcrop.Route {
	r := New(Options{})
	r.Use(lanes)
	return r.Route(nil, outcrop.RouteAsk{Target: t}, nil)
}

func regionsOf(route outcrop.Route) []outcrop.Region {
	var got []outcrop.Region
	for _, a := range route {
		got = append(got, a.Destination.Region)
	}
	return got
}

func TestSourceRegionIsTriedFirst(t *testing.T) {
	got := regionsOf(plan(target("us-west-2", "us-east-1", "us-west-2", "us-east-2"), Lane{Upstream: "a"}))
	if len(got) != 3 || got[0] != "us-west-2" {
		t.Errorf("order = %v, want three Regions, us-west-2 first", got)
	}
}

func TestLaneServesOnlyWhatItIsConfiguredFor(t *testing.T) {
	lanes := []Lane{
		{Upstream: "gpu", Regions: []outcrop.Region{"us-east-2"}, Models: map[outcrop.ModelID]outcrop.UpstreamModel{"amazon.nova-lite-v1:0": "nova"}},
		{Upstream: "other", Models: map[outcrop.ModelID]outcrop.UpstreamModel{"x.y": "z"}},
	}
	route := plan(target("us-east-1", "us-east-1", "us-east-2"), lanes...)
	if len(route) != 1 || route[0].Upstream != "gpu" || route[0].Model != "nova" || route[0].Destination.Region != "us-east-2" {
		t.Errorf("route = %+v, want one attempt on gpu in us-east-2", route)
	}
	if route := plan(target("eu-west-1", "eu-west-1"), lanes...); len(route) != 0 {
		t.Errorf("route = %+v, want none: no lane serves eu-west-1", route)
	}
}

// Property: a route never leaves the destination set, whatever the lanes.
func TestRouteStaysInsideTheDestinations(t *testing.T) {
	regions := rapid.SampledFrom([]outcrop.Region{"us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-west-3"})
	rapid.Check(t, func(t *rapid.T) {
		tgt := target(regions.Draw(t, "source"), rapid.SliceOfNDistinct(regions, 1, 4, rapid.ID[outcrop.Region]).Draw(t, "destinations")...)
		lanes := rapid.SliceOf(rapid.Custom(func(t *rapid.T) Lane {
			return Lane{Upstream: rapid.StringN(1, 3, 3).Draw(t, "name"), Regions: rapid.SliceOf(regions).Draw(t, "regions")}
		})).Draw(t, "lanes")
		route := plan(tgt, lanes...)
		if len(route) > MaxAttempts {
			t.Fatalf("%d attempts, want at most %d", len(route), MaxAttempts)
		}
		for i, a := range route {
			if !slices.Contains(tgt.Destinations, a.Destination) {
				t.Fatalf("attempt %d goes to %v, outside %v", i, a.Destination, tgt.Destinations)
			}
			if a.Number != i+1 {
				t.Fatalf("attempt %d is numbered %d", i+1, a.Number)
			}
		}
	})
}
