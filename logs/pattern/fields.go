package pattern

import (
	"strings"
)

// A field of a space-delimited pattern: its name and what it has to be.
type field struct {
	name string
	test func(string) bool // nil for anything
}

// readFields reads [name, name = value && name != value, ...].
func (p *Pattern) readFields(text string) error {
	s := scanner{text: text, pos: 1}
	var before, after []field
	open := false // an ellipsis was read
	for {
		if s.take("...") {
			if open {
				return invalid("it has more than one ellipsis")
			}
			open = true
		} else {
			f, err := s.field()
			if err != nil {
				return err
			}
			if open {
				after = append(after, f)
			} else {
				before = append(before, f)
			}
		}
		if s.take("]") {
			break
		}
		if !s.take(",") {
			return s.unexpected("a comma or ]")
		}
	}
	if s.space(); !s.end() {
		return s.unexpected("the end")
	}
	p.match = func(message []byte) bool { return matchFields(string(message), before, after, open) }
	return nil
}

func (s *scanner) field() (f field, err error) {
	f.name = s.name()
	if f.name == "" {
		return f, s.unexpected("a field's name")
	}
	if f.test, err = s.fieldEither(f.name); err != nil {
		return f, err
	}
	return f, nil
}

func (s *scanner) name() string {
	s.space()
	start := s.pos
	for !s.end() && (isWord(s.peek()) || s.peek() == '-' || s.peek() == '.' && !strings.HasPrefix(s.text[s.pos:], "...")) {
		s.pos++
	}
	return s.text[start:s.pos]
}

// fieldEither reads the tests of a field whose name has been read: joined by
// &&, which binds closer, and ||. A field may go without.
func (s *scanner) fieldEither(name string) (func(string) bool, error) {
	var ways []func(string) bool
	for {
		test, err := s.fieldBoth(name)
		if err != nil {
			return nil, err
		}
		ways = append(ways, test)
		if !s.take("||") {
			break
		}
		if s.name() != name {
			return nil, s.unexpected("the name " + name + " again")
		}
	}
	if len(ways) == 1 {
		return ways[0], nil
	}
	return func(text string) bool {
		for _, test := range ways {
			if test == nil || test(text) {
				return true
			}
		}
		return false
	}, nil
}

func (s *scanner) fieldBoth(name string) (func(string) bool, error) {
	var all []func(string) bool
	for {
		op := s.operator()
		if op == "" {
			if len(all) > 0 {
				return nil, s.unexpected("an operator")
			}
			return nil, nil
		}
		v, err := s.value(",]&|")
		if err == nil {
			err = v.check(op)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, func(text string) bool { return v.compare(op, text) })
		if !s.take("&&") {
			break
		}
		if s.name() != name {
			return nil, s.unexpected("the name " + name + " again")
		}
	}
	return func(text string) bool {
		for _, test := range all {
			if !test(text) {
				return false
			}
		}
		return true
	}, nil
}

func matchFields(message string, before, after []field, open bool) bool {
	words := split(message)
	if len(words) < len(before)+len(after) || !open && len(words) != len(before) {
		return false
	}
	return matchWords(words, before) && matchWords(words[len(words)-len(after):], after)
}

func matchWords(words []string, fields []field) bool {
	for i, f := range fields {
		if f.test != nil && !f.test(words[i]) {
			return false
		}
	}
	return true
}

// split cuts a message at white space. What stands in brackets or in double
// quotes is one field, without them.
func split(message string) (words []string) {
	for rest := strings.TrimLeft(message, " \t\r\n"); rest != ""; rest = strings.TrimLeft(rest, " \t\r\n") {
		closing := byte(0)
		switch rest[0] {
		case '[':
			closing = ']'
		case '"':
			closing = '"'
		}
		if end := strings.IndexByte(rest[1:], closing); closing != 0 && end >= 0 {
			words, rest = append(words, rest[1:end+1]), rest[end+2:]
			continue
		}
		end := strings.IndexAny(rest, " \t\r\n")
		if end < 0 {
			end = len(rest)
		}
		words, rest = append(words, rest[:end]), rest[end:]
	}
	return words
}
