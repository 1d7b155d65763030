package gateway

import (
	"testing"
	"time"

	"outcrop"
	"outcrop/converse"
)

// Whether or not pieces say when they came, the ledger hears of progress once a
// second or a little later, and the clock is not asked at each of those that do.
func TestProgressIsToldInTime(t *testing.T) {
	for _, c := range []struct {
		name  string
		apart time.Duration
		says  bool
	}{{"a fast stream", 10 * time.Millisecond, true}, {"a slow one", 700 * time.Millisecond, true}, {"one that does not say", 10 * time.Millisecond, false}} {
		m := meter{sized: true}
		now, asked := time.Unix(1e9, 0), 0
		clock := func() time.Time { asked++; return now }
		var told []time.Time
		began := now
		for ; now.Sub(began) < 10*time.Second; now = now.Add(c.apart) {
			p := &Piece{Seen: converse.Glimpse{Output: 4}}
			if c.says {
				p.At = time.Minute + now.Sub(began)
			}
			m.piece(p, clock)
			if m.quiet(p) {
				continue
			}
			if seen, due := m.progress(nil, clock); due {
				if told = append(told, now); seen.Of(outcrop.OutputTokens) == 0 {
					t.Errorf("%s: nothing was seen", c.name)
				}
			}
		}
		before := began
		for _, at := range append(told, now) {
			if at.Sub(before) > progressEvery+progressEvery/8+c.apart {
				t.Errorf("%s: nothing was told for %s", c.name, at.Sub(before))
			}
			before = at
		}
		if c.says && asked > 82 {
			t.Errorf("%s: the clock was asked %d times", c.name, asked)
		}
	}
}
