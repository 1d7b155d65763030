package gateway

import (
	"context"
	"strings"
	"testing"
	"time"

	"outcrop"
)

// bindTo binds one model id.
type bindTo map[string]string

func (b bindTo) Bound(_ *outcrop.Caller, ref outcrop.ModelRef) (outcrop.ModelRef, bool) {
	to, ok := b[ref.Text]
	return outcrop.ParseModelRef(to), ok
}

// named resolves application profiles, models and nothing else.
type named struct{ *world }

func (n named) Resolve(_ context.Context, _ outcrop.AccountID, _ outcrop.Region, ref outcrop.ModelRef) (*outcrop.Target, error) {
	t := *target
	switch {
	case ref.Text == appARN:
		t.Profile = &outcrop.InferenceProfile{ARN: appARN, ID: "abcdefghijkl", Kind: outcrop.Application}
	case ref.Text != "us.x.y":
		return nil, outcrop.Errorf(outcrop.Invalid, "The provided model identifier is invalid.")
	}
	return &t, nil
}

const appARN = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abcdefghijkl"

func asked(id, key string) *Call {
	c := call()
	c.Ref, c.Caller.AccessKey, c.Received = outcrop.ParseModelRef(id), key, time.Unix(1_800_000_000, 0)
	return c
}

func watched() *world {
	w := newWorld(attempt{})
	w.Profiles, w.Mistakes = named{w}, new(Mistakes)
	return w
}

// Each kind of mistake, provoked; and the calls that are none.
func TestMistakesAreNamedAndCounted(t *testing.T) {
	w := watched()
	w.Bindings = bindTo{"gone": appARN + "x", "sonnet": appARN}
	for _, id := range []string{
		"us.x.y", appARN, // a credential that has not used a profile yet, and then does
		"us.x.y", "us.x.y", // and forgets to
		"${BEDROCK_SONNET_PROFILE}",
		strings.Replace(appARN, "us-east-1", "us-west-2", 1),
		"gone", "sonnet", "no-such-model",
	} {
		w.Gateway.CountTokens(t.Context(), asked(id, "AKIA1")) // what comes of it is told by Mistakes
	}
	w.Gateway.CountTokens(t.Context(), asked("us.x.y", "AKIA2"))
	want := map[MistakeKind]int{UnmappedModel: 2, UnresolvedVariable: 1, OtherRegion: 1, StaleBinding: 1}
	list := w.Mistakes.List("1")
	for _, m := range list {
		if m.Count != want[m.Kind] || m.Principal == "" || m.First.IsZero() || m.Kind.Cure() == "" {
			t.Errorf("%+v, want %d of it, with a principal, a time and a cure", m, want[m.Kind])
		}
		delete(want, m.Kind)
	}
	if len(want) > 0 {
		t.Errorf("not named: %v", want)
	}
	if other := w.Mistakes.List("2"); len(other) != 0 {
		t.Errorf("another account sees %v", other)
	}
}

func TestMistakesStayBounded(t *testing.T) {
	var m Mistakes
	for i := range maxMistakes + 50 {
		m.note(UnmappedModel, asked(strings.Repeat("x", 10_000)+string(rune(i)), "AKIA1"), time.Now())
		m.note(UnmappedModel, asked(strings.Repeat("y", i), "AKIA1"), time.Now())
	}
	list := m.List("1")
	if len(list) > maxMistakes {
		t.Errorf("%d mistakes remembered", len(list))
	}
	for _, one := range list {
		if len(one.ModelID) > maxMistakenIDBytes {
			t.Fatalf("a model id of %d bytes is kept", len(one.ModelID))
		}
	}
}

// Property: a bound call is that of its profile in everything, and says which
// id the client wrote; a binding whose profile is gone refuses, in words.
func TestABoundCallIsThatOfItsProfile(t *testing.T) {
	w := watched()
	w.Bindings = bindTo{"sonnet": appARN, "gone": appARN + "x"}
	c := asked("sonnet", "AKIA1")
	trip, err := w.begin(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if trip.record.Binding != "sonnet" || trip.record.ModelRef != appARN || trip.record.Profile != appARN {
		t.Errorf("recorded as %q, called as %q, profile %q", trip.record.Binding, trip.record.ModelRef, trip.record.Profile)
	}
	if c.Ref.Text != appARN || c.Binding != "sonnet" || len(w.asked) == 0 || w.asked[0].Resource != appARN {
		t.Errorf("ref %q, binding %q, asked about %v", c.Ref.Text, c.Binding, w.asked)
	}
	_, err = w.begin(t.Context(), asked("gone", "AKIA1"))
	if outcrop.KindOf(err) != outcrop.Invalid || !strings.Contains(err.Error(), "The model id gone is bound to") {
		t.Errorf("err = %v", err)
	}
}
