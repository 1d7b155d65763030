package sqlite

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"outcrop"
	"outcrop/metrics"
)

var (
	benchRecords  = flag.Int("metrics.records", 100_000, "records of BenchmarkMetrics")
	benchProfiles = flag.Int("metrics.profiles", 100, "profiles of BenchmarkMetrics")
	benchDays     = flag.Int("metrics.days", 30, "days of BenchmarkMetrics, at most 30")
)

// generated is a ledger of records made as they are read: spread evenly over
// days and over the profiles.
type generated struct {
	n, profiles, days int
	start             time.Time
}

func (g *generated) Sync(context.Context) error { return nil }

func (g *generated) After(_ context.Context, after outcrop.Seq, limit int) ([]outcrop.UsageRecord, error) {
	out := make([]outcrop.UsageRecord, 0, limit)
	for i := int(after); i < g.n && len(out) < limit; i++ {
		at := g.start.Add(time.Duration(i) * (time.Duration(g.days) * 24 * time.Hour / time.Duration(g.n)))
		mixed := uint64(i)*0x9E3779B97F4A7C15 + 1
		r := outcrop.UsageRecord{Seq: outcrop.Seq(i + 1), Operation: outcrop.OpConverseStream, Account: "111122223333", Region: "us-east-1",
			MetricID: fmt.Sprintf("profile%05d", mixed>>40%uint64(g.profiles)), Started: at, FirstByte: at.Add(time.Duration(mixed>>54) * time.Millisecond),
			Ended: at.Add(time.Duration(mixed>>50) * time.Millisecond), Outcome: outcrop.Outcome{Status: 200}}
		r.Usage.Set(outcrop.InputTokens, outcrop.Tokens(mixed>>48%8000))
		r.Usage.Set(outcrop.OutputTokens, outcrop.Tokens(mixed>>44%1000))
		out = append(out, r)
	}
	return out, nil
}

// BenchmarkMetrics folds a month and asks about it. Ten million records:
//
//	go test ./sqlite -run NONE -bench Metrics -benchtime 1x -metrics.records 10000000
func BenchmarkMetrics(b *testing.B) {
	for b.Loop() {
		benchmarkMonth(b)
	}
}

func benchmarkMonth(b *testing.B) {
	file := filepath.Join(b.TempDir(), "metrics.db")
	db, err := Open(b.Context(), file)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	end := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	g := &generated{*benchRecords, *benchProfiles, *benchDays, end.AddDate(0, 0, -*benchDays)}
	m := metrics.New(g, db.Metrics(), metrics.Rules{}, func() time.Time { return end }, slog.New(slog.DiscardHandler))
	began, busy := time.Now(), cpu()
	if err := m.CatchUp(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(g.n)/time.Since(began).Seconds(), "records/s")
	b.ReportMetric(float64(g.n)/(cpu()-busy).Seconds(), "records/cpu-s")
	if _, err := db.write.ExecContext(b.Context(), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/float64(g.n), "bytes/record")
	before := askMonth(b, m, g, true)
	n, err := m.Counted(b.Context(), g.start, end)
	if err != nil || n != uint64(g.n) {
		b.Fatalf("Counted = %d, %v; want %d", n, err, g.n)
	}
	if err := m.Rebuild(b.Context()); err != nil {
		b.Fatal(err)
	}
	if after := askMonth(b, m, g, false); after != before {
		b.Fatal("a rebuild changes answers")
	}
	began = time.Now()
	if err := db.Metrics().Compact(b.Context(), end.Unix()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(time.Since(began).Seconds(), "s/compaction")
	if after := askMonth(b, m, g, false); after != before {
		b.Fatal("a compaction changes answers")
	}
}

// cpu is what the process has used of it: what to compare on a machine that
// does other things too.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// askMonth asks GetMetricData's questions of thirty days about one profile and
// returns all answers as text.
func askMonth(b *testing.B, m *metrics.Metrics, g *generated, report bool) string {
	var answers strings.Builder
	for _, c := range []struct {
		name   string
		period int64
	}{{"hours", 3600}, {"5min", 300}} {
		for _, text := range []string{"Sum", "Maximum", "SampleCount", "p50", "p99"} {
			stat, err := metrics.ParseStat(text)
			if err != nil {
				b.Fatal(err)
			}
			query := metrics.DataQuery{ID: "m", Return: true, Ask: &metrics.Ask{Stat: stat, Period: c.period, Metric: metrics.Metric{Namespace: metrics.Namespace, Name: metrics.InvocationLatency,
				Dimensions: metrics.NewDimensions(metrics.Dimension{Name: metrics.DimModelID, Value: "profile00007"})}}}
			began := time.Now()
			data, err := m.Data(b.Context(), metrics.Viewer{Account: "111122223333", Region: "us-east-1"}, []metrics.DataQuery{query}, g.start.AddDate(0, 0, g.days-30), g.start.AddDate(0, 0, g.days))
			if err != nil || len(data[0].Values) == 0 {
				b.Fatal(err)
			}
			if report && (text == "Sum" || text == "p99") {
				b.ReportMetric(float64(time.Since(began).Microseconds())/1000, "ms/"+text+"-"+c.name)
			}
			fmt.Fprintln(&answers, text, c.period, data[0].Times, data[0].Values)
		}
	}
	return answers.String()
}
