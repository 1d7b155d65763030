package metricmath

import (
	"strconv"
	"strings"
)

type tokenKind uint8

const (
	endToken tokenKind = iota
	numberToken
	textToken // quoted
	wordToken // an id, a function or a keyword
	signToken // an operator or a bracket
)

type token struct {
	kind   tokenKind
	text   string
	number float64
	at     int // in bytes from the beginning
}

func (t token) String() string {
	if t.kind == endToken {
		return "the end"
	}
	return "'" + t.text + "'"
}

// signs of two characters come before their first ones.
var signs = []string{"==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "^", "(", ")", "[", "]", ",", "!"}

func lex(s string) ([]token, error) {
	var tokens []token
	for at := 0; at < len(s); {
		t, n, err := next(s, at)
		if err != nil {
			return nil, err
		}
		if n == 0 { // white space
			at++
			continue
		}
		tokens, at = append(tokens, t), at+n
	}
	return append(tokens, token{kind: endToken, at: len(s)}), nil
}

// next reads the token at s[at:] and says how many bytes it takes.
func next(s string, at int) (token, int, error) {
	switch c := s[at]; {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r':
		return token{}, 0, nil
	case c == '\'' || c == '"':
		return quoted(s, at)
	case isDigit(c) || c == '.' && at+1 < len(s) && isDigit(s[at+1]):
		return number(s, at)
	case isLetter(c):
		end := at + 1
		for end < len(s) && (isLetter(s[end]) || isDigit(s[end])) {
			end++
		}
		return token{kind: wordToken, text: s[at:end], at: at}, end - at, nil
	}
	for _, sign := range signs {
		if strings.HasPrefix(s[at:], sign) {
			return token{kind: signToken, text: sign, at: at}, len(sign), nil
		}
	}
	return token{}, 0, errorf("unexpected character %q at position %d", s[at:at+1], at+1)
}

func quoted(s string, at int) (token, int, error) {
	end := strings.IndexByte(s[at+1:], s[at])
	if end < 0 {
		return token{}, 0, errorf("the text that begins at position %d has no closing quote", at+1)
	}
	return token{kind: textToken, text: s[at+1 : at+1+end], at: at}, end + 2, nil
}

func number(s string, at int) (token, int, error) {
	end := at
	for end < len(s) && (isDigit(s[end]) || s[end] == '.' ||
		(s[end] == 'e' || s[end] == 'E') && exponent(s[end+1:]) ||
		(s[end] == '-' || s[end] == '+') && end > at && (s[end-1] == 'e' || s[end-1] == 'E')) {
		end++
	}
	n, err := strconv.ParseFloat(s[at:end], 64)
	if err != nil {
		return token{}, 0, errorf("%q at position %d is not a number", s[at:end], at+1)
	}
	return token{kind: numberToken, text: s[at:end], number: n, at: at}, end - at, nil
}

// exponent says whether s goes on a number's exponent.
func exponent(s string) bool {
	s = strings.TrimLeft(s, "+-")
	return s != "" && isDigit(s[0])
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }
