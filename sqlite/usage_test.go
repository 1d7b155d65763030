package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"outcrop"
	"outcrop/ledger"
	"outcrop/ledger/ledgertest"
)

var _ ledger.Store = (*Usage)(nil)

func TestUsageKeepsTheStorePromises(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, func(tb testing.TB) ledger.Store { return openTest(tb).Usage() })
}

func TestUsageRefusesTwoInvocationsInOnePlace(t *testing.T) {
	u := openTest(t).Usage()
	list := ledgertest.Numbered(1, 2)
	list[1].Seq = 1
	if err := u.Append(t.Context(), list, 1); err == nil {
		t.Fatal("two invocations share a seq")
	}
	if got, err := u.After(t.Context(), 0, 10); len(got) != 0 || err != nil {
		t.Errorf("a refused append left %d records, %v", len(got), err)
	}
}

// Records of the first version's table, which had a column for each field, are
// all there and whole.
func TestUsageOfEarlierInstallations(t *testing.T) {
	file := filepath.Join(t.TempDir(), "outcrop.db")
	old, err := connect(file, "immediate", 1, writeCacheKiB)
	if err != nil {
		t.Fatal(err)
	}
	p, err := provider(old)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), 6); err != nil {
		t.Fatal(err)
	}
	const rows = usageBatchRecords + 10
	for n := 1; n <= rows; n++ {
		_, err := old.Exec(`INSERT INTO usage (`+oldUsageColumns+`) VALUES (?, ?, 'Converse', '1', 'arn', NULL, 'sdk', ?, NULL, ?,
			'us-east-1', 'us-west-2', 'up', 2, 'ref', 'metric', NULL, 'model', 'us', 7, NULL, 0, NULL, -1, 1,
			'price', 60, NULL, NULL, NULL, 0, '{"a":"b"}', '{"m":""}', 'flex', 200, NULL, 'end_turn', 0, 1)`,
			n, fmt.Sprintf("00000000-0000-4000-8000-%012x", n), n, n+1)
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	got, err := db.Usage().After(t.Context(), 0, rows+1)
	if err != nil || len(got) != rows {
		t.Fatalf("%d records, %v; want %d", len(got), err, rows)
	}
	want := outcrop.UsageRecord{
		Invocation: "00000000-0000-4000-8000-000000000009", Seq: 9, Operation: "Converse", Account: "1", Principal: "arn", SDKAttempt: "sdk",
		Started: time.Unix(0, 9).UTC(), Ended: time.Unix(0, 10).UTC(), Region: "us-east-1", ServedIn: "us-west-2", Upstream: "up", Attempts: 2,
		ModelRef: "ref", MetricID: "metric", Model: "model", Geography: "us", Tags: outcrop.Tags{"a": "b"}, RequestMetadata: map[string]string{"m": ""},
		ServiceTier: "flex", Quote: outcrop.Quote{Price: "price"}, Outcome: outcrop.Outcome{Status: 200, StopReason: "end_turn", Recovered: true},
	}
	want.Usage.Estimated = true
	want.Usage.Set(outcrop.InputTokens, 7)
	want.Usage.Set(outcrop.CacheReadTokens, 0)
	want.Usage.Set(outcrop.CacheWrite1hTokens, 1<<64-1)
	want.Quote.Rates.Set(outcrop.InputTokens, 60)
	want.Quote.Rates.Set(outcrop.CacheWrite1hTokens, 0)
	if !reflect.DeepEqual(got[8], want) {
		t.Errorf("got  %+v\nwant %+v", got[8], want)
	}
}

// The ledger and the real store together lose nothing when their process is
// killed while it settles and drains.
func TestKilledProcessLosesNoUsage(t *testing.T) {
	t.Parallel()
	ledgertest.Kill(t, 3, ledger.Options{}, func(tb testing.TB, dir string) (ledger.Store, func() error) {
		db, err := Open(tb.Context(), filepath.Join(dir, "outcrop.db"))
		if err != nil {
			tb.Fatal(err)
		}
		return db.Usage(), db.Close
	})
}

func BenchmarkUsageAppend(b *testing.B) {
	for _, rows := range []int{100, 500, 1000} {
		b.Run(map[int]string{100: "100", 500: "500", 1000: "1000"}[rows], func(b *testing.B) {
			file := filepath.Join(b.TempDir(), "outcrop.db")
			db, err := Open(b.Context(), file)
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			u, n := db.Usage(), 0
			for b.Loop() {
				list := ledgertest.Numbered(n+1, n+rows)
				n += rows
				if err := u.Append(b.Context(), list, outcrop.Seq(n)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
			if _, err := db.write.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
				b.Fatal(err)
			}
			info, err := os.Stat(file)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(info.Size())/float64(n), "B/row")
		})
	}
}
