package wire

import (
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxJSONDepth is how many objects and arrays may be open at once. Real
// requests stay below 20 levels; the limit bounds the stack.
const maxJSONDepth = 512

// A jsonLexer reads one JSON text (RFC 8259), strictly. The text is valid
// UTF-8: newJSONLexer sees to that.
type jsonLexer struct {
	text []byte
	at   int
}

func newJSONLexer(text []byte) (*jsonLexer, error) {
	if !utf8.Valid(text) {
		return nil, &Malformed{"The request body is not valid UTF-8"}
	}
	return &jsonLexer{text: text}, nil
}

// wrong is a fault at the present place.
func (l *jsonLexer) wrong(format string, args ...any) error {
	return &Malformed{fmt.Sprintf(format, args...) + " at offset " + strconv.Itoa(l.at)}
}

// peek skips white space and returns the next byte, 0 at the end.
func (l *jsonLexer) peek() byte {
	for ; l.at < len(l.text); l.at++ {
		switch c := l.text[l.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// unexpected is the fault that what stands at the present place may not.
func (l *jsonLexer) unexpected() error {
	if l.at >= len(l.text) {
		return l.wrong("Unexpected end of the request body")
	}
	r, _ := utf8.DecodeRune(l.text[l.at:])
	return l.wrong("Unexpected character %q", r)
}

func (l *jsonLexer) expect(c byte) error {
	if l.peek() != c {
		return l.unexpected()
	}
	l.at++
	return nil
}

// end demands that nothing but white space is left.
func (l *jsonLexer) end() error {
	if l.peek(); l.at < len(l.text) {
		return l.wrong("Unexpected data after the end of the request body")
	}
	return nil
}

// null consumes null if that is what stands next.
func (l *jsonLexer) null() (bool, error) {
	if l.peek() != 'n' {
		return false, nil
	}
	return true, l.word("null")
}

func (l *jsonLexer) word(w string) error {
	if rest := l.text[l.at:]; len(rest) < len(w) || string(rest[:len(w)]) != w {
		return l.unexpected()
	}
	l.at += len(w)
	return nil
}

// more opens or continues an object or array: it is called with the closing
// byte after the opening one (first) and after every element, and says
// whether another element follows.
func (l *jsonLexer) more(closing byte, first bool) (bool, error) {
	c := l.peek()
	if c == closing {
		l.at++
		return false, nil
	}
	if first {
		return true, nil
	}
	if c != ',' {
		return false, l.unexpected()
	}
	l.at++
	return true, nil
}

// key reads an object's key and the colon. The bytes may alias the text.
func (l *jsonLexer) key() ([]byte, error) {
	k, err := l.stringBytes()
	if err != nil {
		return nil, err
	}
	return k, l.expect(':')
}

// stringBytes reads a string. The bytes alias the text when it has no escapes.
func (l *jsonLexer) stringBytes() ([]byte, error) {
	if err := l.expect('"'); err != nil {
		return nil, err
	}
	for i := l.at; i < len(l.text); i++ {
		switch c := l.text[i]; {
		case c == '"':
			s := l.text[l.at:i]
			l.at = i + 1
			return s, nil
		case c == '\\':
			return l.escapedString(i)
		case c < ' ':
			l.at = i
			return nil, l.unexpected()
		}
	}
	l.at = len(l.text)
	return nil, l.unexpected()
}

// escapedString reads on from the first backslash, at i.
func (l *jsonLexer) escapedString(i int) ([]byte, error) {
	out := append(make([]byte, 0, i-l.at+32), l.text[l.at:i]...)
	for l.at = i; l.at < len(l.text); {
		switch c := l.text[l.at]; {
		case c == '"':
			l.at++
			return out, nil
		case c == '\\':
			r, err := l.escape()
			if err != nil {
				return nil, err
			}
			out = utf8.AppendRune(out, r)
		case c < ' ':
			return nil, l.unexpected()
		default:
			out = append(out, c)
			l.at++
		}
	}
	return nil, l.unexpected()
}

const escapes, escaped = `"\/bfnrt`, "\"\\/\b\f\n\r\t"

// escape reads one escape. Half a surrogate pair reads as U+FFFD, as
// encoding/json has it.
func (l *jsonLexer) escape() (rune, error) {
	l.at++ // the backslash
	if l.at >= len(l.text) {
		return 0, l.unexpected()
	}
	c := l.text[l.at]
	for i := range len(escapes) {
		if escapes[i] == c {
			l.at++
			return rune(escaped[i]), nil
		}
	}
	r, ok := l.hex4(l.at)
	if !ok {
		return 0, l.unexpected()
	}
	l.at += 5
	if !utf16.IsSurrogate(r) {
		return r, nil
	}
	if l.at < len(l.text) && l.text[l.at] == '\\' {
		if low, ok := l.hex4(l.at + 1); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				l.at += 6
				return pair, nil
			}
		}
	}
	return utf8.RuneError, nil
}

// hex4 reads uXXXX at i.
func (l *jsonLexer) hex4(i int) (r rune, ok bool) {
	if i+5 > len(l.text) || l.text[i] != 'u' {
		return 0, false
	}
	for _, c := range l.text[i+1 : i+5] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// number reads a number's text, by the grammar.
func (l *jsonLexer) number() (string, error) {
	l.peek()
	start := l.at
	l.skipByte('-')
	switch {
	case l.skipByte('0'):
	case !l.digits():
		return "", l.unexpected()
	}
	if l.skipByte('.') && !l.digits() {
		return "", l.unexpected()
	}
	if l.skipByte('e') || l.skipByte('E') {
		if !l.skipByte('+') {
			l.skipByte('-')
		}
		if !l.digits() {
			return "", l.unexpected()
		}
	}
	return string(l.text[start:l.at]), nil
}

func (l *jsonLexer) skipByte(c byte) bool {
	if l.at < len(l.text) && l.text[l.at] == c {
		l.at++
		return true
	}
	return false
}

func (l *jsonLexer) digits() bool {
	start := l.at
	for l.at < len(l.text) && '0' <= l.text[l.at] && l.text[l.at] <= '9' {
		l.at++
	}
	return l.at > start
}

// raw skips one value of any kind and returns its text.
func (l *jsonLexer) raw(depth int) ([]byte, error) {
	l.peek()
	start := l.at
	err := l.skip(depth)
	return l.text[start:l.at], err
}

// skip reads past one value, checking its grammar all the same.
func (l *jsonLexer) skip(depth int) (err error) {
	switch l.peek() {
	case '{':
		return l.skipAll('}', depth)
	case '[':
		return l.skipAll(']', depth)
	case '"':
		_, err = l.stringBytes()
	case 't':
		return l.word("true")
	case 'f':
		return l.word("false")
	case 'n':
		return l.word("null")
	default:
		_, err = l.number()
	}
	return err
}

func (l *jsonLexer) skipAll(closing byte, depth int) error {
	if err := l.open(depth); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := l.more(closing, first)
		if !more {
			return err
		}
		if closing == '}' {
			if _, err := l.key(); err != nil {
				return err
			}
		}
		if err := l.skip(depth + 1); err != nil {
			return err
		}
	}
}

// open steps over an opening brace or bracket at the given depth.
func (l *jsonLexer) open(depth int) error {
	if depth >= maxJSONDepth {
		return l.wrong("The request body is nested more than %d levels deep", maxJSONDepth)
	}
	l.at++
	return nil
}
