package main

import (
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
	for _, b := range [][]byte{converseBody(""), converseBody("tokens=100"), openaiBody(false), openaiBody(true)} {
		if len(b) != bodyBytes {
			t.Errorf("%d bytes: %s", len(b), b)
		}
	}
}
