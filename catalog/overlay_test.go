package catalog

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"outcrop"
	"outcrop/internal/overlay/overlaytest"
)

const berlin = `
regions:
  dc-berlin-1:
    name: Berlin data centre
    geography: Europe
models:
  acme.chat-7b-v1:0:
    name: Chat 7B
    provider: Acme
    regions: [dc-berlin-1]
    context: 32768
    maxOutput: 4096
    burndown: 2
    start: 2026-11-01
  meta.llama3-3-70b-instruct-v1:0:
    regions: [dc-berlin-1]
profiles:
  berlin.acme.chat-7b-v1:0:
    name: Berlin Acme Chat 7B
    label: Acme Chat 7B
    sources:
      dc-berlin-1: {destinations: [dc-berlin-1, eu-central-1]}
      eu-central-1: {destinations: [dc-berlin-1, eu-central-1], description: Own words.}
  global.anthropic.claude-sonnet-4-6:
    sources:
      dc-berlin-1: {}
`

func TestAnOverlayAddsRegionsModelsAndProfiles(t *testing.T) {
	c, err := Load(overlaytest.Folder(t, "berlin.yaml", berlin))
	if err != nil {
		t.Fatal(err)
	}
	r, ok := c.Region("dc-berlin-1")
	if !ok || r.Name != "Berlin data centre" || r.Partition != "aws" || !r.ControlPlane || !r.ApplicationProfiles || r.Global {
		t.Errorf("Region %+v", r)
	}
	if !slices.Equal(r.Prefixes, []outcrop.Geography{"berlin", "global"}) {
		t.Errorf("dc-berlin-1 can call %v", r.Prefixes)
	}
	m, ok := c.Model("dc-berlin-1", "acme.chat-7b-v1:0")
	if !ok || !m.OnDemand() || !m.Streaming || m.Name != "Chat 7B" || m.Lifecycle.Status != "ACTIVE" || m.Lifecycle.StartOfLife.Year() != 2026 {
		t.Errorf("model %+v", m)
	}
	if f, _ := c.Facts("acme.chat-7b-v1:0"); f.Burndown != 2 || f.MaxOutput != 4096 || f.Evidence != "overlay:berlin.yaml" || f.Access != (Access{}) {
		t.Errorf("facts %+v", f)
	}
	for _, r := range []outcrop.Region{"dc-berlin-1", "us-east-1"} { // added to, not replaced
		if _, ok := c.Model(r, "meta.llama3-3-70b-instruct-v1:0"); !ok {
			t.Errorf("Llama 3.3 is not listed in %s", r)
		}
	}
	p, ok := c.SystemProfile("dc-berlin-1", "berlin.acme.chat-7b-v1:0")
	if !ok || p.Description != "Routes requests to Acme Chat 7B in dc-berlin-1 and eu-central-1." || p.CreatedAt.IsZero() {
		t.Errorf("profile %+v", p)
	}
	if p, _ := c.SystemProfile("eu-central-1", p.ID); p.Description != "Own words." || p.Geography != "berlin" {
		t.Errorf("profile in eu-central-1: %+v", p)
	}
	g, ok := c.SystemProfile("dc-berlin-1", "global.anthropic.claude-sonnet-4-6")
	if !ok || len(g.Destinations()) != 34 || g.Destinations()[0].Region != "dc-berlin-1" {
		t.Errorf("global profile called in Berlin: %v", regionsIn(g.Destinations()))
	}
	if _, ok := Embedded().Region("dc-berlin-1"); ok {
		t.Error("the overlay changed the embedded catalogue")
	}
}

func TestFilesAreLaidInTheOrderOfTheirNames(t *testing.T) {
	c, err := Load(overlaytest.Folder(t,
		"20.yml", "models: {\"amazon.nova-lite-v1:0\": {name: Second}}",
		"10.yaml", "models: {\"amazon.nova-lite-v1:0\": {name: First, maxOutput: 7}}",
		"prices.yaml", "not: ours", "x.prices.yaml", "not: ours", "notes.txt", "not YAML", ".hidden.yaml", "not: ours"))
	if err != nil {
		t.Fatal(err)
	}
	if m, _ := c.AnyModel("amazon.nova-lite-v1:0"); m.Name != "Second" || m.MaxOutput != 7 || m.Provider != "Amazon" {
		t.Errorf("model %+v", m)
	}
}

