package profile_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"outcrop"
	"outcrop/profile"
	"outcrop/profile/profiletest"
)

// Every row of reference/runtime-metering-billing.md §1.4 and of
// reference/control-plane.md §1.10 and §1.11 that names something.
func TestResolve(t *testing.T) {
	b := setUp(profile.Options{})
	single := b.create(t, modelARN, profile.Tag{Key: "team", Value: "blue"})
	copied := b.create(t, novaARN)
	global := b.create(t, globalARN)
	us := []outcrop.Region{"us-east-1", "us-west-2", "us-east-2"}
	for name, c := range map[string]struct {
		modelID, metricID string
		profile           string
		model             outcrop.ModelID
		class             outcrop.ProfileClass
		regions           []outcrop.Region // nil: more than three
	}{
		"model id":              {onDemand, onDemand, "", onDemand, outcrop.InRegion, []outcrop.Region{region}},
		"model ARN":             {modelARN, onDemand, "", onDemand, outcrop.InRegion, []outcrop.Region{region}},
		"system profile id":     {novaID, novaID, novaARN, "amazon.nova-lite-v1:0", outcrop.Geographic, us},
		"system profile ARN":    {novaARN, novaID, novaARN, "amazon.nova-lite-v1:0", outcrop.Geographic, us},
		"global profile ARN":    {globalARN, "global.anthropic.claude-sonnet-4-6", globalARN, "anthropic.claude-sonnet-4-6", outcrop.GlobalClass, nil},
		"application of model":  {string(single.ARN), single.ID, string(single.ARN), onDemand, outcrop.InRegion, []outcrop.Region{region}},
		"application of system": {string(copied.ARN), copied.ID, string(copied.ARN), "amazon.nova-lite-v1:0", outcrop.Geographic, us},
		"application of global": {string(global.ARN), global.ID, string(global.ARN), "anthropic.claude-sonnet-4-6", outcrop.GlobalClass, nil},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 { // cold and warm
				got, err := b.resolve(t, c.modelID)
				if err != nil {
					t.Fatal(err)
				}
				if got.MetricID() != c.metricID || string(got.ProfileARN()) != c.profile || got.Model.ID != c.model || got.Geography.Class() != c.class {
					t.Errorf("resolved to %+v", got)
				}
				if got.Region != region || got.Ref.Text != c.modelID {
					t.Errorf("Region %s, ref %q", got.Region, got.Ref.Text)
				}
				rs, want := regionsOf(got.Destinations), c.regions
				slices.Sort(rs)
				slices.Sort(want)
				if !slices.Contains(rs, region) || c.regions != nil && !slices.Equal(rs, want) || c.regions == nil && len(rs) < 30 {
					t.Errorf("destinations = %v", rs)
				}
			}
		})
	}
	if got, _ := b.resolve(t, string(single.ARN)); got.Tags["team"] != "blue" {
		t.Errorf("tags = %v", got.Tags)
	}
}

