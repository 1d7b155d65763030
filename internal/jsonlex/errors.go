package jsonlex

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// A Value is a sort of JSON value.
type Value uint8

// The sorts of value. NoValue is the end of the text, or no JSON.
const (
	NoValue Value = iota
	ObjectValue
	ListValue
	StringValue
	NumberValue
	BoolValue
	NullValue
)

var valueNames = [...]string{"no value", "an object", "a list", "a string", "a number", "a boolean", "null"}

func (v Value) String() string { return valueNames[v] }

func valueOf(c byte) Value {
	switch {
	case c == '{':
		return ObjectValue
	case c == '[':
		return ListValue
	case c == '"':
		return StringValue
	case c == '-' || c >= '0' && c <= '9':
		return NumberValue
	case c == 't' || c == 'f':
		return BoolValue
	case c == 'n':
		return NullValue
	}
	return NoValue
}

// An ErrorKind is a sort of Error.
type ErrorKind uint8

// The kinds of error.
const (
	Syntax   ErrorKind = iota // no JSON
	Mismatch                  // a value of another sort than wanted
	Unfit                     // a value of the right sort that does not fit: a number out of range, a string that is no base64
	NotUTF8                   // no text at all
	TooDeep                   // more than MaxDepth objects and lists open
	Trailing                  // something after the value
)

// An Error says what was wrong and where. The path of the value is found with
// PathAt, which only a failure has to pay for.
type Error struct {
	Kind        ErrorKind
	Offset      int // in bytes, from 0
	Want, Found Value
	Message     string
}

func (e *Error) Error() string {
	if e.Kind == Mismatch {
		return fmt.Sprintf("offset %d: found %s where %s was expected", e.Offset, e.Found, e.Want)
	}
	return fmt.Sprintf("offset %d: %s", e.Offset, e.Message)
}

// fail keeps the first error and moves to the end, where nothing can be read.
func (l *Lexer) fail(e Error) {
	if l.err == nil {
		l.err = &e
	}
	l.pos = len(l.data)
}

// Unfit lets a caller refuse a value of the right sort at an offset.
func (l *Lexer) Unfit(offset int, message string) {
	l.fail(Error{Kind: Unfit, Offset: offset, Message: message})
}

func (l *Lexer) mismatch(want Value) {
	found := valueOf(l.peek())
	if found == NoValue {
		l.unexpected("looking for a value")
		return
	}
	l.fail(Error{Kind: Mismatch, Offset: l.pos, Want: want, Found: found})
}

func (l *Lexer) unexpected(where string) {
	if l.err != nil {
		return
	}
	if l.pos >= len(l.data) {
		l.fail(Error{Kind: Syntax, Offset: len(l.data), Message: "unexpected end of JSON " + where})
		return
	}
	r, _ := utf8.DecodeRune(l.data[l.pos:])
	l.fail(Error{Kind: Syntax, Offset: l.pos, Message: fmt.Sprintf("unexpected %q %s", r, where)})
}

// A Step is one level of the way to a value: a member's name, or the index of
// a list element.
type Step struct {
	Name  string
	Index int // from 0; -1 for a member
}

// PathAt finds the way from the top of text to the value at offset, or to the
// innermost value that holds it. It walks the text once more.
func PathAt(text []byte, offset int) []Step {
	f := finder{offset: offset}
	f.lex.data = text
	f.value()
	return f.path
}

// PathsAt finds the ways to the values that begin at offsets, in the order of
// offsets, and in a single walk. A value that is not met has no path.
func PathsAt(text []byte, offsets []int) [][]Step {
	order := make([]int, len(offsets))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return offsets[a] - offsets[b] })
	f := finder{offset: len(text) + 1}
	f.lex.data = text
	paths := make([][]Step, len(offsets))
	f.meet = func(offset int) {
		for len(order) > 0 && offsets[order[0]] <= offset {
			if offsets[order[0]] == offset {
				paths[order[0]] = slices.Clone(f.path)
			}
			order = order[1:]
		}
	}
	f.value()
	return paths
}

type finder struct {
	meet func(offset int) // called at each value, in PathsAt

	lex    Lexer
	offset int
	path   []Step
}

// value walks one value and says whether the offset was met inside it; the
// path then stays as it is.
func (f *finder) value() bool {
	c := f.lex.peek()
	if f.lex.pos >= f.offset {
		return true
	}
	if f.meet != nil {
		f.meet(f.lex.pos)
	}
	switch c {
	case '{':
		for f.lex.Object(); f.lex.Member(); {
			if f.step(Step{f.lex.name, -1}) {
				return true
			}
		}
	case '[':
		f.lex.Array()
		for i := 0; f.lex.Element(); i++ {
			if f.step(Step{"", i}) {
				return true
			}
		}
	default:
		f.lex.Skip()
	}
	return f.lex.pos > f.offset || f.lex.err != nil
}

func (f *finder) step(s Step) bool {
	f.path = append(f.path, s)
	if f.value() {
		return true
	}
	f.path = f.path[:len(f.path)-1]
	return false
}
