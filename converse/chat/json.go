package chat

import (
	"strconv"

	"outcrop/internal/jsonlex"
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
	w.b = jsonlex.AppendFloat(w.b, f)
}

// string appends s as a JSON string.
func (w *writer) string(s string) { w.b = jsonlex.AppendString(w.b, s) }

// escaped appends what stands between the quotes.
func (w *writer) escaped(s string) { w.b = jsonlex.AppendEscaped(w.b, s) }
