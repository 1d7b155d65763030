// Command ledgerbench measures the ledger, its store and the folds over it, at
// the size that years of use come to (make bench-ledger).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"outcrop"
	"outcrop/cost"
	"outcrop/metrics"
	"outcrop/sqlite"
)

func main() {
	records := flag.Int("records", 10_000_000, "how many records the store gets")
	seconds := flag.Int("seconds", 3, "how long each number of writers settles")
	dir := flag.String("dir", "", "folder to work in, on the disk to measure; default a temporary one")
	meters := flag.Bool("metrics", false, "fold and rebuild the metrics, too")
	flag.Parse()
	b := bench{records: *records, span: time.Duration(*seconds) * time.Second, metrics: *meters}
	if err := b.run(context.Background(), *dir); err != nil {
		fmt.Fprintln(os.Stderr, "ledgerbench:", err)
		os.Exit(1)
	}
}

// A bench is one run.
type bench struct {
	records int
	span    time.Duration
	metrics bool
}

func (b *bench) run(ctx context.Context, dir string) (err error) {
	if dir, err = os.MkdirTemp(dir, "outcrop-ledgerbench"); err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := writers(ctx, dir, b.span); err != nil {
		return err
	}
	return b.store(ctx, filepath.Join(dir, "outcrop.db"))
}

// store fills a store, folds it, and folds it again.
func (b *bench) store(ctx context.Context, file string) (err error) {
	db, err := sqlite.Open(ctx, file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	fmt.Printf("\n| %d records | seconds | records/s | bytes/record |\n|---|---|---|---|\n", b.records)
	line := func(what string, took time.Duration, bytes int64) {
		fmt.Printf("| %s | %.1f | %.0f | %.0f |\n", what, took.Seconds(), float64(b.records)/took.Seconds(), float64(bytes)/float64(b.records))
	}
	if err := measure(line, "drain into SQLite", db, func() error { return fill(ctx, db.Usage(), b.records) }); err != nil {
		return err
	}
	reader, quiet := stored{db.Usage()}, slog.New(slog.DiscardHandler)
	f := folds{cost.New(reader, db.Costs(), time.Now, quiet), nil}
	if b.metrics {
		f.meters = metrics.New(reader, db.Metrics(), metrics.Rules{Legacy: func(outcrop.Region, outcrop.ModelID) bool { return false }}, time.Now, quiet)
	}
	before, err := f.fold(ctx, line, db)
	if err != nil {
		return err
	}
	after, err := f.rebuild(ctx, line, db)
	if err != nil {
		return err
	}
	if before != after {
		return fmt.Errorf("a rebuild answers otherwise:\n%s\n%s", before, after)
	}
	fmt.Printf("\nA rebuild gives identical answers: %s\n", after)
	return questions(ctx, db, b.records)
}

// folds are the readers that are measured; meters may be nil.
type folds struct {
	costs  *cost.Costs
	meters *metrics.Metrics
}

func (f *folds) fold(ctx context.Context, line func(string, time.Duration, int64), db *sqlite.DB) (string, error) {
	err := measure(line, "cost fold", db, func() error { return f.costs.CatchUp(ctx) })
	if err == nil && f.meters != nil {
		err = measure(line, "metrics fold", db, func() error { return f.meters.CatchUp(ctx) })
	}
	if err != nil {
		return "", err
	}
	return f.answers(ctx)
}

func (f *folds) rebuild(ctx context.Context, line func(string, time.Duration, int64), db *sqlite.DB) (string, error) {
	err := measure(line, "rebuild of the costs", db, func() error { return f.costs.Rebuild(ctx) })
	if err == nil && f.meters != nil {
		err = measure(line, "rebuild of the metrics", db, func() error { return f.meters.Rebuild(ctx) })
	}
	if err != nil {
		return "", err
	}
	return f.answers(ctx)
}

func measure(line func(string, time.Duration, int64), what string, db *sqlite.DB, do func() error) error {
	had, err := db.Size(context.Background())
	if err != nil {
		return err
	}
	began := time.Now()
	if err := do(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	took := time.Since(began)
	has, err := db.Size(context.Background())
	line(what, took, max(has-had, 0))
	return err
}

// stored is the store as the ledger shows it: everything is in it already.
type stored struct{ *sqlite.Usage }

func (stored) Sync(context.Context) error { return nil }
