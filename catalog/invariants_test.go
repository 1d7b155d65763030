package catalog

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"outcrop"
)

// The nine invariants of reference/control-plane.md §2.2, by their numbers.

func eachProfile(t *testing.T, check func(*testing.T, *SystemProfile)) {
	t.Helper()
	seen := 0
	for _, r := range Embedded().Regions() {
		for _, p := range Embedded().SystemProfiles(r.Region) {
			check(t, p)
			seen++
		}
	}
	if seen != 1135 {
		t.Errorf("%d profile rows, want 1135", seen)
	}
}

func Test1ProfileIDsAreGeographyAndModel(t *testing.T) {
	ids, models := map[string]bool{}, map[outcrop.ModelID]bool{}
	perGeo := map[outcrop.Geography]int{}
	eachProfile(t, func(t *testing.T, p *SystemProfile) {
		if p.ID != string(p.Geography)+"."+string(p.Model) {
			t.Errorf("%s is not %s.%s", p.ID, p.Geography, p.Model)
		}
		for _, arn := range p.places().models {
			if id := arn.Parts().ResourceID(); id != string(p.Model) {
				t.Errorf("%s names model %s", p.ID, id)
			}
		}
		if !ids[p.ID] {
			perGeo[p.Geography]++
		}
		ids[p.ID], models[p.Model] = true, true
	})
	if len(ids) != 148 {
		t.Errorf("%d profiles, want 148", len(ids))
	}
	want := map[outcrop.Geography]int{"us": 63, "eu": 26, "global": 21, "apac": 11, "au": 9, "us-gov": 9, "jp": 6, "in": 2, "ca": 1}
	for geo, n := range want {
		if perGeo[geo] != n {
			t.Errorf("%d profiles of %s, want %d", perGeo[geo], geo, n)
		}
	}
	if len(perGeo) != len(want) {
		t.Errorf("geographies %v, want %v", perGeo, want)
	}
}

func Test2TheSourceIsADestination(t *testing.T) {
	historic := []profileKey{ // the two exceptions on record
		{"us-east-2", "us.anthropic.claude-3-5-sonnet-20240620-v1:0"},
		{"us-gov-east-1", "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0"},
	}
	eachProfile(t, func(t *testing.T, p *SystemProfile) {
		own := outcrop.Destination{Region: p.Region, Model: p.Model}
		if slices.Contains(p.Destinations(), own) == slices.Contains(historic, profileKey{p.Region, p.ID}) {
			t.Errorf("%s called in %s runs in %v", p.ID, p.Region, regionsIn(p.Destinations()))
		}
	})
}

func Test3DestinationsDependOnTheSource(t *testing.T) {
	common := []outcrop.Region{"us-east-1", "us-east-2", "us-west-2"}
	for source, more := range map[outcrop.Region][]outcrop.Region{
		"us-east-1": nil, "us-west-2": nil, "us-west-1": {"us-west-1"}, "ca-central-1": {"ca-central-1"},
	} {
		p, ok := Embedded().SystemProfile(source, "us.anthropic.claude-sonnet-4-5-20250929-v1:0")
		if !ok {
			t.Fatalf("no profile in %s", source)
		}
		got, want := regionsIn(p.Destinations()), slices.Concat(common, more)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("called in %s it runs in %v, want %v", source, got, want)
		}
	}
	// Nobody else reaches a Region that adds itself.
	selfAdding := []outcrop.Region{"us-west-1", "eu-central-2", "eu-west-2", "il-central-1", "me-central-1"}
	eachProfile(t, func(t *testing.T, p *SystemProfile) {
		for _, d := range p.Destinations() {
			onRecord := p.Region == "us-east-1" && strings.HasPrefix(p.ID, "us.twelvelabs.") // AWS's answer of 2026-08-22
			if !onRecord && p.Geography != outcrop.GlobalGeography && d.Region != p.Region && slices.Contains(selfAdding, d.Region) {
				t.Errorf("%s called in %s reaches %s", p.ID, p.Region, d.Region)
			}
		}
	})
}

func Test4TheOrderIsAWSsOwn(t *testing.T) {
	p, _ := Embedded().SystemProfile("ca-central-1", "us.amazon.nova-2-lite-v1:0")
	if got := regionsIn(p.Destinations()); !slices.Equal(got, []outcrop.Region{"us-east-1", "us-east-2", "ca-central-1", "us-west-2"}) {
		t.Errorf("destinations %v are not in AWS's order", got)
	}
	for i, d := range p.Destinations() {
		if p.places().models[i] != outcrop.FoundationModelARN("aws", d.Region, d.Model) {
			t.Errorf("ARN %d is %s, destination %s", i, p.places().models[i], d.Region)
		}
	}
}

func Test5DescriptionsAreWorded(t *testing.T) {
	eachProfile(t, func(t *testing.T, p *SystemProfile) {
		if p.Geography == outcrop.GlobalGeography {
			if !strings.HasPrefix(p.Description, "Routes requests to ") || !strings.HasSuffix(p.Description, " globally across all supported AWS Regions.") {
				t.Errorf("%s in %s: %q", p.ID, p.Region, p.Description)
			}
			return
		}
		if !strings.HasPrefix(p.Description, "Routes requests to ") || !strings.HasSuffix(p.Description, ".") {
			t.Errorf("%s in %s: %q", p.ID, p.Region, p.Description)
		}
		for _, d := range p.Destinations() {
			if !p.Retired && !strings.Contains(p.Description, string(d.Region)) {
				t.Errorf("%s in %s: %q does not name %s", p.ID, p.Region, p.Description, d.Region)
			}
		}
	})
	p, _ := Embedded().SystemProfile("us-east-1", "us.amazon.nova-2-lite-v1:0")
	if want := "Routes requests to Amazon Nova 2 Lite in us-east-1, us-west-2 and us-east-2."; p.Description != want {
		t.Errorf("description %q, want %q", p.Description, want)
	}
}

