package sigv4

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A stamp is read as the standard library reads it.
func TestStampsAreReadAsTimesAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.StringMatching(`[0-9]{4}[01][0-9][0-3][0-9]T[0-2][0-9][0-6][0-9][0-6][0-9]Z`),
			rapid.StringMatching(`20(24|25)0[1-3](2[89]|3[01])T[0-2][0-9][0-5]9[0-5]9Z`),
			rapid.StringMatching(`[0-9T]{8}.[0-9+-]{6}.`),
			rapid.StringN(0, 18, 18),
		).Draw(t, "text")
		want, err := time.Parse(stampFormat, text)
		got, ok := parseStamp(text)
		if valid := err == nil && len(text) == len(stampFormat); ok != valid || ok && !got.Equal(want) {
			t.Fatalf("%q: %v %v, want %v %v", text, got, ok, want, err)
		}
	})
}
