package catalog

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"outcrop"
	"outcrop/internal/tsv"
)

//go:embed data/*.tsv
var data embed.FS

var embedded = sync.OnceValue(func() *Catalog {
	t, err := parseEmbedded()
	if err != nil {
		panic("catalog: the embedded data is broken: " + err.Error()) // a test reads it; no input leads here
	}
	c, err := t.build(options{})
	if err != nil {
		panic("catalog: the embedded data is broken: " + err.Error())
	}
	return c
})

// Embedded is the catalogue this binary was built with. It is read at first
// use and immutable.
func Embedded() *Catalog { return embedded() }

func parseEmbedded() (*tables, error) {
	t := &tables{
		regions:   make(map[outcrop.Region]*regionRow, 64),
		models:    make(map[outcrop.ModelID]*modelRow, 256),
		profiles:  make(map[string]*profileRow, 256),
		providers: make(map[string]Access, 32),
	}
	for _, f := range []struct {
		name string
		add  func(tsv.Row) error
	}{ // in this order: later files refer to earlier ones
		{"regions", t.addRegion}, {"providers", t.addProvider}, {"models", t.addModel},
		{"facts", t.addFacts}, {"quotas", t.addQuota}, {"profiles", t.addProfile}, {"sources", t.addSource},
	} {
		text, err := data.ReadFile("data/" + f.name + ".tsv")
		if err != nil {
			return nil, fmt.Errorf("read embedded table: %w", err)
		}
		if err := tsv.Read(f.name+".tsv", string(text), f.add); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *tables) addRegion(r tsv.Row) error {
	info := RegionInfo{
		Region: outcrop.Region(r.Get("region")), Name: r.Get("name"), Geography: r.Get("geography"), Partition: r.Get("partition"),
		OptIn: yes(r, "optIn"), ControlPlane: yes(r, "controlPlane"),
		ApplicationProfiles: yes(r, "applicationProfiles"), Global: yes(r, "global"),
	}
	t.regions[info.Region] = &regionRow{RegionInfo: info, place: len(t.regions)}
	return nil
}

func (t *tables) addProvider(r tsv.Row) error {
	t.providers[r.Get("provider")] = Access{Agreement: yes(r, "agreement"), UseCaseForm: yes(r, "useCaseForm")}
	return nil
}

func (t *tables) addModel(r tsv.Row) error {
	m := &modelRow{FoundationModel: outcrop.FoundationModel{
		ID: outcrop.ModelID(r.Get("model")), Name: r.Get("name"), Provider: r.Get("provider"),
		InputModalities: r.List("input"), OutputModalities: r.List("output"), Streaming: yes(r, "streaming"),
		Customizations: r.List("customizations"), InferenceTypes: r.List("inferenceTypes"),
	}}
	var n numbers
	l := &m.Lifecycle
	l.Status = r.Get("status")
	l.StartOfLife, l.LegacySince = n.time(r, "start"), n.time(r, "legacy")
	l.PublicExtendedAccess, l.EndOfLife = n.time(r, "extended"), n.time(r, "end")
	m.ContextWindow, m.MaxOutput = outcrop.Tokens(n.uint(r, "context")), outcrop.Tokens(n.uint(r, "maxOutput"))
	m.Regions, m.former = regions(r.List("regions")), regions(r.List("formerRegions"))
	m.facts = ModelFacts{Burndown: 1, MantleOnly: yes(r, "mantleOnly"), Evidence: r.Get("seen")}
	m.facts.Retired = gone(m.facts.Evidence)
	t.models[m.ID] = m
	return n.err
}

func (t *tables) addFacts(r tsv.Row) error {
	m := t.models[outcrop.ModelID(r.Get("model"))]
	if m == nil {
		return fmt.Errorf("unknown model %q", r.Get("model"))
	}
	var n numbers
	m.facts.Burndown = max(1, n.uint(r, "burndown"))
	m.facts.CacheMinimum = outcrop.Tokens(n.uint(r, "cacheMinimum"))
	return n.err
}

// addQuota sets the default quotas of a model, or of all whose ids begin alike.
func (t *tables) addQuota(r tsv.Row) error {
	var n numbers
	q := QuotaDefaults{Requests: n.uint(r, "requests"), Tokens: n.uint(r, "tokens"), Since: n.time(r, "since"), Evidence: r.Get("source")}
	prefix, many := strings.CutSuffix(r.Get("model"), "*")
	found := false
	for id, m := range t.models {
		if many && strings.HasPrefix(string(id), prefix) || string(id) == prefix {
			m.facts.Quota, found = q, true
		}
	}
	if !found {
		return fmt.Errorf("no model %q", r.Get("model"))
	}
	return n.err
}

func (t *tables) addProfile(r tsv.Row) error {
	p := &profileRow{
		id: r.Get("profile"), name: r.Get("name"), label: r.Get("label"), model: outcrop.ModelID(r.Get("model")),
		retired: r.Get("lifecycle") == "RETIRED", sources: make(map[outcrop.Region]*sourceRow, 8),
	}
	var err error
	p.geography, err = geographyOf(p.id, p.model)
	t.profiles[p.id] = p
	return err
}

// geographyOf cuts the prefix off a profile id: profileId = geo "." modelId.
func geographyOf(id string, model outcrop.ModelID) (outcrop.Geography, error) {
	geo, ok := strings.CutSuffix(id, "."+string(model))
	if !ok || geo == "" || strings.Contains(geo, ".") {
		return "", fmt.Errorf("profile id %q is not a geography, a dot and %q", id, model)
	}
	return outcrop.Geography(geo), nil
}

func (t *tables) addSource(r tsv.Row) error {
	p := t.profiles[r.Get("profile")]
	if p == nil {
		return fmt.Errorf("unknown profile %q", r.Get("profile"))
	}
	s := &sourceRow{evidence: r.Get("seen"), name: r.Get("name"), description: r.Get("description")}
	if p.geography != outcrop.GlobalGeography {
		s.destinations = regions(r.List("destinations"))
	}
	var n numbers
	s.created, s.updated = n.time(r, "created"), n.time(r, "updated")
	p.sources[outcrop.Region(r.Get("region"))] = s
	return n.err
}

func yes(r tsv.Row, column string) bool { return r.Get(column) == "yes" }

func regions(names []string) []outcrop.Region {
	rs := make([]outcrop.Region, len(names))
	for i, n := range names {
		rs[i] = outcrop.Region(n)
	}
	return rs
}

// numbers reads cells and remembers the first that could not be read. An
// empty cell is zero: unknown.
type numbers struct{ err error }

func (n *numbers) uint(r tsv.Row, column string) uint64 {
	cell := r.Get(column)
	if cell == "" {
		return 0
	}
	v, err := strconv.ParseUint(cell, 10, 63)
	n.note(column, err)
	return v
}

func (n *numbers) time(r tsv.Row, column string) time.Time {
	v, err := tsv.Time(r.Get(column))
	n.note(column, err)
	return v
}

func (n *numbers) note(column string, err error) {
	if err != nil && n.err == nil {
		n.err = fmt.Errorf("column %s: %w", column, err)
	}
}
