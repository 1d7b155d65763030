package metricmath

import (
	"slices"
	"strings"
	"unicode"
)

// A Search is the first argument of SEARCH: which metrics are meant.
//
//	{AWS/Bedrock,ModelId} MetricName="Invocations" ModelId=("a" OR "b")
type Search struct {
	Namespace  string   // of the schema; empty for any
	Dimensions []string // names of the schema; only metrics with exactly these are meant
	schema     bool
	want       term
}

// A Candidate is a metric that a Search may mean.
type Candidate struct {
	Namespace, Metric string
	Dimensions        [][2]string // name and value, in order of name
}

// Match says whether c is meant.
func (s *Search) Match(c *Candidate) bool {
	if s.schema {
		if c.Namespace != s.Namespace || len(c.Dimensions) != len(s.Dimensions) {
			return false
		}
		for _, d := range c.Dimensions {
			if !slices.Contains(s.Dimensions, d[0]) {
				return false
			}
		}
	}
	return s.want == nil || s.want.match(c)
}

type term interface{ match(*Candidate) bool }

type (
	allOf []term
	anyOf []term
	notIt struct{ term }
	word  struct { // looked for in the property key, or in all where there is none
		key, text string
		exact     bool
	}
)

func (a allOf) match(c *Candidate) bool {
	return !slices.ContainsFunc(a, func(t term) bool { return !t.match(c) })
}
func (a anyOf) match(c *Candidate) bool {
	return slices.ContainsFunc(a, func(t term) bool { return t.match(c) })
}
func (n notIt) match(c *Candidate) bool { return !n.term.match(c) }

func (w *word) match(c *Candidate) bool {
	switch {
	case w.key == "":
		return w.fits(c.Namespace) || w.fits(c.Metric) ||
			slices.ContainsFunc(c.Dimensions, func(d [2]string) bool { return w.fits(d[0]) || w.fits(d[1]) })
	case strings.EqualFold(w.key, "Namespace"):
		return w.fits(c.Namespace)
	case strings.EqualFold(w.key, "MetricName"):
		return w.fits(c.Metric)
	}
	return slices.ContainsFunc(c.Dimensions, func(d [2]string) bool { return d[0] == w.key && w.fits(d[1]) })
}

// fits compares a quoted text whole, and another by its parts: "nova-lite" is
// found in "amazon.nova-lite-v1:0", whatever the case.
func (w *word) fits(s string) bool {
	if w.exact {
		return s == w.text
	}
	have := parts(s)
	for _, p := range parts(w.text) {
		if !slices.Contains(have, p) {
			return false
		}
	}
	return true
}

// parts splits at every character that is no letter or digit, and where a
// capital follows a small letter.
func parts(s string) []string {
	var out []string
	begin, before := 0, rune(0)
	cut := func(end, next int) {
		if end > begin {
			out = append(out, strings.ToLower(s[begin:end]))
		}
		begin = next
	}
	for i, r := range s {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			cut(i, i+len(string(r)))
		case unicode.IsUpper(r) && unicode.IsLower(before):
			cut(i, i)
		}
		before = r
	}
	cut(len(s), len(s))
	return out
}

const maxTerms = 1000

type searchParser struct {
	rest  string
	terms int
	depth int
}

// ParseSearch reads a search expression.
func ParseSearch(text string) (*Search, error) {
	s := new(Search)
	p := &searchParser{rest: text}
	p.space()
	if strings.HasPrefix(p.rest, "{") {
		if err := p.schema(s); err != nil {
			return nil, err
		}
	}
	var err error
	if s.want, err = p.either(); err != nil {
		return nil, err
	}
	if p.rest != "" {
		return nil, errorf("the search goes on unexpectedly at %q", p.rest)
	}
	if !s.schema && s.want == nil {
		return nil, errorf("the search is empty")
	}
	return s, nil
}

// schema reads {namespace,dimension,…}.
func (p *searchParser) schema(s *Search) error {
	p.rest = p.rest[1:]
	for {
		p.space()
		text, _, ok := p.text(",}")
		if !ok || text == "" {
			return errorf("the search's {namespace, dimension, …} is not closed or has an empty part")
		}
		if s.Namespace == "" {
			s.Namespace = text
		} else {
			s.Dimensions = append(s.Dimensions, text)
		}
		p.space()
		switch {
		case strings.HasPrefix(p.rest, ","):
			p.rest = p.rest[1:]
		case strings.HasPrefix(p.rest, "}"):
			p.rest, s.schema = p.rest[1:], true
			return nil
		default:
			return errorf("the search's {namespace, dimension, …} is not closed")
		}
	}
}

