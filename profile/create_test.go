package profile_test

import (
	"fmt"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"outcrop"
	"outcrop/profile"
	"outcrop/profile/profiletest"
)

// The rows of reference/control-plane.md §1.4.
func TestCopyFrom(t *testing.T) {
	for name, c := range map[string]struct {
		source string
		opts   profile.Options
		region outcrop.Region
		want   outcrop.ARN // the source as kept; empty when refused
	}{
		"model of the Region":                       {source: modelARN, want: modelARN},
		"system profile of the Region":              {source: novaARN, want: novaARN},
		"system profile without account":            {source: "arn:aws:bedrock:us-west-2::inference-profile/" + novaID, want: novaARN},
		"global profile":                            {source: globalARN, want: globalARN},
		"profile-only model":                        {source: "arn:aws:bedrock:us-west-2::foundation-model/" + profileOnly, want: "arn:aws:bedrock:us-west-2::foundation-model/" + profileOnly},
		"embedding profile":                         {source: "arn:aws:bedrock:us-west-2:111122223333:inference-profile/us.cohere.embed-v4:0", want: "arn:aws:bedrock:us-west-2:111122223333:inference-profile/us.cohere.embed-v4:0"},
		"retired profile of the guides":             {source: "arn:aws:bedrock:us-west-2:111122223333:inference-profile/us.anthropic.claude-3-7-sonnet-20250219-v1:0", want: "arn:aws:bedrock:us-west-2:111122223333:inference-profile/us.anthropic.claude-3-7-sonnet-20250219-v1:0"},
		"profile-only model, switched off":          {source: "arn:aws:bedrock:us-west-2::foundation-model/" + profileOnly, opts: profile.Options{RejectProfileOnlyModels: true}},
		"system profile of another account":         {source: "arn:aws:bedrock:us-west-2:444455556666:inference-profile/" + novaID},
		"system profile of another Region":          {source: "arn:aws:bedrock:us-east-1:111122223333:inference-profile/" + novaID},
		"system profile of another geography":       {source: "arn:aws:bedrock:us-west-2:111122223333:inference-profile/eu.amazon.nova-lite-v1:0"},
		"model of another Region":                   {source: "arn:aws:bedrock:us-east-1::foundation-model/" + onDemand},
		"model without Region":                      {source: "arn:aws:bedrock:::foundation-model/" + onDemand},
		"model of an account":                       {source: "arn:aws:bedrock:us-west-2:111122223333:foundation-model/" + onDemand},
		"model of another partition":                {source: "arn:aws-us-gov:bedrock:us-west-2::foundation-model/" + onDemand},
		"unknown model":                             {source: "arn:aws:bedrock:us-west-2::foundation-model/no.such-model-v1:0"},
		"system profile written as model":           {source: "arn:aws:bedrock:us-west-2::foundation-model/" + novaID},
		"unknown profile":                           {source: "arn:aws:bedrock:us-west-2:111122223333:inference-profile/us.no.such"},
		"application profile":                       {source: "arn:aws:bedrock:us-west-2:111122223333:application-inference-profile/k3x09m2p7q1z"},
		"bare profile id":                           {source: novaID},
		"bare model id":                             {source: onDemand},
		"empty":                                     {source: ""},
		"an ARN of the caller's Region, not asked":  {source: modelARN, region: "us-east-1"},
		"a service of another name":                 {source: "arn:aws:sagemaker:us-west-2::foundation-model/" + onDemand},
		"an ARN that ends before its id":            {source: "arn:aws:bedrock:us-west-2::foundation-model/"},
		"an ARN with a bare model behind the colon": {source: "arn:aws:bedrock:us-west-2::foundation-model:" + onDemand},
	} {
		t.Run(name, func(t *testing.T) {
			b, req := setUp(c.opts), request(c.source)
			if c.region != "" {
				req.Region = c.region
			}
			p, err := b.Create(t.Context(), req)
			if c.want == "" {
				if e := profiletest.Refused(t, err, outcrop.Invalid, badSource); e.Message != badSource {
					t.Errorf("message = %q, want AWS's words alone", e.Message)
				}
				return
			}
			if err != nil || p.Source != c.want {
				t.Errorf("source = %v, %v; want %s", p, err, c.want)
			}
		})
	}
}

