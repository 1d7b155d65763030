package insights

import (
	"regexp"
	"strings"
)

// A parser takes fields out of a text.
type parser struct {
	of    expr
	expr  *regexp.Regexp
	names []string
}

// parser reads: parse [field] "glob with *" as a, b — or /(?<name>...)/.
func (s *scanner) parser() (*parser, error) {
	p := &parser{of: func(r *row) value { return r.get("@message") }}
	s.space()
	if c := s.peek(); c != '"' && c != '\'' && c != '/' {
		e, err := s.primary()
		if err != nil {
			return nil, err
		}
		p.of = e
		s.space()
	}
	var err error
	switch s.peek() {
	case '/':
		if p.expr, err = s.regexp(); err != nil {
			return nil, err
		}
		p.names = p.expr.SubexpNames()[1:]
		for _, n := range p.names {
			if n == "" {
				return nil, malformed("each group of the regular expression of parse has a name, as in (?<name>...)")
			}
		}
		return p, nil
	case '"', '\'':
	default:
		return nil, s.unexpected("a pattern for parse")
	}
	glob, err := s.quoted()
	if err != nil {
		return nil, err
	}
	if !s.takeWord("as") {
		return nil, s.unexpected("as, and a name for each *")
	}
	for {
		name := s.word()
		if name == "" {
			return nil, s.unexpected("a name")
		}
		if p.names = append(p.names, name); !s.take(",") {
			break
		}
	}
	parts := strings.Split(glob, "*")
	if len(parts)-1 != len(p.names) {
		return nil, malformed("the pattern of parse has %d *, and %d names follow", len(parts)-1, len(p.names))
	}
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	pattern := strings.Join(parts, `(.*?)`)
	if strings.HasSuffix(glob, "*") {
		pattern = pattern[:len(pattern)-len(`(.*?)`)] + `(.*)`
	}
	if p.expr, err = regexp.Compile(`(?s)` + pattern); err != nil {
		return nil, malformed("the pattern of parse cannot be read")
	}
	return p, nil
}

func (p *parser) run(r *row) {
	found := p.expr.FindStringSubmatch(text(p.of(r)))
	for i, name := range p.names {
		if found != nil {
			r.set(name, found[i+1])
		}
	}
}
