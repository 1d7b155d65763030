package budget

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"testing"
	"time"

	"outcrop"

	"pgregory.net/rapid"
)

// A limit that no longer holds, or does not yet, refuses nothing: not even a
// call whose cost is unknown.
func TestABudgetThatIsOverRefusesNothing(t *testing.T) {
	w := newWorld(t)
	w.made(t, "trip", "1", func(b *Budget) { b.Every, b.Start, b.End = Custom, noon, noon.Add(24*time.Hour) })
	w.now = noon.Add(25 * time.Hour)
	r := w.record("a", 5*million)
	if err := w.Reserve(&r); err != nil {
		t.Errorf("after its end: %v", err)
	}
	r = w.record("b", 5)
	r.Quote = outcrop.Quote{}
	if err := w.Reserve(&r); err != nil {
		t.Errorf("a model without a price, after its end: %v", err)
	}
}

// What a budget came to is still told when it is over.
func TestABudgetThatIsOverTellsWhatItCameTo(t *testing.T) {
	w := newWorld(t)
	k := w.made(t, "trip", "5", func(b *Budget) { b.Every, b.Start, b.End = Custom, noon, noon.Add(48*time.Hour) })
	if err := w.call("a", 2*million, 2*million); err != nil {
		t.Fatal(err)
	}
	w.now = noon.Add(72 * time.Hour)
	st, err := w.Get(t.Context(), k)
	if err != nil || st.Spent != outcrop.Dollars(2) || st.Limit != outcrop.Dollars(5) || st.Alive {
		t.Errorf("spent %s of %s, alive %v (%v), want 2 of 5 and over", st.Spent, st.Limit, st.Alive, err)
	}
	past, err := w.History(t.Context(), k, Period{noon.AddDate(0, -1, 0), w.now})
	if err != nil || len(past) != 1 || past[0].Spent != outcrop.Dollars(2) {
		t.Errorf("its history is %v (%v)", past, err)
	}
}

