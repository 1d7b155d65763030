package quota

import (
	"context"
	"math"
	"testing"

	"outcrop"
)

var models = []Model{
	{ID: "amazon.nova-lite-v1:0", Name: "Amazon Nova Lite", Classes: []outcrop.ProfileClass{outcrop.InRegion, outcrop.Geographic}, Requests: 4000, Tokens: 8_000_000},
	{ID: "x.y", Name: "X Y", Classes: []outcrop.ProfileClass{outcrop.GlobalClass}, Tokens: 1000},
}

type shelf struct{ values map[Set]float64 }

func (s shelf) QuotaValues(context.Context) (map[Set]float64, error) { return s.values, nil }
func (s shelf) PutQuotaRequest(context.Context, Request) error       { return nil }
func (s shelf) QuotaRequests(context.Context, outcrop.AccountID, outcrop.Region) ([]Request, error) {
	return nil, nil
}

func TestCodesAreAWSsOrStable(t *testing.T) {
	b := NewBook(models)
	for code, want := range map[string]float64{"L-E386A278": 2000, "L-70423BF8": 4_000_000, "L-89F8391A": 4000} {
		if q, ok := b.Find(code); !ok || q.Default != want {
			t.Errorf("%s: %+v, want %v", code, q, want)
		}
	}
	if len(b.List()) != 8 { // three of two classes, and no requests for the other
		t.Errorf("%d quotas, want 8", len(b.List()))
	}
	again := NewBook(models)
	for i, q := range b.List() {
		if again.List()[i].Code != q.Code || len(q.Code) != len("L-12345678") {
			t.Errorf("%s: %s and %s", q.Name, q.Code, again.List()[i].Code)
		}
	}
}

func TestOnlyWhatIsSetHoldsCalls(t *testing.T) {
	k := Key{"1", "us-east-1", outcrop.Geographic, "amazon.nova-lite-v1:0"}
	set := map[Set]float64{{"1", "us-east-1", "L-89F8391A"}: 7}
	for e, want := range map[Enforcement]Limits{
		EnforceSet: {Requests: To(7)}, EnforceOff: {},
		EnforceAWS: {Requests: To(7), Tokens: To(8_000_000), DailyTokens: To(8_000_000 * minutesPerDay)},
	} {
		v, err := OpenValues(t.Context(), func() *Book { return NewBook(models) }, shelf{set}, e)
		if err != nil {
			t.Fatal(err)
		}
		if got := v.Limits(k); got != want {
			t.Errorf("%s: %+v, want %+v", e, got, want)
		}
		other := k
		other.Region = "eu-west-1"
		if got := v.Limits(other); e == EnforceSet && !got.None() {
			t.Errorf("another Region is held: %+v", got)
		}
	}
}

func TestAnApprovedValueHoldsFromThenOn(t *testing.T) {
	v, err := OpenValues(t.Context(), func() *Book { return NewBook(models) }, shelf{}, EnforceSet)
	if err != nil {
		t.Fatal(err)
	}
	g := NewGate(v.Limits, nil)
	k := Key{"1", "us-east-1", outcrop.Geographic, "amazon.nova-lite-v1:0"}
	r := Request{Set: Set{"1", "us-east-1", "L-89F8391A"}, Value: 0, Status: Waiting}
	for status, admitted := range map[string]bool{Waiting: true} {
		r.Status = status
		if err := v.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		g.Refresh()
		if _, err := g.Admit(epoch, k, 1); (err == nil) != admitted {
			t.Errorf("%s: %v", status, err)
		}
	}
	r.Status = Approved
	if err := v.Put(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	g.Refresh()
	if _, err := g.Admit(epoch, k, 1); outcrop.KindOf(err) != outcrop.Throttled || g.AccountHeadroom(epoch, k) != 0 {
		t.Errorf("a quota of 0 let a call through: %v", err)
	}
	if math.IsNaN(g.AccountHeadroom(epoch, k)) {
		t.Error("no number")
	}
}
