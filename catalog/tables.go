package catalog

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"outcrop"
)

// tables are the data while it is put together: embedded files first, then
// overlays on top. build turns them into a Catalog.
type tables struct {
	regions   map[outcrop.Region]*regionRow
	models    map[outcrop.ModelID]*modelRow
	profiles  map[string]*profileRow
	providers map[string]Access
}

type regionRow struct {
	RegionInfo
	place int // in the list of global destinations
}

type modelRow struct {
	outcrop.FoundationModel
	Regions []outcrop.Region
	former  []outcrop.Region // where it was listed once
	facts   ModelFacts
}

type profileRow struct {
	id, name, label string
	model           outcrop.ModelID
	geography       outcrop.Geography
	retired         bool
	sources         map[outcrop.Region]*sourceRow
}

type sourceRow struct {
	destinations      []outcrop.Region // none for a global profile
	created, updated  time.Time
	evidence          string
	name, description string // empty: the profile's own
}

// gone says that a row was seen once and not in the last snapshot.
func gone(evidence string) bool { return strings.HasPrefix(evidence, "api-last-seen-") }

// options say which rows a Catalog leaves out.
type options struct{ noRetired bool }

// An Option changes what Load leaves out.
type Option func(*options)

// WithoutRetired leaves out profiles and models that AWS lists no more. They
// are included by default so that published guides keep working.
func WithoutRetired() Option { return func(o *options) { o.noRetired = true } }

func (t *tables) build(opt options) (*Catalog, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	c := &Catalog{
		byRegion: make(map[outcrop.Region]RegionInfo, len(t.regions)),
		models:   make(map[outcrop.ModelID]*modelRow, len(t.models)),
		listed:   make(map[outcrop.Region][]*outcrop.FoundationModel, len(t.regions)),
		profiles: make(map[outcrop.Region][]*SystemProfile, len(t.regions)),
		byID:     make(map[profileKey]*SystemProfile, 1<<11),
	}
	c.global = t.globalRegions()
	t.buildModels(c, opt)
	t.buildProfiles(c, opt)
	t.buildRegions(c)
	return c, nil
}

func (t *tables) globalRegions() []outcrop.Region {
	var rows []*regionRow
	for _, r := range t.regions {
		if r.Global {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b *regionRow) int {
		return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.Region, b.Region))
	})
	global := make([]outcrop.Region, len(rows))
	for i, r := range rows {
		global[i] = r.Region
	}
	return global
}

func (t *tables) buildModels(c *Catalog, opt options) {
	for _, id := range slices.Sorted(maps.Keys(t.models)) {
		row := *t.models[id]
		row.facts.Access = t.providers[row.Provider]
		row.Regions = row.listedIn(opt)
		c.models[id] = &row
		for _, r := range row.Regions {
			c.listed[r] = append(c.listed[r], &row.FoundationModel)
		}
	}
}

func (m *modelRow) listedIn(opt options) []outcrop.Region {
	switch {
	case !opt.noRetired:
		return slices.Concat(m.Regions, m.former)
	case m.facts.Retired:
		return nil
	}
	return m.Regions
}

func (t *tables) buildProfiles(c *Catalog, opt options) {
	for _, p := range t.profiles {
		born := t.born(p)
		for region, s := range p.sources {
			view := p.in(region, s, born)
			if opt.noRetired && view.Retired {
				continue
			}
			view.partition, view.regions = t.regions[region].Partition, s.destinations
			if view.Geography == outcrop.GlobalGeography {
				view.regions = c.global
			}
			c.profiles[region] = append(c.profiles[region], view)
			c.byID[profileKey{region, p.id}] = view
		}
	}
	for _, list := range c.profiles {
		slices.SortFunc(list, func(a, b *SystemProfile) int {
			return cmp.Or(a.UpdatedAt.Compare(b.UpdatedAt), cmp.Compare(a.ID, b.ID))
		})
	}
}

// born is the time given to source rows that come from documentation, which
// dates nothing: the oldest sibling's, else the launch of the model.
func (t *tables) born(p *profileRow) time.Time {
	var oldest time.Time
	for _, s := range p.sources {
		if !s.created.IsZero() && (oldest.IsZero() || s.created.Before(oldest)) {
			oldest = s.created
		}
	}
	if oldest.IsZero() {
		oldest = t.models[p.model].Lifecycle.StartOfLife
	}
	return oldest
}

func (p *profileRow) in(region outcrop.Region, s *sourceRow, born time.Time) *SystemProfile {
	view := &SystemProfile{
		ID: p.id, Name: cmp.Or(s.name, p.name), Description: cmp.Or(s.description, p.describe(s)),
		Geography: p.geography, Model: p.model, Region: region,
		CreatedAt: s.created, UpdatedAt: s.updated, Evidence: s.evidence,
		Retired: p.retired || gone(s.evidence),
	}
	if view.CreatedAt.IsZero() {
		view.CreatedAt = born
	}
	if view.UpdatedAt.IsZero() {
		view.UpdatedAt = view.CreatedAt
	}
	return view
}

// describe words the description as AWS does (§2.2 item 5).
func (p *profileRow) describe(s *sourceRow) string {
	if p.geography == outcrop.GlobalGeography {
		return "Routes requests to " + p.label + " globally across all supported AWS Regions."
	}
	var b strings.Builder
	b.WriteString("Routes requests to " + p.label + " in ")
	for i, r := range s.destinations {
		switch {
		case i == 0:
		case i == len(s.destinations)-1:
			b.WriteString(" and ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(string(r))
	}
	return b.String() + "."
}

func (t *tables) buildRegions(c *Catalog) {
	for _, r := range slices.Sorted(maps.Keys(t.regions)) {
		info := t.regions[r].RegionInfo
		for _, p := range c.profiles[r] {
			if !slices.Contains(info.Prefixes, p.Geography) {
				info.Prefixes = append(info.Prefixes, p.Geography)
			}
		}
		slices.Sort(info.Prefixes)
		c.regions = append(c.regions, info)
		c.byRegion[r] = info
	}
}

// check refuses references to rows that do not exist.
func (t *tables) check() error {
	for id, m := range t.models {
		for _, r := range m.Regions {
			if t.regions[r] == nil {
				return fmt.Errorf("model %s: unknown Region %q", id, r)
			}
		}
	}
	for id, p := range t.profiles {
		if t.models[p.model] == nil {
			return fmt.Errorf("profile %s: unknown model %q", id, p.model)
		}
		for source, s := range p.sources {
			for _, r := range append([]outcrop.Region{source}, s.destinations...) {
				if t.regions[r] == nil {
					return fmt.Errorf("profile %s in %s: unknown Region %q", id, source, r)
				}
			}
		}
	}
	return nil
}
