package o200k

import (
	"unicode"
	"unicode/utf8"
)

// nextPiece returns the length of the piece that begins s, cut where the
// o200k_base vocabulary cuts text before it merges bytes. Its rule is the
// regular expression
//
//	[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?
//	[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?
//	\p{N}{1,3}
//	 ?[^\s\p{L}\p{N}]+[\r\n/]*
//	\s*[\r\n]+
//	\s+(?!\S)
//	\s+
//
// tried line by line. It is written out by hand because a backtracking engine
// for regular expressions is ten times slower; a test compares the two. s must
// not be empty.
func nextPiece(s string) int {
	first, size := classify(s)
	if n := wordPiece(s, first, size); n > 0 {
		return n
	}
	if first == classNumber {
		return numberPiece(s)
	}
	if n := markPiece(s, first); n > 0 {
		return n
	}
	return spacePiece(s)
}

// A class is what the cutting rule needs to know of a rune.
type class uint8

const (
	classOther   class = iota // punctuation, symbols, controls
	classUpper                // \p{Lu}\p{Lt}
	classLower                // \p{Ll}
	classBoth                 // \p{Lm}\p{Lo}: letters that pass as upper and as lower
	classMark                 // \p{M}: passes as both, and is no letter
	classNumber               // \p{N}
	classNewline              // \r \n
	classSpace                // the rest of \s
)

func (c class) upper() bool { return c == classUpper || c == classBoth || c == classMark }
func (c class) lower() bool { return c == classLower || c == classBoth || c == classMark }
func (c class) space() bool { return c == classSpace || c == classNewline }

// prefix says whether c may stand before a word: [^\r\n\p{L}\p{N}].
func (c class) prefix() bool {
	return c == classOther || c == classSpace || c == classMark
}

// classify the first rune of s. A byte that is not UTF-8 is classOther, as the
// replacement character is.
func classify(s string) (class, int) {
	if b := s[0]; b < utf8.RuneSelf {
		return classifyASCII(b), 1
	}
	r, n := utf8.DecodeRuneInString(s)
	switch {
	case unicode.Is(unicode.Lo, r), unicode.Is(unicode.Lm, r):
		return classBoth, n
	case unicode.Is(unicode.Ll, r):
		return classLower, n
	case unicode.IsUpper(r), unicode.IsTitle(r):
		return classUpper, n
	case unicode.IsNumber(r):
		return classNumber, n
	case unicode.IsMark(r):
		return classMark, n
	case unicode.IsSpace(r):
		return classSpace, n
	}
	return classOther, n
}

func classifyASCII(b byte) class {
	switch {
	case 'a' <= b && b <= 'z':
		return classLower
	case 'A' <= b && b <= 'Z':
		return classUpper
	case '0' <= b && b <= '9':
		return classNumber
	case b == '\n' || b == '\r':
		return classNewline
	case b == ' ' || '\t' <= b && b <= '\f':
		return classSpace
	}
	return classOther
}

// wordPiece matches the first two lines of the rule, 0 when neither does. The
// regular expression is greedy and gives back, so the optional prefix is tried
// first and then left out.
func wordPiece(s string, first class, size int) int {
	if first.prefix() && size < len(s) {
		if n := lowerWord(s, size); n > 0 {
			return n
		}
	}
	if n := lowerWord(s, 0); n > 0 {
		return n
	}
	if first.prefix() && size < len(s) {
		if n := upperWord(s, size); n > 0 {
			return n
		}
	}
	return upperWord(s, 0)
}

// lowerWord matches [upper]*[lower]+ from at: letters that may be both are
// given back until one is left for the second part.
func lowerWord(s string, at int) int {
	end, c, size := run(s, at, class.upper)
	if c.lower() {
		end, _, _ = run(s, end+size, class.lower)
		return contraction(s, end)
	}
	// No purely lower letter follows: the second part needs a letter that is
	// both, and takes the last of them together with all that follow it.
	last := -1
	for i := at; i < end; {
		c, n := classify(s[i:])
		if c.lower() {
			last = i + n
		}
		i += n
	}
	if last < 0 {
		return 0
	}
	return contraction(s, last)
}

// upperWord matches [upper]+[lower]* from at.
func upperWord(s string, at int) int {
	end, c, _ := run(s, at, class.upper)
	if end == at {
		return 0
	}
	if c.lower() {
		end, _, _ = run(s, end, class.lower)
	}
	return contraction(s, end)
}

// run goes on from at while the class fits, and returns where it ended with
// the class and size of what stopped it.
func run(s string, at int, fits func(class) bool) (end int, stop class, size int) {
	for at < len(s) {
		c, n := classify(s[at:])
		if !fits(c) {
			return at, c, n
		}
		at += n
	}
	return at, classOther, 0
}

// contraction takes in 's, 't, 're, 've, 'm, 'll or 'd after a word. Case does
// not matter, and U+017F (long s) folds to s.
func contraction(s string, end int) int {
	if end+1 >= len(s) || s[end] != '\'' {
		return end
	}
	rest := s[end+1:]
	switch rest[0] | 0x20 {
	case 's', 't', 'm', 'd':
		if isASCIILetter(rest[0]) {
			return end + 2
		}
	case 'r', 'v':
		if isASCIILetter(rest[0]) && len(rest) > 1 && rest[1]|0x20 == 'e' && isASCIILetter(rest[1]) {
			return end + 3
		}
	case 'l':
		if isASCIILetter(rest[0]) && len(rest) > 1 && rest[1]|0x20 == 'l' && isASCIILetter(rest[1]) {
			return end + 3
		}
	}
	if len(rest) > 1 && rest[:2] == "ſ" {
		return end + 3
	}
	return end
}

func isASCIILetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }

// numberPiece matches \p{N}{1,3}.
func numberPiece(s string) int {
	end := 0
	for range 3 {
		if end == len(s) {
			break
		}
		c, n := classify(s[end:])
		if c != classNumber {
			break
		}
		end += n
	}
	return end
}

// markPiece matches " ?[^\s\p{L}\p{N}]+[\r\n/]*", 0 when it does not.
func markPiece(s string, first class) int {
	at := 0
	if s[0] == ' ' {
		at = 1
	} else if first != classOther && first != classMark {
		return 0
	}
	end, _, _ := run(s, at, func(c class) bool { return c == classOther || c == classMark })
	if end == at {
		return 0
	}
	for end < len(s) && (s[end] == '\r' || s[end] == '\n' || s[end] == '/') {
		end++
	}
	return end
}

// spacePiece matches \s*[\r\n]+, else \s+(?!\S), else \s+.
func spacePiece(s string) int {
	end, newline, last := 0, 0, 0
	for end < len(s) {
		c, n := classify(s[end:])
		if !c.space() {
			break
		}
		last = end
		end += n
		if c == classNewline {
			newline = end
		}
	}
	switch {
	case newline > 0:
		return newline
	case end < len(s) && last > 0:
		return last // the last space belongs to the word that follows
	case end > 0:
		return end
	}
	_, n := classify(s) // cannot happen: every rune has a class above
	return n
}
