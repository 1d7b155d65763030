package catalog

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"outcrop"
	"outcrop/internal/tsv"
)

// The forms of names, from the patterns of the Bedrock service model: ARNs
// made of them pass the clients' own checks.
var (
	regionForm    = regexp.MustCompile(`^[0-9a-z-]{1,20}$`)
	geographyForm = regexp.MustCompile(`^[a-z0-9-]{1,20}$`)
	modelForm     = sync.OnceValue(func() *regexp.Regexp { // a quarter of a megabyte, for overlays only
		return regexp.MustCompile(`^[a-z0-9-]{1,63}[.]([a-z0-9-]{1,63}[.]){0,2}[a-z0-9-]{1,63}([:][a-z0-9-]{1,63}){0,2}$`)
	})
)

const maxProfileID = 64

func (t *tables) apply(f *entryFile, evidence string) error {
	for id, e := range f.Regions {
		if err := t.overlayRegion(outcrop.Region(id), e); err != nil {
			return fmt.Errorf("regions.%s: %w", id, err)
		}
	}
	for id, e := range f.Models {
		if err := t.overlayModel(outcrop.ModelID(id), e, evidence); err != nil {
			return fmt.Errorf("models.%s: %w", id, err)
		}
	}
	for id, e := range f.Profiles {
		if err := t.overlayProfile(id, e, evidence); err != nil {
			return fmt.Errorf("profiles.%s: %w", id, err)
		}
	}
	return nil
}

// overlayRegion adds a Region, as complete as a commercial one, or changes it.
// A Region added to the global destinations comes after the others.
func (t *tables) overlayRegion(id outcrop.Region, e regionEntry) error {
	r := t.regions[id]
	if r == nil {
		if !regionForm.MatchString(string(id)) {
			return fmt.Errorf("a Region's name is 1 to 20 of a-z, 0-9 and -")
		}
		r = &regionRow{RegionInfo: RegionInfo{Region: id, Name: string(id), Partition: id.Partition(),
			ControlPlane: true, ApplicationProfiles: true}, place: 1 << 30}
		t.regions[id] = r
	}
	set(&r.Name, e.Name)
	set(&r.Geography, e.Geography)
	set(&r.OptIn, e.OptIn)
	set(&r.ControlPlane, e.ControlPlane)
	set(&r.ApplicationProfiles, e.ApplicationProfiles)
	set(&r.Global, e.Global)
	if e.Partition != nil && *e.Partition != r.Partition {
		return fmt.Errorf("partition %q: the name of the Region puts it in %q", *e.Partition, r.Partition)
	}
	return nil
}

// overlayModel adds a text model that is invoked on demand, or changes one.
func (t *tables) overlayModel(id outcrop.ModelID, e modelEntry, evidence string) error {
	m := t.models[id]
	if m == nil {
		if !modelForm().MatchString(string(id)) {
			return fmt.Errorf("a model id is a provider, a dot and a name of small letters, digits, hyphens, dots and colons")
		}
		provider, _, _ := strings.Cut(string(id), ".")
		m = &modelRow{FoundationModel: outcrop.FoundationModel{ID: id, Name: string(id), Provider: provider,
			InputModalities: []string{"TEXT"}, OutputModalities: []string{"TEXT"}, Streaming: true,
			InferenceTypes: []string{"ON_DEMAND"}, Lifecycle: outcrop.Lifecycle{Status: "ACTIVE"}},
			facts: ModelFacts{Burndown: 1}}
		t.models[id] = m
	}
	m.facts.Evidence = evidence
	e.describe(m)
	for _, name := range e.Regions {
		if r := outcrop.Region(name); !slices.Contains(m.Regions, r) {
			m.Regions = append(m.Regions, r)
		}
	}
	if m.facts.Burndown == 0 {
		return fmt.Errorf("burndown 0: an output token takes at least one quota token")
	}
	if s := m.Lifecycle.Status; s != "ACTIVE" && s != "LEGACY" {
		return fmt.Errorf("status %q is neither ACTIVE nor LEGACY", s)
	}
	l := &m.Lifecycle
	return firstError(setTime("start", &l.StartOfLife, e.Start), setTime("legacy", &l.LegacySince, e.Legacy),
		setTime("extended", &l.PublicExtendedAccess, e.Extended), setTime("end", &l.EndOfLife, e.End))
}

func (e *modelEntry) describe(m *modelRow) {
	set(&m.Name, e.Name)
	set(&m.Provider, e.Provider)
	set(&m.InputModalities, e.Input)
	set(&m.OutputModalities, e.Output)
	set(&m.Customizations, e.Customizations)
	set(&m.InferenceTypes, e.InferenceTypes)
	set(&m.Streaming, e.Streaming)
	set(&m.Lifecycle.Status, e.Status)
	setTokens(&m.ContextWindow, e.Context)
	setTokens(&m.MaxOutput, e.MaxOutput)
	setTokens(&m.facts.CacheMinimum, e.CacheMinimum)
	set(&m.facts.Burndown, e.Burndown)
	set(&m.facts.Quota.Requests, e.QuotaRequests)
	set(&m.facts.Quota.Tokens, e.QuotaTokens)
	set(&m.facts.Retired, e.Retired)
}

// overlayProfile adds a profile, whose id says geography and model, or source
// Regions to one. build refuses other destinations for a source that has some.
func (t *tables) overlayProfile(id string, e profileEntry, evidence string) error {
	p := t.profiles[id]
	if p == nil {
		geo, model, _ := strings.Cut(id, ".")
		if !geographyForm.MatchString(geo) || model == "" || len(id) > maxProfileID {
			return fmt.Errorf("a profile id is a geography, a dot and a model id, at most %d characters", maxProfileID)
		}
		p = &profileRow{id: id, name: id, label: model, geography: outcrop.Geography(geo), model: outcrop.ModelID(model),
			sources: make(map[outcrop.Region]*sourceRow)}
		t.profiles[id] = p
	}
	set(&p.name, e.Name)
	set(&p.label, e.Label)
	set(&p.retired, e.Retired)
	for region, s := range e.Sources {
		if err := p.overlaySource(outcrop.Region(region), s, evidence); err != nil {
			return fmt.Errorf("sources.%s: %w", region, err)
		}
	}
	return nil
}

func (p *profileRow) overlaySource(region outcrop.Region, e sourceEntry, evidence string) error {
	s := p.sources[region]
	if s == nil {
		s = &sourceRow{}
		p.sources[region] = s
	}
	s.evidence = evidence
	set(&s.name, e.Name)
	set(&s.description, e.Description)
	switch {
	case p.geography == outcrop.GlobalGeography && e.Destinations != nil:
		return fmt.Errorf("a global profile runs in every Region with global: true; leave destinations out")
	case e.Destinations != nil:
		s.destinations = regions(e.Destinations)
	}
	if p.geography != outcrop.GlobalGeography && len(s.destinations) == 0 {
		return fmt.Errorf("destinations are missing")
	}
	return firstError(setTime("created", &s.created, e.Created), setTime("updated", &s.updated, e.Updated))
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func setTokens(to *outcrop.Tokens, from *uint64) {
	if from != nil {
		*to = outcrop.Tokens(*from)
	}
}

func setTime(key string, to *time.Time, from *string) error {
	if from == nil {
		return nil
	}
	at, err := tsv.Time(*from)
	if err != nil || at.IsZero() {
		return fmt.Errorf("%s: %q is neither a date (2026-11-21) nor an instant (2026-11-21T10:00:00Z)", key, *from)
	}
	*to = at
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
