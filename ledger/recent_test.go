package ledger

import (
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"outcrop"
)

// Property: what is at hand is what the store would answer, or nothing.
func TestWhatIsAtHandIsWhatTheStoreWouldAnswer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r recent
		var store []outcrop.UsageRecord
		var mark outcrop.Seq
		for range rapid.IntRange(1, 8).Draw(t, "drains") {
			from := mark
			var b batch
			for range rapid.IntRange(0, drainRecords).Draw(t, "records") {
				mark += outcrop.Seq(rapid.SampledFrom([]int{1, 1, 1, 1, 3}).Draw(t, "step")) // lost records leave gaps
				b.note(outcrop.UsageRecord{Seq: mark, Invocation: outcrop.InvocationID(fmt.Sprint(mark))})
			}
			store = append(store, b.records...)
			r.add(from, b, mark)
			clear(b.records) // the next batch is read into this memory
			if r.held.n >= readerRecords+3*drainRecords {
				t.Fatalf("%d records are held", r.held.n)
			}
			after, limit := outcrop.Seq(rapid.IntRange(0, int(mark)+2).Draw(t, "after")), rapid.IntRange(0, 5000).Draw(t, "limit")
			got, ok := r.after(nil, after, limit)
			if !ok {
				if mark > 0 && after == mark && r.to == mark {
					t.Fatal("a reader that has all is sent to the store")
				}
				continue
			}
			var want []outcrop.UsageRecord
			for _, e := range store {
				if e.Seq > after && len(want) < limit {
					want = append(want, e)
				}
			}
			if len(got) > len(want) || (len(got) == 0) != (len(want) == 0) || len(got) > 0 && !reflect.DeepEqual(got, want[:len(got)]) {
				t.Fatalf("after %d: %d records, the store has %d", after, len(got), len(want))
			}
		}
	})
}

// note adds a record that shares nothing.
func (b *batch) note(r outcrop.UsageRecord) {
	b.records, b.shapes = append(b.records, r), append(b.shapes, new(outcrop.UsageRecord))
}

// Property: decoding by shapes is decoding.
func TestShapesChangeNothing(t *testing.T) {
	var s shapes
	r := full()
	for n := range 10 {
		r.Invocation, r.Attempts = outcrop.InvocationID(fmt.Sprint(n)), n
		r.Account = outcrop.AccountID(fmt.Sprint(n % 2))
		var got outcrop.UsageRecord
		_, err := s.decode(&got, appendRecord(nil, &r))
		if err != nil || !reflect.DeepEqual(got, r) {
			t.Fatalf("got %+v, %v\nwant %+v", got, err, r)
		}
	}
	if len(s.known) != 2 {
		t.Errorf("%d shapes are known, want 2", len(s.known))
	}
}

// Every field is in the shape or the record's own, and one that is a record's
// own is never remembered for another.
func TestTheShapeHoldsNothingOfARecordsOwn(t *testing.T) {
	r := full()
	b := AppendOwn(nil, &r)
	if n := shapeBytes(b); n != 0 {
		t.Errorf("%d bytes of a record's own pass for a shape", n)
	}
	var back outcrop.UsageRecord
	if err := Decode(&back, AppendShape(nil, &r)); err != nil {
		t.Fatal(err)
	}
	if err := Decode(&back, b); err != nil {
		t.Fatal(err)
	}
	back.Invocation = r.Invocation
	if !reflect.DeepEqual(back, r) {
		t.Errorf("both parts make %+v\nwant %+v", back, r)
	}
}

// Whoever reads on when the memory says that it has filled finds all of it
// there, whatever the batches.
func TestWhoReadsWhenItFillsFindsItAtHand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r recent
		var mark, read outcrop.Seq
		wake := r.wake()
		for range rapid.IntRange(1, 40).Draw(t, "drains") {
			var b batch
			from := mark
			for range rapid.IntRange(1, drainRecords).Draw(t, "records") {
				mark++
				b.note(outcrop.UsageRecord{Seq: mark})
			}
			r.add(from, b, mark)
			select {
			case <-wake:
			default:
				if mark-read >= readerRecords+drainRecords {
					t.Fatalf("%d records are unread and nobody is told", mark-read)
				}
				continue
			}
			for wake = r.wake(); read < mark; {
				more, ok := r.after(nil, read, drainRecords)
				if !ok || len(more) == 0 || more[0].Seq != read+1 {
					t.Fatalf("record %d is not at hand", read+1)
				}
				read = more[len(more)-1].Seq
			}
		}
	})
}

// A full memory lets go of a batch for each that it takes.
func BenchmarkRecent(b *testing.B) {
	b.ReportAllocs()
	const records = 250
	var r recent
	var drained batch
	for range records {
		drained.note(full())
	}
	for last := outcrop.Seq(0); b.Loop(); last += records {
		for i := range drained.records {
			drained.records[i].Seq = last + outcrop.Seq(i) + 1
		}
		r.add(last, drained, last+records)
	}
}
