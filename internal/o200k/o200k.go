// Package o200k counts tokens of OpenAI's o200k_base vocabulary: exactly, but
// in words of more than MaxPieceBytes.
package o200k

import "unicode/utf8"

// MaxPieceBytes is how long a piece can be. Longer words, which nobody writes
// and somebody sends, are cut there, so that the memory to count them in is
// bounded; each cut may count a token or two more.
const MaxPieceBytes = 1 << 14

// Piece returns the length of the piece that begins s: a word with what stands
// before it, a number, marks or spaces. Tokens never reach over pieces, so the
// counts of pieces add up. s must not be empty.
func Piece(s string) int {
	if len(s) <= MaxPieceBytes {
		return nextPiece(s)
	}
	end := MaxPieceBytes
	for end > MaxPieceBytes-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return nextPiece(s[:end])
}

// Count returns the number of tokens in s. Like all below it loads the
// vocabulary at first use (10-20 ms, 5 MB), and is safe for concurrent use.
func Count(s string) int {
	total := 0
	for len(s) > 0 {
		n := Piece(s)
		total += CountPiece(s[:n])
		s = s[n:]
	}
	return total
}

// CountPiece returns the number of tokens in one piece of a text.
func CountPiece(p string) int {
	if len(p) == 1 {
		return 1 // every byte is a token
	}
	v := loaded()
	if v.rank(p) != none {
		return 1
	}
	n := 0
	v.merge(p, func(int) { n++ })
	return n
}

// Tokens calls yield with the end of each token of a piece, in order.
func Tokens(p string, yield func(end int)) {
	v := loaded()
	if v.rank(p) != none {
		yield(len(p))
		return
	}
	v.merge(p, yield)
}
