package cost_test

import (
	"fmt"
	"log/slog"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"outcrop"
	"outcrop/cost"
	"outcrop/cost/costtest"
)

func byCategory(name string) cost.Grouping { return cost.Grouping{Type: cost.ByCategory, Key: name} }

func categoryIs(name string, values ...string) *cost.Filter {
	return &cost.Filter{Categories: &cost.Match{Key: name, Values: values}}
}

// teams is a category of the values of project, and others without a value.
func teams(split ...cost.SplitCharge) cost.CategoryRevision {
	return cost.CategoryRevision{Rules: []cost.CategoryRule{{Inherits: &cost.Grouping{Type: cost.ByTag, Key: "project"}}}, Split: split}
}

// project is a call of so many tokens at $0.06 for a million of them.
func project(name string, tokens outcrop.Tokens) outcrop.UsageRecord {
	return call(now, tagged(outcrop.Tags{"project": name}), func(r *outcrop.UsageRecord) {
		r.Usage = outcrop.Usage{}
		r.Usage.Set(outcrop.InputTokens, tokens)
	})
}

func TestSplitChargesMoveCosts(t *testing.T) {
	for name, c := range map[string]struct {
		split cost.SplitCharge
		want  []string
	}{
		"fixed":        {cost.SplitCharge{Source: "shared", Targets: []string{"a", "b"}, Method: "FIXED", Percent: []string{"75", "25"}}, []string{"Team$a=0.001425", "Team$b=0.001575", "Team$shared=0"}},
		"even":         {cost.SplitCharge{Source: "shared", Targets: []string{"a", "b", "new"}, Method: "EVEN"}, []string{"Team$a=0.0008", "Team$b=0.0017", "Team$new=0.0005", "Team$shared=0"}},
		"proportional": {cost.SplitCharge{Source: "shared", Targets: []string{"a", "b"}, Method: "PROPORTIONAL"}, []string{"Team$a=0.0006", "Team$b=0.0024", "Team$shared=0"}},
		"to nobody":    {cost.SplitCharge{Source: "shared", Targets: []string{"x", "y"}, Method: "PROPORTIONAL"}, []string{"Team$a=0.0003", "Team$b=0.0012", "Team$shared=0.0015"}},
		"of no value":  {cost.SplitCharge{Source: "", Targets: []string{"a"}, Method: "EVEN"}, []string{"Team$a=0.0003", "Team$b=0.0012", "Team$shared=0.0015"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := &ledger{}
			l.settle(project("a", 5_000), project("b", 20_000), project("shared", 25_000))
			costs := newCosts(l, costtest.NewMemory())
			activate(t, costs, "project")
			if _, err := costs.CreateCategory(t.Context(), account, "Team", teams(c.split)); err != nil {
				t.Fatal(err)
			}
			if got := groupsOf(ask(t, costs, monthly(byCategory("Team")))); !slices.Equal(got, c.want) {
				t.Errorf("groups = %v, want %v", got, c.want)
			}
			if got := groupsOf(ask(t, costs, monthly(byTag("project")))); !slices.Equal(got, []string{"project$a=0.0003", "project$b=0.0012", "project$shared=0.0015"}) {
				t.Errorf("a question that does not name the category = %v", got)
			}
			q := monthly()
			q.Filter = categoryIs("Team", "b")
			if got := ask(t, costs, q).Results[0].Total; "Team$b="+got.Cost.String() != c.want[1] || got.Tokens != 20_000 {
				t.Errorf("what b pays = %s for %d tokens, want %s for its own 20000", got.Cost, got.Tokens, c.want[1])
			}
		})
	}
}

