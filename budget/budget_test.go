package budget

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"outcrop"

	"pgregory.net/rapid"
)

const million = 1_000_000 // tokens that cost a dollar

func TestAHardBudgetRefusesWhatMayGoBeyondIt(t *testing.T) {
	w := newWorld(t)
	k := w.made(t, "team-a", "10")
	if err := w.call("a", 9*million, 4*million); err != nil {
		t.Fatal(err)
	}
	err := w.call("b", 7*million, million)
	if outcrop.KindOf(err) != outcrop.Denied {
		t.Fatalf("err = %v, want AccessDenied", err)
	}
	for _, want := range []string{`"team-a"`, "10 USD", "4 are spent", "up to 7", "2026-12-01T00:00:00Z", "smaller maxTokens"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if err := w.call("c", 6*million, 6*million); err != nil {
		t.Errorf("what fits exactly was refused: %v", err)
	}
	if got := w.spent(t, k); got != "10" || !w.Held(k).IsZero() {
		t.Errorf("spent %s, held %s; want 10 and nothing", got, w.Held(k))
	}
	w.now = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	if err := w.call("d", 10*million, 10*million); err != nil {
		t.Errorf("the next month is not free: %v", err)
	}
}

func TestASoftBudgetOnlyWarnsAndAThrottlingOneSaysWhen(t *testing.T) {
	w := newWorld(t)
	k := w.made(t, "soft", "1", func(b *Budget) { b.Tags = nil })
	if err := w.call("a", 5*million, 5*million); err != nil {
		t.Errorf("a soft budget refused: %v", err)
	}
	if err := w.Retag(t.Context(), k, func(tags outcrop.Tags) outcrop.Tags {
		return outcrop.Tags{TagEnforce: "hard", TagRefusal: "throttle"}
	}); err != nil {
		t.Fatal(err)
	}
	var e *outcrop.Error
	if err := w.call("b", million, million); !errors.As(err, &e) || e.Kind != outcrop.Throttled || e.RetryAfter != 20*24*time.Hour+12*time.Hour {
		t.Errorf("err = %v, want a throttle until December", err)
	}
}

func TestAllBudgetsHoldOrNone(t *testing.T) {
	w := newWorld(t)
	wide := w.made(t, "wide", "100", func(b *Budget) { b.Filter = nil })
	w.made(t, "per-key", "1", func(b *Budget) {
		b.Filter = &Filter{Dimension: &Match{Key: DimAccessKey, Values: []string{"AKIA1"}}}
	})
	if err := w.call("a", 2*million, million); outcrop.KindOf(err) != outcrop.Denied || !strings.Contains(err.Error(), "per-key") {
		t.Errorf("err = %v, want per-key's refusal", err)
	}
	if held := w.Held(wide); !held.IsZero() {
		t.Errorf("the refused call holds %s of the other budget", held)
	}
}

func TestAModelWithoutAPriceIsRefusedByHardBudgets(t *testing.T) {
	w := newWorld(t)
	w.made(t, "team-a", "10")
	r := w.record("a", 5)
	r.Quote = outcrop.Quote{}
	if err := w.Reserve(&r); outcrop.KindOf(err) != outcrop.Denied || !strings.Contains(err.Error(), "x.y has no price") {
		t.Errorf("err = %v", err)
	}
	w.options.AllowUnpriced = true
	if err := w.Reserve(&r); err != nil {
		t.Errorf("allowed, and yet %v", err)
	}
}

func TestACancelledCallHoldsNothing(t *testing.T) {
	w := newWorld(t)
	k := w.made(t, "team-a", "10")
	r := w.record("a", 9*million)
	if err := w.Reserve(&r); err != nil {
		t.Fatal(err)
	}
	w.Cancel("a")
	w.Cancel("a")
	if held := w.Held(k); !held.IsZero() {
		t.Errorf("%s are held", held)
	}
}

// Promise: 500 callers at once, on one budget, never spend more than it has;
// and what is reserved returns to zero.
func TestFiveHundredCallersNeverSpendMoreThanThereIs(t *testing.T) {
	w := newWorld(t)
	k := w.made(t, "team-a", "10")
	var wait sync.WaitGroup
	var mu sync.Mutex
	refused := 0
	for i := range 500 {
		wait.Go(func() {
			for j := range 4 {
				if err := w.call(fmt.Sprint(i, "-", j), 50_000, outcrop.Tokens(10_000+97*i%40_001)); err != nil {
					mu.Lock()
					refused++
					mu.Unlock()
				}
				if j == 2 && i%50 == 0 {
					w.CatchUp(t.Context())
				}
			}
		})
	}
	wait.Wait()
	st, err := w.Get(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	var sum outcrop.Money
	for i := range w.ledger.records {
		m, _ := w.ledger.records[i].Quote.Cost(&w.ledger.records[i].Usage)
		sum = sum.Add(m)
	}
	if st.Spent != sum || sum.Cmp(outcrop.Dollars(10)) > 0 || refused == 0 || !w.Held(k).IsZero() {
		t.Errorf("counted %s, ledger %s of 10, %d refused, %s held", st.Spent, sum, refused, w.Held(k))
	}
	if left := st.Left(); left.Cmp(outcrop.Dollars(1)) > 0 {
		t.Errorf("%s are left though calls were refused: want less than one call", left)
	}
}

// Promise: a crash leaves no reservation, and spending is what the ledger says.
func TestACrashLeavesNoReservation(t *testing.T) {
	w := newWorld(t)
	k := w.made(t, "team-a", "10")
	if err := w.call("done", 5*million, 3*million); err != nil {
		t.Fatal(err)
	}
	open := w.record("open", 6*million)
	if err := w.Reserve(&open); err != nil {
		t.Fatal(err)
	}
	w.open(t) // everything in memory is gone
	if held, got := w.Held(k), w.spent(t, k); !held.IsZero() || got != "3" {
		t.Errorf("held %s, spent %s; want nothing and 3", held, got)
	}
	w.ledger.settle(w.record("open", million)) // recovery settles what was open
	if got := w.spent(t, k); got != "4" {
		t.Errorf("spent %s, want 4", got)
	}
	w.open(t)
	if got := w.spent(t, k); got != "4" {
		t.Errorf("after another start %s, want 4", got)
	}
}

func TestWhatCannotBeKeptIsCountedLater(t *testing.T) {
	w := newWorld(t)
	k := w.made(t, "team-a", "10")
	w.shelf.lose = errors.New("disk full")
	if err := w.call("a", 4*million, 4*million); err != nil {
		t.Fatal(err)
	}
	if err := w.CatchUp(t.Context()); err == nil {
		t.Error("the loss was not told")
	}
	if err := w.call("b", 7*million, million); outcrop.KindOf(err) != outcrop.Denied {
		t.Errorf("err = %v: what is not counted yet must stay held", err)
	}
	w.shelf.lose = nil
	if got := w.spent(t, k); got != "4" {
		t.Errorf("spent %s, want 4", got)
	}
}

// Property: whatever is reserved, settled, cancelled, read and restarted in
// whatever order, a budget's spending is what its records add up to.
func TestSpendingIsWhatTheRecordsAddUpTo(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		hard := w.made(t, "hard", "50")
		usage := w.made(t, "usage", "1000", func(b *Budget) { b.Type, b.Unit, b.Filter, b.Tags = Usage, UnitTokens, nil, nil })
		input := w.made(t, "kinds", "50", func(b *Budget) {
			b.Filter, b.Tags = &Filter{Dimension: &Match{Key: "USAGE_TYPE", Values: []string{"input-tokens"}}}, nil
		})
		var want, tokens outcrop.Money
		open := map[string]bool{}
		for i := range rapid.IntRange(1, 30).Draw(rt, "steps") {
			id := fmt.Sprint(i)
			switch rapid.IntRange(0, 5).Draw(rt, "step") {
			case 0, 1:
				r := w.record(id, outcrop.Tokens(rapid.IntRange(0, 9*million).Draw(rt, "worst")))
				if w.Reserve(&r) == nil {
					open[id] = true
				}
			case 2, 3:
				for id := range open {
					n := outcrop.Tokens(rapid.IntRange(0, 9*million).Draw(rt, "real"))
					done := w.record(id, n)
					tagged := rapid.Bool().Draw(rt, "tagged")
					if !tagged {
						done.Tags = nil
					}
					if rapid.Bool().Draw(rt, "ledger first") {
						w.ledger.settle(done)
						w.CatchUp(t.Context())
						w.Settle(&done)
					} else {
						w.Settle(&done)
						w.ledger.settle(done)
					}
					if tagged {
						want = want.Add(outcrop.Rate(million).For(n))
					}
					tokens = tokens.Add(outcrop.Dollars(uint64(n)))
					delete(open, id)
					break
				}
			case 4:
				for id := range open {
					w.Cancel(outcrop.InvocationID(id))
					delete(open, id)
					break
				}
			case 5:
				if rapid.Bool().Draw(rt, "crash") {
					w.open(t)
					open = map[string]bool{}
				} else if err := w.CatchUp(t.Context()); err != nil {
					rt.Fatal(err)
				}
			}
		}
		for id := range open {
			w.Cancel(outcrop.InvocationID(id))
		}
		if got := w.spent(t, hard); got != want.String() {
			rt.Fatalf("spent %s, the records add up to %s", got, want)
		}
		if got := w.spent(t, usage); got != tokens.String() || w.spent(t, input) != "0" {
			rt.Fatalf("%s tokens, the records have %s", got, tokens)
		}
		for _, k := range []Key{hard, usage, input} {
			if held := w.Held(k); !held.IsZero() {
				rt.Fatalf("%s still holds %s", k.Name, held)
			}
		}
	})
}

