package ledger

import (
	"reflect"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"

	"outcrop"
)

// What is kept of a record is all of it: together with the shape that the log
// decodes to, it makes the record again.
func TestWhatIsKeptIsTheWholeRecord(t *testing.T) {
	want := full()
	want.Seq = 7
	var known shapes
	var r outcrop.UsageRecord
	shape, err := known.decode(&r, appendRecord(nil, &want))
	if err != nil {
		t.Fatal(err)
	}
	r.Seq = want.Seq
	k := keep(&r, shape)
	r = outcrop.UsageRecord{Binding: "of whoever had the memory before", RequestMetadata: map[string]string{"x": "y"}}
	if k.record(&r); !reflect.DeepEqual(r, want) {
		t.Errorf("kept %+v\nwant %+v", r, want)
	}
	if size := unsafe.Sizeof(k); size > unsafe.Sizeof(r)*2/5 {
		t.Errorf("%d bytes are kept of %d", size, unsafe.Sizeof(r))
	}
}

// A record that is laid out otherwise, as a later version may, is kept too.
func TestWhatHasNoShapeIsKept(t *testing.T) {
	want := full()
	encoded := AppendOwn(nil, &want)
	encoded = append(encoded, AppendShape(nil, &want)[1:]...)
	encoded = append(encoded, appendRecord(nil, &outcrop.UsageRecord{Invocation: want.Invocation})[1:]...)
	var known shapes
	var r, back outcrop.UsageRecord
	shape, err := known.decode(&r, encoded)
	if err != nil || !reflect.DeepEqual(r, want) {
		t.Fatalf("got %+v, %v\nwant %+v", r, err, want)
	}
	k := keep(&r, shape)
	if k.record(&back); !reflect.DeepEqual(back, want) {
		t.Errorf("kept %+v\nwant %+v", back, want)
	}
}

// Property: a time comes back as the log would bring it.
func TestInstants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(0, rapid.OneOf(rapid.Int64(), rapid.Int64Range(-2, 2)).Draw(t, "nanoseconds")).UTC()
		if back := instantOf(at).time(); back != at {
			t.Fatalf("%s comes back as %s", at, back)
		}
	})
	if !instantOf(time.Time{}).time().IsZero() {
		t.Error("no time comes back as one")
	}
}

// Property: a ring is a queue.
func TestARingIsAQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q ring
		var model []outcrop.Seq
		var next outcrop.Seq
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			for range rapid.IntRange(0, 400).Draw(t, "pushed") {
				next++
				q.push(kept{seq: next})
				model = append(model, next)
			}
			n := rapid.IntRange(0, len(model)).Draw(t, "dropped")
			q.drop(n)
			model = model[n:]
			if q.n != len(model) {
				t.Fatalf("holds %d, want %d", q.n, len(model))
			}
			for i, seq := range model {
				if q.at(i).seq != seq {
					t.Fatalf("record %d is %d, want %d", i, q.at(i).seq, seq)
				}
			}
		}
		held := 0
		for _, k := range q.slots {
			if k.seq != 0 {
				held++
			}
		}
		if held != q.n {
			t.Errorf("%d slots hold something, %d records", held, q.n)
		}
	})
}
