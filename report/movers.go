package report

import (
	"cmp"
	"math/big"
	"slices"
)

// sortMovers puts the largest change first, whichever way it went.
func sortMovers(list []Mover) {
	size := func(m Mover) *big.Rat { d := new(big.Rat).Sub(m.Now, m.Before); return d.Abs(d) }
	slices.SortFunc(list, func(a, b Mover) int { return cmp.Or(size(b).Cmp(size(a)), cmp.Compare(a.Name, b.Name)) })
}