func TestResolveRefuses(t *testing.T) {
	b := setUp(profile.Options{})
	app := b.create(t, novaARN)
	only := b.create(t, "arn:aws:bedrock:us-west-2::foundation-model/"+profileOnly)
	curly := func(id string) string {
		return "Invocation of model ID " + id + " with on-demand throughput isn\u2019t supported. Retry your request with the ID or ARN of an inference profile that contains this model."
	}
	for name, c := range map[string]struct{ modelID, message string }{
		"profile-only model id":                {profileOnly, curly(profileOnly)},
		"profile-only model ARN":               {"arn:aws:bedrock:us-west-2::foundation-model/" + profileOnly, curly(profileOnly)},
		"application of a profile-only model":  {string(only.ARN), curly(profileOnly)},
		"provisioned-only context size":        {"amazon.nova-premier-v1:0:8k", curly("amazon.nova-premier-v1:0:8k")},
		"context size that is not listed":      {onDemand + ":200k", curly(onDemand + ":200k")},
		"context size of no model":             {"no.such-v1:0:200k", badIdentifier},
		"unknown model":                        {"no.such-v1:0", badIdentifier},
		"bare application id":                  {app.ID, badIdentifier},
		"profile of another geography":         {"eu.amazon.nova-lite-v1:0", badIdentifier},
		"model ARN of another Region":          {"arn:aws:bedrock:us-east-1::foundation-model/" + onDemand, elsewhere},
		"model ARN without Region":             {"arn:aws:bedrock:::foundation-model/" + onDemand, badIdentifier},
		"model ARN of another partition":       {"arn:aws-cn:bedrock:us-west-2::foundation-model/" + onDemand, badIdentifier},
		"system ARN of another Region":         {"arn:aws:bedrock:us-east-1:111122223333:inference-profile/" + novaID, elsewhere},
		"system ARN of another account":        {"arn:aws:bedrock:us-west-2:444455556666:inference-profile/" + novaID, badIdentifier},
		"system ARN without account":           {"arn:aws:bedrock:us-west-2::inference-profile/" + novaID, badIdentifier},
		"system ARN of nothing":                {"arn:aws:bedrock:us-west-2:111122223333:inference-profile/us.no", badIdentifier},
		"application ARN of another Region":    {strings.Replace(string(app.ARN), "us-west-2", "us-east-1", 1), elsewhere},
		"application ARN of another account":   {strings.Replace(string(app.ARN), "1111", "4444", 1), badIdentifier},
		"application ARN of nothing":           {string(app.ARN[:len(app.ARN)-1]), badIdentifier},
		"application id in a system ARN":       {strings.Replace(string(app.ARN), "application-", "", 1), badIdentifier},
		"system id in an application ARN":      {strings.Replace(novaARN, "inference-profile", "application-inference-profile", 1), badIdentifier},
		"nothing":                              {"", badIdentifier},
		"a slash":                              {"a/b", badIdentifier},
		"an ARN cut short":                     {"arn:aws:bedrock:us-west-2", badIdentifier},
		"a variable":                           {"${CHAT_PROFILE}", badIdentifier + " ${CHAT_PROFILE} was not replaced by its value: set the variable where the client starts, or write the ARN itself."},
		"a variable inside an application ARN": {"arn:aws:bedrock:us-west-2:${ACCOUNT}:application-inference-profile/k3x09m2p7q1z", badIdentifier + " ${ACCOUNT} was not replaced by its value: set the variable where the client starts, or write the ARN itself."},
		"half a variable":                      {"${CHAT", badIdentifier},
		"router":                               {"arn:aws:bedrock:us-west-2:111122223333:default-prompt-router/anthropic.claude:1", badIdentifier + " Outcrop does not serve prompt routers; name a model or an inference profile."},
		"prompt":                               {"arn:aws:bedrock:us-west-2:111122223333:prompt/ABCDEFGHIJ:1", badIdentifier + " Outcrop does not serve managed prompts; name a model or an inference profile."},
		"provisioned":                          {"arn:aws:bedrock:us-west-2:111122223333:provisioned-model/abcdefghijkl", badIdentifier + " Outcrop does not serve provisioned models; name a model or an inference profile."},
		"custom":                               {"arn:aws:bedrock:us-west-2:111122223333:custom-model-deployment/abcdefghijkl", badIdentifier + " Outcrop does not serve custom models; name a model or an inference profile."},
		"imported":                             {"arn:aws:bedrock:us-west-2:111122223333:imported-model/abcdefghijkl", badIdentifier + " Outcrop does not serve imported models; name a model or an inference profile."},
		"endpoint":                             {"arn:aws:sagemaker:us-west-2:111122223333:endpoint/mine", badIdentifier + " Outcrop does not serve SageMaker endpoints; name a model or an inference profile."},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				got, err := b.resolve(t, c.modelID)
				// What follows AWS's words is the cure: TestAWrongModelIDIsToldItsCure.
				if e := profiletest.Refused(t, err, outcrop.Invalid, c.message); e.Message != c.message && c.message != badIdentifier {
					t.Errorf("resolved to %v, %q; want %q", got, e.Message, c.message)
				}
			}
		})
	}
}

func TestBareProfileIDsResolveWhenAsked(t *testing.T) {
	b := setUp(profile.Options{AcceptBareProfileID: true})
	app := b.create(t, novaARN)
	for range 2 {
		got, err := b.resolve(t, app.ID)
		if err != nil || got.ProfileARN() != app.ARN || got.Ref.Text != app.ID {
			t.Fatalf("resolved to %v, %v", got, err)
		}
	}
	if err := b.Delete(t.Context(), account, region, app.ID); err != nil {
		t.Fatal(err)
	}
	_, err := b.resolve(t, app.ID)
	profiletest.Refused(t, err, outcrop.Invalid, badIdentifier)
}

