package server

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"

	"outcrop/gateway"
	"outcrop/routing"
)

// upstreamSet is the upstreams section of the configuration as it is in use.
type upstreamSet struct {
	mu      sync.Mutex // held to change it
	configs map[string]UpstreamConfig
	number  map[string]uint32 // which reading of the configuration each comes from
	last    uint32
}

// useUpstreams puts the upstreams of a configuration in the place of those in
// use. Those that did not change stay as they are; those that are gone are
// closed after their last call. On an error everything stays.
func (e *engines) useUpstreams(ctx context.Context, configs map[string]UpstreamConfig) error {
	s := &e.inUse
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.last + 1
	added, numbers := map[backendKey]gateway.Upstreams{}, map[string]uint32{}
	for _, name := range slices.Sorted(maps.Keys(configs)) {
		u := configs[name]
		if old, ok := s.configs[name]; ok && reflect.DeepEqual(old, u) {
			numbers[name] = s.number[name]
			continue
		}
		b, err := e.openUpstream(ctx, name, &u)
		if err != nil {
			for _, made := range added {
				closeUpstream(made)
			}
			return err
		}
		added[backendKey{name, next}], numbers[name] = b, next
	}
	var gone []backendKey
	for name, number := range s.number {
		if numbers[name] != number {
			gone = append(gone, backendKey{name, number})
		}
	}
	e.backends.use(added, gone)
	s.configs, s.number, s.last = configs, numbers, next
	e.quotas.SetLanes(laneLimits(configs))
	e.router.Use(lanesOf(configs, numbers))
	e.checks.use(e.backends, configs, numbers)
	return nil
}

func (e *engines) openUpstream(ctx context.Context, name string, u *UpstreamConfig) (gateway.Upstreams, error) {
	for id := range u.Models {
		if _, ok := e.catalog.Current().AnyModel(id); !ok {
			return nil, fmt.Errorf("upstreams.%s.models: the catalogue has no model %q: correct it, or add it in the overlay folder", name, id)
		}
	}
	for id := range u.Forms {
		if _, ok := e.catalog.Current().AnyModel(id); !ok {
			return nil, fmt.Errorf("upstreams.%s.forms: the catalogue has no model %q: correct it, or add it in the overlay folder", name, id)
		}
	}
	b, err := e.backend(ctx, u)
	if err != nil {
		return nil, fmt.Errorf("upstreams.%s: %w", name, err)
	}
	return b, nil
}

// lanesOf are the lanes in the order of their names.
func lanesOf(configs map[string]UpstreamConfig, numbers map[string]uint32) (lanes []routing.Lane) {
	for _, name := range slices.Sorted(maps.Keys(configs)) {
		u := configs[name]
		lane := routing.Lane{Upstream: name, Regions: u.Regions, Models: u.Models, Weight: int(u.Weight), Config: numbers[name]}
		if u.Kind == "bedrock" {
			lane.Models = nil // it names exceptions only
		}
		lanes = append(lanes, lane)
	}
	return lanes
}

func (s *upstreamSet) kind(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.configs[name].Kind
}
