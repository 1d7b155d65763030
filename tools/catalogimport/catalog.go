package main

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

type modelFile struct{ Models []model }

type model struct {
	ModelID, ModelName, ProviderName  string
	InputModalities, OutputModalities []string
	ResponseStreamingSupported        *bool
	CustomizationsSupported           []string
	InferenceTypesSupported           []string
	ModelLifecycle                    struct{ Status, StartOfLifeTime, LegacyTime, PublicExtendedAccessTime, EndOfLifeTime string }
	Regions                           []string
	ContextWindowTokens               *uint64
	MaxOutputTokens                   *uint64
	Listed                            string
	DocumentedEol                     string
	MantleOnly                        bool
	Prices                            []price
}

type profileFile struct {
	GlobalDestinations struct{ Regions []string }
	Regions            []struct {
		Region, Name, Geography, Partition              string
		OptIn, BedrockControlPlane, ApplicationProfiles bool
	}
	Profiles []profile
}

type profile struct {
	ProfileID, Name, Geo, ModelID, Lifecycle string
	Sources                                  map[string]source
}

type source struct {
	Destinations                                      []string
	Name, Description, CreatedAt, UpdatedAt, Evidence string
}

func regionTable(f profileFile) *table {
	t := &table{path: "catalog/data/regions.tsv",
		comment: "Regions. The order of those with global=yes is the order of global destinations.\nSource: AWS General Reference and Bedrock User Guide, autumn 2026 (docs/formats/catalog.md).",
		columns: []string{"region", "name", "geography", "partition", "optIn", "controlPlane", "applicationProfiles", "global"}}
	global := f.GlobalDestinations.Regions
	place := func(region string) int {
		if i := slices.Index(global, region); i >= 0 {
			return i
		}
		return len(global)
	}
	regions := slices.Clone(f.Regions)
	slices.SortStableFunc(regions, func(a, b struct {
		Region, Name, Geography, Partition              string
		OptIn, BedrockControlPlane, ApplicationProfiles bool
	}) int {
		return cmp.Or(cmp.Compare(place(a.Region), place(b.Region)), cmp.Compare(a.Region, b.Region))
	})
	for _, r := range regions {
		t.add(r.Region, r.Name, r.Geography, r.Partition, yesNo(r.OptIn), yesNo(r.BedrockControlPlane),
			yesNo(r.ApplicationProfiles), yesNo(place(r.Region) < len(global)))
	}
	return t
}

func modelTable(f modelFile) *table {
	t := &table{path: "catalog/data/models.tsv",
		comment: "Foundation models as ListFoundationModels shows them. seen names a row of provenance.tsv;\na model last seen before 2026-08-22 is retired, and so is one in its formerRegions. Limits are from AWS model cards, else LiteLLM.",
		columns: []string{"model", "name", "provider", "input", "output", "streaming", "customizations", "inferenceTypes",
			"status", "start", "legacy", "extended", "end", "regions", "formerRegions", "context", "maxOutput", "mantleOnly", "seen"}}
	models := slices.Clone(f.Models)
	slices.SortFunc(models, func(a, b model) int { return cmp.Compare(a.ModelID, b.ModelID) })
	for _, m := range models {
		streaming := ""
		if m.ResponseStreamingSupported != nil {
			streaming = yesNo(*m.ResponseStreamingSupported)
		}
		l := m.ModelLifecycle
		t.add(m.ModelID, m.ModelName, m.ProviderName, list(m.InputModalities), list(m.OutputModalities), streaming,
			list(m.CustomizationsSupported), list(m.InferenceTypesSupported), l.Status, l.StartOfLifeTime, l.LegacyTime,
			l.PublicExtendedAccessTime, cmp.Or(l.EndOfLifeTime, m.DocumentedEol), list(m.Regions),
			list(formerRegions[m.ModelID]), number(m.ContextWindowTokens), number(m.MaxOutputTokens), yesNo(m.MantleOnly), m.Listed)
	}
	return t
}

// formerRegions are those that published guides call a model in although it
// has left their listing (reference/control-plane.md §1.15 item 3).
var formerRegions = map[string][]string{"anthropic.claude-3-sonnet-20240229-v1:0": {"us-east-1", "us-west-2"}}

func profileTable(f profileFile) *table {
	t := &table{path: "catalog/data/profiles.tsv",
		comment: "System-defined profiles. label is the model as AWS's descriptions call it.\nSource Regions and destinations are in sources.tsv.",
		columns: []string{"profile", "model", "name", "label", "lifecycle"}}
	for _, p := range sortedProfiles(f) {
		t.add(p.ProfileID, p.ModelID, p.Name, label(p), p.Lifecycle)
	}
	return t
}

func sourceTable(f profileFile) *table {
	t := &table{path: "catalog/data/sources.tsv",
		comment: "Where each system-defined profile may be called (region) and where it may run (destinations, in AWS's order;\n" +
			"\"global\" stands for every Region with global=yes). name and description are given where they differ from the\n" +
			"profile's own; seen names a row of provenance.tsv.",
		columns: []string{"profile", "region", "destinations", "created", "updated", "seen", "name", "description"}}
	for _, p := range sortedProfiles(f) {
		for _, region := range sortedKeys(p.Sources) {
			s := p.Sources[region]
			description := s.Description
			if description == describe(p, s) {
				description = ""
			}
			t.add(p.ProfileID, region, destinations(p, s), s.CreatedAt, s.UpdatedAt, evidence(s.Evidence), s.Name, description)
		}
	}
	return t
}

func destinations(p profile, s source) string {
	if p.Geo == "global" {
		return "global" // the source Region itself is a commercial Region
	}
	return strings.Join(s.Destinations, ",")
}

// evidence shortens the names of the collected facts; provenance.tsv explains them.
func evidence(s string) string {
	switch s {
	case "docs-model-card-2026-10-geo-supported-destinations-INFERRED":
		return "inferred-model-card-2026-10"
	case "INFERRED-from-api-ap-south-1":
		return "inferred-api-ap-south-1"
	}
	return s
}

// label is the commonest name of the model in a profile's descriptions.
func label(p profile) string {
	count := map[string]int{}
	for _, s := range p.Sources {
		rest, ok := strings.CutPrefix(s.Description, "Routes requests to ")
		if !ok {
			continue
		}
		for _, stop := range []string{" globally across ", " in "} {
			if name, _, found := strings.Cut(rest, stop); found {
				count[name]++
				break
			}
		}
	}
	best := ""
	for _, name := range sortedKeys(count) {
		if count[name] > count[best] {
			best = name
		}
	}
	if best == "" {
		_, best, _ = strings.Cut(p.Name, " ")
	}
	return best
}

func describe(p profile, s source) string {
	if p.Geo == "global" {
		return "Routes requests to " + label(p) + " globally across all supported AWS Regions."
	}
	last := len(s.Destinations) - 1
	places := s.Destinations[last]
	if last > 0 {
		places = strings.Join(s.Destinations[:last], ", ") + " and " + places
	}
	return "Routes requests to " + label(p) + " in " + places + "."
}

func sortedProfiles(f profileFile) []profile {
	ps := slices.Clone(f.Profiles)
	slices.SortFunc(ps, func(a, b profile) int { return cmp.Compare(a.ProfileID, b.ProfileID) })
	return ps
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func list(s []string) string { return strings.Join(s, ",") }

func number(n *uint64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatUint(*n, 10)
}
