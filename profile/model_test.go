package profile_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"outcrop"
	"outcrop/profile"

	"pgregory.net/rapid"
)

// A world is what the profiles of two accounts should be: the simplest thing
// that could be right.
type world struct {
	t     *testing.T
	b     *bench
	arns  []string // in order of creation; deleted ones stay in the draw
	alive map[string]outcrop.Tags
}

var owners = []outcrop.AccountID{account, stranger}

func ownerOf(arn string) outcrop.AccountID { return outcrop.ARN(arn).Parts().Account }

// Property: any sequence of operations leaves what a map would hold, and
// Resolve, Get, List and TagsOf all tell the same story.
func TestProfilesBehaveLikeAMap(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := &world{t: t, b: setUp(profile.Options{Quota: 6}), alive: map[string]outcrop.Tags{}}
		r.Repeat(map[string]func(*rapid.T){
			"create": w.create, "tag": w.tag, "untag": w.untag, "delete": w.delete, "resolve": w.resolve, "": w.check,
		})
	})
}

var (
	tagKeys = rapid.SampledFrom([]string{"team", "stage", "cost", "aws:no"})
	tagSet  = rapid.SliceOfN(rapid.Custom(func(r *rapid.T) profile.Tag {
		return profile.Tag{Key: tagKeys.Draw(r, "key"), Value: rapid.SampledFrom([]string{"", "a", "b"}).Draw(r, "value")}
	}), 0, 3)
)

// accepted says what a list of tags comes to, if it is accepted.
func accepted(list []profile.Tag) (outcrop.Tags, bool) {
	tags := outcrop.Tags{}
	for _, tag := range list {
		tags[tag.Key] = tag.Value
	}
	_, reserved := tags["aws:no"]
	return tags, !reserved && len(tags) == len(list)
}

func (w *world) create(r *rapid.T) {
	owner := rapid.SampledFrom(owners).Draw(r, "owner")
	list := tagSet.Draw(r, "tags")
	req := profile.CreateRequest{Account: owner, Region: region, Name: "n", CopyFrom: modelARN, Tags: list}
	w.b.clock = w.b.clock.Add(time.Duration(rapid.IntRange(0, 1).Draw(r, "seconds")) * time.Second)
	p, err := w.b.Create(w.t.Context(), req)
	tags, ok := accepted(list)
	switch full := len(w.owned(owner)) >= 6; {
	case !ok:
		wantKind(r, err, outcrop.Invalid)
	case full:
		wantKind(r, err, outcrop.QuotaExceeded)
	case err != nil:
		r.Fatal(err)
	default:
		w.arns = append(w.arns, string(p.ARN))
		w.alive[string(p.ARN)] = tags
	}
}

func wantKind(r *rapid.T, err error, kind outcrop.Kind) {
	var e *outcrop.Error
	if !errors.As(err, &e) || e.Kind != kind {
		r.Fatalf("err = %v, want kind %d", err, kind)
	}
}

// some draws a profile that is or was; it skips the step when there is none.
func (w *world) some(r *rapid.T) (arn string, tags outcrop.Tags, alive bool) {
	if len(w.arns) == 0 {
		r.Skip("no profile yet")
	}
	arn = rapid.SampledFrom(w.arns).Draw(r, "arn")
	tags, alive = w.alive[arn]
	return arn, tags, alive
}

func (w *world) tag(r *rapid.T) {
	arn, tags, alive := w.some(r)
	list := tagSet.Draw(r, "tags")
	err := w.b.Tag(w.t.Context(), ownerOf(arn), region, arn, list)
	add, ok := accepted(list)
	switch {
	case !ok:
		wantKind(r, err, outcrop.Invalid)
	case !alive:
		wantKind(r, err, outcrop.NotFound)
	case err != nil:
		r.Fatal(err)
	default:
		maps.Copy(tags, add)
	}
}

func (w *world) untag(r *rapid.T) {
	arn, tags, alive := w.some(r)
	keys := rapid.SliceOfN(tagKeys, 0, 3).Draw(r, "keys")
	err := w.b.Untag(w.t.Context(), ownerOf(arn), region, arn, keys)
	if !alive {
		wantKind(r, err, outcrop.NotFound)
		return
	}
	if err != nil {
		r.Fatal(err)
	}
	maps.DeleteFunc(tags, func(k, _ string) bool { return slices.Contains(keys, k) })
}

func (w *world) delete(r *rapid.T) {
	arn, _, alive := w.some(r)
	err := w.b.Delete(w.t.Context(), ownerOf(arn), region, arn)
	if !alive {
		wantKind(r, err, outcrop.NotFound)
	} else if err != nil {
		r.Fatal(err)
	}
	delete(w.alive, arn)
}

func (w *world) resolve(r *rapid.T) {
	arn, tags, alive := w.some(r)
	got, err := w.b.Resolve(w.t.Context(), ownerOf(arn), region, outcrop.ParseModelRef(arn))
	if !alive {
		wantKind(r, err, outcrop.Invalid)
	} else if err != nil || fmt.Sprint(got.Tags) != fmt.Sprint(tags) {
		r.Fatalf("resolved with tags %v, %v; want %v", got.Tags, err, tags)
	}
}

func (w *world) owned(a outcrop.AccountID) (arns []string) {
	for arn := range w.alive {
		if ownerOf(arn) == a {
			arns = append(arns, arn)
		}
	}
	slices.Sort(arns)
	return arns
}

func (w *world) check(r *rapid.T) {
	for _, owner := range owners {
		var listed []string
		for _, p := range walk(w.t, w.b, profile.ListRequest{Account: owner, Region: region, Kind: outcrop.Application, Limit: 2}) {
			listed = append(listed, string(p.ARN))
		}
		slices.Sort(listed)
		if want := w.owned(owner); !slices.Equal(listed, want) {
			r.Fatalf("listed %v, want %v", listed, want)
		}
	}
	for arn, tags := range w.alive {
		got, err := w.b.TagsOf(w.t.Context(), ownerOf(arn), region, arn)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(tags) {
			r.Fatalf("tags of %s = %v, %v; want %v", arn, got, err, tags)
		}
	}
}