func (p *searchParser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// either reads terms joined by OR.
func (p *searchParser) either() (term, error) {
	if p.depth++; p.depth > maxNested {
		return nil, errorf("the search is nested too deeply")
	}
	defer func() { p.depth-- }()
	var any anyOf
	for {
		t, err := p.all()
		if err != nil {
			return nil, err
		}
		if t != nil {
			any = append(any, t)
		}
		if !p.keyword("OR") {
			break
		}
	}
	if len(any) == 0 {
		return nil, nil
	}
	return any, nil
}

// all reads terms that stand side by side or are joined by AND.
func (p *searchParser) all() (term, error) {
	var all allOf
	for {
		p.space()
		if p.rest == "" || p.rest[0] == ')' || p.sees("OR") {
			break
		}
		if p.keyword("AND") {
			continue
		}
		negated := p.keyword("NOT")
		t, err := p.single("")
		if err != nil {
			return nil, err
		}
		if negated {
			t = notIt{t}
		}
		all = append(all, t)
	}
	if len(all) == 0 {
		return nil, nil
	}
	return all, nil
}

// single reads one text, one key=text, or what stands in brackets. key is that
// of the brackets around it.
func (p *searchParser) single(key string) (term, error) {
	if p.terms++; p.terms > maxTerms {
		return nil, errorf("the search has more than %d terms", maxTerms)
	}
	p.space()
	if strings.HasPrefix(p.rest, "(") {
		return p.brackets(key)
	}
	text, exact, ok := p.text("=() ")
	if !ok || text == "" && !exact {
		return nil, errorf("the search cannot be read at %q", p.rest)
	}
	p.space()
	if key == "" && strings.HasPrefix(p.rest, "=") {
		p.rest = p.rest[1:]
		return p.single(text)
	}
	return &word{key, text, exact}, nil
}

func (p *searchParser) brackets(key string) (term, error) {
	p.rest = p.rest[1:]
	var t term
	var err error
	if key == "" {
		t, err = p.either()
	} else {
		t, err = p.values(key)
	}
	if err != nil {
		return nil, err
	}
	p.space()
	if t == nil || !strings.HasPrefix(p.rest, ")") {
		return nil, errorf("a bracket of the search is empty or not closed")
	}
	p.rest = p.rest[1:]
	return t, nil
}

// values reads what stands in key=( … ): texts joined by OR or by AND.
func (p *searchParser) values(key string) (term, error) {
	if p.depth++; p.depth > maxNested {
		return nil, errorf("the search is nested too deeply")
	}
	defer func() { p.depth-- }()
	var any anyOf
	var all allOf
	for {
		negated := p.keyword("NOT")
		t, err := p.single(key)
		if err != nil {
			return nil, err
		}
		if negated {
			t = notIt{t}
		}
		all = append(all, t)
		p.space()
		switch {
		case p.keyword("OR"):
			any, all = append(any, all), nil
		case p.rest == "" || p.rest[0] == ')':
			return append(any, all), nil
		default:
			p.keyword("AND")
		}
	}
}

// sees says whether a keyword comes next.
func (p *searchParser) sees(word string) bool {
	p.space()
	after, ok := strings.CutPrefix(p.rest, word)
	return ok && (after == "" || strings.ContainsRune(" \t\r\n()\"", rune(after[0])))
}

func (p *searchParser) keyword(word string) bool {
	if !p.sees(word) {
		return false
	}
	p.rest = p.rest[len(word):]
	return true
}

// text reads a quoted text, or one that ends before white space, a quote or one
// of the given characters.
func (p *searchParser) text(until string) (text string, exact, ok bool) {
	if strings.HasPrefix(p.rest, `"`) {
		return p.quoted()
	}
	end := strings.IndexAny(p.rest, until+" \t\r\n\"")
	if end < 0 {
		end = len(p.rest)
	}
	text, p.rest = p.rest[:end], p.rest[end:]
	return text, false, true
}

// quoted reads a text in double quotes, in which a backslash saves the next
// character from being read as a quote.
func (p *searchParser) quoted() (text string, exact, ok bool) {
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '\\' && i+1 < len(p.rest):
			i++
			b.WriteByte(p.rest[i])
		case c == '"':
			p.rest = p.rest[i+1:]
			return b.String(), true, true
		default:
			b.WriteByte(c)
		}
	}
	return "", true, false
}
