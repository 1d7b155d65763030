package jsonlex

import (
	"math"
	"strconv"
)

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