func TestANewBudgetCountsWhatWasSpentBefore(t *testing.T) {
	w := newWorld(t)
	w.ledger.settle(w.record("before", 3*million))
	k := w.made(t, "team-a", "5")
	if got := w.spent(t, k); got != "3" {
		t.Errorf("spent %s, want 3", got)
	}
	if err := w.call("a", 3*million, million); outcrop.KindOf(err) != outcrop.Denied {
		t.Errorf("err = %v, want a refusal", err)
	}
	st, _ := w.Get(t.Context(), k)
	b := st.Budget
	b.Limit = outcrop.Dollars(9)
	if err := w.Replace(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if err := w.call("b", 3*million, million); err != nil {
		t.Errorf("raised, and yet %v", err)
	}
	b.Filter = &Filter{Tag: &Match{Key: "project", Values: []string{"app02"}}}
	if err := w.Replace(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if got := w.spent(t, k); got != "0" {
		t.Errorf("with another filter %s, want nothing", got)
	}
}

func TestFilters(t *testing.T) {
	w := newWorld(t)
	tag := func(key string, options []string, values ...string) *Filter {
		return &Filter{Tag: &Match{Key: key, Values: values, Options: options}}
	}
	dim := func(key string, values ...string) *Filter {
		return &Filter{Dimension: &Match{Key: key, Values: values}}
	}
	for name, c := range map[string]struct {
		f    *Filter
		want bool
	}{
		"everything": {nil, true}, "tag": {tag("project", nil, "app01"), true}, "user: tag": {tag("user:project", nil, "app01"), true},
		"other value": {tag("project", nil, "app02"), false}, "case": {tag("project", nil, "APP01"), false},
		"any case": {tag("project", []string{"CASE_INSENSITIVE"}, "APP01"), true}, "prefix": {tag("project", []string{"STARTS_WITH"}, "app"), true},
		"absent": {tag("stage", []string{"ABSENT"}), true}, "not absent": {tag("project", []string{"ABSENT"}), false},
		"principal": {dim(DimPrincipal, "arn:aws:iam::1:user/ann"), true}, "principal's tag": {tag(PrincipalTag, nil, "arn:aws:iam::1:user/ann"), true},
		"key": {dim(DimAccessKey, "AKIA2"), false}, "model": {dim(DimModel, "x.y"), true}, "Region": {dim("REGION", "us-east-1", "eu-west-1"), true},
		"profile by ARN": {dim(DimProfile, "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc123"), true}, "profile by id": {dim(DimProfile, "abc123"), true},
		"and": {&Filter{And: []Filter{*dim("REGION", "us-east-1"), *tag("project", nil, "app02")}}, false},
		"or":  {&Filter{Or: []Filter{*dim("REGION", "eu-west-1"), *tag("project", nil, "app01")}}, true},
		"not": {&Filter{Not: tag("project", nil, "app02")}, true},
	} {
		f, err := w.options.compile(c.f)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		r := w.record("a", 1)
		if got := f.match(&r, outcrop.OutputTokens); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	for _, bad := range []*Filter{{}, dim("PLANET", "earth"), tag("", nil, "x"), tag("a", []string{"SOUNDS_LIKE"}, "x"), {And: []Filter{{}, {}}}} {
		if _, err := w.options.compile(bad); outcrop.KindOf(err) != outcrop.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestPeriods(t *testing.T) {
	at := time.Date(2026, 11, 10, 12, 34, 0, 0, time.UTC)
	day := func(text string) time.Time { d, _ := time.Parse(time.DateTime, text); return d }
	for name, c := range map[string]struct {
		every      TimeUnit
		window     string
		start, end string
	}{
		"day": {Daily, "", "2026-11-10 00:00:00", "2026-11-11 00:00:00"}, "month": {Monthly, "", "2026-11-01 00:00:00", "2026-12-01 00:00:00"},
		"quarter": {Quarterly, "", "2026-10-01 00:00:00", "2027-01-01 00:00:00"}, "year": {Annually, "", "2026-01-01 00:00:00", "2027-01-01 00:00:00"},
		"custom": {Custom, "", "2020-02-03 00:00:00", "2030-01-01 00:00:00"}, "window": {Monthly, "24h", "2026-11-09 13:00:00", "2026-11-10 13:00:00"},
		"week": {Daily, "7d", "2026-11-03 13:00:00", "2026-11-10 13:00:00"},
	} {
		b := Budget{Every: c.every, Start: day("2020-02-03 00:00:00"), End: day("2030-01-01 00:00:00"), Tags: outcrop.Tags{TagWindow: c.window}}
		p, ok := b.PeriodAt(at)
		if !ok || !p.Start.Equal(day(c.start)) || !p.End.Equal(day(c.end)) {
			t.Errorf("%s: %v", name, p)
		}
	}
	b := Budget{Every: Monthly, Start: at, End: at.AddDate(0, 1, 0)}
	if _, ok := b.PeriodAt(at.Add(-time.Second)); ok {
		t.Error("a budget counts before its start")
	}
	if _, ok := b.PeriodAt(at.AddDate(0, 1, 0)); ok {
		t.Error("a budget counts after its end")
	}
}

func TestAMovingWindowForgets(t *testing.T) {
	w := newWorld(t)
	k := w.made(t, "day", "5", func(b *Budget) { b.Tags[TagWindow] = "24h"; b.Start = noon.AddDate(0, -1, 0) })
	if err := w.call("a", 4*million, 4*million); err != nil || w.spent(t, k) != "4" {
		t.Fatal(err)
	}
	w.now = w.now.Add(23 * time.Hour)
	if err := w.call("b", 2*million, 2*million); outcrop.KindOf(err) != outcrop.Denied {
		t.Errorf("after 23 h: %v", err)
	}
	w.now = w.now.Add(time.Hour)
	if err := w.call("b", 2*million, 2*million); err != nil {
		t.Errorf("after 24 h: %v", err)
	}
	if got := w.spent(t, k); got != "2" {
		t.Errorf("spent %s, want 2", got)
	}
}

func TestAlertsAreToldOnceInAPeriodAndTriedAgain(t *testing.T) {
	w := newWorld(t)
	hook := Subscriber{"SNS", "https://hooks.example.com/x"}
	w.made(t, "team-a", "10", func(b *Budget) {
		b.Alerts = []Alert{{Threshold: Threshold{Kind: Actual, Operator: "GREATER_THAN", Value: 80}, Subscribers: []Subscriber{hook, {"EMAIL", "ann@example.com"}}}}
	})
	tell := func() int {
		t.Helper()
		if err := w.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := w.deliverDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		return len(w.sent)
	}
	w.call("a", 8*million, 8*million)
	if n := tell(); n != 0 {
		t.Fatalf("%d messages at exactly 80%%", n)
	}
	w.fail = errors.New("down")
	w.call("b", million, million)
	if n := tell(); n != 2 {
		t.Fatalf("%d messages, want 2", n)
	}
	if n := tell(); n != 2 {
		t.Errorf("tried again at once: %d", n)
	}
	w.fail = nil
	w.now = w.now.Add(firstRetry)
	if n := tell(); n != 4 || len(w.shelf.queue) != 0 {
		t.Errorf("%d messages and %d waiting, want 4 and none", n, len(w.shelf.queue))
	}
	w.call("c", million, million/2)
	w.open(t)
	if n := tell(); n != 4 {
		t.Errorf("told again in the same month: %d", n)
	}
	if d := w.sent[0]; d.Facts.Budget != "team-a" || !strings.Contains(d.Text, "9 USD of 10") {
		t.Errorf("%+v", d)
	}
	w.now = w.now.AddDate(0, 1, 0)
	w.call("d", 9*million, 9*million)
	if n := tell(); n != 6 {
		t.Errorf("%d messages, want two more in December", n)
	}
}

func TestAForecastIsThePaceGoingOn(t *testing.T) {
	w := newWorld(t)
	k := w.made(t, "team-a", "100")
	for d := range 9 {
		r := w.record(fmt.Sprint(d), million)
		r.Started = time.Date(2026, 11, 1+d, 12, 0, 0, 0, time.UTC)
		w.ledger.settle(r)
	}
	st, err := w.Get(t.Context(), k)
	if err != nil || st.Spent.String() != "9" {
		t.Fatalf("%v %v", st.Spent, err)
	}
	if st.Forecast.Cmp(outcrop.Dollars(29)) < 0 || st.Forecast.Cmp(outcrop.Dollars(31)) > 0 {
		t.Errorf("forecast %s, want 9 and 20.5 days at a dollar a day", st.Forecast)
	}
}

func TestActionsAttachAndAreTakenBack(t *testing.T) {
	w := newWorld(t)
	act := Action{ID: "x", Threshold: Threshold{Kind: Actual, Operator: "GREATER_THAN", Value: 50}, Definition: Definition{Policy: "deny", Users: []string{"ann"}}, Status: Standby}
	slow := act
	slow.ID, slow.Manual, slow.Definition.Policy = "y", true, "slow"
	k := w.made(t, "team-a", "10", func(b *Budget) { b.Actions = []Action{act, slow} })
	w.call("a", 6*million, 6*million)
	status := func(want ...string) {
		t.Helper()
		st, err := w.Get(t.Context(), k)
		if err != nil || st.Actions[0].Status != want[0] || st.Actions[1].Status != want[1] {
			t.Errorf("%v %v, want %v", st.Actions, err, want)
		}
	}
	status(Executed, Pending)
	status(Executed, Pending)
	if err := w.Execute(t.Context(), k, "y", "APPROVE_BUDGET_ACTION"); err != nil {
		t.Fatal(err)
	}
	if err := w.Execute(t.Context(), k, "y", "APPROVE_BUDGET_ACTION"); outcrop.KindOf(err) != outcrop.Invalid {
		t.Errorf("approved twice: %v", err)
	}
	w.now = w.now.AddDate(0, 1, 0)
	status(Standby, Standby)
	if want := []string{"apply deny", "apply slow", "revert deny", "revert slow"}; !slices.Equal(w.hands, want) {
		t.Errorf("%q, want %q", w.hands, want)
	}
}

// Reversing and resetting by hand: a reversed action stays off while its period
// runs; one that is reset waits for its threshold, and acts again if that is
// crossed.
func TestAnExecutedActionIsReversedAndReset(t *testing.T) {
	w := newWorld(t)
	act := Action{ID: "x", Threshold: Threshold{Kind: Actual, Operator: "GREATER_THAN", Value: 50}, Definition: Definition{Policy: "deny", Users: []string{"ann"}}, Status: Standby}
	k := w.made(t, "team-a", "10", func(b *Budget) { b.Actions = []Action{act} })
	w.call("a", 6*million, 6*million)
	status := func(want string) {
		t.Helper()
		for range 2 { // also when looked at again
			st, err := w.Get(t.Context(), k)
			if err != nil || st.Actions[0].Status != want {
				t.Fatalf("%v %v, want %s", st.Actions, err, want)
			}
		}
	}
	do := func(how string) {
		t.Helper()
		if err := w.Execute(t.Context(), k, "x", how); err != nil {
			t.Fatal(err)
		}
	}
	status(Executed)
	do("REVERSE_BUDGET_ACTION")
	status(Reversed)
	if err := w.Execute(t.Context(), k, "x", "REVERSE_BUDGET_ACTION"); outcrop.KindOf(err) != outcrop.Invalid {
		t.Errorf("reversed twice: %v", err)
	}
	do("RESET_BUDGET_ACTION") // the threshold is still crossed
	status(Executed)
	do("REVERSE_BUDGET_ACTION")
	if err := w.Replace(t.Context(), Budget{Key: k, Type: Cost, Unit: UnitDollars, Limit: outcrop.Dollars(100), Every: Monthly,
		Filter: &Filter{Tag: &Match{Key: "project", Values: []string{"app01"}}}}); err != nil {
		t.Fatal(err)
	}
	do("RESET_BUDGET_ACTION") // and now no more
	status(Standby)
	w.call("b", 50*million, 50*million)
	status(Executed)
	if want := []string{"apply deny", "revert deny", "apply deny", "revert deny", "apply deny"}; !slices.Equal(w.hands, want) {
		t.Errorf("%q, want %q", w.hands, want)
	}
	st, _ := w.Get(t.Context(), k)
	var events []string
	for _, e := range st.Actions[0].History {
		events = append(events, e.Event+" "+e.Status)
	}
	if len(events) < 7 {
		t.Errorf("the action remembers %q", events)
	}
	if err := w.Execute(t.Context(), k, "nobody", "RESET_BUDGET_ACTION"); outcrop.KindOf(err) != outcrop.NotFound {
		t.Errorf("an action that is not there: %v", err)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(*Budget){
		"type": func(b *Budget) { b.Type = "RI_COVERAGE" }, "unit": func(b *Budget) { b.Unit = "EUR" }, "time unit": func(b *Budget) { b.Every = "WEEKLY" },
		"usage unit": func(b *Budget) { b.Type = Usage }, "enforce": func(b *Budget) { b.Tags = outcrop.Tags{TagEnforce: "yes"} },
		"window": func(b *Budget) { b.Tags[TagWindow] = "a week" }, "custom": func(b *Budget) { b.Every = Custom },
		"period": func(b *Budget) { b.Start, b.End = noon, noon }, "alert": func(b *Budget) { b.Alerts = []Alert{{}} },
		"subscriber": func(b *Budget) { b.Alerts = []Alert{{Subscribers: []Subscriber{{"EMAIL", "nobody"}}}} },
	} {
		b := Budget{Key: Key{"1", "x"}, Type: Cost, Unit: UnitDollars, Every: Monthly, Tags: outcrop.Tags{}}
		change(&b)
		var e *outcrop.Error
		if err := w.Create(t.Context(), b); !errors.As(err, &e) || e.Code != "InvalidParameterException" || !strings.HasSuffix(e.Message, ".") {
			t.Errorf("%s: %v", name, err)
		}
	}
	k := w.made(t, "x", "1")
	if err := w.Create(t.Context(), Budget{Key: k, Type: Cost, Unit: UnitDollars, Every: Monthly}); outcrop.KindOf(err) != outcrop.Conflict {
		t.Errorf("twice: %v", err)
	}
	if err := w.Delete(t.Context(), Key{"1", "y"}); outcrop.KindOf(err) != outcrop.NotFound {
		t.Errorf("deleting nothing: %v", err)
	}
}

func BenchmarkReserveAmongTwoHundred(b *testing.B) {
	w := newWorld(b)
	for i := range 200 {
		w.made(b, fmt.Sprint(i), "1000000", func(d *Budget) {
			d.Filter = &Filter{Tag: &Match{Key: "project", Values: []string{fmt.Sprint("app", i)}}}
		})
	}
	w.made(b, "mine", "1000000")
	r := w.record("a", 10)
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Reserve(&r); err != nil {
			b.Fatal(err)
		}
		w.Settle(&r)
		w.Cancel("a")
	}
}
