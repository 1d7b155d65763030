// Package metricstest holds every store of metrics to the promises of
// metrics.Store.
package metricstest

import (
	"bytes"
	"errors"
	"sync"
	"testing"
	"time"

	"outcrop"
	"outcrop/metrics"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC).Unix()

// Run holds a store to its promises. open makes an empty one.
func Run(t *testing.T, open func(testing.TB) metrics.Store) {
	for name, test := range map[string]func(*testing.T, metrics.Store){
		"an empty store answers with nothing":                empty,
		"rows of one place are merged":                       merges,
		"rows come in order, from From up to but not To":     bounds,
		"a fold from the wrong watermark changes nothing":    refusesMoved,
		"two folders at once: each batch is counted once":    foldsOnce,
		"a reset drops the ledger's rows and keeps others'":  resets,
		"lanes are found by account, Region and namespace":   findsLanes,
		"expiry deletes by step, and lanes that have no row": expires,
		"a damaged block is an error and changes nothing":    refusesDamage,
		"what was forgotten can be recorded again":           recordsAgain,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func lane(model string) metrics.Lane {
	return metrics.Lane{Account: "111122223333", Region: "us-east-1", Namespace: metrics.Namespace,
		Dimensions: metrics.NewDimensions(metrics.Dimension{Name: metrics.DimModelID, Value: model})}
}

func row(l metrics.Lane, step metrics.Step, start int64, values ...float64) metrics.Row {
	var b metrics.Block
	for _, v := range values {
		b.At(metrics.InputTokenCount).Add(v)
	}
	return metrics.Row{Lane: l, Step: step, Start: start, Block: b.Append(nil), Names: b.Names()}
}

func fold(t *testing.T, s metrics.Store, from, to outcrop.Seq, rows ...metrics.Row) {
	t.Helper()
	if err := s.Fold(t.Context(), from, to, rows); err != nil {
		t.Fatal(err)
	}
}

// sums reads the sum of each period.
func sums(t *testing.T, s metrics.Store, l metrics.Lane, step metrics.Step, from, to int64) map[int64]float64 {
	t.Helper()
	out := map[int64]float64{}
	last := int64(-1 << 62)
	for r, err := range s.Rows(t.Context(), metrics.Reading{Lane: l, Step: step, From: from, To: to}) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Start < last {
			t.Errorf("row %d comes after %d", r.Start, last)
		}
		last = r.Start
		b, err := metrics.ReadBlock(bytes.Clone(r.Block))
		if err != nil {
			t.Fatal(err)
		}
		out[r.Start] += b.At(metrics.InputTokenCount).Sum
	}
	return out
}

func mark(t *testing.T, s metrics.Store) outcrop.Seq {
	t.Helper()
	seq, err := s.Watermark(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func lanes(t *testing.T, s metrics.Store, account outcrop.AccountID, region outcrop.Region, namespace string) []metrics.LaneInfo {
	t.Helper()
	list, err := s.Lanes(t.Context(), account, region, namespace)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func empty(t *testing.T, s metrics.Store) {
	if mark(t, s) != 0 || len(sums(t, s, lane("a"), metrics.Minute, 0, noon)) > 0 || len(lanes(t, s, "", "", "")) > 0 {
		t.Error("an empty store has something")
	}
}

func merges(t *testing.T, s metrics.Store) {
	fold(t, s, 0, 2, row(lane("a"), metrics.Minute, noon, 5), row(lane("b"), metrics.Minute, noon, 100))
	fold(t, s, 2, 3, row(lane("a"), metrics.Minute, noon, 7, 9), row(lane("a"), metrics.Hour, noon, 1000))
	if err := s.Add(t.Context(), []metrics.Row{row(lane("a"), metrics.Minute, noon, 1)}); err != nil {
		t.Fatal(err)
	}
	if got := sums(t, s, lane("a"), metrics.Minute, noon, noon+60)[noon]; got != 22 {
		t.Errorf("sum = %v, want 22", got)
	}
	if got := mark(t, s); got != 3 {
		t.Errorf("watermark = %d, want 3", got)
	}
}

func bounds(t *testing.T, s metrics.Store) {
	fold(t, s, 0, 1, row(lane("a"), metrics.Minute, noon+60, 2), row(lane("a"), metrics.Minute, noon-60, 4),
		row(lane("a"), metrics.Minute, noon, 1), row(lane("a"), metrics.FiveMinutes, noon, 8))
	got := sums(t, s, lane("a"), metrics.Minute, noon-60, noon+60)
	if len(got) != 2 || got[noon-60] != 4 || got[noon] != 1 {
		t.Errorf("rows %v, want those of the two minutes", got)
	}
}

func refusesMoved(t *testing.T, s metrics.Store) {
	fold(t, s, 0, 5, row(lane("a"), metrics.Minute, noon, 5))
	if err := s.Fold(t.Context(), 4, 9, []metrics.Row{row(lane("a"), metrics.Minute, noon, 7)}); !errors.Is(err, metrics.ErrMoved) {
		t.Errorf("err = %v, want ErrMoved", err)
	}
	if got := sums(t, s, lane("a"), metrics.Minute, noon, noon+60)[noon]; got != 5 || mark(t, s) != 5 {
		t.Errorf("sum = %v, watermark = %d", got, mark(t, s))
	}
}

func foldsOnce(t *testing.T, s metrics.Store) {
	const batches = 20
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			for {
				from, err := s.Watermark(t.Context())
				if err != nil || from == batches {
					return
				}
				_ = s.Fold(t.Context(), from, from+1, []metrics.Row{row(lane("a"), metrics.Minute, noon, 1)}) // ErrMoved: the other was first
			}
		})
	}
	both.Wait()
	if got := sums(t, s, lane("a"), metrics.Minute, noon, noon+60)[noon]; got != batches {
		t.Errorf("sum = %v, want %d", got, batches)
	}
}

func resets(t *testing.T, s metrics.Store) {
	fold(t, s, 0, 9, row(lane("a"), metrics.Minute, noon, 5), row(lane("b"), metrics.Minute, noon, 5))
	if err := s.Add(t.Context(), []metrics.Row{row(lane("a"), metrics.Minute, noon, 1)}); err != nil {
		t.Fatal(err)
	}
	if err := s.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := sums(t, s, lane("a"), metrics.Minute, noon, noon+60)[noon]; got != 1 || mark(t, s) != 0 {
		t.Errorf("sum = %v, watermark = %d; want 1 and 0", got, mark(t, s))
	}
	if got := lanes(t, s, "", "", ""); len(got) != 1 || got[0].Lane != lane("a") {
		t.Errorf("lanes %v, want that of a", got)
	}
}

func findsLanes(t *testing.T, s metrics.Store) {
	other, far, mine := lane("a"), lane("a"), lane("a")
	other.Account, far.Region, mine.Namespace = "999900001111", "eu-west-1", "Mine"
	fold(t, s, 0, 1, row(lane("a"), metrics.Minute, noon, 1), row(other, metrics.Minute, noon, 1), row(far, metrics.Minute, noon, 1), row(lane("a"), metrics.Minute, noon+7200, 1))
	if err := s.Add(t.Context(), []metrics.Row{row(mine, metrics.Minute, noon, 1)}); err != nil {
		t.Fatal(err)
	}
	got := lanes(t, s, "111122223333", "us-east-1", metrics.Namespace)
	if len(got) != 1 || got[0].Lane != lane("a") || !got[0].Last[metrics.InputTokenCount].Equal(time.Unix(noon+7200, 0)) {
		t.Errorf("lanes = %v", got)
	}
	if got := lanes(t, s, "", "", ""); len(got) != 4 {
		t.Errorf("%d lanes in all, want 4", len(got))
	}
	if got := lanes(t, s, "111122223333", "us-east-1", ""); len(got) != 2 {
		t.Errorf("%d lanes of the account and Region, want 2", len(got))
	}
}

func expires(t *testing.T, s metrics.Store) {
	fold(t, s, 0, 1, row(lane("a"), metrics.Minute, noon, 1), row(lane("a"), metrics.Minute, noon+60, 2), row(lane("a"), metrics.Hour, noon, 4),
		row(lane("b"), metrics.Minute, noon, 1))
	if err := s.Expire(t.Context(), [metrics.Steps]int64{noon + 60, noon, noon}); err != nil {
		t.Fatal(err)
	}
	minutes, hours := sums(t, s, lane("a"), metrics.Minute, 0, noon+99999), sums(t, s, lane("a"), metrics.Hour, 0, noon+99999)
	if len(minutes) != 1 || minutes[noon+60] != 2 || hours[noon] != 4 {
		t.Errorf("minutes %v, hours %v", minutes, hours)
	}
	if got := lanes(t, s, "", "", ""); len(got) != 1 || got[0].Lane != lane("a") {
		t.Errorf("lanes %v, want that of a", got)
	}
}

func refusesDamage(t *testing.T, s metrics.Store) {
	fold(t, s, 0, 1, row(lane("a"), metrics.Minute, noon, 1))
	bad := row(lane("a"), metrics.Minute, noon, 1)
	bad.Block = []byte{0xff}
	if err := s.Fold(t.Context(), 1, 2, []metrics.Row{row(lane("b"), metrics.Minute, noon, 1), bad}); err == nil || mark(t, s) != 1 {
		t.Errorf("err = %v, watermark = %d", err, mark(t, s))
	}
}

func recordsAgain(t *testing.T, s metrics.Store) {
	fold(t, s, 0, 1, row(lane("a"), metrics.Minute, noon, 1))
	if err := s.Expire(t.Context(), [metrics.Steps]int64{noon + 60, noon + 60, noon + 60}); err != nil {
		t.Fatal(err)
	}
	fold(t, s, 1, 2, row(lane("a"), metrics.Minute, noon+120, 3))
	if got := lanes(t, s, "", "", ""); len(got) != 1 || got[0].Last[metrics.InputTokenCount].IsZero() {
		t.Errorf("lanes = %v", got)
	}
	if got := sums(t, s, lane("a"), metrics.Minute, 0, noon+999)[noon+120]; got != 3 {
		t.Errorf("sum = %v, want 3", got)
	}
}
