package ledgertest

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"outcrop"
	"outcrop/ledger"
)

// Run holds a store to every promise of ledger.Store. open returns an empty
// store that is closed with the test.
func Run(t *testing.T, open func(testing.TB) ledger.Store) {
	t.Run("an empty store has nothing", func(t *testing.T) { emptyStore(t, open(t)) })
	t.Run("what is appended comes back whole and in order", func(t *testing.T) { appended(t, open(t)) })
	t.Run("any record comes back as it was", func(t *testing.T) { anyRecord(t, open(t)) })
	t.Run("the same invocation twice is one record", func(t *testing.T) { appendedTwice(t, open(t)) })
	t.Run("the watermark never falls", func(t *testing.T) { watermarkStays(t, open(t)) })
	t.Run("a failed append leaves neither records nor watermark", func(t *testing.T) { appendFails(t, open(t)) })
	t.Run("unknown is not zero", func(t *testing.T) { unknownIsNotZero(t, open(t)) })
	t.Run("readers page through while the ledger appends", func(t *testing.T) { readWhileAppending(t, open(t)) })
}

// Numbered are full records with Seq from to to.
func Numbered(from, to int) []outcrop.UsageRecord {
	var list []outcrop.UsageRecord
	for n := from; n <= to; n++ {
		r := Record(n)
		r.Seq = outcrop.Seq(n)
		list = append(list, r)
	}
	return list
}

func emptyStore(t *testing.T, s ledger.Store) {
	if mark, err := s.Watermark(t.Context()); mark != 0 || err != nil {
		t.Errorf("watermark = %d, %v", mark, err)
	}
	if list, err := s.After(t.Context(), 0, 10); len(list) != 0 || err != nil {
		t.Errorf("after 0 = %d records, %v", len(list), err)
	}
	if _, err := s.ByInvocation(t.Context(), "none"); outcrop.KindOf(err) != outcrop.NotFound {
		t.Errorf("by invocation: %v, want NotFound", err)
	}
}

func appended(t *testing.T, s ledger.Store) {
	want := Numbered(1, 25)
	mustAppend(t, s, want[:10], 10)
	mustAppend(t, s, want[10:], 25)
	mustAppend(t, s, nil, 27) // a watermark alone: the last frames were no records
	if got := after(t, s, 0, 100); !reflect.DeepEqual(got, want) {
		t.Errorf("after 0 = %v\nwant %v", got, want)
	}
	if got := after(t, s, 7, 3); !reflect.DeepEqual(got, want[7:10]) {
		t.Errorf("after 7, 3 = %v\nwant %v", got, want[7:10])
	}
	if got := after(t, s, 25, 3); len(got) != 0 {
		t.Errorf("after the last = %v", got)
	}
	if mark, err := s.Watermark(t.Context()); mark != 27 || err != nil {
		t.Errorf("watermark = %d, %v, want 27", mark, err)
	}
	got, err := s.ByInvocation(t.Context(), want[4].Invocation)
	if err != nil || !reflect.DeepEqual(got, want[4]) {
		t.Errorf("by invocation = %v, %v\nwant %v", got, err, want[4])
	}
}

func anyRecord(t *testing.T, s ledger.Store) {
	seq, seen := outcrop.Seq(0), map[outcrop.InvocationID]bool{}
	rapid.Check(t, func(rt *rapid.T) {
		want := Records().Draw(rt, "record")
		if seen[want.Invocation] {
			return
		}
		seen[want.Invocation] = true
		seq++
		want.Seq = seq
		if err := s.Append(t.Context(), []outcrop.UsageRecord{want}, seq); err != nil {
			rt.Fatal(err)
		}
		got, err := s.ByInvocation(t.Context(), want.Invocation)
		if err != nil || !reflect.DeepEqual(got, want) {
			rt.Fatalf("got %+v, %v\nwant %+v", got, err, want)
		}
	})
}

func appendedTwice(t *testing.T, s ledger.Store) {
	first := Numbered(1, 3)
	mustAppend(t, s, first, 3)
	mustAppend(t, s, first, 3) // a drain that did not hear of its success
	again := first[1]
	again.Seq, again.Upstream = 4, "another"
	last := Numbered(5, 5)[0]
	mustAppend(t, s, []outcrop.UsageRecord{again, last}, 5)
	if got, want := after(t, s, 0, 100), append(first, last); !reflect.DeepEqual(got, want) {
		t.Errorf("after 0 = %v\nwant %v", got, want)
	}
}

func watermarkStays(t *testing.T, s ledger.Store) {
	for _, mark := range []outcrop.Seq{9, 100, 20} { // 100 > 9, though not as text
		mustAppend(t, s, nil, mark)
	}
	if mark, err := s.Watermark(t.Context()); mark != 100 || err != nil {
		t.Errorf("watermark = %d, %v, want 100", mark, err)
	}
}

func appendFails(t *testing.T, s ledger.Store) {
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	if err := s.Append(ctx, Numbered(1, 3), 3); err == nil {
		t.Fatal("append with an ended context succeeded")
	}
	emptyStore(t, s)
}

func unknownIsNotZero(t *testing.T, s ledger.Store) {
	r := outcrop.UsageRecord{Invocation: "inv-1", Seq: 1}
	r.Usage.Set(outcrop.OutputTokens, 0)
	mustAppend(t, s, []outcrop.UsageRecord{r}, 1)
	got := after(t, s, 0, 1)[0]
	if _, known := got.Usage.Get(outcrop.InputTokens); known {
		t.Error("input tokens became known")
	}
	if n, known := got.Usage.Get(outcrop.OutputTokens); n != 0 || !known {
		t.Errorf("output tokens = %d, %v, want a known 0", n, known)
	}
	if got.Quote.Rates.Known() {
		t.Error("a rate became known")
	}
}

func readWhileAppending(t *testing.T, s ledger.Store) {
	const total, batch = 300, 20
	failed := make(chan error, 1)
	go func() {
		defer close(failed)
		for n := 1; n <= total; n += batch {
			if err := s.Append(t.Context(), Numbered(n, n+batch-1), outcrop.Seq(n+batch-1)); err != nil {
				failed <- err
				return
			}
		}
	}()
	var next outcrop.Seq = 1
	for next <= total {
		for _, r := range after(t, s, next-1, 7) {
			if r.Seq != next {
				t.Fatalf("record %d where %d should be", r.Seq, next)
			}
			next++
		}
		if t.Context().Err() != nil || t.Failed() {
			break
		}
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
}

func mustAppend(t *testing.T, s ledger.Store, list []outcrop.UsageRecord, mark outcrop.Seq) {
	t.Helper()
	if err := s.Append(t.Context(), list, mark); err != nil {
		t.Fatal(err)
	}
}

func after(t *testing.T, s ledger.Store, seq outcrop.Seq, limit int) []outcrop.UsageRecord {
	t.Helper()
	list, err := s.After(t.Context(), seq, limit)
	if err != nil {
		t.Fatal(err)
	}
	return list
}
