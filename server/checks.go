package server

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"outcrop/gateway"
	"outcrop/internal/strictyaml"
	"outcrop/routing"
)

// HealthConfig turns the active check of an upstream. Calls are watched
// without it.
type HealthConfig struct {
	Path     string              `yaml:"path"`     // such as /health, from the root of the server on; default its list of models, off for no check
	Interval strictyaml.Duration `yaml:"interval"` // default 10s
	Timeout  strictyaml.Duration `yaml:"timeout"`  // default 2s
}

const (
	checksOff    = "off"
	checkEvery   = strictyaml.Duration(10 * time.Second)
	checkTimeout = strictyaml.Duration(2 * time.Second)
	failedChecks = 2 // in a row, after which an upstream is down
)

// A checked upstream can be asked whether it is alive.
type checked interface {
	Check(ctx context.Context, path string, limit time.Duration) (missing bool, err error)
}

// checks ask upstreams whether they are alive, each in a goroutine of its own.
type checks struct {
	router  *routing.Router
	log     *slog.Logger
	mu      sync.Mutex
	under   map[string]*check
	running sync.WaitGroup
}

type check struct {
	stop   context.CancelFunc
	config uint32
	mu     sync.Mutex
	found  string
}

func newChecks(r *routing.Router, log *slog.Logger) *checks {
	return &checks{router: r, log: log, under: map[string]*check{}}
}

// use begins and ends checks so that they fit a configuration.
func (s *checks) use(b *backends, configs map[string]UpstreamConfig, numbers map[string]uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, c := range s.under {
		if numbers[name] != c.config {
			c.stop()
			delete(s.under, name)
		}
	}
	for name, u := range configs {
		if s.under[name] != nil {
			continue
		}
		s.router.SetDown(name, false) // what was found of another server says nothing
		one := (*b.all.Load())[backendKey{name, numbers[name]}]
		asked, ok := one.Upstreams.(checked)
		if !ok || u.Health.Path == checksOff {
			continue
		}
		ctx, stop := context.WithCancel(context.Background())
		c := &check{stop: stop, config: numbers[name], found: "not asked yet"}
		s.under[name] = c
		s.running.Go(func() { s.run(ctx, c, name, asked, u.Health) })
	}
}

// run asks again and again, until the upstream turns out to have nothing to
// ask.
func (s *checks) run(ctx context.Context, c *check, name string, asked checked, h HealthConfig) {
	setDefault(&h.Interval, checkEvery)
	setDefault(&h.Timeout, checkTimeout)
	tick := time.NewTicker(time.Duration(h.Interval))
	defer tick.Stop()
	for failures := 0; ; {
		missing, err := asked.Check(ctx, h.Path, time.Duration(h.Timeout))
		switch {
		case ctx.Err() != nil:
			return
		case missing:
			c.tell("nothing to ask there")
			return
		case err == nil:
			if failures >= failedChecks {
				s.log.Info("an upstream is alive again", "upstream", name)
			}
			failures = 0
			c.tell("alive")
			s.router.SetDown(name, false)
		default:
			failures++
			c.tell(err.Error())
			if failures == failedChecks {
				s.log.Warn("an upstream does not answer its check and is left out", "upstream", name, "err", err)
				s.router.SetDown(name, true)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (c *check) tell(found string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.found = found
}

// told is what the last check of an upstream found, empty without any.
func (s *checks) told(name string) string {
	s.mu.Lock()
	c := s.under[name]
	s.mu.Unlock()
	if c == nil {
		return ""
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.found
}

func (s *checks) close() error {
	s.mu.Lock()
	for _, c := range s.under {
		c.stop()
	}
	s.mu.Unlock()
	s.running.Wait()
	return nil
}

var _ gateway.Upstreams = (*backends)(nil)
