// Package sse finds server-sent events within bounds.
package sse

import (
	"bytes"
	"errors"
)

// The errors of a sender that goes on for too long.
var (
	ErrEventTooLong  = errors.New("an event is longer than the limit")
	ErrStreamTooLong = errors.New("the stream is longer than the limit")
)

// A Splitter finds the events in what is written to it (WHATWG HTML §9.2.6):
// lines end in LF, CR or CRLF, several data lines are one event, comments are
// skipped. A field "error" is read like data, as llama.cpp sends it. An event
// that the end cuts off is none, as the standard says.
type Splitter struct {
	Each    func(data []byte) error // is given the data of each event, which holds until it returns; its error is Write's
	Longest int                     // bytes of one line and one event
	Limit   int                     // of the whole stream

	line    []byte // one that has begun
	data    []byte // of the event under way
	lines   int    // of data
	total   int    // bytes so far
	afterCR bool   // an LF now belongs to the line before
	begun   bool   // past a byte order mark
}

// Write implements io.Writer.
func (s *Splitter) Write(p []byte) (n int, err error) {
	if s.total += len(p); s.total > s.Limit {
		return 0, ErrStreamTooLong
	}
	for rest := p; len(rest) > 0; {
		if s.afterCR && rest[0] == '\n' {
			rest = rest[1:]
		}
		s.afterCR = false
		end := lineEnd(rest)
		if end < 0 {
			return len(p), s.hold(rest)
		}
		line := rest[:end]
		if len(s.line) > 0 {
			if err := s.hold(line); err != nil {
				return len(p), err
			}
			line = s.line
		}
		s.afterCR, rest, s.line = rest[end] == '\r', rest[end+1:], s.line[:0]
		if err := s.take(line); err != nil {
			return len(p) - len(rest), err
		}
	}
	return len(p), nil
}

// hold keeps a part of a line until its end comes.
func (s *Splitter) hold(part []byte) error {
	if s.line = append(s.line, part...); len(s.line) >= s.Longest {
		return ErrEventTooLong
	}
	return nil
}

// take takes in a line. An empty one ends an event.
func (s *Splitter) take(line []byte) error {
	if !s.begun {
		s.begun = true
		line = bytes.TrimPrefix(line, []byte("\uFEFF"))
	}
	if len(line) == 0 {
		if s.lines == 0 {
			return nil
		}
		s.lines = 0
		return s.Each(s.data)
	}
	value, ok := dataOf(line)
	if !ok {
		return nil
	}
	if s.lines++; s.lines == 1 {
		s.data = append(s.data[:0], value...)
		return nil
	}
	if s.data = append(append(s.data, '\n'), value...); len(s.data) > s.Longest {
		return ErrEventTooLong
	}
	return nil
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
