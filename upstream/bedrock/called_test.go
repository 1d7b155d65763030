package bedrock

import (
	"context"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"outcrop"
	"outcrop/catalog"
)

const claude = outcrop.ModelID("anthropic.claude-sonnet-4-5-20250929-v1:0")

func namer(models map[outcrop.ModelID]string) *Upstream {
	u, err := New(context.Background(), Config{Models: models, Catalog: catalog.Embedded, Credentials: Credentials{APIKey: "key"}}, nil)
	if err != nil {
		panic(err)
	}
	return u
}

// target is what a system-defined profile resolves to in a Region.
func target(t testing.TB, r outcrop.Region, id string) *outcrop.Target {
	t.Helper()
	p, ok := catalog.Embedded().SystemProfile(r, id)
	if !ok {
		t.Fatalf("no profile %s in %s", id, r)
	}
	return &outcrop.Target{Region: r, Model: outcrop.FoundationModel{ID: p.Model}, Destinations: p.Destinations()}
}

func TestWhatAModelIsCalled(t *testing.T) {
	us := target(t, "us-east-1", "us."+string(claude))
	global := target(t, "us-east-1", "global."+string(claude))
	here := &outcrop.Target{Region: "us-east-1", Destinations: []outcrop.Destination{{Region: "us-east-1", Model: claude}}}
	mapped := map[outcrop.ModelID]string{"a.b": "arn:aws:bedrock:{region}:111122223333:application-inference-profile/abc", "c.d": "arn:aws:bedrock:eu-west-1:111122223333:application-inference-profile/abc"}
	for name, c := range map[string]struct {
		to    *outcrop.Target
		r     outcrop.Region
		model outcrop.ModelID
		want  string // empty: refused
	}{
		"through the profile of its geography":  {us, "us-west-2", claude, "us." + string(claude)},
		"the narrowest of a global call":        {global, "us-west-2", claude, "us." + string(claude)},
		"no profile keeps inside one Region":    {here, "us-east-1", claude, ""},
		"nothing is known of the target":        {nil, "us-east-1", claude, ""},
		"on demand":                             {nil, "us-east-1", "amazon.titan-embed-text-v2:0", "amazon.titan-embed-text-v2:0"},
		"a model that the catalogue has not":    {nil, "us-east-1", "new.model-v1:0", "new.model-v1:0"},
		"mapped, with its Region":               {nil, "us-east-1", "a.b", "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abc"},
		"mapped, to another Region than called": {nil, "us-east-1", "c.d", ""},
		"mapped, to this Region":                {nil, "eu-west-1", "c.d", "arn:aws:bedrock:eu-west-1:111122223333:application-inference-profile/abc"},
	} {
		got, err := namer(mapped).called(outcrop.Attempt{Destination: outcrop.Destination{Region: c.r, Model: c.model}, Target: c.to})
		if got != c.want || (c.want == "") != (outcrop.KindOf(err) == outcrop.ModelFailed) {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
}

// Property: whatever profile was called in whatever Region, no destination of
// the profile that is called in its place lies outside.
func TestNoCallLeavesItsDestinations(t *testing.T) {
	c := catalog.Embedded()
	var all []*catalog.SystemProfile
	for _, r := range c.Regions() {
		all = append(all, c.SystemProfiles(r.Region)...)
	}
	u := namer(nil)
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(all).Draw(t, "profile")
		allowed := p.Destinations()
		d := rapid.SampledFrom(allowed).Draw(t, "destination")
		name, err := u.called(outcrop.Attempt{Destination: d, Target: &outcrop.Target{Destinations: allowed}})
		called, ok := c.SystemProfile(d.Region, name)
		if err != nil || !ok {
			return // refused, or called by the model's own id in the one Region
		}
		for _, to := range called.Destinations() {
			if !slices.Contains(allowed, to) {
				t.Fatalf("%s in %s is called as %s, which goes to %v, outside %v", p.ID, d.Region, name, to, allowed)
			}
		}
	})
}