func TestBadOverlaysSayWhere(t *testing.T) {
	for _, c := range []struct {
		name, file string
		says       []string
	}{
		{"unknown key", "models:\n  a.b:\n    nmae: x\n", []string{"o.yaml:3:5", `"nmae"`, `did you mean "name"`}},
		{"unknown section", "region: {}\n", []string{"o.yaml:1:1", `did you mean "regions"`}},
		{"wrong type", "models:\n  a.b:\n    context: many\n", []string{"o.yaml:3:14"}},
		{"wrong list", "models:\n  a.b:\n    regions: {a: b}\n", []string{"o.yaml:3:"}},
		{"broken YAML", "models: [\n", []string{"o.yaml:"}},
		{"unset variable", "regions:\n  dc-1: {name: \"${OUTCROP_TEST_NOT_SET}\"}\n", []string{"o.yaml:2:", "OUTCROP_TEST_NOT_SET"}},
		{"unknown Region of a model", "models: {a.b: {regions: [mars-1]}}", []string{"a.b", `unknown Region "mars-1"`}},
		{"unknown source Region", "profiles: {'eu.amazon.nova-lite-v1:0': {sources: {mars-1: {destinations: [eu-west-1]}}}}", []string{"mars-1"}},
		{"unknown destination", "profiles: {'x.amazon.nova-lite-v1:0': {sources: {eu-west-1: {destinations: [mars-1]}}}}", []string{"mars-1"}},
		{"unknown model", "profiles: {x.a.b: {sources: {}}}", []string{"x.a.b", `unknown model "a.b"`}},
		{"profile id without geography", "profiles: {nodot: {}}", []string{"profiles.nodot", "a geography, a dot and a model id"}},
		{"profile id too long", "profiles: {eu." + strings.Repeat("a", 62) + ": {}}", []string{"at most 64"}},
		{"destinations missing", "profiles: {'x.amazon.nova-lite-v1:0': {sources: {eu-west-1: {}}}}", []string{"sources.eu-west-1", "destinations are missing"}},
		{"destinations of global", "profiles: {'global.amazon.nova-2-lite-v1:0': {sources: {eu-west-1: {destinations: [eu-west-1]}}}}", []string{"global: true"}},
		{"model id", "models: {nodot: {}}", []string{"models.nodot"}},
		{"model id with a slash", "models: {a.b/c: {}}", []string{"models.a.b/c"}},
		{"Region name", "regions: {Berlin: {}}", []string{"regions.Berlin"}},
		{"Region name too long", "regions: {" + strings.Repeat("a", 21) + ": {}}", []string{"1 to 20"}},
		{"partition", "regions: {dc-1: {partition: aws-cn}}", []string{`puts it in "aws"`}},
		{"status", "models: {a.b: {status: OLD}}", []string{"neither ACTIVE nor LEGACY"}},
		{"burndown", "models: {a.b: {burndown: 0}}", []string{"burndown"}},
		{"date", "models: {a.b: {end: tomorrow}}", []string{"end", "tomorrow"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(overlaytest.Folder(t, "o.yaml", c.file))
			overlaytest.Refused(t, err, c.says...)
		})
	}
	if _, err := Load(filepath.Join(t.TempDir(), "absent")); err == nil {
		t.Error("an absent folder is accepted")
	}
	if _, err := Load(overlaytest.Folder(t, "big.yaml", strings.Repeat("#", int(entries.MaxBytes)+1))); err == nil {
		t.Error("a file over the limit is accepted")
	}
}

// Invariant 7 of reference/control-plane.md §2.2.
func Test7OnlyGlobalGrows(t *testing.T) {
	const nova = "eu.amazon.nova-lite-v1:0"
	for name, destinations := range map[string]string{
		"one more":    "eu-central-1, eu-north-1, eu-west-1, eu-west-3, eu-west-2",
		"one less":    "eu-central-1, eu-north-1, eu-west-1",
		"other order": "eu-west-3, eu-west-1, eu-north-1, eu-central-1",
		"another":     "us-east-1",
	} {
		p, _ := Embedded().SystemProfile("eu-west-1", nova)
		if got := strings.Join(names(regionsIn(p.Destinations())), ", "); got == destinations {
			t.Fatalf("%s changes nothing", name)
		}
		_, err := Load(overlaytest.Folder(t, "o.yaml", "profiles: {'"+nova+"': {sources: {eu-west-1: {destinations: ["+destinations+"]}}}}"))
		if err == nil || !strings.Contains(err.Error(), nova) || !strings.Contains(err.Error(), "never change") {
			t.Errorf("%s: err = %v", name, err)
		}
	}
	c, err := Load(overlaytest.Folder(t, "o.yaml", "regions: {dc-berlin-1: {global: true}}"))
	if err != nil {
		t.Fatalf("global may grow: %v", err)
	}
	if all := c.GlobalDestinations(); len(all) != 34 || all[33] != "dc-berlin-1" || all[0] != "us-east-1" {
		t.Errorf("global destinations %v", all)
	}
	_, err = Load(overlaytest.Folder(t, "o.yaml", "regions: {eu-west-1: {global: false}}"))
	if err == nil || !strings.Contains(err.Error(), "never shrink") {
		t.Errorf("global shrank: err = %v", err)
	}
	// A source Region that had no such profile may get one.
	if _, err := Load(overlaytest.Folder(t, "o.yaml", "profiles: {'"+nova+"': {sources: {af-south-1: {destinations: [af-south-1, eu-west-1]}}}}")); err != nil {
		t.Errorf("a new source: %v", err)
	}
}

func names(rs []outcrop.Region) []string {
	var out []string
	for _, r := range rs {
		out = append(out, string(r))
	}
	return out
}

func TestTheDocumentedExampleLoads(t *testing.T) {
	if _, err := Load(overlaytest.Folder(t, "example.yaml", overlaytest.Example(t, "../docs/formats/catalog.md"))); err != nil {
		t.Error(err)
	}
}

func FuzzOverlay(f *testing.F) {
	f.Add(berlin)
	f.Add("profiles: {'eu.amazon.nova-lite-v1:0': {sources: {eu-west-1: {destinations: []}}}}")
	f.Add("regions: {? [a] : 1}")
	f.Fuzz(func(t *testing.T, content string) {
		c, err := Load(overlaytest.Folder(t, "o.yaml", content))
		if err != nil {
			return
		}
		for key, p := range c.byID { // whatever was accepted keeps the promises
			if len(p.places().destinations) == 0 || len(p.places().models) == 0 || p.ID != string(p.Geography)+"."+string(p.Model) {
				t.Errorf("profile %v: %+v", key, p)
			}
		}
	})
}
