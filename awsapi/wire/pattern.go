package wire

import (
	"regexp"
	"strconv"
	"strings"
)

// maxRepeat is the largest repeat count that package regexp takes.
const maxRepeat = 1000

// compilePattern makes a full match of a model's pattern. Patterns are Java's;
// what is merely spelled differently is translated:
//
//	\u002F    to \x{002F}
//	x{1,1024} to x{1,}: regexp counts to 1000 only, and the shape's own length
//	          limit holds anyway
//
// Look-around has no translation and is an error.
func compilePattern(pattern string) (*regexp.Regexp, error) {
	var b strings.Builder
	b.WriteString(`\A(?:`)
	for i := 0; i < len(pattern); {
		rest := pattern[i:]
		switch {
		case strings.HasPrefix(rest, `\u`) && len(rest) >= 6:
			b.WriteString(`\x{` + rest[2:6] + `}`)
			i += 6
		case rest[0] == '\\' && len(rest) > 1:
			b.WriteString(rest[:2])
			i += 2
		case rest[0] == '{':
			text, n := repeat(rest)
			b.WriteString(text)
			i += n
		default:
			b.WriteByte(rest[0])
			i++
		}
	}
	b.WriteString(`)\z`)
	return regexp.Compile(b.String())
}

// repeat translates the {min,max} that s begins with; n is how long it was.
// A brace that is no repeat stays as it is.
func repeat(s string) (text string, n int) {
	end := strings.IndexByte(s, '}')
	if end < 0 {
		return "{", 1
	}
	low, high, both := strings.Cut(s[1:end], ",")
	if most, err := strconv.Atoi(high); both && err == nil && most > maxRepeat {
		return "{" + low + ",}", end + 1
	}
	return s[:end+1], end + 1
}
