package main

import "testing"

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
	if room != usualRoom {
		t.Errorf("room = %d%%, want %d%%", room, usualRoom)
	}
}
