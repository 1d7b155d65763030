package sqlite

import (
	"flag"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"outcrop"
	"outcrop/cost"
	"outcrop/cost/costtest"
)

var (
	monthRecords = flag.Int("cost.records", 5_000, "records in the month of traffic; make bench-cost has ten million")
	monthSeed    = flag.Uint64("cost.seed", 1, "seed of the month of traffic")
)

// An oracle prices records one by one, in big integers.
type oracle struct {
	total    *big.Int
	byDayTag map[string]*big.Int // "2026-11-01 project$app-01"
	unpriced outcrop.Tokens
	records  uint64
}

func price(m *costtest.Month) *oracle {
	o := &oracle{total: new(big.Int), byDayTag: map[string]*big.Int{}}
	for seq := 1; seq <= m.Records; seq++ {
		r := m.Record(seq)
		o.records++
		key := r.Started.Format(time.DateOnly) + " project$" + r.Tags["project"]
		for kind, n := range r.Usage.All() {
			rate, ok := r.Quote.Rates.Get(kind)
			if !ok && kind == outcrop.ReasoningTokens { // billed as output
				rate, ok = r.Quote.Rates.Get(outcrop.OutputTokens)
			}
			if !ok {
				o.unpriced += n
				continue
			}
			pico := new(big.Int).SetUint64(uint64(rate))
			pico.Mul(pico, new(big.Int).SetUint64(uint64(n)))
			o.total.Add(o.total, pico)
			if o.byDayTag[key] == nil {
				o.byDayTag[key] = new(big.Int)
			}
			o.byDayTag[key].Add(o.byDayTag[key], pico)
		}
	}
	return o
}

// picoOf reads dollars exactly.
func picoOf(t testing.TB, amount string) *big.Int {
	t.Helper()
	r, ok := new(big.Rat).SetString(amount)
	if !ok {
		t.Fatalf("amount %q", amount)
	}
	r.Mul(r, new(big.Rat).SetInt64(outcrop.PicoPerDollar))
	if !r.IsInt() {
		t.Fatalf("amount %q is finer than a pico-dollar", amount)
	}
	return r.Num()
}

var november = cost.Period{Start: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}

// askAll follows every page and fails when a row comes twice.
func askAll(t testing.TB, c *cost.Costs, q cost.Query) (rows map[string]cost.Value, unpriced outcrop.Tokens) {
	t.Helper()
	rows = map[string]cost.Value{}
	for {
		a, err := c.Ask(t.Context(), "111122223333", q)
		if err != nil {
			t.Fatal(err)
		}
		unpriced = a.Unpriced
		for _, r := range a.Results {
			day := r.Period.Start.Format(time.DateOnly)
			for _, g := range r.Groups {
				key := fmt.Sprint(day, " ", g.Keys)
				if _, twice := rows[key]; twice {
					t.Fatalf("%s comes twice", key)
				}
				rows[key] = g.Value
			}
			if len(q.GroupBy) == 0 {
				rows[day] = r.Total
			}
		}
		if q.Page = a.Next; q.Page == "" {
			return rows, unpriced
		}
	}
}

func total(rows map[string]cost.Value) (m outcrop.Money) {
	for _, v := range rows {
		m = m.Add(v.Cost)
	}
	return m
}

