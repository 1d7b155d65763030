package textform

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

// Property: a Form accepts what the same expression with a counted repetition
// does.
func TestAFormIsACountedRepetition(t *testing.T) {
	for _, c := range []struct {
		form    Form
		counted string
	}{
		{Of(`[\w+=,.@-]*`, 1, 12), `\A[\w+=,.@-]{1,12}\z`},
		{Of(`/([!-~]+/)?`, 1, 12), `\A(/|/[!-~]{1,10}/)\z`},
		{Of(`[\t\n\r -~\x{A1}-\x{FF}]*`, 0, 12), `\A[\t\n\r -~\x{A1}-\x{FF}]{0,12}\z`},
	} {
		counted := regexp.MustCompile(c.counted)
		rapid.Check(t, func(t *rapid.T) {
			s := rapid.OneOf(rapid.StringOfN(rapid.RuneFrom([]rune("a/.Ä€ \n")), 0, 14, -1), rapid.StringN(0, 14, -1)).Draw(t, "s")
			if s := s + rapid.SampledFrom([]string{"", "\xff"}).Draw(t, "end"); c.form.MatchString(s) != counted.MatchString(s) {
				t.Fatalf("%s: %q", c.counted, s)
			}
		})
	}
}
