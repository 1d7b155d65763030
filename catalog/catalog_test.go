package catalog

import (
	"slices"
	"strings"
	"testing"
	"time"

	"outcrop"
)

// What ListInferenceProfiles answered in each Region in August 2026
// (reference/control-plane.md §2.2).
var listedIn2026 = map[outcrop.Region]int{
	"us-east-1": 71, "us-east-2": 69, "us-west-2": 69, "eu-west-1": 41, "us-west-1": 41, "eu-central-1": 38, "eu-west-3": 38,
	"eu-north-1": 34, "ca-central-1": 33, "ap-southeast-2": 33, "ap-northeast-1": 32, "ap-south-1": 28, "eu-west-2": 28,
	"ap-northeast-2": 27, "ap-southeast-1": 25, "ap-northeast-3": 23, "ap-east-2": 20, "sa-east-1": 16,
}

// liveEvidence marks what AWS listed when the data was last collected.
const liveEvidence = "api-2026-08-22"

func TestProfilesListedInEachRegion(t *testing.T) {
	total := 0
	for _, r := range Embedded().Regions() {
		live := 0
		for _, p := range Embedded().SystemProfiles(r.Region) {
			if p.Evidence == liveEvidence {
				live++
			}
		}
		if live != listedIn2026[r.Region] {
			t.Errorf("%s lists %d live profiles, want %d", r.Region, live, listedIn2026[r.Region])
		}
		total += live
	}
	if total != 666 {
		t.Errorf("%d live rows, want 666", total)
	}
}

func TestOptionsLeaveRowsOut(t *testing.T) {
	count := func(opts ...Option) (rows, inferred, retired int) {
		c, err := Load("", opts...)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range c.byID {
			rows++
			if strings.HasPrefix(p.Evidence, "inferred-") {
				inferred++
			}
			if p.Retired {
				retired++
			}
		}
		return rows, inferred, retired
	}
	for _, c := range []struct {
		name                    string
		opts                    []Option
		rows, inferred, retired int
	}{
		{"everything", nil, 1135, 217, 38},
		{"without retired", []Option{WithoutRetired()}, 1097, 217, 0},
	} {
		if rows, inferred, retired := count(c.opts...); rows != c.rows || inferred != c.inferred || retired != c.retired {
			t.Errorf("%s: %d rows, %d inferred, %d retired; want %d, %d, %d", c.name, rows, inferred, retired, c.rows, c.inferred, c.retired)
		}
	}
}

func TestListsAreInAWSsOrder(t *testing.T) {
	for _, r := range Embedded().Regions() {
		list := Embedded().SystemProfiles(r.Region)
		if !slices.IsSortedFunc(list, func(a, b *SystemProfile) int {
			if c := a.UpdatedAt.Compare(b.UpdatedAt); c != 0 {
				return c
			}
			return strings.Compare(a.ID, b.ID)
		}) {
			t.Errorf("%s: not by time of update", r.Region)
		}
		for _, p := range list {
			if p.CreatedAt.IsZero() || p.UpdatedAt.Before(p.CreatedAt) {
				t.Errorf("%s in %s: created %s, updated %s", p.ID, r.Region, p.CreatedAt, p.UpdatedAt)
			}
		}
	}
}

func TestAProfileAsAnAccountSeesIt(t *testing.T) {
	p, ok := Embedded().SystemProfile("eu-west-1", "global.anthropic.claude-sonnet-4-6")
	if !ok {
		t.Fatal("not found")
	}
	got := p.For("111122223333")
	if got.ARN != "arn:aws:bedrock:eu-west-1:111122223333:inference-profile/global.anthropic.claude-sonnet-4-6" {
		t.Errorf("ARN %s", got.ARN)
	}
	if got.Kind != outcrop.SystemDefined || got.Name != "Global Anthropic Claude Sonnet 4.6" || got.Model != "anthropic.claude-sonnet-4-6" {
		t.Errorf("profile %+v", got)
	}
	if want := time.Date(2026, 3, 27, 9, 36, 43, 658224000, time.UTC); !got.UpdatedAt.Equal(want) {
		t.Errorf("updated %s, want %s", got.UpdatedAt, want)
	}
	gov, _ := Embedded().SystemProfile("us-gov-west-1", "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0")
	if arn := gov.For("111122223333").Models[0]; arn != "arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0" {
		t.Errorf("GovCloud model %s", arn)
	}
}

// The published guides must run unchanged (reference/control-plane.md §1.15).
func TestTheGuidesFindWhatTheyUse(t *testing.T) {
	for _, id := range []string{
		"us.anthropic.claude-3-7-sonnet-20250219-v1:0", "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
		"global.anthropic.claude-opus-4-5-20251101-v1:0", "us.amazon.nova-pro-v1:0", "us.amazon.nova-lite-v1:0",
	} {
		for _, r := range []outcrop.Region{"us-east-1", "us-west-2"} {
			p, ok := Embedded().SystemProfile(r, id)
			if !ok {
				t.Errorf("%s is not callable in %s", id, r)
				continue
			}
			if _, ok := Embedded().AnyModel(p.Model); !ok {
				t.Errorf("the model behind %s does not resolve", id)
			}
		}
	}
	m, ok := Embedded().Model("us-east-1", "anthropic.claude-3-sonnet-20240229-v1:0")
	if !ok || !m.OnDemand() {
		t.Errorf("Claude 3 Sonnet in us-east-1: listed %t", ok)
	}
}

