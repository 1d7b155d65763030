// Package pattern is CloudWatch Logs' filter-pattern language: terms, JSON
// selectors and space-delimited fields.
package pattern

import (
	"strings"
	"unicode/utf8"

	"outcrop"
)

// Limits of a pattern, as CloudWatch Logs has them. The last is ours: it keeps
// parsing from running deep.
const (
	MaxBytes  = 1024
	maxNested = 32
)

// A Pattern says which messages match. Its zero value matches all. It is safe
// for concurrent use.
type Pattern struct {
	text  string
	match func(message []byte) bool
	needs []string // texts without which no message matches, unless it has a backslash
}

// Parse reads a pattern. An empty one matches everything.
func Parse(text string) (*Pattern, error) {
	if len(text) > MaxBytes {
		return nil, invalid("the pattern is longer than %d bytes", MaxBytes)
	}
	if !utf8.ValidString(text) {
		return nil, invalid("the pattern is not UTF-8")
	}
	p := &Pattern{text: text}
	var err error
	switch trimmed := strings.TrimSpace(text); {
	case trimmed == "":
	case trimmed[0] == '{':
		err = p.readJSON(trimmed)
	case trimmed[0] == '[':
		err = p.readFields(trimmed)
	default:
		err = p.readTerms(trimmed)
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Match says whether a message matches.
func (p *Pattern) Match(message []byte) bool {
	return p.match == nil || p.possible(message) && p.match(message)
}

// All says whether every message matches.
func (p *Pattern) All() bool { return p.match == nil }

// String is the pattern as it was written.
func (p *Pattern) String() string { return p.text }

// possible rejects quickly what cannot match: a text that has to be there is
// not. In JSON an escape may hide it.
func (p *Pattern) possible(message []byte) bool {
	for _, need := range p.needs {
		if !contains(message, need) {
			return contains(message, `\`)
		}
	}
	return true
}

// invalid is the refusal of a pattern.
func invalid(format string, args ...any) error {
	e := outcrop.Errorf(outcrop.Invalid, "Invalid filter pattern: "+format+".", args...)
	e.Code = "InvalidParameterException"
	return e
}
