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
			var batch []outcrop.UsageRecord
			for range rapid.IntRange(0, recentRecords/2).Draw(t, "records") {
				mark += outcrop.Seq(rapid.SampledFrom([]int{1, 1, 1, 1, 3}).Draw(t, "step")) // lost records leave gaps
				batch = append(batch, outcrop.UsageRecord{Seq: mark, Invocation: outcrop.InvocationID(fmt.Sprint(mark))})
			}
			store = append(store, batch...)
			r.add(from, batch, mark)
			if len(r.records) > 2*recentRecords {
				t.Fatalf("%d records are held", len(r.records))
			}
			after, limit := outcrop.Seq(rapid.IntRange(0, int(mark)+2).Draw(t, "after")), rapid.IntRange(0, 5000).Draw(t, "limit")
			got, ok := r.after(after, limit)
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
			if len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
				t.Fatalf("after %d: %d records, the store has %d", after, len(got), len(want))
			}
		}
	})
}

// Property: decoding by shapes is decoding.
func TestShapesChangeNothing(t *testing.T) {
	var s shapes
	r := full()
	for n := range 10 {
		r.Invocation, r.Attempts = outcrop.InvocationID(fmt.Sprint(n)), n
		r.Account = outcrop.AccountID(fmt.Sprint(n % 2))
		got, err := s.decode(appendRecord(nil, &r))
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

// A full memory is renewed by half, which costs one array for every half.
func BenchmarkRecent(b *testing.B) {
	b.ReportAllocs()
	const batch = 250
	var r recent
	records := make([]outcrop.UsageRecord, batch)
	for last := outcrop.Seq(0); b.Loop(); last += batch {
		for i := range records {
			records[i].Seq = last + outcrop.Seq(i) + 1
		}
		r.add(last, records, last+batch)
	}
}
