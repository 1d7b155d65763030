package jsonlex

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// String reads a string. Without escapes it shares the text's memory.
func (l *Lexer) String() string {
	if l.peek() != '"' {
		l.mismatch(StringValue)
		return ""
	}
	return l.str()
}

// Text reads a string that may outlive the text: it never shares its memory.
func (l *Lexer) Text() string {
	start := l.Offset()
	s := l.String()
	if l.pos-start == len(s)+len(`""`) { // no escape, which is always longer than what it means
		return strings.Clone(s)
	}
	return s
}

// Bytes are those of a string, without a copy: nobody may change them.
func Bytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// ASCII says whether s holds no byte beyond ASCII.
func ASCII(s string) bool {
	b, i := Bytes(s), 0
	for ; i+16 <= len(b); i += 16 {
		if (binary.LittleEndian.Uint64(b[i:])|binary.LittleEndian.Uint64(b[i+8:]))&highs != 0 {
			return false
		}
	}
	for ; i < len(b); i++ {
		if b[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// share makes a string of bytes that nobody will change; see Lexer.
func share(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// str reads a string whose opening quote is next.
func (l *Lexer) str() string {
	start := l.pos + 1
	i := l.plainFrom(start)
	if i < len(l.data) && l.data[i] == '"' {
		l.pos = i + 1
		return share(l.data[start:i])
	}
	return share(l.escaped(start, i))
}

// Eight bytes are looked at in one word; the constants repeat a byte.
const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// plain returns the index of the first byte from i on that a string cannot
// simply hold: a quote, a backslash or a control character; len(b) if none.
func plain(b []byte, i int) int {
	for ; i+32 <= len(b); i += 32 { // long strings in longer steps
		four := b[i : i+32 : i+32]
		if unplain(binary.LittleEndian.Uint64(four))|unplain(binary.LittleEndian.Uint64(four[8:]))|
			unplain(binary.LittleEndian.Uint64(four[16:]))|unplain(binary.LittleEndian.Uint64(four[24:])) != 0 {
			break
		}
	}
	for ; i+8 <= len(b); i += 8 {
		if m := unplain(binary.LittleEndian.Uint64(b[i:])); m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c < ' ' || c == '"' || c == '\\' {
			return i
		}
	}
	return i
}

// unplain has a byte's top bit set where the byte is below 0x20 or, which makes
// one of the xors 0, a quote or a backslash. Behind the first such byte it may
// have more set than it should.
func unplain(x uint64) uint64 {
	quote, slash := x^ones*'"', x^ones*'\\'
	return ((x - ones*0x20) | (quote - ones) | (slash - ones)) & ^x & highs
}

// escaped reads the rest of a string that starts at start and whose first
// unplain byte is at i.
func (l *Lexer) escaped(start, i int) []byte {
	b, out := l.data, l.arena
	n := len(out)
	for {
		if len(out)+i-start+utf8.UTFMax > cap(out) {
			out = append(l.room(i-start, len(out)-n), out[n:]...)
			n = 0
		}
		out = append(out, b[start:i]...)
		if i >= len(b) || b[i] != '\\' {
			break
		}
		var ok bool
		if out, start, ok = unescape(out, b, i); !ok {
			l.pos = i + 1 // the backslash is in order, what follows is not
			l.unexpected("in a string escape")
			return nil
		}
		i = l.plainFrom(start)
	}
	l.pos = i
	if i >= len(b) || b[i] != '"' {
		l.unexpected("in a string")
		return nil
	}
	l.arena = out
	l.pos++
	return out[n:len(out):len(out)]
}

const arenaBytes = 4096 // least allocation for unescaped strings

// room makes a new arena, for a string of which some is there already and more
// is to come. It is never larger than what is left of the text asks for.
func (l *Lexer) room(more, already int) []byte {
	rest := len(l.data) - l.pos
	return make([]byte, 0, max(more+already+utf8.UTFMax, min(rest, max(2*already, arenaBytes))))
}

// unescape appends what the escape at b[i] means and returns the index after it.
func unescape(out, b []byte, i int) ([]byte, int, bool) {
	if i+1 >= len(b) {
		return out, i, false
	}
	switch c := b[i+1]; c {
	case '"', '\\', '/':
		return append(out, c), i + 2, true
	case 'b':
		return append(out, '\b'), i + 2, true
	case 'f':
		return append(out, '\f'), i + 2, true
	case 'n':
		return append(out, '\n'), i + 2, true
	case 'r':
		return append(out, '\r'), i + 2, true
	case 't':
		return append(out, '\t'), i + 2, true
	case 'u':
		return unescapeRune(out, b, i)
	}
	return out, i, false
}

// unescapeRune reads \uXXXX, or a surrogate pair of them. Half a pair becomes
// U+FFFD, as in encoding/json.
func unescapeRune(out, b []byte, i int) ([]byte, int, bool) {
	r, ok := hex4(b, i)
	if !ok {
		return out, i, false
	}
	i += 6
	if utf16.IsSurrogate(r) {
		low, _ := hex4(b, i)
		if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
			i += 6
		}
	}
	return utf8.AppendRune(out, r), i, true
}

func hex4(b []byte, i int) (rune, bool) {
	if i+6 > len(b) || b[i] != '\\' || b[i+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range b[i+2 : i+6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
