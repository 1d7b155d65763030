package simulator

import (
	"math"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"

	"outcrop/internal/o200k"
)

// Bounds of what the tokenizer remembers. A piece is a word with the space
// before it; a text is a whole block.
const (
	maxPieces     = 1 << 16 // pieces remembered, in each of two generations
	maxPieceBytes = 48      // longer pieces are rare, and counted anew
	maxTexts      = 1 << 13 // texts remembered, in each of two generations
	minTextBytes  = 128     // shorter texts are counted faster than looked up
	maxCuts       = 1 << 9  // cut texts remembered, in each of two generations
	maxCutBytes   = 1 << 13 // longer texts are cut anew
)

// A counter counts tokens of the o200k_base vocabulary, exactly. It remembers
// the counts of pieces and of whole texts, and is safe for concurrent use.
type counter struct {
	pieces generations[string, int32]
	texts  generations[textKey, int]
	cuts   generations[textKey, []bit] // never written to
}

// A textKey stands for a text. Two texts of equal length and hash would be
// counted alike: one chance in 2^64.
type textKey struct {
	hash   uint64
	length int
}

func newCounter() *counter {
	c := &counter{}
	c.pieces.limit, c.texts.limit, c.cuts.limit = maxPieces, maxTexts, maxCuts
	return c
}

// Count returns the number of tokens in s.
func (c *counter) Count(s string) int { return c.CountTo(math.MaxInt, s) }

// CountTo is Count as far as most; of a text that has more, it returns some
// number beyond most. It takes no time for the rest of a text that is too long
// anyway.
func (c *counter) CountTo(most int, s string) int {
	if len(s) < minTextBytes {
		return c.count(most, s)
	}
	key := textKey{xxhash.Sum64String(s), len(s)}
	if n, ok := c.texts.get(key); ok {
		return n
	}
	n := c.count(most, s)
	if n <= most {
		c.texts.put(key, n)
	}
	return n
}

func (c *counter) count(most int, s string) int {
	total := 0
	for len(s) > 0 && total <= most {
		n := o200k.Piece(s)
		total += c.piece(s[:n])
		s = s[n:]
	}
	return total
}

// piece returns the number of tokens in one piece of a text.
func (c *counter) piece(p string) int {
	if len(p) == 1 {
		return 1 // every byte is a token
	}
	if len(p) > maxPieceBytes {
		return o200k.CountPiece(p)
	}
	if n, ok := c.pieces.get(p); ok {
		return int(n)
	}
	n := o200k.CountPiece(p)
	c.pieces.put(strings.Clone(p), int32(n)) // not to keep the whole text alive
	return n
}

// A bit is a part of an answer that ends where a token ends.
type bit struct {
	end    int // offset in the text, on a rune border
	tokens int // in this bit
}

// Bits cuts s into tokens, joining those that share a rune. The bits are
// shared: shorten them, never change them.
func (c *counter) Bits(s string) []bit {
	if len(s) > maxCutBytes {
		return c.bits(s)
	}
	key := textKey{xxhash.Sum64String(s), len(s)}
	if bits, ok := c.cuts.get(key); ok {
		return bits
	}
	bits := c.bits(s)
	c.cuts.put(key, bits)
	return bits
}

func (c *counter) bits(s string) []bit {
	bits := make([]bit, 0, len(s)/4+1)
	for at := 0; at < len(s); {
		n := o200k.Piece(s[at:])
		piece := s[at : at+n]
		if tokens := c.piece(piece); tokens == 1 {
			bits = append(bits, bit{at + n, 1})
		} else {
			bits = c.cut(bits, at, piece, tokens)
		}
		at += n
	}
	return bits
}

// cut adds the tokens of a piece that holds more than one.
func (c *counter) cut(bits []bit, at int, piece string, tokens int) []bit {
	held := 0
	o200k.Tokens(piece, func(end int) {
		held++
		if end == len(piece) || utf8.RuneStart(piece[end]) {
			bits = append(bits, bit{at + end, held})
			held = 0
		}
	})
	return bits
}

// generations is a bounded memory: when the young one is full it becomes the
// old one, and the old one is forgotten. What is used stays.
type generations[K comparable, V any] struct {
	limit int

	mu         sync.RWMutex
	young, old map[K]V
}

func (g *generations[K, V]) get(k K) (V, bool) {
	g.mu.RLock()
	v, ok := g.young[k]
	if ok {
		g.mu.RUnlock()
		return v, true
	}
	v, ok = g.old[k]
	g.mu.RUnlock()
	if ok {
		g.put(k, v) // used again: young again
	}
	return v, ok
}

func (g *generations[K, V]) put(k K, v V) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.young == nil || len(g.young) >= g.limit {
		g.old, g.young = g.young, make(map[K]V)
	}
	g.young[k] = v
}
