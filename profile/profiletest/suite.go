// Package profiletest holds every profile.Store to the same promises.
package profiletest

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"outcrop"
	"outcrop/profile"
)

// The suite's usual owner and moment.
const (
	account = outcrop.AccountID("111122223333")
	region  = outcrop.Region("us-west-2")
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 123456000, time.UTC)

// Run holds the stores that open makes to every promise of profile.Store.
func Run(t *testing.T, open func(testing.TB) profile.Store) {
	for name, check := range map[string]func(*testing.T, profile.Store){
		"what is created is found, whole":                     found,
		"what is handed out belongs to the caller":            separate,
		"accounts and Regions do not see each other":          apart,
		"what is deleted is gone, and its place free":         deleted,
		"tags change by the caller's rule or not at all":      tagged,
		"tag changes at the same time all hold":               taggedTogether,
		"a token makes one profile":                           once,
		"a token used by fifty at once makes one profile":     onceTogether,
		"a token is forgotten with time and with its profile": forgotten,
		"the quota holds, also against fifty at once":         quota,
		"names are unique when asked":                         named,
		"an id is taken once":                                 identified,
		"pages neither lose nor repeat":                       paged,
		"pages neither lose nor repeat while others insert":   pagedTogether,
		"profiles of one moment are ordered by id":            tied,
	} {
		t.Run(name, func(t *testing.T) { check(t, open(t)) })
	}
}

// creation is a profile as the engine would make it; change adjusts it.
func creation(id string, at time.Time) profile.Creation {
	return Creation(profile.Key{Account: account, Region: region, ID: id}, at)
}

// Creation is a plausible profile for tests that fill a store directly.
func Creation(k profile.Key, at time.Time) profile.Creation {
	model := outcrop.ModelID("amazon.nova-lite-v1:0")
	p := &outcrop.InferenceProfile{
		ARN: outcrop.ApplicationProfileARN(k.Region, k.Account, k.ID), ID: k.ID, Name: "chat-" + k.ID, Description: "Team A: chat.",
		Kind: outcrop.Application, Geography: "us", Source: outcrop.SystemProfileARN(k.Region, k.Account, "us.amazon.nova-lite-v1:0"),
		Model: model, Tags: outcrop.Tags{"team": "blue", "stage": ""}, CreatedAt: at, UpdatedAt: at,
	}
	for _, r := range []outcrop.Region{"us-east-1", "us-west-2", "us-east-2"} { // AWS's order is not the alphabet's
		p.Models = append(p.Models, outcrop.FoundationModelARN("aws", r, model))
		p.Destinations = append(p.Destinations, outcrop.Destination{Region: r, Model: model})
	}
	return profile.Creation{Key: k, Profile: p, TokensSince: at.Add(-24 * time.Hour), Quota: 1000}
}

func must(t *testing.T, s profile.Store, c profile.Creation) *outcrop.InferenceProfile {
	t.Helper()
	p, err := s.CreateProfile(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("err = %v, want %v", err, want)
	}
}

func found(t *testing.T, s profile.Store) {
	bare := creation("bbbbbbbbbbbb", noon)
	bare.Profile.Tags, bare.Profile.Description, bare.Profile.Geography = nil, "", ""
	odd := creation("cccccccccccc", noon)
	odd.Profile.Tags = outcrop.Tags{`a "quoted" \ key`: "<&>\u2028", "": ""}
	for _, c := range []profile.Creation{creation("aaaaaaaaaaaa", noon), bare, odd} {
		made := must(t, s, c)
		got, err := s.Profile(t.Context(), c.Key)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []*outcrop.InferenceProfile{made, got} {
			if !reflect.DeepEqual(p, c.Profile) {
				t.Errorf("got  %+v\nwant %+v", p, c.Profile)
			}
		}
	}
	_, err := s.Profile(t.Context(), profile.Key{Account: account, Region: region, ID: "unknown"})
	wantErr(t, err, profile.ErrNotFound)
}

func separate(t *testing.T, s profile.Store) {
	c := creation("aaaaaaaaaaaa", noon)
	want := Creation(c.Key, noon).Profile
	spoil := func(p *outcrop.InferenceProfile) {
		p.Tags["team"], p.Models[0], p.Destinations[0].Region, p.Name = "spoilt", "spoilt", "spoilt", "spoilt"
	}
	spoil(must(t, s, c))
	spoil(c.Profile)
	page, err := s.ProfilePage(t.Context(), account, region, profile.Position{}, 1)
	if err != nil || len(page) != 1 {
		t.Fatalf("page = %v, %v", page, err)
	}
	spoil(page[0])
	if err := s.ChangeProfileTags(t.Context(), c.Key, func(old outcrop.Tags) (outcrop.Tags, error) {
		old["team"] = "spoilt"
		return nil, errors.ErrUnsupported
	}); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	for range 2 {
		got, err := s.Profile(t.Context(), c.Key)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
		}
		spoil(got)
	}
}

