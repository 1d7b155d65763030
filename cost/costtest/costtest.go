// Package costtest holds every store of rollups to the promises of cost.Store.
package costtest

import (
	"cmp"
	"errors"
	"iter"
	"slices"
	"testing"
	"time"

	"outcrop"
	"outcrop/cost"
)

const account outcrop.AccountID = "111122223333"

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// Run holds a store to its promises. open makes an empty one.
func Run(t *testing.T, open func(testing.TB) cost.Store) {
	for name, test := range map[string]func(*testing.T, cost.Store){
		"an empty store answers with nothing":              empty,
		"folds add up by period and line":                  addsUp,
		"equal lines share a pointer":                      sharesLines,
		"lines that differ in anything stay apart":         staysApart,
		"a fold from the wrong watermark changes nothing":  refusesMoved,
		"accounts do not see each other":                   separatesAccounts,
		"a reset forgets usage and keeps tag statuses":     resets,
		"tag keys are found by use and keep their latest":  notesTags,
		"statuses survive use, and use survives statuses":  keepsStatuses,
		"stopping early frees the store":                   stopsEarly,
		"a rate of 64 bits comes back as it was":           keepsRates,
		"documents are kept in order":                      keepsDocuments,
		"two folders at once: each batch is counted once ": foldsOnce,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func line() cost.Line {
	return cost.Line{
		Account: account, Region: "us-east-1", Model: "amazon.nova-lite-v1:0", Geography: "us",
		Operation: outcrop.OpConverse, Profile: "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abc123def456",
		Tags: cost.NewTagSet(outcrop.Tags{"project": "app01"}), Kind: outcrop.InputTokens,
		Price: "list#row", Rate: 60_000, Priced: true,
	}
}

func batch(from, to outcrop.Seq, rollups map[cost.RollupKey]cost.Amount) cost.Batch {
	return cost.Batch{From: from, To: to, Rollups: rollups}
}

func one(l cost.Line, at time.Time, n outcrop.Tokens) map[cost.RollupKey]cost.Amount {
	return map[cost.RollupKey]cost.Amount{{Hour: cost.HourOf(at), Line: l}: {Tokens: n, Invocations: 1}}
}

func fold(t *testing.T, s cost.Store, b cost.Batch) {
	t.Helper()
	if err := s.Fold(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func hours(t *testing.T, s cost.Store, a outcrop.AccountID, from, to time.Time) []cost.Rollup {
	t.Helper()
	return collect(t, s.Hours(t.Context(), a, cost.HourOf(from), cost.HourOf(to)))
}

// sums are the rollups of days, counted from noon's.
func sums(t *testing.T, s cost.Store, a outcrop.AccountID, days ...int) []cost.Rollup {
	t.Helper()
	var out []cost.Rollup
	for _, n := range days {
		day := cost.DayOf(cost.HourOf(noon)) + int64(n)
		out = append(out, collect(t, s.Days(t.Context(), a, day, day+1))...)
		byHour := map[cost.Line]cost.Amount{}
		for _, r := range collect(t, s.Hours(t.Context(), a, day*24, day*24+24)) {
			sum := byHour[*r.Line]
			byHour[*r.Line] = cost.Amount{Tokens: sum.Tokens + r.Tokens, Invocations: sum.Invocations + r.Invocations}
		}
		for _, r := range out {
			if r.At == day && byHour[*r.Line] != r.Amount {
				t.Errorf("a day has %v of a line, its hours %v", r.Amount, byHour[*r.Line])
			}
		}
	}
	return out
}

func collect(t *testing.T, rollups iter.Seq2[cost.Rollup, error]) (out []cost.Rollup) {
	t.Helper()
	for r, err := range rollups {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	if !slices.IsSortedFunc(out, func(a, b cost.Rollup) int { return cmp.Compare(a.At, b.At) }) {
		t.Error("rollups are out of order")
	}
	return out
}

func mark(t *testing.T, s cost.Store) outcrop.Seq {
	t.Helper()
	seq, err := s.Watermark(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func tags(t *testing.T, s cost.Store) []cost.TagState {
	t.Helper()
	out, err := s.Tags(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func empty(t *testing.T, s cost.Store) {
	if got := mark(t, s); got != 0 {
		t.Errorf("watermark = %d", got)
	}
	if got := sums(t, s, account, 0); len(got) != 0 {
		t.Errorf("sums = %v", got)
	}
	if got := tags(t, s); len(got) != 0 {
		t.Errorf("tags = %v", got)
	}
	if got, err := s.Totals(t.Context()); err != nil || got != (cost.Totals{}) {
		t.Errorf("totals = %v, %v", got, err)
	}
}

func addsUp(t *testing.T, s cost.Store) {
	fold(t, s, batch(0, 2, one(line(), noon, 5)))
	fold(t, s, batch(2, 3, one(line(), noon, 7)))
	fold(t, s, batch(3, 9, one(line(), noon.Add(time.Hour), 11)))
	fold(t, s, batch(9, 10, one(line(), noon.AddDate(0, 0, 1), 13)))
	want := []cost.Rollup{{At: 0, Amount: cost.Amount{Tokens: 12, Invocations: 2}}, {At: 1, Amount: cost.Amount{Tokens: 11, Invocations: 1}}, {At: 24, Amount: cost.Amount{Tokens: 13, Invocations: 1}}}
	got := hours(t, s, account, noon.AddDate(0, 0, -1), noon.AddDate(0, 0, 2))
	for i := range got {
		if got[i].At -= cost.HourOf(noon); len(got) != len(want) || *got[i].Line != line() || got[i].At != want[i].At || got[i].Amount != want[i].Amount {
			t.Errorf("hour %d = %v of %v, want %v", i, got[i], *got[i].Line, want)
		}
	}
	if got := hours(t, s, account, noon.Add(time.Hour), noon.Add(2*time.Hour)); len(got) != 1 || got[0].Tokens != 11 {
		t.Errorf("one hour = %v", got)
	}
	if got := sums(t, s, account, -1, 0, 1); len(got) != 2 || got[0].Tokens != 23 || got[0].Invocations != 3 || got[1].Tokens != 13 {
		t.Errorf("days = %v", got)
	}
	if totals, err := s.Totals(t.Context()); err != nil || totals != (cost.Totals{Watermark: 10, Records: 4, Tokens: 36}) {
		t.Errorf("totals = %v, %v", totals, err)
	}
}

func sharesLines(t *testing.T, s cost.Store) {
	fold(t, s, batch(0, 1, one(line(), noon, 5)))
	fold(t, s, batch(1, 2, one(line(), noon.AddDate(0, 0, 1), 5)))
	if got := hours(t, s, account, noon, noon.AddDate(0, 0, 2)); len(got) != 2 || got[0].Line != got[1].Line {
		t.Errorf("one line has two pointers: %v", got)
	}
}

func staysApart(t *testing.T, s cost.Store) {
	all := map[cost.RollupKey]cost.Amount{}
	want := map[cost.Line]bool{}
	for _, change := range []func(*cost.Line){
		func(*cost.Line) {}, func(l *cost.Line) { l.Region = "eu-west-1" }, func(l *cost.Line) { l.Model = "m" },
		func(l *cost.Line) { l.Geography = "" }, func(l *cost.Line) { l.Operation = outcrop.OpInvokeModel },
		func(l *cost.Line) { l.Profile = "" }, func(l *cost.Line) { l.Tags = "" }, func(l *cost.Line) { l.Tier = "flex" },
		func(l *cost.Line) { l.Kind = outcrop.OutputTokens }, func(l *cost.Line) { l.Kind = cost.NoTokens },
		func(l *cost.Line) { l.Price = "list#other" }, func(l *cost.Line) { l.Rate++ },
		func(l *cost.Line) { l.Priced = false }, func(l *cost.Line) { l.Estimated = true },
		func(l *cost.Line) { l.Principal = "p" }, func(l *cost.Line) { l.Session = cost.NewTagSet(outcrop.Tags{"team": "a"}) },
		func(l *cost.Line) { l.Input = 2 },
	} {
		l := line()
		change(&l)
		want[l] = true
		all[cost.RollupKey{Hour: cost.HourOf(noon), Line: l}] = cost.Amount{Tokens: 1, Invocations: 1}
	}
	fold(t, s, batch(0, 1, all))
	for _, sum := range sums(t, s, account, 0) {
		if !want[*sum.Line] || sum.Tokens != 1 {
			t.Errorf("unexpected sum %v of %v", sum.Amount, *sum.Line)
		}
		delete(want, *sum.Line)
	}
	if len(want) != 0 {
		t.Errorf("missing lines: %v", want)
	}
}

func refusesMoved(t *testing.T, s cost.Store) {
	fold(t, s, batch(0, 5, one(line(), noon, 5)))
	late := batch(4, 8, one(line(), noon, 100))
	late.TagsUsed = map[cost.TagUse]time.Time{{Account: account, Key: "late"}: noon}
	if err := s.Fold(t.Context(), late); !errors.Is(err, cost.ErrMoved) {
		t.Errorf("error = %v, want ErrMoved", err)
	}
	if got := sums(t, s, account, 0); len(got) != 1 || got[0].Tokens != 5 || mark(t, s) != 5 || len(tags(t, s)) != 0 {
		t.Errorf("a refused fold left traces: %v at %d, tags %v", got, mark(t, s), tags(t, s))
	}
}

func separatesAccounts(t *testing.T, s cost.Store) {
	other := line()
	other.Account = "444455556666"
	fold(t, s, batch(0, 1, one(line(), noon, 5)))
	fold(t, s, batch(1, 2, one(other, noon, 7)))
	if got := sums(t, s, other.Account, 0); len(got) != 1 || got[0].Tokens != 7 {
		t.Errorf("sums = %v", got)
	}
	if err := s.SetTags(t.Context(), other.Account, []cost.TagState{{Key: "team", Status: cost.Active}}); err != nil {
		t.Fatal(err)
	}
	if got := tags(t, s); len(got) != 0 {
		t.Errorf("tags of another account: %v", got)
	}
}

func resets(t *testing.T, s cost.Store) {
	b := batch(0, 1, one(line(), noon, 5))
	b.TagsUsed = map[cost.TagUse]time.Time{{Account: account, Key: "project"}: noon}
	fold(t, s, b)
	active := cost.TagState{Key: "project", Status: cost.Active, Updated: noon}
	if err := s.SetTags(t.Context(), account, []cost.TagState{active}); err != nil {
		t.Fatal(err)
	}
	if err := s.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := sums(t, s, account, 0); len(got) != 0 || mark(t, s) != 0 {
		t.Errorf("after reset: %v at %d", got, mark(t, s))
	}
	if got := tags(t, s); len(got) != 1 || got[0] != active {
		t.Errorf("tags = %v, want %v", got, active)
	}
	fold(t, s, b)
	if got := sums(t, s, account, 0); len(got) != 1 || got[0].Tokens != 5 {
		t.Errorf("folded again: %v", got)
	}
}

func notesTags(t *testing.T, s cost.Store) {
	for i, at := range []time.Time{noon, noon.Add(5 * time.Hour), noon.Add(-time.Hour)} {
		b := batch(outcrop.Seq(i), outcrop.Seq(i+1), nil)
		b.TagsUsed = map[cost.TagUse]time.Time{{Account: account, Key: "b"}: at, {Account: account, Key: "B"}: noon}
		fold(t, s, b)
	}
	want := []cost.TagState{{Key: "B", Status: cost.Inactive, Used: noon}, {Key: "b", Status: cost.Inactive, Used: noon.Add(5 * time.Hour)}}
	if got := tags(t, s); !slices.Equal(got, want) {
		t.Errorf("tags = %v, want %v", got, want)
	}
}

func keepsStatuses(t *testing.T, s cost.Store) {
	want := []cost.TagState{{Key: "new", Status: cost.Active, Updated: noon}, {Key: "used", Status: cost.Active, Updated: noon, Used: noon.Add(time.Hour)}}
	b := batch(0, 1, nil)
	b.TagsUsed = map[cost.TagUse]time.Time{{Account: account, Key: "used"}: noon}
	fold(t, s, b)
	if err := s.SetTags(t.Context(), account, []cost.TagState{{Key: "used", Status: cost.Active, Updated: noon}, want[0]}); err != nil {
		t.Fatal(err)
	}
	b = batch(1, 2, nil)
	b.TagsUsed = map[cost.TagUse]time.Time{{Account: account, Key: "used"}: noon.Add(time.Hour)}
	fold(t, s, b)
	if got := tags(t, s); !slices.Equal(got, want) {
		t.Errorf("tags = %v, want %v", got, want)
	}
}

func stopsEarly(t *testing.T, s cost.Store) {
	other := line()
	other.Kind = outcrop.OutputTokens
	fold(t, s, batch(0, 1, one(line(), noon, 5)))
	fold(t, s, batch(1, 2, one(other, noon, 5)))
	for range 20 { // more often than a store has connections
		for _, err := range s.Days(t.Context(), account, 0, 1<<20) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	fold(t, s, batch(2, 3, one(line(), noon, 5)))
}

func keepsRates(t *testing.T, s cost.Store) {
	l := line()
	l.Rate = 1<<64 - 1
	fold(t, s, batch(0, 1, one(l, noon, 5)))
	if got := sums(t, s, account, 0); len(got) != 1 || *got[0].Line != l {
		t.Errorf("sums = %v, want %v", got, l)
	}
}

func foldsOnce(t *testing.T, s cost.Store) {
	const folders, batches = 4, 10
	done := make(chan error, folders)
	for range folders {
		go func() {
			for i := range outcrop.Seq(batches) {
				if err := s.Fold(t.Context(), batch(i, i+1, one(line(), noon, 1))); err != nil && !errors.Is(err, cost.ErrMoved) {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range folders {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if got := sums(t, s, account, 0); len(got) != 1 || got[0].Tokens != outcrop.Tokens(mark(t, s)) {
		t.Errorf("%v tokens at watermark %d, want as many", got, mark(t, s))
	}
}

func keepsDocuments(t *testing.T, s cost.Store) {
	put := func(a outcrop.AccountID, kind, id, body string) {
		t.Helper()
		if err := s.PutDocument(t.Context(), a, cost.Document{Kind: kind, ID: id, Body: []byte(body)}); err != nil {
			t.Fatal(err)
		}
	}
	bodies := func(kind string) (out []string) {
		list, err := s.Documents(t.Context(), account, kind)
		if err != nil || !slices.IsSortedFunc(list, func(a, b cost.Document) int { return cmp.Compare(a.Number, b.Number) }) {
			t.Fatal(list, err)
		}
		for _, d := range list {
			out = append(out, d.ID+string(d.Body))
		}
		return out
	}
	put(account, "version", "b", "1")
	put(account, "version", "a", "2")
	put(account, "category", "a", "3")
	put("444455556666", "version", "a", "4")
	put(account, "version", "b", "5") // replaced where it stands
	if got := bodies("version"); !slices.Equal(got, []string{"b5", "a2"}) {
		t.Errorf("versions = %v", got)
	}
	for _, want := range []bool{true, false} {
		if ok, err := s.DeleteDocument(t.Context(), account, "version", "b"); err != nil || ok != want {
			t.Errorf("deleted = %v, %v", ok, err)
		}
	}
	if err := s.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := slices.Concat(bodies("version"), bodies("category")); !slices.Equal(got, []string{"a2", "a3"}) {
		t.Errorf("documents after a reset = %v", got)
	}
}
