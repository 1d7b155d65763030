package catalog

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"outcrop"
	"outcrop/internal/dirwatch"
)

// A Live holds the current Catalog and exchanges it when the overlay folder
// changes.
type Live struct {
	dir     string
	opts    []Option
	log     *slog.Logger
	current atomic.Pointer[Catalog]

	mu     sync.Mutex // one Reload at a time; guards pinned
	pinned map[profileKey][]outcrop.Destination
}

// NewLive loads the catalogue with the overlay folder dir; empty for none.
func NewLive(dir string, log *slog.Logger, opts ...Option) (*Live, error) {
	c, err := Load(dir, opts...)
	if err != nil {
		return nil, err
	}
	l := &Live{dir: dir, opts: opts, log: log, pinned: c.destinations()}
	l.current.Store(c)
	return l, nil
}

// Current is the catalogue as of now. Take it once per request, so that one
// request sees one state.
func (l *Live) Current() *Catalog { return l.current.Load() }

// Reload reads the overlay folder again. On an error the old catalogue stays.
func (l *Live) Reload() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, err := Load(l.dir, l.opts...)
	if err != nil {
		return err
	}
	if err := frozen(l.pinned, c); err != nil {
		return fmt.Errorf("overlay %s: %w", l.dir, err)
	}
	maps.Copy(l.pinned, c.destinations()) // what was taken away stays pinned
	l.current.Store(c)
	return nil
}

// Watch reloads after every change of the overlay folder until ctx ends. A bad
// edit keeps the old catalogue and is logged.
func (l *Live) Watch(ctx context.Context) error {
	if l.dir == "" {
		<-ctx.Done()
		return nil
	}
	return dirwatch.Run(ctx, l.dir, func() {
		if err := l.Reload(); err != nil {
			l.log.Error("catalogue overlay refused; the old catalogue stays in force", "err", err)
			return
		}
		l.log.Info("catalogue loaded", "overlay", l.dir)
	})
}

// destinations lists where each profile may run, by profile and source Region.
func (c *Catalog) destinations() map[profileKey][]outcrop.Destination {
	m := make(map[profileKey][]outcrop.Destination, len(c.byID))
	for key, p := range c.byID {
		m[key] = p.destinations
	}
	return m
}

// frozen refuses a catalogue that sends the calls of a known profile elsewhere.
// AWS keeps a geography's destinations as they are and only lets global grow
// (reference/control-plane.md §2.2 item 7); customers rely on it.
func frozen(pinned map[profileKey][]outcrop.Destination, c *Catalog) error {
	for key, old := range pinned {
		p := c.byID[key]
		if p == nil {
			continue
		}
		if p.Geography == outcrop.GlobalGeography {
			if lost := missing(old, p.destinations); lost != "" {
				return fmt.Errorf("profile %s called in %s would lose destination %s: global destinations may grow, never shrink", key.id, key.region, lost)
			}
			continue
		}
		if !slices.Equal(old, p.destinations) {
			return fmt.Errorf("profile %s called in %s would run in %v instead of %v: a geography's destinations never change; give the new set a geography of its own",
				key.id, key.region, places(p.destinations), places(old))
		}
	}
	return nil
}

func missing(old, now []outcrop.Destination) outcrop.Region {
	for _, d := range old {
		if !slices.Contains(now, d) {
			return d.Region
		}
	}
	return ""
}

func places(ds []outcrop.Destination) []outcrop.Region {
	rs := make([]outcrop.Region, len(ds))
	for i, d := range ds {
		rs[i] = d.Region
	}
	return rs
}
