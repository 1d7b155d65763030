package slip

import (
	"testing"

	"pgregory.net/rapid"
)

func TestWhatAWordWasMeantToBe(t *testing.T) {
	known := []string{"listen", "data", "config", "log", "log-format", "to"}
	for word, want := range map[string]string{
		"lissten": "listen", "lsten": "listen", "ilsten": "listen", "Listen": "listen", "dta": "data", "confgi": "config",
		"ot": "to", "tos": "to", "xy": "", "x": "", "": "", "region": "", "logformat": "log-format",
	} {
		if got := Nearest(word, known); got != want {
			t.Errorf("%q was meant to be %q, want %q", word, got, want)
		}
	}
}

func TestHowFarAWordMayBeOff(t *testing.T) {
	for slips, want := range []string{"", "", "listen", "listen"} {
		if got := Within(slips, "LSTN", []string{"listening", "listen"}); got != want {
			t.Errorf("within %d it is %q, want %q", slips, got, want)
		}
	}
}

// Property: a distance is the same both ways, nothing from a word to itself,
// and never more than the longer word has letters.
func TestADistanceIsOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[abc-]{0,8}`)
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		there, back := Distance(a, b), Distance(b, a)
		if there != back || Distance(a, a) != 0 || there > max(len(a), len(b)) || (there == 0) != (a == b) {
			t.Errorf("%q to %q is %d, back %d, to itself %d", a, b, there, back, Distance(a, a))
		}
	})
}
