package sqlite

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"outcrop"
	"outcrop/ledger"
	"outcrop/ledger/ledgertest"
)

// BenchmarkDrain is what half a second of calls, at 500 or 2,000 a second,
// leaves to do: to read their records from the log, copy them into the store
// and show them to three readers. Settling them is not measured.
func BenchmarkDrain(b *testing.B) {
	for _, records := range []int{250, 1000} {
		b.Run(fmt.Sprint(records), func(b *testing.B) {
			db, err := Open(b.Context(), filepath.Join(b.TempDir(), "outcrop.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			l, err := ledger.Start("", db.Usage(), ledger.Options{Files: ledgertest.NewDisk(1), DrainEvery: time.Hour, DrainAfter: 1 << 30})
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			d := drainBench{B: b, ledger: l, readers: []*ledger.Follower{l.Follow(), l.Follow(), l.Follow()}, settled: make(chan error)}
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				d.settle(records)
				b.StartTimer()
				d.drain()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(d.n), "ns/record")
		})
	}
}

type drainBench struct {
	*testing.B
	ledger  *ledger.Ledger
	readers []*ledger.Follower
	settled chan error
	n       int
	read    outcrop.Seq
}

func (d *drainBench) settle(records int) {
	for range records {
		d.n++
		r := ledgertest.Record(d.n)
		go func() { d.settled <- d.ledger.Settle(d.Context(), r) }()
	}
	for range records {
		if err := <-d.settled; err != nil {
			d.Fatal(err)
		}
	}
}

func (d *drainBench) drain() {
	if err := d.ledger.Sync(d.Context()); err != nil {
		d.Fatal(err)
	}
	var last outcrop.Seq
	for _, f := range d.readers {
		for last = d.read; ; {
			list, err := f.After(d.Context(), last, 4096)
			if err != nil {
				d.Fatal(err)
			}
			if len(list) == 0 {
				break
			}
			last = list[len(list)-1].Seq
		}
	}
	if d.read = last; last != outcrop.Seq(d.n) {
		d.Fatalf("read to %d of %d", last, d.n)
	}
}
