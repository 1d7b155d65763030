// Package sse reads server-sent events within bounds.
package sse

import (
	"bytes"
	"errors"
	"io"
)

// The errors of a sender that goes on for too long.
var (
	ErrEventTooLong  = errors.New("an event is longer than the limit")
	ErrStreamTooLong = errors.New("the stream is longer than the limit")
)

// A Reader reads server-sent events (WHATWG HTML §9.2.6): lines end in
// LF, CR or CRLF, several data lines are one event, comments are skipped. A
// field "error" is read like data, as llama.cpp sends it.
type Reader struct {
	r        io.Reader
	buf      []byte // read from r; buf[from:to] is not yet used
	from, to int
	data     []byte // of the event under way, when it has more than one line
	total    int    // bytes read so far
	limit    int    // of total
	longest  int    // of one line and one event
	afterCR  bool   // an LF now belongs to the line before
	begun    bool   // past a byte order mark
	err      error  // of r, told when buf is used up
}

const firstBufferBytes = 4 << 10

// NewReader reads from r at most limit bytes, and no line or event of more than
// longest bytes.
func NewReader(r io.Reader, longest, limit int) *Reader {
	return &Reader{r: r, limit: limit, longest: longest, buf: make([]byte, min(firstBufferBytes, longest))}
}

// Next returns the data of the next event, which holds until the next call, or
// io.EOF. An event that the end cut off is dropped, as the standard says.
func (e *Reader) Next() ([]byte, error) {
	var data []byte
	lines := 0
	for {
		line, err := e.line()
		if err != nil {
			return nil, err
		}
		if len(line) == 0 {
			if lines > 0 {
				return data, nil
			}
			continue
		}
		value, ok := dataOf(line)
		if !ok {
			continue
		}
		if lines++; lines == 1 {
			data = e.keep(value)
			continue
		}
		data = append(append(data, '\n'), value...)
		e.data = data
		if len(data) > e.longest {
			return nil, ErrEventTooLong
		}
	}
}

// keep copies a line's value, because reading on may move the buffer. When the
// event ends right behind it the copy is not needed.
func (e *Reader) keep(value []byte) []byte {
	if e.to > e.from && e.buf[e.from] == '\n' && !e.afterCR {
		return value
	}
	e.data = append(e.data[:0], value...)
	return e.data
}

// dataOf returns what a line adds to its event.
func dataOf(line []byte) ([]byte, bool) {
	name, value, _ := bytes.Cut(line, []byte{':'})
	switch string(name) {
	case "data", "error":
		return bytes.TrimPrefix(value, []byte{' '}), true
	}
	return nil, false
}

// line returns the next line without its end. It holds until the next call.
func (e *Reader) line() ([]byte, error) {
	searched := 0
	for {
		if e.afterCR && e.from < e.to {
			e.afterCR = false
			if e.buf[e.from] == '\n' {
				e.from++
			}
		}
		if !e.begun && e.to-e.from >= 3 {
			e.begun = true
			e.from += len(e.buf[e.from:e.to]) - len(bytes.TrimPrefix(e.buf[e.from:e.to], []byte("\uFEFF")))
		}
		held := e.buf[e.from:e.to]
		if i := lineEnd(held[searched:]); i >= 0 && e.begun {
			i += searched
			e.afterCR = held[i] == '\r'
			e.from += i + 1
			return held[:i], nil
		}
		if e.begun {
			searched = len(held)
		}
		if err := e.fill(); err != nil {
			return nil, err
		}
	}
}

// lineEnd finds the first CR or LF. Most streams have no CR at all.
func lineEnd(b []byte) int {
	lf := bytes.IndexByte(b, '\n')
	if lf >= 0 {
		b = b[:lf]
	}
	if cr := bytes.IndexByte(b, '\r'); cr >= 0 {
		return cr
	}
	return lf
}

// fill reads more, making room first.
func (e *Reader) fill() error {
	if e.err != nil {
		return e.err
	}
	if e.from > 0 {
		e.to = copy(e.buf, e.buf[e.from:e.to])
		e.from = 0
	}
	if e.to == len(e.buf) {
		if e.to >= e.longest {
			return ErrEventTooLong
		}
		e.buf = append(e.buf, make([]byte, min(len(e.buf), e.longest-len(e.buf)))...)
	}
	n, err := e.r.Read(e.buf[e.to:])
	e.to += n
	e.total += n
	e.err = err
	if e.total > e.limit {
		return ErrStreamTooLong
	}
	if n == 0 && err == nil {
		return nil // allowed of readers; the watch ends a reader that does nothing else
	}
	if n == 0 {
		e.begun = true
		return err
	}
	return nil
}
