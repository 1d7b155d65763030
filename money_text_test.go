package outcrop

import (
	"testing"

	"pgregory.net/rapid"
)

func TestParseMoney(t *testing.T) {
	for text, want := range map[string]string{"100": "100", "0.0123": "0.0123", ".5": "0.5", "007.500": "7.5", "340282366920938463463374607.431768211455": "340282366920938463463374607.431768211455"} {
		if m, err := ParseMoney(text); err != nil || m.String() != want {
			t.Errorf("%q: %s, %v", text, m, err)
		}
	}
	for _, bad := range []string{"", ".", "1.", "-1", "1e3", "0.0000000000001", "1,5", "340282366920938463463374608"} {
		if m, err := ParseMoney(bad); err == nil {
			t.Errorf("%q is taken for %s", bad, m)
		}
	}
}

// Property: what is written is read back; differences and sums undo each
// other; nothing goes below nothing.
func TestMoneyReadsAndSubtracts(t *testing.T) {
	amount := rapid.Custom(func(t *rapid.T) Money {
		return Money{rapid.Uint64Range(0, 1<<62).Draw(t, "hi"), rapid.Uint64().Draw(t, "lo")}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := amount.Draw(t, "a"), amount.Draw(t, "b")
		if back, err := ParseMoney(a.String()); err != nil || back != a {
			t.Fatalf("%s came back as %s, %v", a, back, err)
		}
		if a.Add(b).Sub(b) != a || !a.Sub(a.Add(b)).IsZero() && !b.IsZero() {
			t.Fatalf("%s and %s", a, b)
		}
		if n := rapid.Uint64Range(1, 1000).Draw(t, "n"); a.Sub(a.Scale(n, n)) != (Money{}) || a.Scale(n, 1).Cmp(a) < 0 {
			t.Fatalf("%s times %d", a, n)
		}
	})
}
