package sqlite

import (
	"os"
	"path/filepath"
	"testing"

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
