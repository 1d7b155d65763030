package chat

import (
	"strconv"
	"unicode/utf8"

	"outcrop/internal/jsonlex"
)

// A lenient reads what a server wrote. A value of another sort than was asked
// for is skipped and reads as nothing, and text that is not UTF-8 is repaired.
// What is no JSON at all is not forgiven; Done tells.
type lenient struct{ jsonlex.Lexer }

// reset starts on another text.
func (l *lenient) reset(text []byte) { l.Reset(repaired(text)) }

// repaired replaces each byte that is not UTF-8 by one U+FFFD, as
// encoding/json does it.
func repaired(b []byte) []byte {
	if utf8.Valid(b) {
		return b
	}
	out := make([]byte, 0, len(b)+8)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		out = utf8.AppendRune(out, r)
		b = b[n:]
	}
	return out
}

// object enters an object, whose members Member walks.
func (l *lenient) object() bool {
	if !l.comes(jsonlex.ObjectValue) {
		return false
	}
	l.Object()
	return true
}

// array enters a list, whose elements Element walks.
func (l *lenient) array() bool {
	if !l.comes(jsonlex.ListValue) {
		return false
	}
	l.Array()
	return true
}

// comes says whether a value of sort v comes next, and skips any other.
func (l *lenient) comes(v jsonlex.Value) bool {
	if l.Peek() == v {
		return true
	}
	l.Skip()
	return false
}

// str reads a string, which may outlive the text.
func (l *lenient) str() string {
	if !l.comes(jsonlex.StringValue) {
		return ""
	}
	return l.Text()
}

// integer reads a whole number that is not negative.
func (l *lenient) integer() (int64, bool) {
	if !l.comes(jsonlex.NumberValue) {
		return 0, false
	}
	n, err := strconv.ParseInt(string(l.Raw()), 10, 64)
	return n, err == nil && n >= 0
}

// word reads a string or a number as text.
func (l *lenient) word() string {
	if l.Peek() == jsonlex.NumberValue {
		return string(l.Raw())
	}
	return l.str()
}