func TestAnUnexpandedVariableInCopyFromIsNamed(t *testing.T) {
	_, err := setUp(profile.Options{}).Create(t.Context(), request("arn:aws:bedrock:us-west-2:${ACCOUNT}:inference-profile/"+novaID))
	profiletest.Refused(t, err, outcrop.Invalid, badSource+" ${ACCOUNT}")
}

func TestRegionsWithoutApplicationProfilesSaySo(t *testing.T) {
	req := request("arn:aws:bedrock:ap-east-1::foundation-model/" + onDemand)
	req.Region = "ap-east-1"
	_, err := setUp(profile.Options{}).Create(t.Context(), req)
	profiletest.Refused(t, err, outcrop.Invalid, "not offered in ap-east-1")
}

func TestACopyTakesOverTheSource(t *testing.T) {
	b := setUp(profile.Options{})
	req := request(novaARN, profile.Tag{Key: "project", Value: "app01"})
	req.Description = "Team A chat"
	p, err := b.Create(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	source, err := b.Get(t.Context(), account, region, novaID)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(p.Models, source.Models) || !slices.Equal(p.Destinations, source.Destinations) || p.Geography != "us" || p.Model != "amazon.nova-lite-v1:0" {
		t.Errorf("copied %+v from %+v", p, source)
	}
	if p.Name != "myapp-01" || p.Description != "Team A chat" || p.Tags["project"] != "app01" || p.Kind != outcrop.Application {
		t.Errorf("made %+v", p)
	}
	if want := b.clock.Truncate(time.Microsecond); !p.CreatedAt.Equal(want) || !p.UpdatedAt.Equal(want) || p.CreatedAt.Location() != time.UTC {
		t.Errorf("created %v, updated %v; want %v", p.CreatedAt, p.UpdatedAt, want)
	}
	if !regexp.MustCompile(`^[a-z0-9]{12}$`).MatchString(p.ID) || p.ARN != outcrop.ApplicationProfileARN(region, account, p.ID) {
		t.Errorf("id %q, ARN %s", p.ID, p.ARN)
	}
	for _, identifier := range []string{p.ID, string(p.ARN)} {
		if got, err := b.Get(t.Context(), account, region, identifier); err != nil || got.ARN != p.ARN {
			t.Errorf("get %s: %v, %v", identifier, got, err)
		}
	}
}

func TestASingleRegionCopyTracksOneRegion(t *testing.T) {
	p := setUp(profile.Options{}).create(t, modelARN)
	if !slices.Equal(p.Models, []outcrop.ARN{modelARN}) || !slices.Equal(regionsOf(p.Destinations), []outcrop.Region{region}) || p.Geography != "" {
		t.Errorf("made %+v", p)
	}
}

// The rows of reference/control-plane.md §1.5.
func TestTokens(t *testing.T) {
	withToken := request(novaARN, profile.Tag{Key: "a", Value: "1"}, profile.Tag{Key: "b", Value: "2"})
	withToken.Token = "8d0c1c0e-0000-4000-8000-000000000000"
	for name, c := range map[string]struct {
		change func(*profile.CreateRequest)
		wait   time.Duration
		same   bool // the first answer again
		kind   outcrop.Kind
	}{
		"same parameters":          {same: true},
		"tags in another order":    {change: func(r *profile.CreateRequest) { slices.Reverse(r.Tags) }, same: true},
		"same, nearly a day later": {wait: 24 * time.Hour, same: true},
		"same, over a day later":   {wait: 24*time.Hour + time.Second},
		"another name":             {change: func(r *profile.CreateRequest) { r.Name = "other" }, kind: outcrop.Conflict},
		"another description":      {change: func(r *profile.CreateRequest) { r.Description = "other" }, kind: outcrop.Conflict},
		"another source":           {change: func(r *profile.CreateRequest) { r.CopyFrom = globalARN }, kind: outcrop.Conflict},
		"another tag":              {change: func(r *profile.CreateRequest) { r.Tags = r.Tags[:1] }, kind: outcrop.Conflict},
		"another token":            {change: func(r *profile.CreateRequest) { r.Token = "other" }},
		"no token":                 {change: func(r *profile.CreateRequest) { r.Token = "" }},
		"another account's token":  {change: func(r *profile.CreateRequest) { r.Account, r.CopyFrom = stranger, modelARN }},
		"the token in another place": {change: func(r *profile.CreateRequest) {
			r.Region, r.CopyFrom = "us-east-1", "arn:aws:bedrock:us-east-1:111122223333:inference-profile/"+novaID
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b, again := setUp(profile.Options{}), withToken
			again.Tags = slices.Clone(withToken.Tags)
			first, err := b.Create(t.Context(), withToken)
			if err != nil {
				t.Fatal(err)
			}
			if c.change != nil {
				c.change(&again)
			}
			b.clock = b.clock.Add(c.wait)
			p, err := b.Create(t.Context(), again)
			switch {
			case c.kind != outcrop.Internal:
				profiletest.Refused(t, err, c.kind, withToken.Token)
			case err != nil:
				t.Fatal(err)
			case (p.ARN == first.ARN) != c.same:
				t.Errorf("made %s after %s, want the same: %v", p.ARN, first.ARN, c.same)
			}
		})
	}
}

func TestATokenOfADeletedProfileCreatesAnew(t *testing.T) {
	b, req := setUp(profile.Options{}), request(novaARN)
	req.Token = "t"
	first, err := b.Create(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Delete(t.Context(), account, region, first.ID); err != nil {
		t.Fatal(err)
	}
	second, err := b.Create(t.Context(), req)
	if err != nil || second.ID == first.ID {
		t.Errorf("second = %v, %v", second, err)
	}
}

func TestFiftyWithOneTokenMakeOne(t *testing.T) {
	b, req := setUp(profile.Options{}), request(novaARN)
	req.Token = "t"
	var wg sync.WaitGroup
	ids := make([]string, 50)
	for i := range ids {
		wg.Go(func() {
			p, err := b.Create(t.Context(), req)
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = p.ID
		})
	}
	wg.Wait()
	if slices.Sort(ids); ids[0] != ids[len(ids)-1] {
		t.Errorf("made %v", slices.Compact(ids))
	}
}

func TestQuotaAndNames(t *testing.T) {
	b := setUp(profile.Options{Quota: 2})
	b.create(t, novaARN)
	second := b.create(t, novaARN) // the same name is fine by default
	_, err := b.Create(t.Context(), request(novaARN))
	profiletest.Refused(t, err, outcrop.QuotaExceeded, "L-40EC9882")
	if err := b.Delete(t.Context(), account, region, second.ID); err != nil {
		t.Fatal(err)
	}
	b.create(t, novaARN)

	b = setUp(profile.Options{UniqueNames: true})
	b.create(t, novaARN)
	_, err = b.Create(t.Context(), request(novaARN))
	profiletest.Refused(t, err, outcrop.Conflict, "myapp-01")
	other := request(modelARN)
	other.Account = stranger
	if _, err := b.Create(t.Context(), other); err != nil {
		t.Error(err)
	}
}

func TestTagsAtCreate(t *testing.T) {
	b := setUp(profile.Options{})
	b.create(t, novaARN, someTags(50)...)
	_, err := b.Create(t.Context(), request(novaARN, someTags(51)...))
	if e := profiletest.Refused(t, err, outcrop.TooManyTags, "50"); e.Resource != "myapp-01" {
		t.Errorf("resource = %q", e.Resource)
	}
	for _, tags := range [][]profile.Tag{
		{{Key: "a", Value: "1"}, {Key: "a", Value: "1"}}, {{Key: "aws:x", Value: "1"}}, {{Key: "AWS:x", Value: "1"}},
	} {
		_, err := b.Create(t.Context(), request(novaARN, tags...))
		profiletest.Refused(t, err, outcrop.Invalid, fmt.Sprintf("tag key %s", tags[0].Key))
	}
	if p := b.create(t, novaARN, profile.Tag{Key: "a"}, profile.Tag{Key: "A"}); len(p.Tags) != 2 {
		t.Errorf("keys are case-sensitive, got %v", p.Tags)
	}
}