// Property: a month of traffic costs the sum of its records priced one by one,
// whatever it is grouped by and however it is paged.
func TestAMonthCostsWhatItsRecordsCost(t *testing.T) {
	t.Parallel()
	m := costtest.NewMonth(*monthSeed, *monthRecords)
	file := filepath.Join(t.TempDir(), "month.db")
	db, err := Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	c := cost.New(m, db.Costs(), func() time.Time { return november.End.Add(-time.Second) }, slog.New(slog.DiscardHandler))
	const tail = 1000
	m.Hidden.Store(tail) // settled while questions are asked
	began := time.Now()
	if err := c.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	folded := time.Since(began)
	activate(t, c, "project", "stage", "iamPrincipal/cost-center")
	byTagAndDay := cost.Query{Period: november, Granularity: cost.Daily, GroupBy: []cost.Grouping{{Type: cost.ByTag, Key: "project"}}, Metrics: []cost.Metric{cost.UnblendedCost}}
	cold := cost.New(m, db.Costs(), func() time.Time { return november.End.Add(-time.Second) }, slog.New(slog.DiscardHandler))
	began = time.Now()
	if _, err := cold.Ask(t.Context(), "111122223333", byTagAndDay); err != nil {
		t.Fatal(err)
	}
	first := time.Since(began)
	latencies := askWhileItGoesOn(t, m, cold, byTagAndDay, tail)

	o := price(m)
	rows, unpriced := askAll(t, cold, byTagAndDay)
	for key, want := range o.byDayTag {
		day, tag := key[:10], key[11:]
		if got := picoOf(t, rows[day+" ["+tag+"]"].Cost.String()); got.Cmp(want) != 0 {
			t.Errorf("%s costs %s pico-dollars, its records %s", key, got, want)
		}
	}
	if unpriced != o.unpriced {
		t.Errorf("%d tokens have no price, the records say %d", unpriced, o.unpriced)
	}
	checkGroupings(t, cold, o)
	totals, err := cold.Totals(t.Context())
	if err != nil || totals.Records != o.records {
		t.Errorf("%d records folded, %d made (%v)", totals.Records, o.records, err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(latencies)
	t.Logf("%d records folded in %s (%.0f/s), %d MiB; first question %s; then by tag and day p50 %s p95 %s max %s over %d questions, records arriving",
		m.Records, folded.Round(time.Millisecond), float64(m.Records)/folded.Seconds(), info.Size()>>20, first.Round(time.Microsecond),
		latencies[len(latencies)/2], latencies[len(latencies)*95/100], latencies[len(latencies)-1], len(latencies))
}

func activate(t testing.TB, c *cost.Costs, keys ...string) {
	t.Helper()
	var updates []cost.TagUpdate
	for _, key := range keys {
		updates = append(updates, cost.TagUpdate{Key: key, Status: cost.Active})
	}
	if refused, err := c.UpdateTags(t.Context(), "111122223333", updates); err != nil || len(refused) > 0 {
		t.Fatal(refused, err)
	}
}

// askWhileItGoesOn asks again and again, with new records before each question.
func askWhileItGoesOn(t testing.TB, m *costtest.Month, c *cost.Costs, q cost.Query, tail int) (took []time.Duration) {
	questions, spent := 30, time.Duration(0)
	if m.Records > 100_000 {
		questions = 500
	}
	for i := range questions {
		m.Hidden.Store(int64(tail - tail*(i+1)/questions))
		began, cpu := time.Now(), cpuTime(t)
		if _, err := c.Ask(t.Context(), "111122223333", q); err != nil {
			t.Fatal(err)
		}
		took = append(took, time.Since(began))
		spent += cpuTime(t) - cpu
	}
	t.Logf("%s of processor time a question", (spent / time.Duration(questions)).Round(time.Microsecond))
	return took
}

// checkGroupings adds up every pair of groupings, and the lines of the bill.
func checkGroupings(t testing.TB, c *cost.Costs, o *oracle) {
	t.Helper()
	keys := []cost.Grouping{
		{Type: cost.ByTag, Key: "project"}, {Type: cost.ByTag, Key: "stage"}, {Type: cost.ByTag, Key: "iamPrincipal/cost-center"}, {Type: cost.ByTag, Key: cost.PrincipalKey},
		{Type: cost.ByDimension, Key: "USAGE_TYPE"}, {Type: cost.ByDimension, Key: "RESOURCE_ID"}, {Type: cost.ByDimension, Key: "OPERATION"}, {Type: cost.ByDimension, Key: "REGION"},
	}
	for i, a := range keys {
		for _, b := range keys[i+1:] {
			q := cost.Query{Period: november, Granularity: cost.Daily, GroupBy: []cost.Grouping{a, b}, Metrics: []cost.Metric{cost.UnblendedCost}}
			rows, _ := askAll(t, c, q)
			if got := picoOf(t, total(rows).String()); got.Cmp(o.total) != 0 {
				t.Errorf("by %v and %v: %s pico-dollars, the records %s", a, b, got, o.total)
			}
		}
	}
	var bill outcrop.Money
	for line, err := range c.Bill(t.Context(), "111122223333", []cost.Period{november}) {
		if err != nil {
			t.Fatal(err)
		}
		bill = bill.Add(line.Cost)
	}
	if got := picoOf(t, bill.String()); got.Cmp(o.total) != 0 {
		t.Errorf("the bill is %s pico-dollars, the records %s", got, o.total)
	}
}

// cpuTime is what this process has computed for so far: unlike the clock, it is
// not moved by what else the machine does.
func cpuTime(t testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
