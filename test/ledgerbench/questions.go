package main

import (
	"context"
	"fmt"
	"time"

	"outcrop"
	"outcrop/sqlite"
	"outcrop/usage"
)

// questions are those that operators ask of many records.
func questions(ctx context.Context, db *sqlite.DB, records int) error {
	u := db.Usage()
	fmt.Printf("\n| question of %d records | ms |\n|---|---|\n", records)
	ask := func(what string, do func() error) error {
		began := time.Now()
		if err := do(); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		fmt.Printf("| %s | %.1f |\n", what, float64(time.Since(began).Microseconds())/1000)
		return nil
	}
	var some []outcrop.UsageRecord
	middle := outcrop.Seq(records / 2)
	day := firstDay.Add(15 * 24 * time.Hour)
	reader := &usage.Reader{Sync: func(context.Context) error { return nil }, Records: u}
	for _, q := range []struct {
		what string
		do   func() error
	}{
		{"100 records from the middle, in order", func() (err error) { some, err = u.After(ctx, middle, 100); return err }},
		{"one of them by its invocation", func() error { _, err := u.ByInvocation(ctx, some[50].Invocation); return err }},
		{"count a day for the audit: settled", func() error { _, err := u.Settled(ctx, day, day.Add(24*time.Hour)); return err }},
		{"count a day for the audit: records", func() error { _, err := u.Present(ctx, day, day.Add(24*time.Hour)); return err }},
		{"count thirty days for the audit: records", func() error { _, err := u.Present(ctx, firstDay, firstDay.Add(period+time.Hour)); return err }},
		{"first page of a profile in an hour of a day", func() error {
			f := usage.Filter{From: day, To: day.Add(time.Hour), Profile: some[0].MetricID}
			_, err := reader.Page(ctx, 0, &f, usage.MaxPageRows)
			return err
		}},
	} {
		if err := ask(q.what, q.do); err != nil {
			return err
		}
	}
	return nil
}
