package ledger_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"outcrop"
	"outcrop/ledger"
	"outcrop/ledger/ledgertest"
)

// BenchmarkSettle opens and settles with 1, 64 and 512 writers. In the same
// run it writes and syncs records of that size one by one into a preallocated
// file, and reports how many times as fast the ledger is (x-bare).
func BenchmarkSettle(b *testing.B) {
	for _, writers := range []int{1, 64, 512} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			// Draining is measured where the stores are; here it would add its
			// own allocations.
			l, err := ledger.Start(b.TempDir(), discard{}, ledger.Options{MaxSegments: 1 << 20, DrainEvery: time.Hour, DrainAfter: 1 << 30})
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			bare := bareLoop(b, 500*time.Millisecond)
			b.ReportAllocs()
			b.ResetTimer()
			settleWith(b, l, writers)
			b.StopTimer()
			rate := float64(b.N) / b.Elapsed().Seconds()
			b.ReportMetric(rate, "records/s")
			b.ReportMetric(rate/bare, "x-bare")
			b.ReportMetric(float64(l.Stats().Settled)/float64(l.Stats().Commits), "records/commit")
		})
	}
}

func settleWith(b *testing.B, l *ledger.Ledger, writers int) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			r := ledgertest.Record(0)
			for {
				n := next.Add(1)
				if n > int64(b.N) {
					return
				}
				r.Invocation = outcrop.InvocationID(fmt.Sprintf("%036d", n))
				if err := l.Open(b.Context(), r); err != nil {
					b.Error(err)
					return
				}
				if err := l.Settle(b.Context(), r); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

// bareLoop is how many records of 600 bytes a single writer has on disk per
// second, one sync each.
func bareLoop(b *testing.B, d time.Duration) (perSecond float64) {
	f, err := ledger.CreateFile(filepath.Join(b.TempDir(), "bare"), 16<<20)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	record, n, begin := make([]byte, 600), 0, time.Now()
	for time.Since(begin) < d {
		if _, err := f.WriteAt(record, int64(n*len(record))%(16<<20-600)); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		n++
	}
	return float64(n) / time.Since(begin).Seconds()
}

// discard is a store that takes everything at no cost, so that the log alone
// is measured.
type discard struct{}

func (discard) Append(context.Context, []outcrop.UsageRecord, outcrop.Seq) error { return nil }
func (discard) Flush(context.Context) error                                      { return nil }
func (discard) Watermark(context.Context) (outcrop.Seq, error)                   { return 0, nil }
func (discard) After(context.Context, outcrop.Seq, int) ([]outcrop.UsageRecord, error) {
	return nil, nil
}
func (discard) ByInvocation(_ context.Context, id outcrop.InvocationID) (outcrop.UsageRecord, error) {
	return outcrop.UsageRecord{}, outcrop.Errorf(outcrop.NotFound, "no usage record of invocation %s", id)
}

// BenchmarkStart measures an empty folder: what every start pays.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		dir, err := os.MkdirTemp(b.TempDir(), "ledger")
		if err != nil {
			b.Fatal(err)
		}
		l, err := ledger.Start(dir, discard{}, ledger.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
