package sketch

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

var values = rapid.OneOf(
	rapid.Map(rapid.IntRange(0, 1<<40), func(n int) float64 { return float64(n) }),
	rapid.Map(rapid.IntRange(0, 300), func(n int) float64 { return float64(n) }),
	rapid.Float64Range(-1e18, 1e18),
)

// Property: a bucket gives back what fell into it within RelativeError, and
// small whole numbers as they were.
func TestABucketIsAsNarrowAsItSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := values.Draw(t, "v")
		got := KeyOf(v).Value()
		if off := math.Abs(got - v); off > math.Abs(v)*RelativeError && off > math.SmallestNonzeroFloat32 {
			t.Fatalf("%v came back as %v", v, got)
		}
		if v == math.Trunc(v) && math.Abs(v) < 256 && got != v {
			t.Fatalf("the whole number %v came back as %v", v, got)
		}
	})
}

// Property: keys are ordered as values are.
func TestKeysKeepTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := values.Draw(t, "a"), values.Draw(t, "b")
		if a <= b && KeyOf(a) > KeyOf(b) {
			t.Fatalf("%v <= %v, and keys %d > %d", a, b, KeyOf(a), KeyOf(b))
		}
	})
}

// Property: however values are dealt out and merged, the sketch is the same,
// and any rank in it is within RelativeError of the value of that rank.
func TestMergingIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(values, 1, 200).Draw(t, "values")
		var whole Sketch
		parts := make([]Sketch, 5)
		for _, v := range all {
			whole.Add(v, 1)
			parts[rapid.IntRange(0, 4).Draw(t, "part")].Add(v, 1)
		}
		var merged Sketch
		for i := range parts {
			merged.Merge(&parts[i])
		}
		if !slices.Equal(merged.Buckets(), whole.Buckets()) || merged.Count() != uint64(len(all)) {
			t.Fatalf("merged %v, at once %v", merged, whole)
		}
		slices.Sort(all)
		rank := 0
		for _, b := range whole.Buckets() {
			for range b.N {
				if off := math.Abs(b.Key.Value() - all[rank]); off > math.Abs(all[rank])*RelativeError && off > math.SmallestNonzeroFloat32 {
					t.Fatalf("rank %d: %v for %v", rank, b.Key.Value(), all[rank])
				}
				rank++
			}
		}
	})
}

func TestASketchReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s Sketch
		for _, v := range rapid.SliceOfN(values, 0, 50).Draw(t, "values") {
			s.Add(v, rapid.Uint64Range(1, 1000).Draw(t, "n"))
		}
		got, rest, err := Read(s.Append(nil))
		if err != nil || len(rest) > 0 || !slices.Equal(got.Buckets(), s.Buckets()) {
			t.Fatalf("%v came back as %v (%d bytes over, %v)", s, got, len(rest), err)
		}
	})
}

func FuzzRead(f *testing.F) {
	var s Sketch
	s.Add(3, 4)
	s.Add(-1e9, 1)
	f.Add(s.Append(nil))
	f.Add([]byte{2, 2, 1, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, rest, err := Read(b)
		if err != nil {
			return
		}
		again, _, err := Read(got.Append(nil))
		if err != nil || !slices.Equal(again.Buckets(), got.Buckets()) || !bytes.HasSuffix(b, rest) {
			t.Fatalf("%x: %v, then %v (%v)", b, got, again, err)
		}
	})
}
