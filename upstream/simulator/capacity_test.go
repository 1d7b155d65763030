package simulator_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"outcrop"
	"outcrop/quota"
	"outcrop/upstream/simulator"
	"outcrop/upstream/upstreamtest"
)

func in(region outcrop.Region) outcrop.Attempt {
	a := upstreamtest.Attempt
	a.Destination.Region = region
	return a
}

func TestARegionThatIsFullThrottles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulator.New(simulator.Options{Capacity: map[outcrop.Region]quota.Limits{"us-east-1": {Requests: quota.To(2)}}})
		for range 2 {
			if _, err := s.Converse(t.Context(), in("us-east-1"), upstreamtest.Ask("Hello")); err != nil {
				t.Fatal(err)
			}
		}
		_, err := s.Converse(t.Context(), in("us-east-1"), upstreamtest.Ask("Hello"))
		var e *outcrop.Error
		if !errors.As(err, &e) || e.Kind != outcrop.Throttled || e.RetryAfter <= 0 || e.RetryAfter > time.Minute {
			t.Fatalf("third call: %#v, want a throttle that says when to come back", err)
		}
		if _, err := s.Converse(t.Context(), in("us-west-2"), upstreamtest.Ask("Hello")); err != nil {
			t.Errorf("another Region: %v", err)
		}
		time.Sleep(e.RetryAfter)
		if _, err := s.Converse(t.Context(), in("us-east-1"), upstreamtest.Ask("Hello")); err != nil {
			t.Errorf("after the wait: %v", err)
		}
	})
}

// Property: however a call ends, it gives back its place.
func TestAPlaceIsGivenBack(t *testing.T) {
	s := simulator.New(simulator.Options{Capacity: map[outcrop.Region]quota.Limits{"us-east-1": {Concurrent: quota.To(1)}}})
	for range 3 {
		if _, err := s.Converse(t.Context(), in("us-east-1"), upstreamtest.Ask("Hello")); err != nil {
			t.Fatal(err)
		}
		s.Converse(t.Context(), in("us-east-1"), upstreamtest.Play("cut=3", "Hello"))
		s.Converse(t.Context(), in("us-east-1"), upstreamtest.Play("throttle", "Hello"))
		for range s.ConverseStream(t.Context(), in("us-east-1"), upstreamtest.Ask("Hello")) {
			break
		}
		if events, err := upstreamtest.Events(s.ConverseStream(t.Context(), in("us-east-1"), upstreamtest.Ask("Hello"))); err != nil {
			t.Fatalf("after %d events: %v", len(events), err)
		}
	}
}

func TestAFaultHasItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down, err := simulator.ParseScript("status=503")
		if err != nil {
			t.Fatal(err)
		}
		s := simulator.New(simulator.Options{Faults: []simulator.Fault{{Region: "us-east-1", Script: down, From: 10 * time.Second, For: 5 * time.Second}}})
		for _, want := range []struct {
			after  time.Duration
			region outcrop.Region
			fails  bool
		}{{0, "us-east-1", false}, {10 * time.Second, "us-east-1", true}, {0, "us-west-2", false}, {4 * time.Second, "us-east-1", true}, {time.Second, "us-east-1", false}} {
			time.Sleep(want.after)
			_, err := s.Converse(t.Context(), in(want.region), upstreamtest.Ask("Hello"))
			if (err != nil) != want.fails {
				t.Errorf("%s later in %s: %v, want failure %v", want.after, want.region, err, want.fails)
			}
		}
	})
}