func TestModels(t *testing.T) {
	c := Embedded()
	if len(c.models) != 185 {
		t.Errorf("%d models, want 185", len(c.models))
	}
	for _, r := range c.Regions() {
		list := c.Models(r.Region)
		if !slices.IsSortedFunc(list, func(a, b *outcrop.FoundationModel) int { return strings.Compare(string(a.ID), string(b.ID)) }) {
			t.Errorf("%s: models are not in order", r.Region)
		}
		for _, m := range list {
			if got, ok := c.Model(r.Region, m.ID); !ok || got != m {
				t.Errorf("%s is listed in %s and not found there", m.ID, r.Region)
			}
			if m.Name == "" || m.Provider == "" || m.Lifecycle.Status == "" {
				t.Errorf("%s lacks a name, a provider or a status", m.ID)
			}
		}
	}
	if _, ok := c.Model("eu-west-1", "amazon.titan-tg1-large"); ok {
		t.Error("a model is found where it is not listed")
	}
	if _, ok := c.AnyModel("nobody.nothing-v1:0"); ok {
		t.Error("an unknown model is found")
	}
	current, err := Load("", WithoutRetired())
	if err != nil {
		t.Fatal(err)
	}
	if with, without := len(c.Models("us-east-1")), len(current.Models("us-east-1")); with <= without {
		t.Errorf("us-east-1 lists %d models with retired ones, %d without", with, without)
	}
}

func TestEveryRowSaysWhereItIsFrom(t *testing.T) {
	known := func(code string) bool {
		return code == liveEvidence || strings.HasPrefix(code, "api-last-seen-2026-") || code == "docs-full-table-2025-12" ||
			code == "docs-model-card-2026-10" || strings.HasPrefix(code, "inferred-")
	}
	eachProfile(t, func(t *testing.T, p *SystemProfile) {
		if !known(p.Evidence) {
			t.Errorf("%s in %s has evidence %q", p.ID, p.Region, p.Evidence)
		}
	})
	for id, m := range Embedded().models {
		if !known(m.facts.Evidence) {
			t.Errorf("%s has evidence %q", id, m.facts.Evidence)
		}
	}
}

func TestFacts(t *testing.T) {
	form, agreement := Access{Agreement: true, UseCaseForm: true}, Access{Agreement: true}
	for _, c := range []struct {
		id           outcrop.ModelID
		burndown     uint64
		cacheMinimum outcrop.Tokens
		access       Access
	}{
		{"anthropic.claude-3-7-sonnet-20250219-v1:0", 5, 1024, form},
		{"anthropic.claude-opus-4-8", 15, 1024, form},
		{"anthropic.claude-opus-4-7", 5, 4096, form},
		{"anthropic.claude-sonnet-5", 10, 1024, form},
		{"anthropic.claude-opus-5", 10, 512, form},
		{"anthropic.claude-3-haiku-20240307-v1:0", 1, 0, form},
		{"anthropic.claude-haiku-4-5-20251001-v1:0", 5, 4096, form},
		{"openai.gpt-5.6-sol", 10, 0, Access{}},
		{"amazon.nova-lite-v1:0", 1, 1536, Access{}},
		{"amazon.nova-pro-v1:0", 1, 1024, Access{}},
		{"cohere.embed-v4:0", 1, 0, agreement},
		{"meta.llama3-3-70b-instruct-v1:0", 1, 0, Access{}},
	} {
		f, ok := Embedded().Facts(c.id)
		if !ok || f.Burndown != c.burndown || f.CacheMinimum != c.cacheMinimum || f.Access != c.access {
			t.Errorf("%s: %+v", c.id, f)
		}
	}
	if f, ok := Embedded().Facts("nobody.nothing"); ok || f.Burndown != 1 {
		t.Errorf("an unknown model has facts %+v", f)
	}
	providers := map[string]bool{}
	tables, err := parseEmbedded()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range tables.models {
		if _, ok := tables.providers[m.Provider]; !ok && !providers[m.Provider] {
			t.Errorf("provider %s has no access facts", m.Provider)
			providers[m.Provider] = true
		}
	}
}

func TestRegions(t *testing.T) {
	if n := len(Embedded().Regions()); n != 39 {
		t.Errorf("%d Regions, want 39", n)
	}
	use1, ok := Embedded().Region("us-east-1")
	if !ok || use1.Name != "US East (N. Virginia)" || use1.OptIn || !use1.ControlPlane || !use1.ApplicationProfiles || !use1.Global {
		t.Errorf("us-east-1 = %+v", use1)
	}
	if !slices.Equal(use1.Prefixes, []outcrop.Geography{"global", "us"}) {
		t.Errorf("us-east-1 can call %v", use1.Prefixes)
	}
	hongKong, _ := Embedded().Region("ap-east-1")
	if hongKong.ControlPlane || hongKong.ApplicationProfiles || hongKong.Global || !hongKong.OptIn {
		t.Errorf("ap-east-1 = %+v", hongKong)
	}
	profiles := 0
	for _, r := range Embedded().Regions() {
		if r.Partition != r.Region.Partition() {
			t.Errorf("%s lies in %s, its name says %s", r.Region, r.Partition, r.Region.Partition())
		}
		if r.ApplicationProfiles {
			profiles++
		}
	}
	if profiles != 35 { // both GovCloud Regions and every commercial one but ap-east-1
		t.Errorf("application profiles in %d Regions, want 35", profiles)
	}
}

// Measured at 4 ms; the promise is 30 ms at start-up.
func BenchmarkEmbedded(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		tables, err := parseEmbedded()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := tables.build(options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSystemProfileFor(b *testing.B) {
	c := Embedded()
	b.ReportAllocs()
	for b.Loop() {
		p, _ := c.SystemProfile("us-east-1", "us.amazon.nova-lite-v1:0")
		p.For("111122223333")
	}
}