// Thresholds are decimals and are compared as such, not as binary fractions.
func TestThresholdsAreExact(t *testing.T) {
	for _, c := range []struct {
		operator      string
		value         float64
		absolute      bool
		amount, limit string
		want          bool
	}{
		{"GREATER_THAN", 7, false, "0.07", "1", false},
		{"GREATER_THAN", 55, false, "0.55", "1", false},
		{"GREATER_THAN", 55, false, "0.550000000001", "1", true},
		{"EQUAL_TO", 29, false, "0.29", "1", true},
		{"LESS_THAN", 58, false, "0.58", "1", false},
		{"GREATER_THAN", 90071992.1, true, "90071992.100000000001", "1", true}, // more digits than a float has
		{"GREATER_THAN", 100, false, "0", "0", false},
		{"GREATER_THAN", 100, false, "0.000000000001", "0", true},
		{"EQUAL_TO", 0.1, true, "0.1", "3", true},
	} {
		amount, _ := outcrop.ParseMoney(c.amount)
		limit, _ := outcrop.ParseMoney(c.limit)
		th := Threshold{Kind: Actual, Operator: c.operator, Value: c.value, Absolute: c.absolute}
		if got := th.crossed(amount, limit); got != c.want {
			t.Errorf("%s of %s is %s %v: %v", c.amount, c.limit, c.operator, c.value, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		cents := rapid.Uint64Range(0, 1_000_000).Draw(t, "cents")
		limit := rapid.Uint64Range(1, 10_000).Draw(t, "limit")
		tenths := rapid.Uint64Range(0, 2000).Draw(t, "tenths of a per cent")
		amount, _ := outcrop.ParseMoney(fmt.Sprintf("%d.%02d", cents/100, cents%100))
		value, _ := strconv.ParseFloat(fmt.Sprintf("%d.%d", tenths/10, tenths%10), 64)
		exact := big.NewInt(int64(cents * 10)).Cmp(big.NewInt(int64(tenths * limit))) // cents/100 of limit, in tenths of a per cent
		for operator, want := range map[string]bool{"GREATER_THAN": exact > 0, "EQUAL_TO": exact == 0, "LESS_THAN": exact < 0} {
			th := Threshold{Kind: Actual, Operator: operator, Value: value}
			if th.crossed(amount, outcrop.Dollars(limit)) != want {
				t.Fatalf("%s of %d is not %s %v per cent as it should be", amount, limit, operator, value)
			}
		}
	})
}

// Two who look at the same moment tell and act once.
func TestWhoLooksTogetherTellsOnce(t *testing.T) {
	w := newWorld(t)
	k := w.made(t, "team-a", "10", func(b *Budget) {
		b.Alerts = []Alert{{Threshold: Threshold{Kind: Actual, Operator: "GREATER_THAN", Value: 80}, Subscribers: []Subscriber{{"EMAIL", "ann@example.com"}}}}
		b.Actions = []Action{{ID: "x", Threshold: Threshold{Kind: Actual, Operator: "GREATER_THAN", Value: 50}, Definition: Definition{Policy: "deny", Users: []string{"ann"}}, Status: Standby}}
	})
	w.call("a", 9*million, 9*million)
	if _, err := w.count(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, st := range append(w.statuses(), w.statuses()...) { // both have looked before either acts
		if err := w.act(t.Context(), st); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(w.shelf.queue); n != 1 {
		t.Errorf("%d messages, want 1", n)
	}
	if len(w.hands) != 1 {
		t.Errorf("the action was carried out %d times", len(w.hands))
	}
	if st, _ := w.Get(t.Context(), k); len(st.Actions[0].History) != 1 {
		t.Errorf("the action remembers %v", st.Actions[0].History)
	}
}

// An action that failed has its next chance when the next period begins.
func TestAFailedActionBeginsAnewWithItsPeriod(t *testing.T) {
	w := newWorld(t)
	k := w.made(t, "team-a", "10", func(b *Budget) {
		b.Actions = []Action{{ID: "x", Threshold: Threshold{Kind: Actual, Operator: "GREATER_THAN", Value: 50}, Definition: Definition{Policy: "deny", Users: []string{"ann"}}, Status: Standby}}
	})
	hand := &failing{Hand: w, err: errors.New("no such user")}
	w.options.Hand = hand
	status := func(want string) {
		t.Helper()
		st, err := w.Get(t.Context(), k)
		if err != nil || st.Actions[0].Status != want {
			t.Fatalf("%v %v, want %s", st.Actions, err, want)
		}
	}
	w.call("a", 6*million, 6*million)
	status(Failed)
	status(Failed)
	hand.err = nil
	w.now = w.now.AddDate(0, 1, 0)
	status(Standby)
	w.call("b", 6*million, 6*million)
	status(Executed)
}

type failing struct {
	Hand
	err error
}

func (f *failing) Apply(ctx context.Context, a outcrop.AccountID, d Definition) error {
	if f.err != nil {
		return f.err
	}
	return f.Hand.Apply(ctx, a, d)
}

// A budget of one usage type is held although nobody knows beforehand which
// usage a call will have: input may turn out to be read from a cache, output to
// be reasoning.
func TestAHardBudgetOfAUsageTypeIsHeld(t *testing.T) {
	w := newWorld(t)
	k := w.made(t, "cache", "1", func(b *Budget) {
		b.Filter = &Filter{Dimension: &Match{Key: "USAGE_TYPE", Values: []string{outcrop.CacheReadTokens.String()}}}
	})
	call := func(id string, input outcrop.Tokens) error {
		r := w.record(id, 10)
		r.Quote.Rates.Set(outcrop.CacheReadTokens, 1_000_000)
		done := r
		r.Usage.Set(outcrop.InputTokens, input)
		if err := w.Reserve(&r); err != nil {
			return err
		}
		done.Usage.Set(outcrop.CacheReadTokens, input)
		w.Settle(&done)
		w.ledger.settle(done)
		return nil
	}
	if err := call("a", million); err != nil {
		t.Fatal(err)
	}
	if err := call("b", 1); outcrop.KindOf(err) != outcrop.Denied {
		t.Errorf("the limit is reached, and yet %v", err)
	}
	if got := w.spent(t, k); got != "1" {
		t.Errorf("spent %s, want 1", got)
	}
}

// Where a token of reasoning is dearer than one of output, a call is held for
// what it comes to if it does nothing but reason.
func TestAHardBudgetHoldsDearReasoning(t *testing.T) {
	w := newWorld(t)
	w.made(t, "all", "1", func(*Budget) {})
	r := w.record("a", 0)
	r.Quote.Rates.Set(outcrop.OutputTokens, 1_000_000)
	r.Usage.Set(outcrop.OutputTokens, million/2)
	if err := w.Reserve(&r); err != nil {
		t.Fatal(err)
	}
	w.Cancel(r.Invocation)
	r.Quote.Rates.Set(outcrop.ReasoningTokens, 3_000_000)
	if err := w.Reserve(&r); outcrop.KindOf(err) != outcrop.Denied {
		t.Errorf("half a dollar of output, or 1.50 of reasoning, of one dollar: %v", err)
	}
}
