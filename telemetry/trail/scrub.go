package trail

import "strings"

// Texts that give access, wherever they stand, are told by their form: Bedrock
// API keys of both kinds, JSON web tokens, secret access keys, and long runs of
// base64, as session tokens are. The forms are found by hand, in one pass: a
// regular expression for them costs milliseconds on a policy document.
const (
	shortTermKey = "bedrock-api-key-"
	longTermKey  = "ABSK"
	tokenStart   = "eyJ" // of base64 of a JSON object

	minRunBytes    = 20  // shorter runs give no access
	minTokenBytes  = 8   // of each part of a JSON web token
	secretKeyBytes = 40  // of a secret access key
	maxRunBytes    = 256 // longer runs are tokens
)

// scrub takes out of s what gives access.
func scrub(s string) string {
	if len(s) < minRunBytes {
		return s
	}
	var b strings.Builder
	done := 0 // of s, in b
	for i := 0; i < len(s); {
		end := runEnd(s, i)
		if end-i >= minRunBytes {
			if from, to := secretIn(s, i, end); to > 0 {
				b.WriteString(s[done:from])
				b.WriteString(hidden)
				done, end = to, to
			}
		}
		i = max(end, i+1)
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

// runEnd is where the run of base64 that begins at i ends.
func runEnd(s string, i int) int {
	for i < len(s) && (isBase64(s[i]) || s[i] == '=' || s[i] == '_' || s[i] == '-') {
		i++
	}
	return i
}

// secretIn finds the first secret of the run s[i:end]; to is 0 when there is
// none. A web token goes on after its run.
func secretIn(s string, i, end int) (from, to int) {
	run := s[i:end]
	if len(run) >= maxRunBytes {
		return i, end
	}
	if at := strings.Index(run, shortTermKey); at >= 0 && len(run)-at >= len(shortTermKey)+minTokenBytes {
		return i + at, end
	}
	if at := strings.Index(run, longTermKey); at >= 0 && len(run)-at >= minRunBytes {
		return i + at, end
	}
	if at := strings.Index(run, tokenStart); at >= 0 {
		if to := tokenEnd(s, end); to > end+minTokenBytes {
			return i + at, to
		}
	}
	return secretKeyIn(s, i, end)
}

// tokenEnd is where the web token ends whose first part ends at end.
func tokenEnd(s string, end int) int {
	for range 2 { // payload and signature
		if end < len(s) && s[end] == '.' {
			end = runEnd(s, end+1)
		}
	}
	return end
}

// secretKeyIn finds a secret access key: forty characters of base64 in which
// upper case, lower case and digits all occur, unlike in a digest or in words.
func secretKeyIn(s string, i, end int) (from, to int) {
	for i < end {
		from = i
		for i < end && isBase64(s[i]) {
			i++
		}
		if i-from == secretKeyBytes && isMixed(s[from:i]) {
			return from, i
		}
		i++
	}
	return 0, 0
}

func isMixed(s string) bool {
	var upper, lower, digit bool
	for i := range len(s) {
		c := s[i]
		upper, lower, digit = upper || 'A' <= c && c <= 'Z', lower || 'a' <= c && c <= 'z', digit || '0' <= c && c <= '9'
	}
	return upper && lower && digit
}

func isBase64(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '+' || c == '/'
}
