package main

import (
	"testing"
	"time"
)

// Whatever the load, the collector comes to rest between rarely and often, and
// room stays within its bounds.
func TestPaceComesToRest(t *testing.T) {
	const live = 12 << 20
	for _, perSecond := range []uint64{0, 1 << 20, 17 << 20, 100 << 20, 1 << 30} {
		room, changes := leastRoom, 0
		for second := range 60 {
			cycles := perSecond / (live * uint64(room) / 100)
			next := pace(room, cycles, live)
			if next < leastRoom || next > mostRoom {
				t.Fatalf("%d bytes/s: room of %d%%", perSecond, next)
			}
			if next != room && second > 45 {
				changes++
			}
			room = next
		}
		if changes > 0 {
			t.Errorf("%d bytes/s: room changed %d times after 45 s", perSecond, changes)
		}
		t.Logf("%5d MiB/s: room of %d%%", perSecond>>20, room)
	}
}

// Much that lives gets no multiple of itself, but never less than Go gives.
func TestPaceOfALargeHeap(t *testing.T) {
	room := leastRoom
	for range 20 {
		room = pace(room, 100, 1<<30)
	}
	if room != leastRoom {
		t.Errorf("room = %d%%, want %d%%", room, leastRoom)
	}
}

// What is free is given back at a low rate only, when it is worth a cycle, and
// not again at once.
func TestSpareIsGivenBackNowAndThen(t *testing.T) {
	for name, c := range map[string]struct {
		made, free uint64
		since      time.Duration
		want       bool
	}{
		"at rest":        {0, 2 * spareBytes, spareEvery, true},
		"under load":     {quietBytes, 2 * spareBytes, spareEvery, false},
		"of little":      {0, spareBytes, spareEvery, false},
		"a moment later": {0, 2 * spareBytes, spareEvery - 1, false},
	} {
		if got := spare(c.made, c.free, c.since); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}
