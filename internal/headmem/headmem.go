// Package headmem is memory for the fields of HTTP heads that is used again.
package headmem

import (
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// A Memory is what the fields of a head are read into. It holds the texts of the
// one before, as both sides of HTTP say the same in most fields of every head:
// what is said again is not copied again. Nobody ever writes to a text, so that
// whoever has one may keep it; the header is the next head's. The zero value is
// empty.
type Memory struct {
	header http.Header
	values []string // room for the header's
	fields []Field  // in the order in which they came
	n      int      // of them, so far
	bytes  int      // of this head
}

// A Field is one line of a head.
type Field struct {
	Key   string // the name, as net/http spells it
	Value string

	name   string // as it was written
	secret bool   // Value is a credential
}

// Begin makes the header an empty one, with room for n values.
func (m *Memory) Begin(n int) http.Header {
	if m.header == nil {
		m.header = make(http.Header, n)
	}
	clear(m.header)
	if cap(m.values) < n {
		m.values = make([]string, 0, n)
	}
	m.values, m.n, m.bytes = m.values[:0], 0, 0
	return m.header
}

// Read reads the next line, which holds only for as long as this takes. It says
// no to what is no field.
func (m *Memory) Read(line string) (*Field, bool) {
	if m.n == len(m.fields) {
		m.fields = append(m.fields, Field{})
	}
	f := &m.fields[m.n]
	m.n++
	m.bytes += len(line)
	return f, f.read(line)
}

// credentials are fields whose value is not looked for in what another caller
// sent: how long that takes would tell how much of it is right.
var credentials = map[string]bool{"Authorization": true, "Proxy-Authorization": true, "Cookie": true, "X-Amz-Security-Token": true, "X-Api-Key": true, "Api-Key": true}

// read reads a line. What is in f already is as it was read before.
func (f *Field) read(line string) (ok bool) {
	name, value, ok := strings.Cut(line, ":")
	if name != f.name || name == "" {
		if ok = ok && httpguts.ValidHeaderFieldName(name); !ok {
			return false
		}
		if f.secret {
			f.Value = "" // what stands here now is no credential, and is not looked for in one
		}
		f.name = strings.Clone(name)
		f.Key = http.CanonicalHeaderKey(f.name)
		f.secret = credentials[f.Key]
	}
	if value = strings.Trim(value, " \t"); f.secret || value != f.Value {
		if ok = ok && httpguts.ValidHeaderFieldValue(value); !ok {
			return false
		}
		f.Value = strings.Clone(value)
	}
	return ok
}

// Add puts a field into the header.
func (m *Memory) Add(f *Field) {
	if held := m.header[f.Key]; held != nil {
		m.header[f.Key] = append(held, f.Value)
		return
	}
	m.values = append(m.values, f.Value)
	n := len(m.values)
	m.header[f.Key] = m.values[n-1 : n : n]
}

// Bounds of a memory that is worth keeping.
const (
	maxBytes  = 4 << 10 // of a head
	maxFields = 32
)

// Small says whether the memory is to be kept after the head that it holds.
func (m *Memory) Small() bool { return m.bytes <= maxBytes && len(m.fields) <= maxFields }
