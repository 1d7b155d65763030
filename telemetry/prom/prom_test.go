package prom

import (
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"outcrop"
)

func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	b, err := io.ReadAll(w.Body)
	if err != nil || w.Code != 200 {
		t.Fatal(w.Code, err)
	}
	return string(b)
}

func record(model string) *outcrop.UsageRecord {
	at := time.Unix(1_800_000_000, 0)
	r := &outcrop.UsageRecord{Operation: outcrop.OpConverseStream, Account: "1", Region: "us-east-1", MetricID: model, Upstream: "gpu", ServedIn: "us-west-2",
		Started: at, FirstByte: at.Add(time.Second), Ended: at.Add(3 * time.Second), Outcome: outcrop.Outcome{Status: 200}}
	r.Usage.Set(outcrop.InputTokens, 7)
	return r
}

func TestAnInvocationIsCounted(t *testing.T) {
	m := New(Gauge("ledger_segments", "Files.", func() float64 { return 3 }),
		Counters("lost_total", "Lost.", "reason", func() map[string]float64 { return map[string]float64{"disk": 2} }))
	m.Settled(record("m"))
	free := record("free")
	free.Quote.Rates.Set(outcrop.InputTokens, 0)
	m.Settled(free)
	m.Refused("1", "", 429)
	got := scrape(t, m)
	for _, want := range []string{
		`outcrop_invocations_total{account="1",model_id="m",operation="ConverseStream",region="us-east-1",status="ok"} 1`,
		`outcrop_tokens_total{account="1",kind="input-tokens",model_id="m"} 7`,
		`outcrop_tokens_without_price_total{account="1",kind="input-tokens",model_id="m"} 7`,
		`outcrop_lost_total{reason="disk"} 2`,
		`outcrop_upstream_invocations_total{served_in="us-west-2",status="ok",upstream="gpu"} 2`,
		`outcrop_invocation_duration_seconds_sum{model_id="m"} 3`,
		`outcrop_time_to_first_token_seconds_sum{model_id="m"} 1`,
		`outcrop_refusals_total{account="1",model_id="none",status="throttled"} 1`,
		`outcrop_ledger_segments 3`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the scrape lacks %s", want)
		}
	}
	if strings.Contains(got, `without_price_total{account="1",kind="input-tokens",model_id="free"}`) {
		t.Error("what is free counts as without a price")
	}
}

// Property: however many profiles are called, at once, there are no more series
// than the bound, and no invocation is left out.
func TestLabelsAreBounded(t *testing.T) {
	m := New()
	var all sync.WaitGroup
	const calls = 1000
	for i := range calls {
		all.Go(func() { m.Settled(record(fmt.Sprint("m", i))) })
	}
	all.Wait()
	series, total := 0, 0
	for line := range strings.Lines(scrape(t, m)) {
		if strings.HasPrefix(line, "outcrop_invocations_total{") {
			var n int
			fmt.Sscan(line[strings.LastIndexByte(line, ' '):], &n)
			series, total = series+1, total+n
		}
	}
	if series != maxModels+1 || total != calls {
		t.Errorf("%d series with %d calls, want %d and %d", series, total, maxModels+1, calls)
	}
}

func BenchmarkSettled(b *testing.B) {
	m, r := New(), record("m")
	r.Usage.Set(outcrop.OutputTokens, 9)
	r.Quote.Rates.Set(outcrop.InputTokens, 1)
	r.Quote.Rates.Set(outcrop.OutputTokens, 1)
	b.ReportAllocs()
	for b.Loop() {
		m.Settled(r)
	}
}
