package insights

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A scanner walks the text of a query.
type scanner struct {
	text  string
	pos   int
	depth int
}

func (s *scanner) end() bool { return s.pos >= len(s.text) }

func (s *scanner) peek() byte {
	if s.end() {
		return 0
	}
	return s.text[s.pos]
}

// space skips white space and comments.
func (s *scanner) space() {
	for !s.end() {
		switch c := s.peek(); {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			s.pos++
		case c == '#':
			for !s.end() && s.peek() != '\n' {
				s.pos++
			}
		default:
			return
		}
	}
}

func (s *scanner) take(token string) bool {
	s.space()
	if !strings.HasPrefix(s.text[s.pos:], token) {
		return false
	}
	s.pos += len(token)
	return true
}

func (s *scanner) takeWord(word string) bool {
	s.space()
	end := s.pos + len(word)
	if end > len(s.text) || !strings.EqualFold(s.text[s.pos:end], word) || end < len(s.text) && isName(s.text[end]) {
		return false
	}
	s.pos = end
	return true
}

func isName(c byte) bool {
	return c == '_' || c == '@' || c == '.' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// word reads a name, which may stand in backticks.
func (s *scanner) word() string {
	s.space()
	if s.peek() == '`' {
		if end := strings.IndexByte(s.text[s.pos+1:], '`'); end >= 0 {
			name := s.text[s.pos+1 : s.pos+1+end]
			s.pos += end + 2
			return name
		}
		return ""
	}
	start := s.pos
	for !s.end() && isName(s.peek()) {
		s.pos++
	}
	return s.text[start:s.pos]
}

func (s *scanner) integer() (int, bool) {
	n, err := strconv.Atoi(s.word())
	return n, err == nil
}

// quoted reads a text in the quotes that come next.
func (s *scanner) quoted() (string, error) {
	quote := s.peek()
	var b strings.Builder
	for s.pos++; !s.end(); s.pos++ {
		c := s.peek()
		if c == quote {
			s.pos++
			return b.String(), nil
		}
		if c == '\\' && s.pos+1 < len(s.text) && (s.text[s.pos+1] == quote || s.text[s.pos+1] == '\\') {
			s.pos++
			c = s.peek()
		}
		b.WriteByte(c)
	}
	return "", malformed("a quote is missing at the end of a text")
}

// regexp reads /expression/, in which a backslash saves the slash.
func (s *scanner) regexp() (*regexp.Regexp, error) {
	var b strings.Builder
	for s.pos++; !s.end(); s.pos++ {
		c := s.peek()
		if c == '/' {
			s.pos++
			text := strings.ReplaceAll(b.String(), "(?<", "(?P<")
			text = strings.ReplaceAll(strings.ReplaceAll(text, "(?P<=", "(?<="), "(?P<!", "(?<!") // look-behind, which RE2 refuses itself
			r, err := regexp.Compile(text)
			if err != nil {
				return nil, malformed("the regular expression /%s/ cannot be read", b.String())
			}
			return r, nil
		}
		if c == '\\' && s.pos+1 < len(s.text) {
			s.pos++
			if s.peek() != '/' {
				b.WriteByte('\\')
			}
			c = s.peek()
		}
		b.WriteByte(c)
	}
	return nil, malformed("a slash is missing at the end of a regular expression")
}

func (s *scanner) columns() (all []column, err error) {
	for {
		s.space()
		start := s.pos
		e, err := s.expr()
		if err != nil {
			return nil, err
		}
		name := strings.Trim(strings.TrimSpace(s.text[start:s.pos]), "`")
		if s.takeWord("as") {
			if name = s.word(); name == "" {
				return nil, s.unexpected("a name")
			}
		}
		all = append(all, column{name, e})
		if !s.take(",") {
			return all, nil
		}
	}
}

func (s *scanner) list() (all []expr, err error) {
	for {
		e, err := s.expr()
		if err != nil {
			return nil, err
		}
		if all = append(all, e); !s.take(",") {
			return all, nil
		}
	}
}

// span is a length of time such as 5m, as bin takes it.
func span(text string) (time.Duration, bool) {
	i := 0
	for i < len(text) && text[i] >= '0' && text[i] <= '9' {
		i++
	}
	n, err := strconv.Atoi(text[:i])
	unit, ok := map[string]time.Duration{
		"ms": time.Millisecond, "millisecond": time.Millisecond, "s": time.Second, "sec": time.Second, "second": time.Second, "m": time.Minute, "min": time.Minute,
		"minute": time.Minute, "h": time.Hour, "hr": time.Hour, "hour": time.Hour, "d": 24 * time.Hour, "day": 24 * time.Hour, "w": 7 * 24 * time.Hour, "week": 7 * 24 * time.Hour,
	}[strings.TrimSuffix(strings.ToLower(text[i:]), "s")]
	if !ok && strings.ToLower(text[i:]) == "s" {
		unit, ok = time.Second, true
	}
	if strings.ToLower(text[i:]) == "ms" {
		unit, ok = time.Millisecond, true
	}
	if err != nil || !ok || n < 1 || n > 10_000 {
		return 0, false
	}
	return time.Duration(n) * unit, true
}

func (s *scanner) unexpected(want string) error {
	rest := s.text[s.pos:]
	if rest == "" {
		return malformed("%s is missing at its end", want)
	}
	if len(rest) > 20 {
		rest = strings.ToValidUTF8(rest[:20], "")
	}
	return malformed("%s is expected at '%s'", want, rest)
}
