package catalog

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"outcrop"
	"outcrop/internal/overlay"
)

// A Live holds the current Catalog and exchanges it when the overlay folder
// changes.
type Live = overlay.Live[Catalog]

// NewLive loads the catalogue with the overlay folder dir; empty for none.
func NewLive(dir string, log *slog.Logger, opts ...Option) (*Live, error) {
	pinned := map[profileKey][]outcrop.Region{}
	return overlay.NewLive(dir, "catalogue", log, func() (*Catalog, error) {
		c, err := Load(dir, opts...)
		if err != nil {
			return nil, err
		}
		if err := frozen(pinned, c); err != nil {
			return nil, fmt.Errorf("overlay %s: %w", dir, err)
		}
		maps.Copy(pinned, c.regionsOf()) // what was taken away stays pinned
		return c, nil
	})
}

// regionsOf lists where each profile may run, by profile and source Region.
func (c *Catalog) regionsOf() map[profileKey][]outcrop.Region {
	m := make(map[profileKey][]outcrop.Region, len(c.byID))
	for key, p := range c.byID {
		m[key] = p.regions
	}
	return m
}

// frozen refuses a catalogue that sends the calls of a known profile elsewhere.
// AWS keeps a geography's destinations as they are and only lets global grow
// (reference/control-plane.md §2.2 item 7); customers rely on it.
func frozen(pinned map[profileKey][]outcrop.Region, c *Catalog) error {
	for key, old := range pinned {
		p := c.byID[key]
		if p == nil {
			continue
		}
		if p.Geography == outcrop.GlobalGeography {
			if lost := missing(old, p.regions); lost != "" {
				return fmt.Errorf("profile %s called in %s would lose destination %s: global destinations may grow, never shrink", key.id, key.region, lost)
			}
			continue
		}
		if !slices.Equal(old, p.regions) {
			return fmt.Errorf("profile %s called in %s would run in %v instead of %v: a geography's destinations never change; give the new set a geography of its own",
				key.id, key.region, p.regions, old)
		}
	}
	return nil
}

func missing(old, now []outcrop.Region) outcrop.Region {
	for _, r := range old {
		if !slices.Contains(now, r) {
			return r
		}
	}
	return ""
}
