// Package reconcile compares counts that must be equal: the invocations that
// were settled, their records, the lines of the bill and the samples of the
// metrics; and a ledger with what an upstream or AWS counted.
package reconcile

import (
	"context"
	"fmt"
	"time"
)

// A Source counts the invocations that began in whole hours from ≤ hour < to,
// and knows of all that were settled before it is asked.
type Source struct {
	Name    string // as people read it: "ledger records"
	Counted func(ctx context.Context, from, to time.Time) (uint64, error)
}

// An Auditor compares Sources with the number of invocations that were settled.
type Auditor struct {
	// Sync returns once all that was settled before can be counted.
	Sync func(context.Context) error
	// Settled counts the invocations that were settled, as it was noted when
	// that happened. The other counts must equal it.
	Settled Source
	Others  []Source
}

// A Verdict says how an audit came out.
type Verdict string

// The verdicts. One count that differs outweighs one that could not be had.
const (
	Equal      Verdict = "equal"
	Differs    Verdict = "differs"
	CannotTell Verdict = "cannot tell"
)

// A Report is one audit.
type Report struct {
	From, To time.Time // whole hours
	At       time.Time
	Counts   []Count // the first is of the settled invocations
	Verdict  Verdict
}

// A Count is what one source says. Off is how far it is from what was settled.
type Count struct {
	Name  string
	N     uint64
	Off   int64
	Error string // why there is no count; empty when there is one
}

// tries is how often a count is repeated that differs while calls are settled.
const tries = 3

// Audit compares the counts of a period, which is widened to whole hours.
func (a *Auditor) Audit(ctx context.Context, from, to time.Time) (Report, error) {
	from, to = hours(from, to)
	var r Report
	for range tries {
		r = Report{From: from, To: to, At: time.Now().UTC()}
		if err := a.count(ctx, &r); err != nil {
			return r, err
		}
		if r.Verdict != Differs || ctx.Err() != nil {
			break
		}
	}
	return r, nil
}

// Horizon is how far back everything can be counted: metrics keep their last
// step for 455 days.
const Horizon = 454 * 24 * time.Hour

// Period fills in what of a period is open: everything that can be counted.
func Period(from, to, now time.Time) (time.Time, time.Time) {
	if to.IsZero() {
		to = now.Add(time.Hour)
	}
	if from.IsZero() {
		from = now.Add(-Horizon)
	}
	return from, to
}

// hours widens a period to whole hours.
func hours(from, to time.Time) (time.Time, time.Time) {
	from = from.UTC().Truncate(time.Hour)
	if end := to.UTC().Truncate(time.Hour); !end.Equal(to) {
		return from, end.Add(time.Hour)
	}
	return from, to.UTC()
}

// count asks every source. Calls may be settled meanwhile: a count is right
// when it lies between those of before and after it.
func (a *Auditor) count(ctx context.Context, r *Report) error {
	if err := a.Sync(ctx); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	before, err := a.Settled.Counted(ctx, r.From, r.To)
	if err != nil {
		return fmt.Errorf("audit: count %s: %w", a.Settled.Name, err)
	}
	counts := make([]Count, len(a.Others))
	for i, s := range a.Others {
		counts[i].Name = s.Name
		if counts[i].N, err = s.Counted(ctx, r.From, r.To); err != nil {
			counts[i].Error = err.Error()
		}
	}
	after, err := a.Settled.Counted(ctx, r.From, r.To)
	if err != nil {
		return fmt.Errorf("audit: count %s: %w", a.Settled.Name, err)
	}
	r.Verdict = judge(counts, before, after)
	r.Counts = append([]Count{{Name: a.Settled.Name, N: after}}, counts...)
	return nil
}

func judge(counts []Count, before, after uint64) Verdict {
	v := Equal
	for i := range counts {
		c := &counts[i]
		switch {
		case c.Error != "":
			if v == Equal {
				v = CannotTell
			}
		case c.N < before:
			c.Off, v = int64(c.N-before), Differs
		case c.N > after:
			c.Off, v = int64(c.N-after), Differs
		}
	}
	return v
}
