package openai

import (
	"strconv"
	"unicode/utf8"
)

// A writer appends JSON. Requests are written this way because the hot path
// has no time for reflection.
type writer struct{ b []byte }

func (w *writer) raw(s string) { w.b = append(w.b, s...) }

// member begins a member of an object; the comma is left out behind a bracket.
func (w *writer) member(name string) {
	w.comma()
	w.b = append(w.b, '"')
	w.b = append(w.b, name...)
	w.b = append(w.b, '"', ':')
}

// comma separates elements.
func (w *writer) comma() {
	if n := len(w.b); n > 0 && w.b[n-1] != '{' && w.b[n-1] != '[' && w.b[n-1] != ':' {
		w.b = append(w.b, ',')
	}
}

func (w *writer) text(name, value string) {
	w.member(name)
	w.string(value)
}

func (w *writer) integer(name string, n int64) {
	w.member(name)
	w.b = strconv.AppendInt(w.b, n, 10)
}

func (w *writer) float(name string, f float64) {
	w.member(name)
	w.b = strconv.AppendFloat(w.b, f, 'g', -1, 64)
}

// string appends s as a JSON string. What is not UTF-8 becomes U+FFFD.
func (w *writer) string(s string) {
	w.b = append(w.b, '"')
	w.escaped(s)
	w.b = append(w.b, '"')
}

// escaped appends what stands between the quotes.
func (w *writer) escaped(s string) {
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				w.b = append(append(w.b, s[from:i]...), "\uFFFD"...)
				from = i + 1
			}
			i += n
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		w.b = append(w.b, s[from:i]...)
		w.escape(c)
		i++
		from = i
	}
	w.b = append(w.b, s[from:]...)
}

func (w *writer) escape(c byte) {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		w.b = append(w.b, '\\', c)
	case '\n':
		w.b = append(w.b, '\\', 'n')
	case '\r':
		w.b = append(w.b, '\\', 'r')
	case '\t':
		w.b = append(w.b, '\\', 't')
	default:
		w.b = append(w.b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
	}
}
