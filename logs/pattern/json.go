package pattern

import (
	"strconv"

	"outcrop/internal/jsonlex"
)

// A condition is true or false of one JSON message.
type condition func(message []byte) bool

func (p *Pattern) readJSON(text string) error {
	s := scanner{text: text, pos: 1}
	c, needs, err := s.either()
	if err != nil {
		return err
	}
	if !s.take("}") {
		return s.unexpected("}")
	}
	if s.space(); !s.end() {
		return s.unexpected("the end")
	}
	p.match, p.needs = c, needs
	return nil
}

// either reads conditions joined by ||.
func (s *scanner) either() (condition, []string, error) {
	if s.depth++; s.depth > maxNested {
		return nil, nil, invalid("the parentheses are nested too deeply")
	}
	defer func() { s.depth-- }()
	left, needs, err := s.both()
	for err == nil && s.take("||") {
		var right condition
		before := left
		if right, _, err = s.both(); err == nil {
			left, needs = func(m []byte) bool { return before(m) || right(m) }, nil
		}
	}
	return left, needs, err
}

// both reads conditions joined by &&.
func (s *scanner) both() (condition, []string, error) {
	left, needs, err := s.condition()
	for err == nil && s.take("&&") {
		var right condition
		var more []string
		before := left
		if right, more, err = s.condition(); err == nil {
			left, needs = func(m []byte) bool { return before(m) && right(m) }, append(needs, more...)
		}
	}
	return left, needs, err
}

func (s *scanner) condition() (condition, []string, error) {
	if s.take("(") {
		c, needs, err := s.either()
		if err == nil && !s.take(")") {
			err = s.unexpected(")")
		}
		return c, needs, err
	}
	at, err := s.selector()
	if err != nil {
		return nil, nil, err
	}
	if c, ok := s.state(at); ok {
		return c, nil, nil
	}
	op := s.operator()
	if op == "" {
		return nil, nil, s.unexpected("an operator")
	}
	v, err := s.value("(){}&|")
	if err == nil {
		err = v.check(op)
	}
	if err != nil {
		return nil, nil, err
	}
	var needs []string
	if need := v.need(); need != "" && op == "=" {
		needs = append(needs, need)
	}
	return func(m []byte) bool {
		return at.find(m, func(l *jsonlex.Lexer) bool {
			text, ok := scalar(l)
			return ok && v.compare(op, text)
		})
	}, needs, nil
}

// state reads IS and EXISTS.
func (s *scanner) state(at selector) (condition, bool) {
	is := func(want func(*jsonlex.Lexer) bool) condition {
		return func(m []byte) bool { return at.find(m, want) }
	}
	switch {
	case s.takeWord("IS"):
		switch {
		case s.takeWord("NULL"):
			return is((*jsonlex.Lexer).Null), true
		case s.takeWord("TRUE"):
			return is(func(l *jsonlex.Lexer) bool { return l.Peek() == jsonlex.BoolValue && l.Bool() }), true
		case s.takeWord("FALSE"):
			return is(func(l *jsonlex.Lexer) bool { return l.Peek() == jsonlex.BoolValue && !l.Bool() && !l.Failed() }), true
		}
	case s.takeWord("NOT"):
		if s.takeWord("EXISTS") {
			return func(m []byte) bool {
				return isObject(m) && !at.find(m, func(*jsonlex.Lexer) bool { return true })
			}, true
		}
	case s.takeWord("EXISTS"):
		return is(func(*jsonlex.Lexer) bool { return true }), true
	}
	return nil, false
}

func isObject(m []byte) bool {
	var l jsonlex.Lexer
	l.Reset(m)
	return l.Peek() == jsonlex.ObjectValue
}

// scalar is the text of a string, number or word; an object or list has none.
func scalar(l *jsonlex.Lexer) (string, bool) {
	switch l.Peek() {
	case jsonlex.StringValue:
		s := l.String()
		return s, !l.Failed()
	case jsonlex.ObjectValue, jsonlex.ListValue, jsonlex.NullValue:
		return "", false
	}
	raw := l.Raw()
	return string(raw), len(raw) > 0
}

// A selector is a way into a JSON message.
type selector []step

// A step goes to a member by name, to an element by number, or to all.
type step struct {
	name  string
	index int // -1 for a member
	all   bool
}

// selector reads $.a.b[0], $["a b"] and their like.
func (s *scanner) selector() (at selector, err error) {
	if !s.take("$") {
		return nil, s.unexpected("a selector that begins with $")
	}
	for {
		switch {
		case s.peek() == '.':
			if s.pos++; s.peek() == '[' {
				continue // $.['a.b']
			}
			start := s.pos
			for !s.end() && (isWord(s.peek()) || s.peek() == '-' || s.peek() == '@' || s.peek() == '$' || s.peek() == '*' || s.peek() >= 0x80) {
				s.pos++
			}
			name := s.text[start:s.pos]
			if name == "" {
				return nil, s.unexpected("a member's name")
			}
			at = append(at, step{name: name, index: -1, all: name == "*"})
		case s.peek() == '[':
			st, err := s.bracket()
			if err != nil {
				return nil, err
			}
			at = append(at, st)
		case len(at) == 0:
			return nil, s.unexpected("a member's name")
		default:
			return at, nil
		}
	}
}

// bracket reads [0], [*], ['name'] or ["name"].
func (s *scanner) bracket() (st step, err error) {
	s.pos++
	switch c := s.peek(); c {
	case '"':
		st.index = -1
		st.name, err = s.quoted()
	case '\'':
		start := s.pos + 1
		for s.pos++; !s.end() && s.peek() != '\''; s.pos++ {
		}
		st = step{name: s.text[start:s.pos], index: -1}
		s.pos++
	default:
		text := s.bare("]")
		if st.all = text == "*"; !st.all {
			n, failed := strconv.ParseUint(text, 10, 16)
			if failed != nil {
				return st, invalid("[%s] is no index", text)
			}
			st.index = int(n)
		}
	}
	if err == nil && !s.take("]") {
		err = s.unexpected("]")
	}
	return st, err
}

// find offers to want every value that the selector leads to, until one is
// what it wants. A message that is no JSON has none.
func (at selector) find(message []byte, want func(*jsonlex.Lexer) bool) bool {
	var l jsonlex.Lexer
	l.Reset(message)
	return at.walk(&l, want) && !l.Failed()
}

// walk stops inside the text once something was found: what follows is not
// looked at.
func (at selector) walk(l *jsonlex.Lexer, want func(*jsonlex.Lexer) bool) bool {
	if len(at) == 0 {
		start := *l // want may leave the value half read
		if want(l) {
			return true
		}
		*l = start
		l.Skip()
		return false
	}
	st := at[0]
	switch {
	case l.Peek() == jsonlex.ObjectValue && (st.index < 0 || st.all):
		for l.Object(); l.Member(); {
			if !st.all && l.Name() != st.name {
				l.Skip()
			} else if at[1:].walk(l, want) {
				return true
			}
		}
	case l.Peek() == jsonlex.ListValue && (st.index >= 0 || st.all):
		i := 0
		for l.Array(); l.Element(); i++ {
			if !st.all && i != st.index {
				l.Skip()
			} else if at[1:].walk(l, want) {
				return true
			}
		}
	default:
		l.Skip()
	}
	return false
}