func apart(t *testing.T, s profile.Store) {
	here := profile.Key{Account: account, Region: region, ID: "aaaaaaaaaaaa"}
	others := []profile.Key{
		{Account: "444455556666", Region: region, ID: here.ID}, {Account: account, Region: "eu-west-1", ID: here.ID},
	}
	c := Creation(here, noon)
	c.Token, c.Fingerprint, c.Quota = "token", "f", 1
	must(t, s, c)
	for _, k := range others {
		_, err := s.Profile(t.Context(), k)
		wantErr(t, err, profile.ErrNotFound)
		wantErr(t, s.DeleteProfile(t.Context(), k), profile.ErrNotFound)
		if page, err := s.ProfilePage(t.Context(), k.Account, k.Region, profile.Position{}, 10); err != nil || len(page) != 0 {
			t.Errorf("page = %v, %v", page, err)
		}
		c := Creation(k, noon)
		c.Token, c.Fingerprint, c.Quota, c.UniqueName = "token", "other", 1, true
		if p := must(t, s, c); p.ARN != c.Profile.ARN {
			t.Errorf("made %s, want %s", p.ARN, c.Profile.ARN)
		}
	}
}

func deleted(t *testing.T, s profile.Store) {
	c := creation("aaaaaaaaaaaa", noon)
	c.Quota = 1
	for range 3 { // the quota counts what lives
		must(t, s, c)
		if err := s.DeleteProfile(t.Context(), c.Key); err != nil {
			t.Fatal(err)
		}
		_, err := s.Profile(t.Context(), c.Key)
		wantErr(t, err, profile.ErrNotFound)
		wantErr(t, s.DeleteProfile(t.Context(), c.Key), profile.ErrNotFound)
		wantErr(t, s.ChangeProfileTags(t.Context(), c.Key, replaceWith(nil)), profile.ErrNotFound)
	}
}

func replaceWith(tags outcrop.Tags) func(outcrop.Tags) (outcrop.Tags, error) {
	return func(outcrop.Tags) (outcrop.Tags, error) { return tags, nil }
}

func tagged(t *testing.T, s profile.Store) {
	c := creation("aaaaaaaaaaaa", noon)
	must(t, s, c)
	for _, tags := range []outcrop.Tags{{"a": "1"}, {}, {"b": "", "c": "é\n"}} {
		if err := s.ChangeProfileTags(t.Context(), c.Key, replaceWith(tags)); err != nil {
			t.Fatal(err)
		}
		refuse := func(old outcrop.Tags) (outcrop.Tags, error) { return outcrop.Tags{"no": "no"}, errors.ErrUnsupported }
		wantErr(t, s.ChangeProfileTags(t.Context(), c.Key, refuse), errors.ErrUnsupported)
		got, err := s.Profile(t.Context(), c.Key)
		if err != nil || fmt.Sprint(got.Tags) != fmt.Sprint(tags) {
			t.Errorf("tags = %v, %v; want %v", got.Tags, err, tags)
		}
		if !got.UpdatedAt.Equal(noon) {
			t.Errorf("a tag moved updatedAt to %v; pages are ordered by time", got.UpdatedAt)
		}
	}
}

// together runs fn(0) to fn(n-1) at once and waits for all.
func together(n int, fn func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	wg.Wait()
}

func taggedTogether(t *testing.T, s profile.Store) {
	c := creation("aaaaaaaaaaaa", noon)
	c.Profile.Tags = nil
	must(t, s, c)
	together(20, func(i int) {
		err := s.ChangeProfileTags(t.Context(), c.Key, func(old outcrop.Tags) (outcrop.Tags, error) {
			tags := outcrop.Tags{fmt.Sprint(i): "x"}
			for k, v := range old {
				tags[k] = v
			}
			return tags, nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	got, err := s.Profile(t.Context(), c.Key)
	if err != nil || len(got.Tags) != 20 {
		t.Errorf("%d tags, %v; want all 20", len(got.Tags), err)
	}
}
