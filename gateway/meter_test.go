package gateway

import (
	"math"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/converse"
)

// Counts that cannot be true are as none: what passed is estimated, and no sum
// of records overflows.
func TestCountsThatCannotBeTrueAreNotBelieved(t *testing.T) {
	const most = math.MaxInt64
	many, cached := int64(most), int64(most)
	for name, m := range map[string]meter{
		"input":       {reported: &converse.TokenUsage{InputTokens: most}},
		"output":      {reported: &converse.TokenUsage{OutputTokens: int64(outcrop.MostTokens) + 1}},
		"cache":       {reported: &converse.TokenUsage{CacheReadInputTokens: &many, CacheWriteInputTokens: &cached}},
		"three times": {reported: &converse.TokenUsage{CacheDetails: []converse.CacheDetail{{Ttl: "1h", InputTokens: most}, {Ttl: "1h", InputTokens: most}, {Ttl: "1h", InputTokens: 7}}}},
		"a part":      {reported: &converse.TokenUsage{}, aside: told(func(a *outcrop.Told) { a.Parts.Set(outcrop.SearchUnits, most) })},
		"so far":      {aside: told(func(a *outcrop.Told) { a.Seen.Set(outcrop.InputTokens, most) })},
		"a task":      {counted: &outcrop.Usage{PerKind: told(func(a *outcrop.Told) { a.Seen.Set(outcrop.InputTokens, most) }).Seen}},
	} {
		m.output, m.firstByte = 40, time.Unix(1, 0)
		u := m.usage(nil, nil)
		if !u.Estimated || u.Of(outcrop.OutputTokens) != 10 || u.Total() > 1000 {
			t.Errorf("%s: %+v is believed", name, u)
		}
	}
	m := meter{reported: &converse.TokenUsage{InputTokens: int64(outcrop.MostTokens)}}
	if u := m.usage(nil, nil); u.Estimated || u.Of(outcrop.InputTokens) != outcrop.MostTokens {
		t.Errorf("%+v is not believed", u)
	}
}

func told(tell func(*outcrop.Told)) (a outcrop.Told) {
	tell(&a)
	return a
}

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

// Nobody is billed for more than the model could have read, however much was
// sent before the client hung up.
func TestAnEstimateStaysWithinTheWindow(t *testing.T) {
	text := strings.Repeat("word ", 4<<20/5)
	sent := &converse.Request{Messages: []converse.Message{{Role: "user", Content: []converse.ContentBlock{{Text: &text}}}}}
	all := converse.SizeOf(sent).Guess()
	for window, want := range map[outcrop.Tokens]outcrop.Tokens{0: all, 8_000: 8_000, 200_000: 1_000_000, 2_000_000: all} {
		m := meter{window: window}
		if got := m.usage(sent, errHungUp); !got.Estimated || got.Of(outcrop.InputTokens) != min(want, all) {
			t.Errorf("a window of %d: %+v, want %d of %d", window, got, want, all)
		}
	}
	if all < 1_000_000 {
		t.Errorf("%d tokens fit into every window", all)
	}
}
