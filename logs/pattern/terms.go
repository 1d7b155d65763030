package pattern

import (
	"bytes"
	"regexp"
	"strings"
)

func contains(message []byte, text string) bool {
	return bytes.Contains(message, []byte(text)) // the compiler makes no copy here
}

// A term is one word of an unstructured pattern: a text or a regular expression
// that a message has to hold, may hold (?), or must not hold (-).
type term struct {
	text string
	expr *regexp.Regexp
}

func (t term) in(message []byte) bool {
	if t.expr != nil {
		return t.expr.Match(message)
	}
	return contains(message, t.text)
}

func (p *Pattern) readTerms(text string) error {
	s := scanner{text: text}
	var all, any, none []term
	for s.space(); !s.end(); s.space() {
		to := &all
		switch s.peek() {
		case '?':
			s.pos++
			to = &any
		case '-':
			s.pos++
			to = &none
		}
		t, err := s.term()
		if err != nil {
			return err
		}
		*to = append(*to, t)
	}
	if len(all)+len(none) > 0 {
		any = nil // CloudWatch: combined with other terms, ? is ignored
	}
	for _, t := range all {
		if t.expr == nil {
			p.needs = append(p.needs, t.text)
		}
	}
	p.match = func(message []byte) bool {
		for _, t := range all {
			if !t.in(message) {
				return false
			}
		}
		for _, t := range none {
			if t.in(message) {
				return false
			}
		}
		for _, t := range any {
			if t.in(message) {
				return true
			}
		}
		return len(any) == 0
	}
	return nil
}

func (s *scanner) term() (t term, err error) {
	switch s.peek() {
	case '"':
		t.text, err = s.quoted()
		return t, err
	case '%':
		t.expr, err = s.regexp()
		return t, err
	}
	start := s.pos
	for !s.end() && s.peek() != ' ' && s.peek() != '\t' {
		s.pos++
	}
	t.text = s.text[start:s.pos]
	if t.text == "" {
		return t, invalid("a term is missing")
	}
	if i := strings.IndexFunc(t.text, func(r rune) bool { return r < 0x80 && !isWord(byte(r)) }); i >= 0 {
		return t, invalid(`Invalid character(s) in term '%s': put it in double quotes`, t.text)
	}
	return t, nil
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
