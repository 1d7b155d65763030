package outcrop

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// A Rate is a price in pico-dollars (10⁻¹² USD) per token: $0.30 per million
// tokens is 300,000.
type Rate uint64

// Pico-dollars in a dollar, and the digits that makes after the point.
const (
	PicoPerDollar = 1_000_000_000_000
	moneyDigits   = 12
)

// For prices n tokens, exactly. Add tokens first, price them last.
func (r Rate) For(n Tokens) Money {
	hi, lo := bits.Mul64(uint64(r), uint64(n))
	return Money{hi, lo}
}

// ParseRate reads a price in USD per million tokens, such as "0.0825". It
// refuses what a whole number of pico-dollars per token cannot say.
func ParseRate(usdPerMillion string) (Rate, error) {
	whole, frac, _ := strings.Cut(usdPerMillion, ".")
	if whole == "" && frac == "" || len(frac) > 6 {
		return 0, fmt.Errorf("price %q: want USD per million tokens with at most 6 decimals", usdPerMillion)
	}
	n, err := strconv.ParseUint(whole+frac+strings.Repeat("0", 6-len(frac)), 10, 64)
	if err != nil || n > math.MaxInt64 {
		return 0, fmt.Errorf("price %q: not a price in USD per million tokens", usdPerMillion)
	}
	return Rate(n), nil
}

// String is the rate as USD per million tokens.
func (r Rate) String() string {
	return trimDecimal(strconv.FormatUint(uint64(r), 10), 6)
}

// Money is an exact, non-negative amount in pico-dollars. Being 128 bits wide
// it neither rounds nor overflows in sums, so that any grouping of the same
// records adds up to the same total (docs/decisions/0003-exact-money.md).
type Money struct{ hi, lo uint64 }

// Dollars is a whole amount.
func Dollars(n uint64) Money {
	hi, lo := bits.Mul64(n, PicoPerDollar)
	return Money{hi, lo}
}

// Add returns the sum.
func (m Money) Add(n Money) Money {
	lo, carry := bits.Add64(m.lo, n.lo, 0)
	hi, _ := bits.Add64(m.hi, n.hi, carry)
	return Money{hi, lo}
}

// Cmp compares as cmp.Compare does.
func (m Money) Cmp(n Money) int {
	switch {
	case m == n:
		return 0
	case m.hi < n.hi || m.hi == n.hi && m.lo < n.lo:
		return -1
	}
	return 1
}

// IsZero says whether nothing is owed.
func (m Money) IsZero() bool { return m == Money{} }

// String is the amount in dollars, exact and without trailing zeros: "0.0123".
func (m Money) String() string {
	if m.hi == 0 {
		return trimDecimal(strconv.FormatUint(m.lo, 10), moneyDigits)
	}
	const chunk = 1e18
	hi, lo := m.hi, m.lo
	var tail string
	for hi > 0 { // 128 bits are at most three chunks of 18 digits
		var rem uint64
		q := hi / chunk
		lo, rem = bits.Div64(hi%chunk, lo, chunk)
		hi = q
		tail = fmt.Sprintf("%018d", rem) + tail
	}
	return trimDecimal(strings.TrimLeft(strconv.FormatUint(lo, 10)+tail, "0"), moneyDigits)
}

// trimDecimal puts the decimal point before the last n of digits.
func trimDecimal(digits string, n int) string {
	if len(digits) <= n {
		digits = strings.Repeat("0", n-len(digits)+1) + digits
	}
	point := len(digits) - n
	frac := strings.TrimRight(digits[point:], "0")
	if frac == "" {
		return digits[:point]
	}
	return digits[:point] + "." + frac
}
