package jsonlex

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
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

// share makes a string of bytes that nobody will change; see Lexer.
func share(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// str reads a string whose opening quote is next.
func (l *Lexer) str() string {
	start := l.pos + 1
	i := plain(l.data, start)
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
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		quote, slash := x^ones*'"', x^ones*'\\'
		// A byte's top bit ends up set where x < 0x20, or where the xor is 0.
		if m := ((x - ones*0x20) | (quote - ones) | (slash - ones)) & ^x & highs; m != 0 {
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

// escaped reads the rest of a string that starts at start and whose first
// unplain byte is at i.
func (l *Lexer) escaped(start, i int) []byte {
	end := l.closing(i)
	if end < 0 {
		return nil
	}
	out := l.room(end - start) // an escape is never shorter than what it means
	n := len(out)
	for {
		out = append(out, l.data[start:i]...)
		if i >= end {
			break
		}
		var ok bool
		if out, start, ok = unescape(out, l.data[:end], i); !ok {
			l.pos = i
			l.unexpected("in a string escape")
			return nil
		}
		i = plain(l.data[:end], start)
	}
	l.arena = out
	l.pos = end + 1
	return out[n:len(out):len(out)]
}

// closing finds the quote that ends a string, from an unplain byte on.
func (l *Lexer) closing(i int) int {
	for i < len(l.data) {
		switch l.data[i] {
		case '"':
			return i
		case '\\':
			i = plain(l.data, min(i+2, len(l.data)))
		default:
			l.pos = i
			l.unexpected("in a string")
			return -1
		}
	}
	l.pos = len(l.data)
	l.unexpected("in a string")
	return -1
}

const arenaBytes = 4096 // least allocation for unescaped strings

// room returns the arena with space for n more bytes.
func (l *Lexer) room(n int) []byte {
	if cap(l.arena)-len(l.arena) < n {
		rest := len(l.data) - l.pos
		l.arena = make([]byte, 0, max(n, min(rest, arenaBytes)))
	}
	return l.arena
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

// number reads a number of strict grammar and returns its text and whether it
// has neither fraction nor exponent.
func (l *Lexer) number() (text []byte, integer bool) {
	if valueOf(l.peek()) != NumberValue {
		l.mismatch(NumberValue)
		return nil, false
	}
	b, i := l.data, l.pos
	if b[i] == '-' {
		i++
	}
	ok := true
	switch {
	case i < len(b) && b[i] == '0':
		i++
	default:
		i, ok = digits(b, i)
	}
	integer = true
	if ok && i < len(b) && b[i] == '.' {
		i, ok = digits(b, i+1)
		integer = false
	}
	if ok && i < len(b) && b[i]|0x20 == 'e' {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		i, ok = digits(b, i)
		integer = false
	}
	start := l.pos
	l.pos = i
	if !ok {
		l.unexpected("in a number")
		return nil, false
	}
	return b[start:i], integer
}

func digits(b []byte, i int) (int, bool) {
	start := i
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i, i > start
}

// Int reads an integer. 1.0 and 1e2 are integers too; 1.5 is not.
func (l *Lexer) Int() int64 {
	l.peek()
	start := l.pos
	text, integer := l.number()
	if text == nil {
		return 0
	}
	if integer {
		if n, err := strconv.ParseInt(share(text), 10, 64); err == nil {
			return n
		}
	} else if f, err := strconv.ParseFloat(share(text), 64); err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int64(f)
	}
	l.Unfit(start, "number is not a 64-bit integer")
	return 0
}

// Float reads a number.
func (l *Lexer) Float() float64 {
	l.peek()
	start := l.pos
	text, _ := l.number()
	if text == nil {
		return 0
	}
	f, err := strconv.ParseFloat(share(text), 64)
	if err != nil {
		l.Unfit(start, "number is out of range")
		return 0
	}
	return f
}

// Base64 reads a string that must be padded standard base64 and returns its
// text, never nil but after an error. Line breaks inside it are dropped.
func (l *Lexer) Base64() []byte {
	if l.peek() != '"' {
		l.mismatch(StringValue)
		return nil
	}
	start := l.pos
	rest := l.data[start+1:]
	if n := bytes.IndexByte(rest, '"'); n >= 0 && validBase64(rest[:n]) {
		l.pos = start + n + 2
		return rest[:n:n]
	}
	s := l.str() // there may be escapes, such as the \/ that PHP writes
	if l.err != nil {
		return nil
	}
	text := dropLineBreaks(s)
	if !validBase64(text) {
		l.Unfit(start, "string is not base64")
		return nil
	}
	return text
}

func dropLineBreaks(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		if s[i] != '\n' && s[i] != '\r' {
			out = append(out, s[i])
		}
	}
	return out
}

// validBase64 says whether b is padded standard base64.
func validBase64(b []byte) bool {
	if len(b)%4 != 0 {
		return false
	}
	for range 2 {
		if n := len(b); n > 0 && b[n-1] == '=' {
			b = b[:n-1]
		}
	}
	i := 0
	for ; i+8 <= len(b); i += 8 {
		if notBase64(binary.LittleEndian.Uint64(b[i:])) != 0 {
			return false
		}
	}
	for ; i < len(b); i++ {
		if notBase64(uint64(b[i]))&0xff != 0 {
			return false
		}
	}
	return true
}

// notBase64 has a bit set in each byte of x that is not in the alphabet. Adding
// to bytes below 0x80 cannot carry over, so eight are compared in one go.
func notBase64(x uint64) uint64 {
	low := x &^ highs
	letter := low | 0x20*ones
	isLetter := (letter + (0x80-'a')*ones) &^ (letter + (0x7f-'z')*ones)
	isDigit := (low + (0x80-'/')*ones) &^ (low + (0x7f-'9')*ones) // '/' comes right before '0'
	plus := low ^ '+'*ones
	isPlus := ^(plus + 0x7f*ones)
	return ^(isLetter|isDigit|isPlus)&highs | x&highs
}