func Test6GlobalProfilesNameTwoARNs(t *testing.T) {
	all := Embedded().GlobalDestinations()
	if len(all) != 33 {
		t.Errorf("%d global destinations, want 33", len(all))
	}
	eachProfile(t, func(t *testing.T, p *SystemProfile) {
		if p.Geography != outcrop.GlobalGeography {
			return
		}
		want := []outcrop.ARN{outcrop.FoundationModelARN("aws", "", p.Model), outcrop.FoundationModelARN("aws", p.Region, p.Model)}
		if got := p.For("111122223333").Models; !slices.Equal(got, want) {
			t.Errorf("%s in %s lists %v", p.ID, p.Region, got)
		}
		got := regionsIn(p.Destinations())
		if len(got) != 33 || got[0] != p.Region {
			t.Errorf("%s in %s runs in %d Regions, first %s", p.ID, p.Region, len(got), got[0])
		}
		slices.Sort(got)
		if len(slices.Compact(got)) != 33 {
			t.Errorf("%s in %s: a destination occurs twice", p.ID, p.Region)
		}
		for _, r := range got {
			if !slices.Contains(all, r) {
				t.Errorf("%s reaches %s", p.ID, r)
			}
		}
	})
}

func Test8ProfilesOutliveTheirModel(t *testing.T) {
	for id, r := range map[outcrop.ModelID]outcrop.Region{"meta.llama3-2-1b-instruct-v1:0": "us-west-2", "meta.llama3-1-405b-instruct-v1:0": "us-east-2"} {
		c, err := Load("", WithoutRetired())
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := c.Model(r, id); ok {
			t.Errorf("%s is still listed", id)
		}
		if _, ok := c.AnyModel(id); !ok {
			t.Errorf("%s does not resolve", id)
		}
		if p, ok := c.SystemProfile(r, "us."+string(id)); !ok || p.Retired {
			t.Errorf("profile us.%s: found %t", id, ok)
		}
	}
	eachProfile(t, func(t *testing.T, p *SystemProfile) {
		if _, ok := Embedded().AnyModel(p.Model); !ok {
			t.Errorf("the model behind %s does not resolve", p.ID)
		}
	})
}

func Test9OtherSourcesDoNotKnowTheProfile(t *testing.T) {
	for _, r := range []outcrop.Region{"us-east-1", "ap-southeast-2", "eusc-de-east-1", "nowhere-1", ""} {
		if _, ok := Embedded().SystemProfile(r, "eu.amazon.nova-lite-v1:0"); ok {
			t.Errorf("eu.amazon.nova-lite-v1:0 resolves in %s", r)
		}
	}
}

// Every ARN that clients get to see passes the patterns of their own models,
// but for the Region-less one, which AWS sends in spite of its pattern.
func TestARNsPassTheClientsPatterns(t *testing.T) {
	model, profile := pattern(t, "FoundationModelArn"), pattern(t, "InferenceProfileArn")
	id, source := pattern(t, "InferenceProfileId"), pattern(t, "InferenceProfileModelSourceArn")
	eachProfile(t, func(t *testing.T, p *SystemProfile) {
		view := p.For("111122223333")
		if !profile.MatchString(string(view.ARN)) || !source.MatchString(string(view.ARN)) || !id.MatchString(view.ID) || len(view.ID) > 64 {
			t.Errorf("%s: the profile's names do not fit", view.ARN)
		}
		for _, arn := range view.Models {
			if arn.Parts().Region != "" && !model.MatchString(string(arn)) {
				t.Errorf("%s does not fit", arn)
			}
		}
	})
	for _, r := range Embedded().Regions() {
		for _, m := range Embedded().Models(r.Region) {
			if arn := outcrop.FoundationModelARN(r.Partition, r.Region, m.ID); !model.MatchString(string(arn)) {
				t.Errorf("%s does not fit", arn)
			}
		}
	}
}

// pattern reads one shape's pattern from the service model; AWS anchors both ends.
func pattern(t *testing.T, shape string) *regexp.Regexp {
	t.Helper()
	text, err := os.ReadFile("../awsapi/model/bedrock.json")
	if err != nil {
		t.Fatal(err)
	}
	var service struct {
		Shapes map[string]struct{ Pattern string }
	}
	if err := json.Unmarshal(text, &service); err != nil {
		t.Fatal(err)
	}
	if service.Shapes[shape].Pattern == "" {
		t.Fatalf("the service model has no pattern for %s", shape)
	}
	return regexp.MustCompile(`\A(?:` + service.Shapes[shape].Pattern + `)\z`)
}

func regionsIn(ds []outcrop.Destination) []outcrop.Region {
	rs := make([]outcrop.Region, len(ds))
	for i, d := range ds {
		rs[i] = d.Region
	}
	return rs
}
