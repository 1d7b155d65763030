package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"outcrop"
	"outcrop/ledger"
	"outcrop/ledger/ledgertest"
)

// writers settles with 1, 64 and 512 writers, each beside a bare loop that
// writes and syncs as many bytes, one record at a time.
func writers(ctx context.Context, dir string, span time.Duration) error {
	fmt.Print("| writers | records/s | bare write+fdatasync/s | ratio | records/sync |\n|---|---|---|---|---|\n")
	for _, n := range []int{1, 64, 512} {
		bare, err := bareLoop(filepath.Join(dir, "bare"), span/3)
		if err != nil {
			return err
		}
		settled, perSync, err := settle(ctx, filepath.Join(dir, fmt.Sprint("log-", n)), n, span)
		if err != nil {
			return err
		}
		fmt.Printf("| %d | %.0f | %.0f | %.2f | %.1f |\n", n, settled, bare, settled/bare, perSync)
	}
	return nil
}

func settle(ctx context.Context, dir string, writers int, span time.Duration) (perSecond, perSync float64, err error) {
	l, err := ledger.Start(dir, nowhere{}, ledger.Options{MaxSegments: 1 << 20, DrainEvery: time.Hour, DrainAfter: 1 << 30})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, l.Close(), os.RemoveAll(dir)) }()
	var next atomic.Int64
	var failed atomic.Value
	var all sync.WaitGroup
	began := time.Now()
	for range writers {
		all.Go(func() {
			r := ledgertest.Record(0)
			for time.Since(began) < span && failed.Load() == nil {
				r.Invocation = outcrop.InvocationID(fmt.Sprintf("%036d", next.Add(1)))
				if err := errors.Join(l.Open(ctx, r), l.Settle(ctx, r)); err != nil {
					failed.Store(err)
				}
			}
		})
	}
	all.Wait()
	took, s := time.Since(began), l.Stats()
	if err, _ := failed.Load().(error); err != nil {
		return 0, 0, err
	}
	return float64(s.Settled) / took.Seconds(), float64(s.Settled) / float64(s.Commits), nil
}

// recordBytes is what ledgertest.Record comes to in the log.
const recordBytes = 600

func bareLoop(file string, span time.Duration) (perSecond float64, err error) {
	const size = 16 << 20
	files, err := ledger.OpenFolder(filepath.Dir(file) + "-bare")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, files.Close(), os.RemoveAll(filepath.Dir(file)+"-bare")) }()
	f, err := files.Create("bare", size, nil)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	record, n, began := make([]byte, recordBytes), 0, time.Now()
	for ; time.Since(began) < span; n++ {
		if _, err := f.WriteAt(record, int64(n*recordBytes)%(size-recordBytes)); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
	}
	return float64(n) / time.Since(began).Seconds(), nil
}

// nowhere is a store that takes everything at no cost, so that the log alone is
// measured.
type nowhere struct{}

func (nowhere) Append(context.Context, []outcrop.UsageRecord, outcrop.Seq) error { return nil }
func (nowhere) Flush(context.Context) error                                      { return nil }
func (nowhere) Watermark(context.Context) (outcrop.Seq, error)                   { return 0, nil }
func (nowhere) After(context.Context, outcrop.Seq, int) ([]outcrop.UsageRecord, error) {
	return nil, nil
}
func (nowhere) ByInvocation(_ context.Context, id outcrop.InvocationID) (outcrop.UsageRecord, error) {
	return outcrop.UsageRecord{}, outcrop.Errorf(outcrop.NotFound, "no usage record of invocation %s", id)
}