func TestSplitChargesThatCannotBe(t *testing.T) {
	c := newCosts(&ledger{}, costtest.NewMemory())
	for name, split := range map[string][]cost.SplitCharge{
		"no target":           {{Source: "s", Method: "EVEN"}},
		"a target twice":      {{Source: "s", Targets: []string{"a", "a"}, Method: "EVEN"}},
		"a nameless target":   {{Source: "s", Targets: []string{""}, Method: "EVEN"}},
		"itself":              {{Source: "s", Targets: []string{"s"}, Method: "EVEN"}},
		"no method":           {{Source: "s", Targets: []string{"a"}}},
		"percentages of EVEN": {{Source: "s", Targets: []string{"a"}, Method: "EVEN", Percent: []string{"100"}}},
		"too few":             {{Source: "s", Targets: []string{"a", "b"}, Method: "FIXED", Percent: []string{"100"}}},
		"not a hundred":       {{Source: "s", Targets: []string{"a", "b"}, Method: "FIXED", Percent: []string{"50", "49.999"}}},
		"source twice":        {{Source: "s", Targets: []string{"a"}, Method: "EVEN"}, {Source: "s", Targets: []string{"b"}, Method: "EVEN"}},
		"source and target":   {{Source: "s", Targets: []string{"a"}, Method: "EVEN"}, {Source: "a", Targets: []string{"b"}, Method: "EVEN"}},
	} {
		if _, err := c.CreateCategory(t.Context(), account, "Team", teams(split...)); !isKind(err, outcrop.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func drawSplit(t *rapid.T) cost.CategoryRevision {
	split := cost.SplitCharge{Source: rapid.SampledFrom([]string{"app01", "", "nobody"}).Draw(t, "source"), Targets: []string{"app02", "a$b", "new"}[:rapid.IntRange(1, 3).Draw(t, "targets")]}
	split.Method = rapid.SampledFrom([]string{"EVEN", "PROPORTIONAL", "FIXED"}).Draw(t, "method")
	if split.Method == "FIXED" {
		split.Percent = [][]string{{"100"}, {"33.3333", "66.6667"}, {"0.1", "0", "99.9"}}[len(split.Targets)-1]
	}
	return teams(split)
}

// Property: split charges change no total, whatever is asked beside the
// category; each target gets its share of what the source had, to the
// pico-dollar; and a filter and its negation still add up to the whole.
func TestSplitChargesMoveEverythingAndNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := drawLedger(t)
		c := drawCosts(t, l)
		revision := drawSplit(t)
		if _, err := c.CreateCategory(t.Context(), account, "Team", revision); err != nil {
			t.Fatal(err)
		}
		plain := revision
		plain.Split = nil
		if _, err := c.CreateCategory(t.Context(), account, "Before", plain); err != nil {
			t.Fatal(err)
		}
		q := drawQuery(t)
		q.GroupBy = []cost.Grouping{byCategory("Before")}
		before := ask(t, c, q)
		q.GroupBy[0].Key = "Team"
		after := ask(t, c, q)
		for i := range before.Results {
			checkSplit(t, revision.Split[0], costsOf(before.Results[i]), costsOf(after.Results[i]))
		}
		if g := drawGrouping(t); rapid.Bool().Draw(t, "by more") {
			q.GroupBy = append(q.GroupBy, g)
		}
		whole := grand(ask(t, c, q), true)
		if want := grand(before, true); whole != want {
			t.Fatalf("split and grouped, the total is %+v, not %+v", whole, want)
		}
		f := drawFilter(t, 2)
		if rapid.Bool().Draw(t, "by category") {
			f = cost.Filter{Or: []cost.Filter{f, *categoryIs("Team", "app02", "new")}}
		}
		var parts cost.Value
		for _, part := range []cost.Filter{f, {Not: &f}} {
			q.Filter = &part
			parts = plus(parts, grand(ask(t, c, q), true))
		}
		if parts != whole {
			t.Fatalf("filter %+v: parts are %+v, the whole is %+v", f, parts, whole)
		}
	})
}

func costsOf(r cost.Result) map[string]outcrop.Money {
	costs := map[string]outcrop.Money{}
	for _, g := range r.Groups {
		_, value, _ := strings.Cut(g.Keys[0], "$")
		costs[value] = g.Value.Cost
	}
	return costs
}

