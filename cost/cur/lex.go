package cur

import (
	"strings"

	"outcrop"
)

type tokenKind uint8

const (
	end     tokenKind = iota
	word              // a name or keyword
	quoted            // a name in double quotes
	literal           // text in single quotes
	numeral
	mark // punctuation
)

type token struct {
	kind  tokenKind
	text  string
	place int // in bytes
}

// marks are the punctuation of a statement, longest first.
var marks = []string{"<=", ">=", "<>", "!=", ",", "(", ")", "[", "]", ".", "=", "<", ">", "*", ";"}

// lex cuts a statement into tokens; the last is an end.
func lex(s string) ([]token, error) {
	var tokens []token
	for i := 0; i < len(s); {
		t, width, err := lexOne(s, i)
		if err != nil {
			return nil, err
		}
		if t.text != "" || t.kind == literal {
			tokens = append(tokens, t)
		}
		i += width
	}
	return append(tokens, token{kind: end, place: len(s)}), nil
}

func lexOne(s string, at int) (token, int, error) {
	rest := s[at:]
	switch c := rest[0]; {
	case strings.IndexByte(" \t\r\n", c) >= 0:
		return token{}, 1, nil
	case strings.HasPrefix(rest, "--"):
		return token{}, len(rest[:lineEnd(rest)]), nil
	case c == '\'' || c == '"':
		return lexQuoted(rest, at)
	case c >= '0' && c <= '9' || c == '-' && len(rest) > 1 && digit(rest[1]):
		n := 1 + span(rest[1:], func(c byte) bool { return digit(c) || c == '.' })
		return token{numeral, rest[:n], at}, n, nil
	case letter(c):
		n := span(rest, func(c byte) bool { return letter(c) || digit(c) })
		return token{word, rest[:n], at}, n, nil
	}
	for _, m := range marks {
		if strings.HasPrefix(rest, m) {
			return token{mark, m, at}, len(m), nil
		}
	}
	return token{}, 0, outcrop.Errorf(outcrop.Invalid, "The query has the character %q at %d, which it may not have there.", []rune(rest)[0], at+1)
}

// lexQuoted reads text in quotes; two quotes in it stand for one.
func lexQuoted(rest string, at int) (token, int, error) {
	q := rest[0]
	var b strings.Builder
	for i := 1; i < len(rest); i++ {
		if rest[i] != q {
			b.WriteByte(rest[i])
			continue
		}
		if i+1 < len(rest) && rest[i+1] == q {
			b.WriteByte(q)
			i++
			continue
		}
		kind := literal
		if q == '"' {
			kind = quoted
		}
		return token{kind, b.String(), at}, i + 1, nil
	}
	return token{}, 0, outcrop.Errorf(outcrop.Invalid, "The query has a quote at character %d that is never closed.", at+1)
}

func lineEnd(s string) int {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		return i
	}
	return len(s)
}

func span(s string, ok func(byte) bool) int {
	n := 0
	for n < len(s) && ok(s[n]) {
		n++
	}
	return n
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }

// reserved says whether a word has a meaning of its own in a statement, and so
// is no column.
func reserved(t token) bool {
	if t.kind != word {
		return false
	}
	switch strings.ToUpper(t.text) {
	case "SELECT", "FROM", "WHERE", "AS", "AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE", "BETWEEN":
		return true
	}
	return false
}
