// Package jsonlex reads and writes JSON text without reflection: a strict
// lexer over a byte slice that copies nothing it need not copy, and an encoder
// of append functions.
//
// Generated codecs drive it, and readers that go by a service's shapes. The
// grammar is RFC 8259's, held against
// encoding/json by fuzzing, with two differences that are both refusals: a body
// must be valid UTF-8, and nesting is limited to MaxDepth.
package jsonlex

import (
	"unicode/utf8"
)

// MaxDepth is how many objects and lists may be open at once.
const MaxDepth = 512

// A Lexer walks one JSON text. Its first error sticks: from then on every
// loop ends and every value is zero, so callers ask only once, with Done.
//
// Strings, blobs and raw values that it returns share memory with the text
// wherever they hold no escapes. Whoever hands a text to a Lexer must not
// change it afterwards, nor return it to a pool while such values live.
type Lexer struct {
	data               []byte
	quietFrom, quietTo int // the longest quiet part of data
	pos                int
	depth              int
	first              bool   // no member of the innermost object or list was read yet
	name               string // of the current member
	arena              []byte // where unescaped strings are put, many to one allocation
	err                *Error
}

// Reset starts on a new text. A text that is not valid UTF-8 is refused here,
// in one pass, so that no string needs to be checked by itself.
func (l *Lexer) Reset(text []byte) {
	*l = Lexer{data: text}
	if !l.survey() {
		l.fail(Error{Kind: NotUTF8, Offset: invalidUTF8(text), Message: "invalid UTF-8"})
	}
}

func invalidUTF8(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(b)
}

// Done ends the walk: what follows the top value must be white space.
func (l *Lexer) Done() error {
	if l.err == nil {
		if l.peek(); l.pos < len(l.data) {
			l.unexpected("after the top-level value")
			l.err.Kind = Trailing
		}
	}
	if l.err != nil {
		return l.err
	}
	return nil
}

// Failed says whether an error was met.
func (l *Lexer) Failed() bool { return l.err != nil }

// peek skips white space and returns the next byte, 0 at the end.
func (l *Lexer) peek() byte {
	for l.pos < len(l.data) {
		c := l.data[l.pos]
		if c > ' ' || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
		l.pos++
	}
	return 0
}

// Peek returns the kind of the value that comes next, without consuming it.
func (l *Lexer) Peek() Value { return valueOf(l.peek()) }

// Object begins an object and returns its offset; Member walks it.
func (l *Lexer) Object() int { return l.open('{', ObjectValue) }

// Array begins a list and returns its offset; Element walks it.
func (l *Lexer) Array() int { return l.open('[', ListValue) }

func (l *Lexer) open(bracket byte, v Value) int {
	if l.peek() != bracket {
		l.mismatch(v)
		return l.pos
	}
	if l.depth++; l.depth > MaxDepth {
		l.fail(Error{Kind: TooDeep, Offset: l.pos, Message: "nested too deeply"})
		return l.pos
	}
	l.first = true
	l.pos++
	return l.pos - 1
}

// Member moves to the next member of the object and past its colon. It returns
// false at the closing brace, which it consumes, and after an error.
func (l *Lexer) Member() bool {
	if !l.next('}') {
		return false
	}
	if l.peek() != '"' {
		l.unexpected("looking for a member name")
		return false
	}
	l.name = l.str()
	if l.peek() != ':' {
		l.unexpected("after a member name")
		return false
	}
	l.pos++
	return true
}

// Name is that of the current member.
func (l *Lexer) Name() string { return l.name }

// Element moves to the next element of the list. It returns false at the
// closing bracket, which it consumes, and after an error.
func (l *Lexer) Element() bool { return l.next(']') }

func (l *Lexer) next(closing byte) bool {
	c := l.peek()
	first := l.first
	l.first = false
	switch {
	case c == closing:
		l.pos++
		l.depth--
		return false
	case first && c != 0:
		return true
	case c == ',':
		l.pos++
		if l.peek() != closing {
			return true
		}
		l.unexpected("after a comma")
		return false
	}
	l.unexpected("after a member or element")
	return false
}

// Null consumes a null, if that is what comes next.
func (l *Lexer) Null() bool {
	if l.peek() != 'n' {
		return false
	}
	l.literal("null")
	return true
}

// Bool reads true or false.
func (l *Lexer) Bool() bool {
	switch l.peek() {
	case 't':
		l.literal("true")
		return l.err == nil
	case 'f':
		l.literal("false")
		return false
	}
	l.mismatch(BoolValue)
	return false
}

func (l *Lexer) literal(word string) {
	end := l.pos + len(word)
	if end > len(l.data) || string(l.data[l.pos:end]) != word {
		l.unexpected("in a literal")
		return
	}
	l.pos = end
}

// Skip reads any value and forgets it. It is as strict about grammar as the
// reading of known values.
func (l *Lexer) Skip() {
	switch l.peek() {
	case '{':
		for l.Object(); l.Member(); {
			l.Skip()
		}
	case '[':
		for l.Array(); l.Element(); {
			l.Skip()
		}
	case '"':
		l.str()
	case 't', 'f':
		l.Bool()
	case 'n':
		l.Null()
	default:
		l.number()
	}
}

// Raw reads any value and returns its text as written.
func (l *Lexer) Raw() []byte {
	l.peek()
	start := l.pos
	l.Skip()
	if l.err != nil {
		return nil
	}
	return l.data[start:l.pos:l.pos]
}

// Offset is where the next value begins.
func (l *Lexer) Offset() int {
	l.peek()
	return l.pos
}

// End is where the value read last ended: the place to name when it is refused
// only after it was read.
func (l *Lexer) End() int { return l.pos }
