package pattern

import (
	"regexp"
	"strings"
)

// A scanner walks the text of a pattern.
type scanner struct {
	text  string
	pos   int
	depth int
}

func (s *scanner) end() bool { return s.pos >= len(s.text) }

// peek is the next byte, 0 at the end.
func (s *scanner) peek() byte {
	if s.end() {
		return 0
	}
	return s.text[s.pos]
}

func (s *scanner) space() {
	for !s.end() && (s.peek() == ' ' || s.peek() == '\t' || s.peek() == '\n' || s.peek() == '\r') {
		s.pos++
	}
}

// take consumes a token, with the space before it.
func (s *scanner) take(token string) bool {
	s.space()
	if !strings.HasPrefix(s.text[s.pos:], token) {
		return false
	}
	s.pos += len(token)
	return true
}

// takeWord consumes a keyword in any case, if it ends there.
func (s *scanner) takeWord(word string) bool {
	s.space()
	end := s.pos + len(word)
	if end > len(s.text) || !strings.EqualFold(s.text[s.pos:end], word) || end < len(s.text) && isWord(s.text[end]) {
		return false
	}
	s.pos = end
	return true
}

// quoted reads a text in double quotes, in which a backslash saves the quote.
func (s *scanner) quoted() (string, error) {
	var b strings.Builder
	for s.pos++; !s.end(); s.pos++ {
		switch c := s.peek(); c {
		case '"':
			s.pos++
			return b.String(), nil
		case '\\':
			if s.pos+1 < len(s.text) && (s.text[s.pos+1] == '"' || s.text[s.pos+1] == '\\') {
				s.pos++
			}
			b.WriteByte(s.peek())
		default:
			b.WriteByte(c)
		}
	}
	return "", invalid("a double quote is missing at the end of a text")
}

// regexp reads %expression%.
func (s *scanner) regexp() (*regexp.Regexp, error) {
	var b strings.Builder
	for s.pos++; !s.end(); s.pos++ {
		switch c := s.peek(); {
		case c == '%':
			s.pos++
			expr, err := regexp.Compile(b.String())
			if err != nil {
				return nil, invalid("the regular expression %%%s%% cannot be read", b.String())
			}
			return expr, nil
		case c == '\\' && s.pos+1 < len(s.text):
			if s.pos++; s.peek() != '%' {
				b.WriteByte('\\')
			}
			b.WriteByte(s.peek())
		default:
			b.WriteByte(c)
		}
	}
	return nil, invalid("a percent sign is missing at the end of a regular expression")
}

// bare reads a value that stands without quotes.
func (s *scanner) bare(stops string) string {
	s.space()
	start := s.pos
	for !s.end() && !strings.ContainsRune(stops+" \t\r\n", rune(s.peek())) {
		s.pos++
	}
	return s.text[start:s.pos]
}

func (s *scanner) unexpected(want string) error {
	rest := s.text[s.pos:]
	if rest == "" {
		return invalid("%s is missing at its end", want)
	}
	if len(rest) > 20 {
		rest = strings.ToValidUTF8(rest[:20], "")
	}
	return invalid("%s is expected at '%s'", want, rest)
}
