package metrics_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/metrics"
	"outcrop/metrics/metricstest"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

var discard = slog.New(slog.DiscardHandler)

var viewer = metrics.Viewer{Account: "111122223333", Region: "us-east-1"}

// A ledger is records in memory.
type ledger struct{ records []outcrop.UsageRecord }

func (l *ledger) Sync(context.Context) error { return nil }

func (l *ledger) After(_ context.Context, after outcrop.Seq, limit int) ([]outcrop.UsageRecord, error) {
	rest := l.records[min(int(after), len(l.records)):]
	return rest[:min(limit, len(rest))], nil
}

func (l *ledger) settle(r outcrop.UsageRecord) {
	r.Seq = outcrop.Seq(len(l.records) + 1)
	l.records = append(l.records, r)
}

// A world is metrics over a ledger, with a clock.
type world struct {
	*metrics.Metrics
	ledger ledger
	store  *metricstest.Memory
	now    time.Time
}

func newWorld() *world {
	w := &world{store: metricstest.NewMemory(), now: noon}
	w.Metrics = metrics.New(&w.ledger, w.store, metrics.Rules{}, func() time.Time { return w.now }, discard)
	return w
}

func record(model string, at time.Time) outcrop.UsageRecord {
	r := outcrop.UsageRecord{
		Operation: outcrop.OpConverseStream, Account: viewer.Account, Region: viewer.Region, MetricID: model,
		Started: at, FirstByte: at.Add(300 * time.Millisecond), Ended: at.Add(2 * time.Second),
		Outcome: outcrop.Outcome{Status: 200},
	}
	r.Usage.Set(outcrop.InputTokens, 10)
	r.Usage.Set(outcrop.OutputTokens, 20)
	return r
}

func stat(t fataler, name string) metrics.Stat {
	s, err := metrics.ParseStat(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type fataler interface{ Fatal(...any) }

func byModel(model string) metrics.Dimensions {
	if model == "" {
		return ""
	}
	return metrics.NewDimensions(metrics.Dimension{Name: metrics.DimModelID, Value: model})
}

// values asks for one statistic of one metric of AWS/Bedrock.
func (w *world) values(t fataler, metric, model, name string, period int64, start, end time.Time) map[int64]float64 {
	data, err := w.Data(context.Background(), viewer, []metrics.DataQuery{{ID: "m", Return: true, Ask: &metrics.Ask{
		Metric: metrics.Metric{Namespace: metrics.Namespace, Name: metric, Dimensions: byModel(model)}, Stat: stat(t, name), Period: period}}}, start, end)
	if err != nil {
		t.Fatal(err)
	}
	out := map[int64]float64{}
	for i, at := range data[0].Times {
		out[at] = data[0].Values[i]
	}
	return out
}

// total is the sum over the two hours around noon.
func (w *world) total(t fataler, metric, model string) float64 {
	sum := 0.0
	for _, v := range w.values(t, metric, model, "Sum", 3600, noon.Add(-time.Hour), noon.Add(time.Hour)) {
		sum += v
	}
	return sum
}

func TestEachOutcomeCountsAsAWSCountsIt(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*outcrop.UsageRecord)
		want   map[string]float64
	}{
		"success": {func(*outcrop.UsageRecord) {}, map[string]float64{
			metrics.Invocations: 1, metrics.InputTokenCount: 10, metrics.OutputTokenCount: 20, metrics.InvocationLatency: 2000,
			metrics.TimeToFirstToken: 300, metrics.EstimatedTPMQuotaUsage: 30}},
		"not streamed": {func(r *outcrop.UsageRecord) { r.Operation = outcrop.OpConverse }, map[string]float64{
			metrics.Invocations: 1, metrics.InputTokenCount: 10, metrics.OutputTokenCount: 20, metrics.InvocationLatency: 2000, metrics.EstimatedTPMQuotaUsage: 30}},
		"caches, reasoning and pictures": {func(r *outcrop.UsageRecord) {
			r.Usage.Set(outcrop.CacheReadTokens, 5)
			r.Usage.Set(outcrop.CacheWrite5mTokens, 6)
			r.Usage.Set(outcrop.CacheWrite1hTokens, 7)
			r.Usage.Set(outcrop.ReasoningTokens, 8)
			r.Usage.Set(outcrop.OutputImages, 2)
			r.QuotaTokens = 99
		}, map[string]float64{
			metrics.Invocations: 1, metrics.InputTokenCount: 10, metrics.OutputTokenCount: 28, metrics.InvocationLatency: 2000, metrics.TimeToFirstToken: 300,
			metrics.CacheReadTokenCount: 5, metrics.CacheWriteTokenCount: 13, metrics.OutputImageCount: 2, metrics.EstimatedTPMQuotaUsage: 99}},
		"throttled upstream": {func(r *outcrop.UsageRecord) { r.Outcome, r.Usage = outcrop.Outcome{Status: 429}, outcrop.Usage{} },
			map[string]float64{metrics.InvocationThrottles: 1}},
		"refused as invalid": {func(r *outcrop.UsageRecord) { r.Outcome, r.Usage = outcrop.Outcome{Status: 400}, outcrop.Usage{} },
			map[string]float64{metrics.InvocationClientErrors: 1}},
		"model failed": {func(r *outcrop.UsageRecord) { r.Outcome, r.Usage = outcrop.Outcome{Status: 424}, outcrop.Usage{} },
			map[string]float64{metrics.Invocations: 1, metrics.InvocationClientErrors: 1}},
		"server error": {func(r *outcrop.UsageRecord) { r.Outcome, r.Usage = outcrop.Outcome{Status: 503}, outcrop.Usage{} },
			map[string]float64{metrics.Invocations: 1, metrics.InvocationServerErrors: 1}},
		"hung up": {func(r *outcrop.UsageRecord) { r.Outcome = outcrop.Outcome{Status: 499, HungUp: true} },
			map[string]float64{metrics.Invocations: 1, metrics.InputTokenCount: 10, metrics.OutputTokenCount: 20}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			r := record("m", noon)
			c.change(&r)
			w.ledger.settle(r)
			for _, metric := range []string{metrics.Invocations, metrics.InvocationLatency, metrics.InvocationClientErrors, metrics.InvocationServerErrors, metrics.InvocationThrottles,
				metrics.InputTokenCount, metrics.OutputTokenCount, metrics.CacheReadTokenCount, metrics.CacheWriteTokenCount, metrics.OutputImageCount, metrics.TimeToFirstToken, metrics.EstimatedTPMQuotaUsage} {
				for _, model := range []string{"m", ""} {
					if got := w.total(t, metric, model); got != c.want[metric] {
						t.Errorf("%s of %q = %v, want %v", metric, model, got, c.want[metric])
					}
				}
			}
			listed, err := w.List(t.Context(), viewer, metrics.ListQuery{Namespace: metrics.Namespace})
			if err != nil || len(listed) != 3*len(c.want) {
				t.Errorf("%d metrics listed, want %d in each of three lanes (%v)", len(listed), len(c.want), err)
			}
		})
	}
}

