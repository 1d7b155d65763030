package identity

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Property: what is written by hand takes what AWS's pattern takes.
func TestTagTextIsThePattern(t *testing.T) {
	pattern := regexp.MustCompile(`\A[\pL\pZ\pN_.:/=+\-@]{1,12}\z`)
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-zA-Z0-9 _.:/=+@-]{0,14}`), rapid.SampledFrom([]string{"", "é\u0301", "字字", "a\xff", "\u2028", "a\tb", "Ⅷ½"})).Draw(t, "text")
		if got, want := isTagText(s, 1, 12), pattern.MatchString(s); got != want {
			t.Fatalf("isTagText(%q) = %v, want %v", s, got, want)
		}
	})
	for n, want := range map[int]bool{0: false, 1: true, 128: true, 129: false} {
		if isTagText(strings.Repeat("é", n), 1, maxTagKey) != want {
			t.Errorf("%d characters: want %v", n, want)
		}
	}
}
