package cost

import "testing"

// Empty days are remembered too, and take room: who asks about a thousand years
// must not fill the memory with them.
func TestEmptyDaysTakeRoom(t *testing.T) {
	var c cube
	c.forget(0)
	empty := newPage()
	for day := range int64(500_000) {
		c.keep(pageKey{"1", "", day}, empty)
	}
	if c.makeRoom(); len(c.pages) > maxCubeCells/8 {
		t.Errorf("%d days are remembered", len(c.pages))
	}
	c.forget(0)
	for day := range int64(10) {
		c.keep(pageKey{"1", "", day}, newPage())
		c.keep(pageKey{"1", "v", day}, newPage())
	}
	before := c.room
	c.fold(Batch{To: 1, Rollups: map[RollupKey]Amount{{Hour: 24, Line: Line{Account: "1"}}: {Tokens: 1}}})
	c.fold(Batch{To: 2, Rollups: map[RollupKey]Amount{{Hour: 48, Line: Line{Account: "1"}}: {Tokens: 1}}})
	var room int
	for _, p := range c.pages {
		room += p.room()
	}
	if c.room != room || room != before+2-2*pageCells {
		t.Errorf("the room is counted as %d, and is %d", c.room, room)
	}
}