func TestEachCallerSeesItsOwn(t *testing.T) {
	b := setUp(profile.Options{})
	app := b.create(t, modelARN)
	for range 2 { // what one caller warmed must not serve another
		if _, err := b.resolve(t, string(app.ARN)); err != nil {
			t.Fatal(err)
		}
		for _, who := range []struct {
			a outcrop.AccountID
			r outcrop.Region
		}{{stranger, region}, {account, "us-east-1"}} {
			_, err := b.Resolve(t.Context(), who.a, who.r, outcrop.ParseModelRef(string(app.ARN)))
			profiletest.Refused(t, err, outcrop.Invalid, badIdentifier)
			got, err := b.Resolve(t.Context(), who.a, who.r, outcrop.ParseModelRef(novaID))
			if err != nil || got.ProfileARN() != outcrop.SystemProfileARN(who.r, who.a, novaID) {
				t.Errorf("resolved to %v, %v", got, err)
			}
		}
	}
}

func TestWarmResolveAsksNoStore(t *testing.T) {
	b := setUp(profile.Options{})
	app := b.create(t, novaARN)
	for range 100 {
		if _, err := b.resolve(t, string(app.ARN)); err != nil {
			t.Fatal(err)
		}
	}
	if n := b.reads.Load(); n != 1 {
		t.Errorf("%d reads, want 1", n)
	}
}

func TestTagsAreThoseOfTheCall(t *testing.T) {
	b := setUp(profile.Options{})
	app := b.create(t, novaARN, profile.Tag{Key: "stage", Value: "test"})
	arn := string(app.ARN)
	first, err := b.resolve(t, arn)
	if err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		do   func() error
		want string
	}{
		{func() error {
			return b.Tag(t.Context(), account, region, arn, []profile.Tag{{Key: "stage", Value: "uat"}})
		}, "map[stage:uat]"},
		{func() error {
			return b.Tag(t.Context(), account, region, arn, []profile.Tag{{Key: "team", Value: "x"}})
		}, "map[stage:uat team:x]"},
		{func() error { return b.Untag(t.Context(), account, region, arn, []string{"stage", "nothing"}) }, "map[team:x]"},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if got, err := b.resolve(t, arn); err != nil || fmt.Sprint(got.Tags) != step.want {
				t.Errorf("tags = %v, %v; want %s", got.Tags, err, step.want)
			}
		}
	}
	if fmt.Sprint(first.Tags) != "map[stage:test]" {
		t.Errorf("a Target that was handed out changed: %v", first.Tags)
	}
	if err := b.Delete(t.Context(), account, region, arn); err != nil {
		t.Fatal(err)
	}
	_, err = b.resolve(t, arn)
	profiletest.Refused(t, err, outcrop.Invalid, badIdentifier)
}

// Property: a call that begins after a tag was set sees it, whatever other
// readers and writers do meanwhile.
func TestNoStaleTagAfterAChange(t *testing.T) {
	b := setUp(profile.Options{CacheEntries: 1})
	arn := string(b.create(t, novaARN, profile.Tag{Key: "n", Value: "0"}).ARN)
	var set atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				atLeast := set.Load()
				got, err := b.resolve(t, arn)
				var n int64
				if err == nil {
					_, err = fmt.Sscan(got.Tags["n"], &n)
				}
				if err != nil || n < atLeast {
					t.Errorf("saw %d after %d was set, %v", n, atLeast, err)
					return
				}
			}
		})
	}
	for n := int64(1); n <= 2000; n++ {
		if err := b.Tag(ctx, account, region, arn, []profile.Tag{{Key: "n", Value: fmt.Sprint(n)}}); err != nil {
			t.Error(err)
			break
		}
		set.Store(n)
	}
	stop()
	wg.Wait()
}

