package jsonlex

import (
	"bytes"
	"unicode/utf8"
)

// MostHoles is how many strings of a text may differ; see Mold.
const MostHoles = 2

// A Mold knows a text that was read before but for the insides of some strings.
// The pieces of a stream are mostly such texts: only the words differ. Whoever
// reads a text and does not go by what is inside these strings reads one that
// fits in the same way, so that it need not be walked again. The zero value fits
// nothing.
type Mold struct {
	parts [MostHoles + 1][]byte // what stands around the holes
	last  int                   // index of the last part
	room  []byte                // of all parts
	made  bool
}

// maxMoldBytes is how long a text may be to be remembered.
const maxMoldBytes = 1 << 10

// A Span is where the inside of a string begins and ends.
type Span struct{ From, To int }

// Make remembers a text that was read to its end without an error, but for
// holes, which stand in order and are insides of strings.
func (m *Mold) Make(text []byte, holes ...Span) {
	if m.made = false; len(text) > maxMoldBytes || len(holes) > MostHoles {
		return
	}
	m.room = append(m.room[:0], text...)
	from := 0
	for i, h := range holes {
		m.parts[i] = m.room[from:h.From]
		from = h.To
	}
	m.last = len(holes)
	m.parts[m.last] = m.room[from:]
	m.made = true
}

// Fit says whether text differs from what is remembered in its holes only, with
// strings that mean what they look like, and returns these.
func (m *Mold) Fit(text []byte) (holes [MostHoles][]byte, fits bool) {
	if !m.made {
		return holes, false
	}
	for i := range m.last {
		if !bytes.HasPrefix(text, m.parts[i]) {
			return holes, false
		}
		text = text[len(m.parts[i]):]
		end := plain(text, 0)
		if holes[i] = text[:end:end]; !utf8.Valid(holes[i]) {
			return holes, false
		}
		text = text[end:]
	}
	return holes, bytes.Equal(text, m.parts[m.last])
}
