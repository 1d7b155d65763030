package outcrop

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// bigMoney is m in pico-dollars.
func bigMoney(m Money) *big.Int {
	n := new(big.Int).Lsh(new(big.Int).SetUint64(m.hi), 64)
	return n.Or(n, new(big.Int).SetUint64(m.lo))
}

func anyMoney() *rapid.Generator[Money] {
	words := rapid.OneOf(rapid.Just(uint64(0)), rapid.Uint64Range(0, 10), rapid.Uint64(), rapid.Just(uint64(math.MaxUint64)))
	return rapid.Custom(func(t *rapid.T) Money { return Money{words.Draw(t, "hi"), words.Draw(t, "lo")} })
}

func TestMoneyAsText(t *testing.T) {
	for _, c := range []struct {
		m    Money
		want string
	}{
		{Money{}, "0"},
		{Money{0, 1}, "0.000000000001"},
		{Money{0, 999_999_999_999}, "0.999999999999"},
		{Money{0, 12_300_000_000}, "0.0123"},
		{Dollars(1), "1"},
		{Dollars(10), "10"},
		{Dollars(math.MaxUint64), "18446744073709551615"},
		{Money{1, 0}, "18446744.073709551616"},
		{Money{54210108, 11515845246265065472}, "1000000000000000"}, // 10^27: a chunk of zeros
		{Money{math.MaxUint64, math.MaxUint64}, "340282366920938463463374607.431768211455"},
	} {
		if got := c.m.String(); got != c.want {
			t.Errorf("%x,%x = %s, want %s", c.m.hi, c.m.lo, got, c.want)
		}
	}
}

// Property: the text is the exact amount, in its shortest form.
func TestMoneyTextIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyMoney().Draw(t, "m")
		text := m.String()
		got, ok := new(big.Rat).SetString(text)
		want := new(big.Rat).SetFrac(bigMoney(m), big.NewInt(PicoPerDollar))
		if !ok || got.Cmp(want) != 0 {
			t.Fatalf("%v = %s, want %s", m, text, want.FloatString(moneyDigits))
		}
		whole, frac, point := strings.Cut(text, ".")
		if point && (frac == "" || strings.HasSuffix(frac, "0")) || len(whole) > 1 && whole[0] == '0' || whole == "" {
			t.Fatalf("%s is not the shortest form", text)
		}
	})
}

// Property: sums and comparisons are those of the integers, in any grouping.
func TestMoneyAddsExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := anyMoney().Draw(t, "a"), anyMoney().Draw(t, "b"), anyMoney().Draw(t, "c")
		if a.Add(b) != b.Add(a) || a.Add(b).Add(c) != a.Add(b.Add(c)) {
			t.Fatal("the order of a sum matters")
		}
		if a.Cmp(b) != bigMoney(a).Cmp(bigMoney(b)) || a.IsZero() != (bigMoney(a).Sign() == 0) {
			t.Fatalf("Cmp(%v, %v) = %d", a, b, a.Cmp(b))
		}
		sum := new(big.Int).Add(bigMoney(a), bigMoney(b))
		if sum.BitLen() <= 128 && bigMoney(a.Add(b)).Cmp(sum) != 0 {
			t.Fatalf("%v + %v = %v", a, b, a.Add(b))
		}
	})
}

// Property: rate times tokens neither rounds nor overflows.
func TestRateForIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, n := Rate(rapid.Uint64().Draw(t, "rate")), Tokens(rapid.Uint64().Draw(t, "tokens"))
		want := new(big.Int).Mul(new(big.Int).SetUint64(uint64(r)), new(big.Int).SetUint64(uint64(n)))
		if got := bigMoney(r.For(n)); got.Cmp(want) != 0 {
			t.Fatalf("%d × %d = %d, want %d", r, n, got, want)
		}
	})
}

func TestParseRate(t *testing.T) {
	for text, want := range map[string]Rate{
		"0.30": 300_000, "3": 3_000_000, "0.000001": 1, "0": 0, ".5": 500_000, "5.": 5_000_000, "0.0825": 82_500, "007": 7_000_000,
		"9223372036854.775807": math.MaxInt64,
	} {
		if got, err := ParseRate(text); err != nil || got != want {
			t.Errorf("%q = %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", ".", "-1", "+1", "1e3", "1,5", " 1", "1 ", "0.0000001", "0x1", "1_000", "1.2.3", "1.-5", "1.+5", "NaN", "９", "9223372036854.775808", "99999999999999999999", "$1",
	} {
		if got, err := ParseRate(text); err == nil {
			t.Errorf("%q is taken for %d", text, got)
		}
	}
}

// Property: a rate reads back as it was written.
func TestRatesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Rate(rapid.Uint64Range(0, math.MaxInt64).Draw(t, "rate"))
		if back, err := ParseRate(r.String()); err != nil || back != r {
			t.Fatalf("%d = %q reads %d, %v", uint64(r), r, back, err)
		}
		if million := r.For(1_000_000).String(); million != r.String() {
			t.Fatalf("a million tokens at %s cost %s", r, million)
		}
	})
}

func FuzzParseRate(f *testing.F) {
	for _, s := range []string{"0.30", "", "1.", "-1", "9223372036854.775807"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRate(s)
		if err != nil {
			return
		}
		want, ok := new(big.Rat).SetString(strings.TrimSuffix(s, "."))
		got, _ := new(big.Rat).SetString(r.String())
		if !ok || got.Cmp(want) != 0 {
			t.Errorf("%q reads as %s", s, r)
		}
	})
}
