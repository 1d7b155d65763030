package openai

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A lexer reads JSON from the front, once, and never fails halfway: the first
// fault is kept in bad and everything after it reads as nothing. Members that
// nobody asks for are skipped, well-formed or not being checked all the same.
type lexer struct {
	b     []byte
	i     int
	depth int
	bad   bool
	key   []byte // of the current member, valid until the next
	spare []byte // for keys and strings with escapes
}

// maxDepth of objects and arrays within each other.
const maxDepth = 128

// reset starts on another text.
func (l *lexer) reset(b []byte) { l.b, l.i, l.depth, l.bad = b, 0, 0, false }

// end says whether the text was one good value.
func (l *lexer) end() bool {
	l.space()
	return !l.bad && l.i == len(l.b)
}

func (l *lexer) fail() { l.bad = true; l.i = len(l.b) }

func (l *lexer) space() {
	for l.i < len(l.b) {
		switch l.b[l.i] {
		case ' ', '\t', '\n', '\r':
			l.i++
		default:
			return
		}
	}
}

// peek is the first byte of the next value, 0 at the end.
func (l *lexer) peek() byte {
	l.space()
	if l.i >= len(l.b) {
		return 0
	}
	return l.b[l.i]
}

// open enters an object or array. Any other value is skipped.
func (l *lexer) open(bracket byte) bool {
	if l.peek() != bracket {
		l.skip()
		return false
	}
	l.i++
	if l.depth++; l.depth > maxDepth {
		l.fail()
		return false
	}
	return true
}

// next goes to the next element of an array, or the first. It returns false
// behind the last, having left the array.
func (l *lexer) next(first *bool) bool { return l.step(first, ']') }

// member goes to the next member of an object and reads its key.
func (l *lexer) member(first *bool) bool {
	if !l.step(first, '}') {
		return false
	}
	if l.peek() != '"' {
		l.fail()
		return false
	}
	l.key = l.bytes()
	if l.peek() != ':' {
		l.fail()
		return false
	}
	l.i++
	return !l.bad
}

func (l *lexer) step(first *bool, closing byte) bool {
	c := l.peek()
	switch {
	case c == closing:
		l.i++
		l.depth--
		return false
	case *first:
		*first = false
		return c != 0 || l.stop()
	case c == ',':
		l.i++
		if l.peek() != closing && l.peek() != 0 {
			return true
		}
	}
	return l.stop()
}

func (l *lexer) stop() bool { l.fail(); return false }

// null skips a null.
func (l *lexer) null() bool {
	if l.peek() != 'n' {
		return false
	}
	l.literal("null")
	return true
}

func (l *lexer) literal(w string) {
	if !bytes.HasPrefix(l.b[l.i:], []byte(w)) {
		l.fail()
		return
	}
	l.i += len(w)
}

// string reads a string; any other value is skipped and reads as "".
func (l *lexer) string() string {
	if l.peek() != '"' {
		l.skip()
		return ""
	}
	return string(l.bytes())
}

// bytes reads a string whose quote is next. The result may be part of the text
// or of spare, and holds until the next call.
func (l *lexer) bytes() []byte {
	from := l.i + 1
	for i := from; i < len(l.b); i++ {
		switch c := l.b[i]; {
		case c == '"':
			l.i = i + 1
			return valid(l.b[from:i])
		case c == '\\':
			return l.unescape(from, i)
		case c < ' ':
			l.fail()
			return nil
		}
	}
	l.fail()
	return nil
}

// valid replaces what is not UTF-8.
func valid(b []byte) []byte {
	if utf8.Valid(b) {
		return b
	}
	out := make([]byte, 0, len(b)+8)
	for len(b) > 0 { // each bad byte becomes one U+FFFD, as encoding/json does it
		r, n := utf8.DecodeRune(b)
		out = utf8.AppendRune(out, r)
		b = b[n:]
	}
	return out
}

// unescape reads on from the first backslash, at i.
func (l *lexer) unescape(from, i int) []byte {
	if l.spare == nil {
		const most = 4 << 10 // bytes to begin with
		l.spare = make([]byte, 0, min(len(l.b)-from, most))
	}
	out := l.spare[:0]
	for i < len(l.b) {
		switch c := l.b[i]; {
		case c == '"':
			l.i, l.spare = i+1, append(out, l.b[from:i]...)
			return valid(l.spare)
		case c < ' ':
			l.fail()
			return nil
		case c != '\\':
			i++
		default:
			var n int
			if out, n = escape(append(out, l.b[from:i]...), l.b[i:]); n == 0 {
				l.fail()
				return nil
			}
			i += n
			from = i
		}
	}
	l.fail()
	return nil
}

// escape decodes the escape that begins b and returns its length, 0 when it is
// none.
func escape(out, b []byte) ([]byte, int) {
	if len(b) < 2 {
		return out, 0
	}
	if i := strings.IndexByte(`"\/bfnrt`, b[1]); i >= 0 {
		return append(out, "\"\\/\b\f\n\r\t"[i]), 2
	}
	r, ok := hex4(b)
	if !ok {
		return out, 0
	}
	if !utf16.IsSurrogate(r) {
		return utf8.AppendRune(out, r), 6
	}
	if low, ok := hex4(b[6:]); ok {
		if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
			return utf8.AppendRune(out, both), 12
		}
	}
	return utf8.AppendRune(out, utf8.RuneError), 6
}

// hex4 reads \uXXXX.
func hex4(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range b[2:6] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// integer reads a whole number that is not negative; anything else reads as
// not there.
func (l *lexer) integer() (int64, bool) {
	if c := l.peek(); c < '0' || c > '9' {
		l.skip()
		return 0, false
	}
	n, err := strconv.ParseInt(string(l.raw()), 10, 64)
	return n, err == nil
}

// raw returns the next value as it is written, checked.
func (l *lexer) raw() []byte {
	l.space()
	from := l.i
	l.skip()
	if l.bad {
		return nil
	}
	return l.b[from:l.i]
}

// skip reads over the next value.
func (l *lexer) skip() {
	switch c := l.peek(); {
	case c == '"':
		l.bytes()
	case c == '{':
		l.open('{')
		for first := true; l.member(&first); {
			l.skip()
		}
	case c == '[':
		l.open('[')
		for first := true; l.next(&first); {
			l.skip()
		}
	case c == 't':
		l.literal("true")
	case c == 'f':
		l.literal("false")
	case c == 'n':
		l.literal("null")
	default:
		l.number()
	}
}

// number skips a number of JSON's grammar (RFC 8259 §6).
func (l *lexer) number() {
	l.take('-', '-')
	whole := l.i
	if !l.digits() || l.b[whole] == '0' && l.i > whole+1 {
		l.fail()
		return
	}
	if l.take('.', '.') && !l.digits() {
		l.fail()
		return
	}
	if l.take('e', 'E') {
		_ = l.take('+', '-')
		if !l.digits() {
			l.fail()
		}
	}
}

// take goes over one byte that is a or b.
func (l *lexer) take(a, b byte) bool {
	if l.i < len(l.b) && (l.b[l.i] == a || l.b[l.i] == b) {
		l.i++
		return true
	}
	return false
}

// digits goes over digits and says whether there was one.
func (l *lexer) digits() bool {
	from := l.i
	for l.i < len(l.b) && '0' <= l.b[l.i] && l.b[l.i] <= '9' {
		l.i++
	}
	return l.i > from
}