// checkSplit holds a period to the rule, by fractions.
func checkSplit(t *rapid.T, s cost.SplitCharge, before, after map[string]outcrop.Money) {
	source := picoOf(t, before[s.Source].String())
	weights, sum := make([]*big.Rat, len(s.Targets)), new(big.Rat)
	for i, target := range s.Targets {
		weights[i] = big.NewRat(1, 1)
		switch s.Method {
		case "FIXED":
			weights[i], _ = new(big.Rat).SetString(s.Percent[i])
		case "PROPORTIONAL":
			weights[i] = new(big.Rat).SetInt(picoOf(t, before[target].String()))
		}
		sum.Add(sum, weights[i])
	}
	if sum.Sign() == 0 { // nobody to pay
		if after[s.Source] != before[s.Source] {
			t.Fatalf("%s stays with its source, which has %s", before[s.Source], after[s.Source])
		}
		return
	}
	if !after[s.Source].IsZero() {
		t.Fatalf("the source is left with %s of %s", after[s.Source], before[s.Source])
	}
	for i, target := range s.Targets {
		want := new(big.Rat).Mul(new(big.Rat).SetInt(source), weights[i])
		want.Quo(want, sum).Add(want, new(big.Rat).SetInt(picoOf(t, before[target].String())))
		off := want.Sub(want, new(big.Rat).SetInt(picoOf(t, after[target].String())))
		if off.Abs(off).Cmp(big.NewRat(1, 1)) >= 0 {
			t.Fatalf("%s pays %s, which is off by %s pico-dollars", target, after[target], off.FloatString(3))
		}
	}
}

// Property: what questions remember changes no answer, whatever happens between
// them: it is that of somebody who has never asked before.
func TestWhatIsRememberedChangesNoAnswer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, store := drawLedger(t), costtest.NewMemory()
		c := newCosts(l, store)
		questions := []cost.Query{drawQuery(t)}
		for i := range questions {
			if rapid.Bool().Draw(t, "filtered") {
				f := drawFilter(t, 1)
				questions[i].Filter = &f
			}
		}
		made := 0
		t.Repeat(map[string]func(*rapid.T){
			"settle": func(t *rapid.T) { l.settle(rapid.SliceOfN(rapid.Custom(drawRecord), 1, 4).Draw(t, "records")...) },
			"fold": func(t *rapid.T) {
				if err := c.CatchUp(t.Context()); err != nil {
					t.Fatal(err)
				}
			},
			"rebuild": func(t *rapid.T) {
				if err := c.Rebuild(t.Context()); err != nil {
					t.Fatal(err)
				}
			},
			"tag": func(t *rapid.T) {
				status := rapid.SampledFrom([]cost.TagStatus{cost.Active, cost.Inactive}).Draw(t, "status")
				_, _ = c.UpdateTags(t.Context(), account, []cost.TagUpdate{{Key: "project", Status: status}})
			},
			"category": func(t *rapid.T) {
				name := fmt.Sprint("Team", made)
				if made++; made > 3 {
					t.Skip("enough")
				}
				if _, err := c.CreateCategory(t.Context(), account, name, drawSplit(t)); err != nil {
					t.Fatal(err)
				}
				q := drawQuery(t)
				q.GroupBy = []cost.Grouping{byCategory(name)}
				questions = append(questions, q)
			},
			"ask": func(t *rapid.T) {
				q := rapid.SampledFrom(questions).Draw(t, "question")
				fresh := cost.New(l, store, clock, slog.New(slog.DiscardHandler))
				want := ask(t, fresh, q)
				for range 2 {
					if got := ask(t, c, q); !reflect.DeepEqual(want, got) {
						t.Fatalf("%+v: %s", q, cmp.Diff(want, got, cmp.AllowUnexported(outcrop.Money{})))
					}
				}
			},
		})
	})
}

// Promise: however many cost categories with split charges a question names,
// it costs little: where their parts may go is counted before it is written
// down.
func TestSplitChargesOfManyCategoriesAreBounded(t *testing.T) {
	l := &ledger{}
	l.settle(project("shared", 25_000))
	costs := newCosts(l, costtest.NewMemory())
	activate(t, costs, "project")
	var all cost.Filter
	for _, name := range []string{"A", "B", "C", "D"} {
		split := cost.SplitCharge{Source: "shared", Method: "EVEN"}
		for i := range 44 {
			split.Targets = append(split.Targets, fmt.Sprintf("%s-%d", name, i))
		}
		if _, err := costs.CreateCategory(t.Context(), account, name, teams(split)); err != nil {
			t.Fatal(err)
		}
		all.Or = append(all.Or, *categoryIs(name, "shared"))
	}
	q := monthly()
	q.Filter = &all
	if _, err := costs.Ask(t.Context(), account, q); outcrop.KindOf(err) != outcrop.Invalid || !strings.Contains(err.Error(), "split charge") {
		t.Errorf("four million places to go: %v", err)
	}
	q.Filter = &cost.Filter{Or: all.Or[:2]}
	if _, err := costs.Ask(t.Context(), account, q); err != nil {
		t.Errorf("two thousand places to go: %v", err)
	}
}
