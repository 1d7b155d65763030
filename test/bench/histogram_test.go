package main

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Property: a quantile is never below the true one and at most 1/32 above it.
func TestQuantilesAreNearTheTrueOnes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		us := rapid.SliceOfN(rapid.Int64Range(0, 3_000_000_000), 1, 200).Draw(t, "us")
		q := rapid.SampledFrom([]float64{0, 0.5, 0.9, 0.99}).Draw(t, "q")
		var h histogram
		for _, n := range us {
			h.add(time.Duration(n) * time.Microsecond)
		}
		slices.Sort(us)
		want := time.Duration(us[int(q*float64(len(us)))]) * time.Microsecond
		if got := h.quantile(q); got < want || got > want+want/32+time.Microsecond {
			t.Fatalf("quantile %v is %v, want %v", q, got, want)
		}
	})
}

func TestBodiesHaveTheirSize(t *testing.T) {
	for _, p := range paths() {
		for _, b := range [][]byte{p.body, p.bareBody} {
			if n := len(b) &^ 1023; b != nil && n != 1<<10 && n != 10<<10 && n != 1<<20 && len(b)+4 < n+1024 {
				t.Errorf("%s: %d bytes", p.Name, len(b))
			}
			if b != nil && !json.Valid(b) {
				t.Errorf("%s: the body is no JSON", p.Name)
			}
		}
	}
}

func TestCostsAreNamedByWhatIsNarrow(t *testing.T) {
	for want, stack := range map[string]string{
		"copying records into SQLite": "runtime.memmove\noutcrop/sqlite.(*DB).add\noutcrop/ledger.(*Ledger).drain",
		"deciding on the policies":    "runtime.mallocgc\noutcrop/iam.Decide\noutcrop/gateway.(*Gateway).plan\nnet/http.(*conn).serve",
		"everything else":             "main.main",
	} {
		if got := kindOf(stack); got != want {
			t.Errorf("%q is %q, want %q", stack, got, want)
		}
	}
}
