package iam

import (
	"strings"
	"unicode/utf8"
)

// A pattern is text in which star stands for any run of characters and one
// for any single character. Other runes stand for themselves, so a literal
// asterisk (written ${*}) is no wildcard.
type pattern []rune

const (
	star rune = -1
	one  rune = -2
)

// appendPattern reads * and ? in s as wildcards.
func appendPattern(p pattern, s string) pattern {
	for _, r := range s {
		switch r {
		case '*':
			r = star
		case '?':
			r = one
		}
		p = append(p, r)
	}
	return p
}

// A glob is a compiled pattern. Matching never backtracks: the pieces between
// stars are found one after the other, each at its leftmost place, which is
// right because whatever follows has then the most room.
type glob struct {
	pieces []piece // between stars; one piece when there is no star
}

// A piece is text without stars. Plain text is searched by the standard
// library; text with single-character wildcards by the bit-parallel automaton.
type piece struct {
	text string // when bits is nil
	bits *automaton
}

func compileGlob(p pattern) glob {
	var g glob
	for {
		i := 0
		for i < len(p) && p[i] != star {
			i++
		}
		anchored := len(g.pieces) == 0 || i == len(p)
		g.pieces = append(g.pieces, compilePiece(p[:i], anchored))
		if i == len(p) {
			return g
		}
		for i < len(p) && p[i] == star {
			i++ // ** is *
		}
		p = p[i:]
	}
}

// compilePiece makes the automaton's table only for a piece that has to be
// searched: the first and last are compared in place.
func compilePiece(p pattern, anchored bool) piece {
	for _, r := range p {
		if r == one {
			return piece{bits: newAutomaton(p, !anchored)}
		}
	}
	return piece{text: string(p)}
}

// match says whether all of s fits. steps counts the work done, in characters
// looked at and machine words touched, so that tests can bound it.
func (g *glob) match(s string, steps *int) bool {
	*steps += len(g.pieces)
	last := len(g.pieces) - 1
	rest, ok := g.pieces[0].cutPrefix(s, steps)
	if last == 0 || !ok {
		return ok && rest == ""
	}
	rest, ok = g.pieces[last].cutSuffix(rest, steps)
	for i := 1; i < last && ok; i++ {
		rest, ok = g.pieces[i].cut(rest, steps)
	}
	return ok
}

func (p *piece) cutPrefix(s string, steps *int) (string, bool) {
	if p.bits == nil {
		*steps += len(p.text)
		return strings.CutPrefix(s, p.text)
	}
	for _, want := range p.bits.pattern {
		r, n := utf8.DecodeRuneInString(s)
		if *steps++; n == 0 || want != one && want != r {
			return s, false
		}
		s = s[n:]
	}
	return s, true
}

func (p *piece) cutSuffix(s string, steps *int) (string, bool) {
	if p.bits == nil {
		*steps += len(p.text)
		return strings.CutSuffix(s, p.text)
	}
	for i := len(p.bits.pattern) - 1; i >= 0; i-- {
		r, n := utf8.DecodeLastRuneInString(s)
		if want := p.bits.pattern[i]; n == 0 || want != one && want != r {
			return s, false
		}
		*steps++
		s = s[:len(s)-n]
	}
	return s, true
}

// cut finds the piece at its leftmost place and returns what follows it.
func (p *piece) cut(s string, steps *int) (string, bool) {
	if p.bits != nil {
		return p.bits.cut(s, steps)
	}
	i := strings.Index(s, p.text)
	if i < 0 {
		*steps += len(s)
		return s, false
	}
	*steps += i + len(p.text)
	return s[i+len(p.text):], true
}

// An automaton runs all alignments of a piece at once, one bit each
// (shift-and, Baeza-Yates and Gonnet 1992): a character costs one step per 64
// characters of the piece, whatever the text.
type automaton struct {
	pattern pattern
	words   int
	rows    map[rune][]uint64 // where each literal of the pattern, or a wildcard, stands
	other   []uint64          // where wildcards stand
}

func newAutomaton(p pattern, searched bool) *automaton {
	a := &automaton{pattern: p, words: (len(p) + 63) / 64}
	if !searched {
		return a
	}
	a.other = make([]uint64, a.words)
	for i, r := range p {
		if r == one {
			a.other[i/64] |= 1 << (i % 64)
		}
	}
	a.rows = make(map[rune][]uint64)
	for i, r := range p {
		if r == one {
			continue
		}
		if a.rows[r] == nil {
			a.rows[r] = append([]uint64(nil), a.other...)
		}
		a.rows[r][i/64] |= 1 << (i % 64)
	}
	return a
}

func (a *automaton) cut(s string, steps *int) (string, bool) {
	if utf8.RuneCountInString(s) < len(a.pattern) {
		*steps += len(s)
		return s, false
	}
	state := make([]uint64, a.words)
	end := len(a.pattern) - 1
	for i, r := range s {
		row, ok := a.rows[r]
		if !ok {
			row = a.other
		}
		carry := uint64(1)
		for w := range state {
			next := state[w] >> 63
			state[w] = (state[w]<<1 | carry) & row[w]
			carry = next
		}
		*steps += a.words
		if state[end/64]>>(end%64)&1 == 1 {
			_, n := utf8.DecodeRuneInString(s[i:])
			return s[i+n:], true
		}
	}
	return s, false
}
