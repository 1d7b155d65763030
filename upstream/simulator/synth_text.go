package simulator

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// formats are examples of the string formats of JSON Schema.
var formats = map[string]string{
	"date": "2026-01-02", "date-time": "2026-01-02T03:04:05Z", "time": "03:04:05Z", "duration": "PT1H", "email": "simulator@example.com",
	"hostname": "example.com", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1", "uri": "https://example.com/", "uri-reference": "/",
	"uuid": "123e4567-e89b-42d3-a456-426614174000", "regex": ".*", "json-pointer": "/a",
}

// text makes a string: by pattern, by format, else by what the property's name
// asks of the prompt.
func (m *maker) text(s object, name string) any {
	least, most := count(s, "minLength", 0), count(s, "maxLength", maxMadeRunes)
	if pattern, ok := s["pattern"].(string); ok {
		if made, ok := match(pattern); ok {
			return made
		}
	}
	if format, ok := s["format"].(string); ok && formats[format] != "" {
		return formats[format]
	}
	made := m.wish(name)
	for n := utf8.RuneCountInString(made); n < least; n = utf8.RuneCountInString(made) {
		made += strings.Repeat("x", least-n)
	}
	return firstRunes(made, most)
}

// wish finds words of the prompt for a property.
func (m *maker) wish(name string) string {
	lower := strings.ToLower(name)
	for _, free := range []string{"query", "text", "question", "prompt", "input", "message", "content", "search", "summary", "description"} {
		if strings.Contains(lower, free) && m.prompt != "" {
			return firstRunes(m.prompt, wishRunes)
		}
	}
	if len(m.words) > 0 {
		return m.words[0]
	}
	if name == "" {
		return "simulated"
	}
	return "simulated " + name
}

// wishes are the words of a prompt that look like names, in order: those that
// begin with a capital inside a sentence.
func wishes(prompt string) []string {
	var names []string
	fresh := true // at the beginning of a sentence
	for _, w := range strings.Fields(prompt) {
		bare := strings.Trim(w, ".,;:!?()\"'“”«»")
		if r, _ := utf8.DecodeRuneInString(bare); !fresh && r >= 'A' && strings.ToUpper(string(r)) == string(r) && strings.ToLower(string(r)) != string(r) && utf8.RuneCountInString(bare) > 2 {
			names = append(names, bare)
		}
		fresh = strings.HasSuffix(w, ".") || strings.HasSuffix(w, "!") || strings.HasSuffix(w, "?")
	}
	return names
}

// match makes a short string that fits a pattern, if it can.
func match(pattern string) (string, bool) {
	const maxPatternBytes = 512
	if len(pattern) > maxPatternBytes {
		return "", false
	}
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "", false
	}
	var b strings.Builder
	least(&b, re, 0)
	check, err := regexp.Compile(pattern)
	if err != nil || b.Len() > maxMadeRunes || !check.MatchString(b.String()) {
		return "", false
	}
	return b.String(), true
}

// least writes the least that re matches.
func least(b *strings.Builder, re *syntax.Regexp, depth int) {
	if depth > maxSchemaDepth || b.Len() > maxMadeRunes {
		return
	}
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		b.WriteRune(representative(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('x')
	case syntax.OpCapture, syntax.OpPlus:
		least(b, re.Sub[0], depth+1)
	case syntax.OpRepeat:
		for range re.Min {
			least(b, re.Sub[0], depth+1)
		}
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			least(b, sub, depth+1)
		}
	case syntax.OpAlternate:
		least(b, re.Sub[0], depth+1)
	}
}

// representative picks a readable rune of a class, which is a list of ranges.
func representative(ranges []rune) rune {
	for _, wanted := range []rune{'a', 'A', '1', '0', '-'} {
		for i := 0; i+1 < len(ranges); i += 2 {
			if ranges[i] <= wanted && wanted <= ranges[i+1] {
				return wanted
			}
		}
	}
	if len(ranges) == 0 {
		return 'x'
	}
	return ranges[0]
}
