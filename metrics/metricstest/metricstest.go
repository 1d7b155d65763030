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
		"rows come from From up to but not To":               bounds,
		"a longer step has the shorter ones' rows":           nests,
		"a fold from the wrong watermark changes nothing":    refusesMoved,
		"two folders at once: each batch is counted once":    foldsOnce,
		"a reset drops the ledger's rows and keeps others'":  resets,
		"lanes are found by account, Region and namespace":   findsLanes,
		"compaction moves to longer steps and loses nothing": compacts,
		"what no step keeps is deleted, and empty lanes":     forgets,
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
	for r, err := range s.Rows(t.Context(), metrics.Reading{Lane: l, Step: step, From: from, To: to}) {
		if err != nil {
			t.Fatal(err)
		}
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

func nests(t *testing.T, s metrics.Store) {
	fold(t, s, 0, 1, row(lane("a"), metrics.Minute, noon+60, 1), row(lane("a"), metrics.FiveMinutes, noon, 2), row(lane("a"), metrics.Hour, noon, 4))
	for step, want := range []float64{1, 3, 7} {
		if got := total(sums(t, s, lane("a"), metrics.Step(step), noon, noon+3600)); got != want {
			t.Errorf("step %d: %v, want %v", step, got, want)
		}
	}
}

func total(sums map[int64]float64) (n float64) {
	for _, v := range sums {
		n += v
	}
	return n
}

func compact(t *testing.T, s metrics.Store, days int64) {
	t.Helper()
	if err := s.Compact(t.Context(), noon+days*metrics.Day); err != nil {
		t.Fatal(err)
	}
}

// Whatever the hours and days that samples lie in, each is found once after
// every compaction, in the step that keeps it.
func compacts(t *testing.T, s metrics.Store) {
	seq, want := outcrop.Seq(0), 0.0
	for _, at := range []int64{0, 1, 59, 60, 299, 720, 1439, 1440, 1441, 3000} {
		fold(t, s, seq, seq+1, row(lane("a"), metrics.Minute, noon+at*60, float64(at+1)), row(lane("b"), metrics.Minute, noon, 1))
		seq, want = seq+1, want+float64(at+1)
	}
	var rows []metrics.Row // of many hours at once
	for hour := range int64(40) {
		rows = append(rows, row(lane("a"), metrics.Minute, noon+hour*3600+120, 1))
		want++
	}
	fold(t, s, seq, seq+1, rows...)
	if err := s.Add(t.Context(), []metrics.Row{row(lane("a"), metrics.Minute, noon, 1)}); err != nil {
		t.Fatal(err)
	}
	want++
	for _, days := range []int64{0, 1, 2, 14, 15, 16, 17, 18, 19, 63, 65, 67, 450} {
		compact(t, s, days)
		var at [metrics.Steps]float64
		for step := range metrics.Steps {
			at[step] = total(sums(t, s, lane("a"), step, noon-metrics.Day, noon+9*metrics.Day))
		}
		if at[metrics.Hour] != want {
			t.Errorf("after %d days: %v in all, want %v", days, at[metrics.Hour], want)
		}
		if days > 18 && at[metrics.Minute] > 0 || days < 15 && at[metrics.Minute] != want || days > 66 && at[metrics.FiveMinutes] > 0 || days < 63 && at[metrics.FiveMinutes] != want {
			t.Errorf("after %d days: %v by step", days, at)
		}
	}
}

func forgets(t *testing.T, s metrics.Store) {
	fold(t, s, 0, 1, row(lane("a"), metrics.Minute, noon, 1), row(lane("b"), metrics.Minute, noon+10*metrics.Day, 2))
	compact(t, s, 458)
	if got := lanes(t, s, "", "", ""); len(got) != 1 || got[0].Lane != lane("b") {
		t.Errorf("lanes %v, want that of b", got)
	}
	if got := total(sums(t, s, lane("a"), metrics.Hour, 0, noon+99999)); got != 0 {
		t.Errorf("%v is left", got)
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
	compact(t, s, 458)
	fold(t, s, 1, 2, row(lane("a"), metrics.Minute, noon+120, 3))
	if got := lanes(t, s, "", "", ""); len(got) != 1 || got[0].Last[metrics.InputTokenCount].IsZero() {
		t.Errorf("lanes = %v", got)
	}
	if got := sums(t, s, lane("a"), metrics.Minute, 0, noon+999)[noon+120]; got != 3 {
		t.Errorf("sum = %v, want 3", got)
	}
}
