package profile_test

import (
	"fmt"
	"strings"
	"testing"

	"outcrop"
	"outcrop/profile"
	"outcrop/profile/profiletest"
)

func TestTagRefuses(t *testing.T) {
	b := setUp(profile.Options{})
	app := string(b.create(t, novaARN).ARN)
	for name, c := range map[string]struct {
		arn   string
		kind  outcrop.Kind
		words string
	}{
		"system profile":         {novaARN, outcrop.Invalid, "cannot be tagged"},
		"unknown profile":        {app[:len(app)-1], outcrop.NotFound, app[:len(app)-1]},
		"another account's":      {strings.Replace(app, "111122223333", string(stranger), 1), outcrop.NotFound, string(stranger)},
		"another Region's":       {strings.Replace(app, "us-west-2", "us-east-1", 1), outcrop.NotFound, "us-east-1"},
		"another kind of thing":  {"arn:aws:bedrock:us-west-2:111122223333:prompt-router/abcdefghijkl", outcrop.NotFound, "prompt-router"},
		"another service":        {"arn:aws:s3:::bucket/key", outcrop.NotFound, "s3"},
		"a bare id":              {app[len(app)-12:], outcrop.Invalid, "not an ARN"},
		"nothing that has parts": {"arn:aws:bedrock", outcrop.Invalid, "not an ARN"},
	} {
		t.Run(name, func(t *testing.T) {
			profiletest.Refused(t, b.Tag(t.Context(), account, region, c.arn, someTags(1)), c.kind, c.words)
			profiletest.Refused(t, b.Tag(t.Context(), account, region, c.arn, nil), c.kind, c.words)
			profiletest.Refused(t, b.Untag(t.Context(), account, region, c.arn, []string{"a"}), c.kind, c.words)
			_, err := b.TagsOf(t.Context(), account, region, c.arn)
			profiletest.Refused(t, err, c.kind, c.words)
		})
	}
}

func TestTheLimitCountsTheUnion(t *testing.T) {
	b := setUp(profile.Options{})
	arn := string(b.create(t, novaARN, someTags(49)...).ARN)
	tag := func(tags ...profile.Tag) error { return b.Tag(t.Context(), account, region, arn, tags) }
	if err := tag(someTags(50)...); err != nil { // 49 of them are overwritten
		t.Error(err)
	}
	if e := profiletest.Refused(t, tag(profile.Tag{Key: "one-more"}), outcrop.TooManyTags, "50"); e.Resource != arn {
		t.Errorf("resource = %q", e.Resource)
	}
	profiletest.Refused(t, tag(profile.Tag{Key: "key-00", Value: "new"}, profile.Tag{Key: "one-more"}), outcrop.TooManyTags, "50")
	if got, err := b.TagsOf(t.Context(), account, region, arn); err != nil || len(got) != 50 || got["key-00"] != "v" {
		t.Errorf("%d tags, key-00 = %q, %v: a refused request set something", len(got), got["key-00"], err)
	}
	if err := tag(profile.Tag{Key: "key-00", Value: "new"}); err != nil {
		t.Error(err)
	}
	profiletest.Refused(t, tag(profile.Tag{Key: "a", Value: "1"}, profile.Tag{Key: "a", Value: "2"}), outcrop.Invalid, "more than once")
	profiletest.Refused(t, tag(profile.Tag{Key: "aWs:a"}), outcrop.Invalid, "only AWS")
}

// Seed 004's slip: "key=project" is a key name, legal and absent.
func TestUntagIgnoresWhatIsNotThere(t *testing.T) {
	b := setUp(profile.Options{})
	arn := string(b.create(t, novaARN, profile.Tag{Key: "project", Value: "app01"}, profile.Tag{Key: "stage", Value: "uat"}).ARN)
	for range 2 {
		if err := b.Untag(t.Context(), account, region, arn, []string{"key=project", "stage"}); err != nil {
			t.Fatal(err)
		}
		if got, err := b.TagsOf(t.Context(), account, region, arn); err != nil || fmt.Sprint(got) != "map[project:app01]" {
			t.Errorf("tags = %v, %v", got, err)
		}
	}
}