func TestTheCacheIsBounded(t *testing.T) {
	b := setUp(profile.Options{CacheEntries: 64, Quota: 1000})
	var arns []string
	for range 500 {
		arns = append(arns, string(b.create(t, novaARN).ARN))
	}
	for range 2 {
		for _, arn := range arns {
			if _, err := b.resolve(t, arn); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := b.reads.Load(); n < 500+500-64 {
		t.Errorf("%d reads: more than 64 entries were kept", n)
	}
}

func TestACatalogueReloadIsSeenAtOnce(t *testing.T) {
	b := setUp(profile.Options{})
	app, geo := b.create(t, globalARN), b.create(t, novaARN)
	refs := []string{string(app.ARN), globalARN, string(geo.ARN), novaARN}
	count := func() (n []int) {
		for _, ref := range refs {
			got, err := b.resolve(t, ref)
			if err != nil {
				t.Fatal(err)
			}
			n = append(n, len(got.Destinations))
		}
		return n
	}
	before := count()
	b.catalog.Store(overlaid(t, "regions:\n  dc-berlin-1:\n    name: Berlin\n    partition: aws\n    controlPlane: true\n    applicationProfiles: true\n    global: true\n"))
	after := count()
	want := []int{before[0] + 1, before[1] + 1, before[2], before[3]} // only global grows
	if !slices.Equal(after, want) {
		t.Errorf("destinations before %v, after %v, want %v", before, after, want)
	}
}

func TestAProfileOutlivesItsSource(t *testing.T) {
	const overlay = "models:\n  acme.chat-v1:\n    name: Chat\n    provider: Acme\n    input: [TEXT]\n    output: [TEXT]\n    inferenceTypes: [ON_DEMAND]\n    status: ACTIVE\n    regions: [us-west-2]\n"
	b := setUp(profile.Options{})
	b.catalog.Store(overlaid(t, overlay))
	app := b.create(t, "arn:aws:bedrock:us-west-2::foundation-model/acme.chat-v1")
	if _, err := b.resolve(t, string(app.ARN)); err != nil {
		t.Fatal(err)
	}
	b.catalog.Store(overlaid(t, "models: {}\n"))
	_, err := b.resolve(t, string(app.ARN)) // nothing could answer it
	profiletest.Refused(t, err, outcrop.Invalid, badIdentifier)
	if got, err := b.Get(t.Context(), account, region, app.ID); err != nil || got.Model != "acme.chat-v1" {
		t.Errorf("got %v, %v", got, err)
	}
}

func BenchmarkResolve(b *testing.B) {
	bench := setUp(profile.Options{})
	for name, text := range map[string]string{
		"application": string(bench.create(b, novaARN).ARN), "system": novaID, "model": onDemand,
	} {
		b.Run(name, func(b *testing.B) {
			ref := outcrop.ParseModelRef(text)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := bench.Resolve(b.Context(), account, region, ref); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Property: whatever a client writes as modelId is refused as invalid or
// resolves to something that may run where the call was made.
func FuzzResolve(f *testing.F) {
	b := setUp(profile.Options{AcceptBareProfileID: true})
	for _, seed := range []string{
		string(b.create(f, globalARN).ARN), novaARN, novaID, modelARN, onDemand, profileOnly, "${A}", "a/b", "arn:aws:bedrock:::",
		"amazon.nova-premier-v1:0:8k", "arn:aws:sagemaker:us-west-2:111122223333:endpoint/a", "\xff:1k",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := b.resolve(t, text)
		switch {
		case err != nil:
			profiletest.Refused(t, err, outcrop.Invalid, "")
		case !slices.Contains(regionsOf(got.Destinations), region) || got.Model.ID == "" || got.Ref.Text != text:
			t.Errorf("%q resolved to %+v", text, got)
		}
	})
}

func TestModelsCountByTheirOwnID(t *testing.T) {
	p := setUp(profile.Options{})
	for _, text := range []string{profileOnly, "arn:aws:bedrock:us-west-2::foundation-model/" + profileOnly} {
		ref := outcrop.ParseModelRef(text)
		if _, err := p.Resolve(t.Context(), "111122223333", "us-west-2", ref); err == nil {
			t.Fatalf("%s may be invoked by its own id: the test needs a model that may not", text)
		}
		got, err := p.Countable(t.Context(), "111122223333", "us-west-2", ref)
		if err != nil || got.Model.ID != profileOnly {
			t.Errorf("%s: %+v, err %v", text, got, err)
		}
		if _, err := p.Resolve(t.Context(), "111122223333", "us-west-2", ref); err == nil {
			t.Errorf("%s: counting made it invocable", text)
		}
	}
	if _, err := p.Countable(t.Context(), "111122223333", "us-west-2", outcrop.ParseModelRef("no.such-model")); outcrop.KindOf(err) != outcrop.Invalid {
		t.Errorf("an unknown model: err = %v", err)
	}
}