// Promise: usage whose cost is unknown shows in a metric that an alarm can watch.
func TestTokensWithoutAPriceAreCounted(t *testing.T) {
	w := newWorld()
	priced, half, none := record("m", noon), record("m", noon), record("m", noon)
	priced.Quote.Rates.Set(outcrop.InputTokens, 1)
	priced.Quote.Rates.Set(outcrop.OutputTokens, 0) // free, not unknown
	half.Quote.Rates.Set(outcrop.InputTokens, 1)
	for _, r := range []outcrop.UsageRecord{priced, half, none} {
		w.ledger.settle(r)
	}
	ask := func() (sums []float64) {
		for _, model := range []string{"", "m"} {
			data, err := w.Data(t.Context(), viewer, []metrics.DataQuery{{ID: "m", Return: true, Ask: &metrics.Ask{Period: 60, Stat: stat(t, "Sum"),
				Metric: metrics.Metric{Namespace: metrics.OwnNamespace, Name: metrics.TokensWithoutPrice, Dimensions: byModel(model)}}}}, noon, noon.Add(time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			sums = append(sums, data[0].Values...)
		}
		return sums
	}
	if got := ask(); !slices.Equal(got, []float64{50, 50}) {
		t.Errorf("%v, want 50 in the Region and of the model", got)
	}
	if err := w.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := ask(); !slices.Equal(got, []float64{50, 50}) {
		t.Errorf("after a rebuild %v", got)
	}
}

func TestARefusalWithoutARecordIsCounted(t *testing.T) {
	w := newWorld()
	who := outcrop.Caller{Account: viewer.Account, Region: viewer.Region}
	target := &outcrop.Target{Model: outcrop.FoundationModel{ID: "m"}}
	w.Refused(who, target, 429)
	w.Refused(who, target, 403)
	w.Refused(who, nil, 400)
	w.Refused(who, target, 503)
	for metric, want := range map[string][2]float64{
		metrics.InvocationThrottles: {1, 1}, metrics.InvocationClientErrors: {1, 2}, metrics.InvocationServerErrors: {1, 1}, metrics.Invocations: {0, 0},
	} {
		if got := w.total(t, metric, "m"); got != want[0] {
			t.Errorf("%s = %v, want %v", metric, got, want[0])
		}
		if got := w.total(t, metric, ""); got != want[1] {
			t.Errorf("%s of the Region = %v, want %v", metric, got, want[1])
		}
	}
	if err := w.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.total(t, metrics.InvocationThrottles, "m"); got != 1 {
		t.Errorf("after a rebuild %v throttles, want 1: the ledger does not know them", got)
	}
	if n, err := w.Counted(t.Context(), noon.Add(-time.Hour), noon.Add(time.Hour)); n != 0 || err != nil {
		t.Errorf("Counted = %d, %v; a refusal is no record", n, err)
	}
}

// draw makes records of any shape.
func draw(t *rapid.T, from, to time.Time) outcrop.UsageRecord {
	at := from.Add(time.Duration(rapid.Int64Range(0, int64(to.Sub(from)/time.Second)-1).Draw(t, "at")) * time.Second)
	r := record(rapid.SampledFrom([]string{"a", "b", "bmcqrhwso453"}).Draw(t, "model"), at)
	r.Ended = at.Add(time.Duration(rapid.IntRange(0, 90_000).Draw(t, "ms")) * time.Millisecond)
	r.ServiceTier = rapid.SampledFrom([]string{"", "flex"}).Draw(t, "tier")
	r.Usage.Set(outcrop.InputTokens, outcrop.Tokens(rapid.IntRange(0, 200_000).Draw(t, "input")))
	r.Outcome.Status = rapid.SampledFrom([]int{200, 200, 200, 429, 400, 500, 499}).Draw(t, "status")
	return r
}

// Property: whatever the records, in whatever batches they are folded, sums are
// those of the records, at every period; a percentile is within the sketch's
// bound; and dropping everything and folding again gives the same answers.
func TestAnswersAreThoseOfTheRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		start := noon.Add(-6 * time.Hour)
		for range rapid.IntRange(1, 60).Draw(t, "records") {
			w.ledger.settle(draw(t, start, noon))
			if rapid.Bool().Draw(t, "fold now") {
				if err := w.CatchUp(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
		}
		period := rapid.SampledFrom([]int64{60, 300, 900, 3600, 21600}).Draw(t, "period")
		model := rapid.SampledFrom([]string{"", "a", "bmcqrhwso453"}).Draw(t, "asked")
		check := func() string {
			sums, tops, mids := map[int64]float64{}, map[int64]float64{}, map[int64][]float64{}
			for _, r := range w.ledger.records {
				if model != "" && r.MetricID != model {
					continue
				}
				at := start.Unix() + (r.Ended.Unix()-start.Unix())/period*period
				n := float64(r.Usage.Of(outcrop.InputTokens))
				sums[at] += n
				tops[at] = max(tops[at], n)
				mids[at] = append(mids[at], n)
			}
			gotSum := w.values(t, metrics.InputTokenCount, model, "Sum", period, start, noon.Add(2*time.Minute))
			gotMax := w.values(t, metrics.InputTokenCount, model, "Maximum", period, start, noon.Add(2*time.Minute))
			gotMid := w.values(t, metrics.InputTokenCount, model, "p50", period, start, noon.Add(2*time.Minute))
			if len(gotSum) != len(sums) {
				t.Fatalf("%d periods, want %d", len(gotSum), len(sums))
			}
			for at, want := range sums {
				slices.Sort(mids[at])
				mid := mids[at][(len(mids[at])+1)/2-1]
				if gotSum[at] != want || gotMax[at] != tops[at] || math.Abs(gotMid[at]-mid) > mid/128 {
					t.Fatalf("at %d: sum %v max %v p50 %v, want %v %v %v", at, gotSum[at], gotMax[at], gotMid[at], want, tops[at], mid)
				}
			}
			n, err := w.Counted(context.Background(), start, noon)
			if err != nil || n != uint64(len(w.ledger.records)) {
				t.Fatalf("Counted = %d (%v), want %d", n, err, len(w.ledger.records))
			}
			return fmt.Sprint(gotSum, gotMax, gotMid)
		}
		before := check()
		if err := w.Rebuild(context.Background()); err != nil {
			t.Fatal(err)
		}
		if after := check(); after != before {
			t.Fatalf("a rebuild changed answers from %s to %s", before, after)
		}
	})
}

func TestOldMinutesAreLeftAsHours(t *testing.T) {
	w := newWorld()
	w.ledger.settle(record("m", noon))
	if err := w.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	day := 24 * time.Hour
	for _, c := range []struct {
		after  time.Duration
		period int64
		want   int
	}{{0, 60, 1}, {14 * day, 60, 1}, {16 * day, 60, 0}, {16 * day, 300, 1}, {64 * day, 300, 0}, {64 * day, 3600, 1}, {456 * day, 3600, 0}} {
		w.now = noon.Add(c.after)
		if err := w.store.Compact(t.Context(), w.now.Unix()); err != nil {
			t.Fatal(err)
		}
		if got := w.values(t, metrics.Invocations, "m", "Sum", c.period, noon, noon.Add(time.Hour)); len(got) != c.want {
			t.Errorf("after %v: %d periods of %d s, want %d", c.after, len(got), c.period, c.want)
		}
	}
}

// Property: a ledger folded late keeps what a ledger folded in time has left.
func TestALateFoldForgetsWhatIsTooOld(t *testing.T) {
	w := newWorld()
	w.ledger.settle(record("m", noon))
	w.now = noon.Add(20 * 24 * time.Hour)
	if got := w.values(t, metrics.Invocations, "m", "Sum", 60, noon, noon.Add(time.Hour)); len(got) != 0 {
		t.Errorf("minutes of 20 days ago: %v", got)
	}
	if got := w.values(t, metrics.Invocations, "m", "Sum", 300, noon, noon.Add(time.Hour)); len(got) != 1 {
		t.Errorf("5 minutes of 20 days ago: %v", got)
	}
	if n, err := w.Counted(t.Context(), noon.Add(-time.Hour), noon.Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("Counted = %d, %v", n, err)
	}
}

func TestListingForgetsAfterTwoWeeks(t *testing.T) {
	w := newWorld()
	w.ledger.settle(record("m", noon))
	w.ledger.settle(record("n", noon.Add(10*24*time.Hour)))
	w.now = noon.Add(15 * 24 * time.Hour)
	listed, err := w.List(t.Context(), viewer, metrics.ListQuery{Namespace: metrics.Namespace, Name: metrics.Invocations, Dimensions: []metrics.Dimension{{Name: metrics.DimModelID}}})
	if err != nil {
		t.Fatal(err)
	}
	var models []string
	for _, m := range listed {
		v, _ := m.Dimensions.Value(metrics.DimModelID)
		models = append(models, v)
	}
	if strings.Join(models, " ") != "n n" { // by model, and by model and tier
		t.Errorf("listed %v, want n alone", models)
	}
	w.now = noon.Add(10*24*time.Hour + time.Hour)
	listed, err = w.List(t.Context(), viewer, metrics.ListQuery{ActiveSince: w.now.Add(-3 * time.Hour), Dimensions: []metrics.Dimension{{Name: metrics.DimModelID, Value: "m"}}})
	if err != nil || len(listed) > 0 {
		t.Errorf("lately active: %v (%v)", listed, err)
	}
}

func TestStatistics(t *testing.T) {
	var p metrics.Point
	for v := 1; v <= 100; v++ {
		p.Add(float64(v))
	}
	for name, want := range map[string]float64{
		"Sum": 5050, "Average": 50.5, "Minimum": 1, "Maximum": 100, "SampleCount": 100, "p50": 50, "p99": 99, "p100": 100, "p0": 1, "p99.9": 100,
		"tm90": 45.5, "tc90": 90, "ts90": 4095, "TM(10%:90%)": 50.5, "TC(10%:90%)": 80, "IQM": 50.5, "TM(10:90)": 50.5, "TC(10:90)": 80, "TS(:10)": 55,
		"PR(:50)": 50, "PR(10:20)": 10, "wm90": 50.05 - 0.55 + 0, "WM(10%:90%)": 50.5 - 0.0,
	} {
		s, err := metrics.ParseStat(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, ok := s.Of(&p)
		if !ok || math.Abs(got-want) > 1 {
			t.Errorf("%s = %v, want about %v", name, got, want)
		}
	}
	for _, name := range []string{"", "sum", "p101", "p", "pp", "TM(90%:10%)", "TM(:)", "PR(1%:2%)", "TM(1:2%)", "p-1", "TM(a:b)"} {
		if _, err := metrics.ParseStat(name); err == nil {
			t.Errorf("%q was taken for a statistic", name)
		}
	}
	p.Merge(&metrics.Point{Count: 2, Sum: 10, Min: 4, Max: 6}) // added up elsewhere
	if _, ok := stat(t, "p50").Of(&p); ok {
		t.Error("a percentile of samples that nobody has seen one by one")
	}
	if got, ok := stat(t, "Sum").Of(&p); !ok || got != 5060 {
		t.Errorf("Sum = %v", got)
	}
}

func FuzzBlock(f *testing.F) {
	var b metrics.Block
	b.At(metrics.InputTokenCount).Add(3)
	b.At(metrics.InputTokenCount).Add(4e9)
	b.At("x\x1fSeconds").Add(-0.5)
	f.Add(b.Append(nil))
	f.Fuzz(func(t *testing.T, in []byte) {
		b, err := metrics.ReadBlock(in)
		if err != nil {
			return
		}
		once := b.Append(nil)
		again, err := metrics.ReadBlock(once)
		if err != nil {
			t.Fatalf("%x was read, and what it was written as is not: %v", in, err)
		}
		if twice := again.Append(nil); string(twice) != string(once) {
			t.Fatalf("%x became %x, then %x", in, once, twice)
		}
	})
}
