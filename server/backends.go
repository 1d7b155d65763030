package server

import (
	"context"
	"errors"
	"io"
	"iter"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/gateway"
)

// backends hand each attempt to the upstream that it names, as it was in the
// reading of the configuration that the attempt was planned by. They can be
// exchanged while calls are under way.
type backends struct {
	mu      sync.Mutex // held to change all
	all     atomic.Pointer[map[backendKey]*backend]
	waiting sync.WaitGroup // for those that are to be closed
	stop    chan struct{}
}

type backendKey struct {
	name   string
	config uint32
}

// A backend is one upstream of one reading of the configuration.
type backend struct {
	gateway.Upstreams
	calls atomic.Int64
}

func newBackends() *backends {
	b := &backends{stop: make(chan struct{})}
	b.all.Store(&map[backendKey]*backend{})
	return b
}

// retireAfter is how long an upstream that is out of the configuration can
// still be found by calls that were planned before.
const retireAfter = 10 * time.Second

// use adds upstreams and retires those of the keys that are gone: they are
// closed after their last call.
func (b *backends) use(added map[backendKey]gateway.Upstreams, gone []backendKey) {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := maps.Clone(*b.all.Load())
	for key, u := range added {
		next[key] = &backend{Upstreams: u}
	}
	b.all.Store(&next)
	for _, key := range gone {
		if old := next[key]; old != nil {
			b.waiting.Go(func() { b.retire(key, old) })
		}
	}
}

func (b *backends) retire(key backendKey, old *backend) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for until := time.Now().Add(retireAfter); ; {
		select {
		case <-b.stop:
			return // close ends everything
		case now := <-tick.C:
			if now.Before(until) || old.calls.Load() > 0 {
				continue
			}
		}
		b.mu.Lock()
		next := maps.Clone(*b.all.Load())
		delete(next, key)
		b.all.Store(&next)
		b.mu.Unlock()
		closeUpstream(old.Upstreams)
		return
	}
}

// Close ends all upstreams.
func (b *backends) Close() error {
	close(b.stop)
	b.waiting.Wait()
	var errs []error
	for _, one := range *b.all.Load() {
		errs = append(errs, closeUpstream(one.Upstreams))
	}
	return errors.Join(errs...)
}

func closeUpstream(u gateway.Upstreams) error {
	if c, ok := u.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// enter finds the upstream of an attempt and counts a call on it, which leave
// ends.
func (b *backends) enter(a *outcrop.Attempt) (*backend, error) {
	one := (*b.all.Load())[backendKey{a.Upstream, a.Config}]
	if one == nil {
		return nil, outcrop.Errorf(outcrop.Unavailable, "The upstream %s has just been taken out of the configuration. Try again.", a.Upstream)
	}
	one.calls.Add(1)
	return one, nil
}

func (b *backend) leave() { b.calls.Add(-1) }

// Converse implements gateway.Upstreams.
func (b *backends) Converse(ctx context.Context, a outcrop.Attempt, r *converse.Request) (*converse.Response, error) {
	one, err := b.enter(&a)
	if err != nil {
		return nil, err
	}
	defer one.leave()
	return one.Converse(ctx, a, r)
}

// ConverseStream implements gateway.Upstreams.
func (b *backends) ConverseStream(ctx context.Context, a outcrop.Attempt, r *converse.Request) iter.Seq2[converse.Event, error] {
	return func(yield func(converse.Event, error) bool) {
		one, err := b.enter(&a)
		if err != nil {
			yield(converse.Event{}, err)
			return
		}
		defer one.leave()
		one.ConverseStream(ctx, a, r)(yield)
	}
}

// CountTokens implements gateway.Upstreams.
func (b *backends) CountTokens(ctx context.Context, a outcrop.Attempt, r *converse.Request) (outcrop.Tokens, error) {
	one, err := b.enter(&a)
	if err != nil {
		return 0, err
	}
	defer one.leave()
	return one.CountTokens(ctx, a, r)
}
