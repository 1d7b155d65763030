package outcrop

import (
	"fmt"
	"math/big"
	"math/bits"
	"regexp"
	"strings"
)

var moneyForm = regexp.MustCompile(`\A([0-9]*\.)?[0-9]+\z`)

// ParseMoney reads an amount in dollars, such as "100" or "0.0123". It refuses
// what a whole number of pico-dollars cannot say.
func ParseMoney(dollars string) (Money, error) {
	whole, frac, _ := strings.Cut(dollars, ".")
	frac = strings.TrimRight(frac, "0")
	if !moneyForm.MatchString(dollars) || len(frac) > moneyDigits {
		return Money{}, fmt.Errorf("amount %q: want a decimal number with at most %d decimals", dollars, moneyDigits)
	}
	n, _ := new(big.Int).SetString(whole+frac+strings.Repeat("0", moneyDigits-len(frac)), 10)
	m, ok := moneyOf(n)
	if !ok {
		return Money{}, fmt.Errorf("amount %q is too large", dollars)
	}
	return m, nil
}

// Sub returns m less n, or nothing when n is more.
func (m Money) Sub(n Money) Money {
	if m.Cmp(n) < 0 {
		return Money{}
	}
	lo, borrow := bits.Sub64(m.lo, n.lo, 0)
	hi, _ := bits.Sub64(m.hi, n.hi, borrow)
	return Money{hi, lo}
}

// Scale is m times a fraction, rounded down, and at most the largest Money.
func (m Money) Scale(times, over uint64) Money {
	n := m.int()
	n.Mul(n, new(big.Int).SetUint64(times)).Div(n, new(big.Int).SetUint64(max(over, 1)))
	scaled, ok := moneyOf(n)
	if !ok {
		return Money{^uint64(0), ^uint64(0)}
	}
	return scaled
}

// Split divides m in proportion to weights, to the pico-dollar: the parts add up
// to m, and what cannot be divided goes to those where a whole one is reached
// first in order. ok is false when no weight is above zero.
func (m Money) Split(weights []Money) (parts []Money, ok bool) {
	all, sum, whole := new(big.Int), new(big.Int), m.int()
	for _, w := range weights {
		all.Add(all, w.int())
	}
	if all.Sign() == 0 {
		return nil, false
	}
	parts = make([]Money, len(weights))
	given := new(big.Int)
	for i, w := range weights {
		sum.Add(sum, w.int())
		upTo := new(big.Int).Mul(whole, sum)
		upTo.Div(upTo, all)
		parts[i], _ = moneyOf(new(big.Int).Sub(upTo, given)) // at most m
		given = upTo
	}
	return parts, true
}

// Rat is the amount in dollars, for exact comparisons.
func (m Money) Rat() *big.Rat { return new(big.Rat).SetFrac(m.int(), Dollars(1).int()) }

func (m Money) int() *big.Int {
	n := new(big.Int).SetUint64(m.hi)
	return n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(m.lo))
}

func moneyOf(n *big.Int) (Money, bool) {
	if n.BitLen() > 128 {
		return Money{}, false
	}
	lo := new(big.Int).And(n, new(big.Int).SetUint64(^uint64(0))).Uint64()
	return Money{new(big.Int).Rsh(n, 64).Uint64(), lo}, true
}

// MarshalText writes the amount as String does.
func (m Money) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (m *Money) UnmarshalText(text []byte) (err error) {
	*m, err = ParseMoney(string(text))
	return err
}
