// Package textform checks texts of which is known what they look like and how
// long they may be.
package textform

import (
	"regexp"
	"unicode/utf8"
)

// A Form is a regular expression with bounds on the characters of what it
// matches. Package regexp spells a counted repetition out: x{1,512} is five
// hundred steps, some hundred kilobytes for good, and a millisecond when the
// program starts. A length is measured.
type Form struct {
	pattern     *regexp.Regexp
	least, most int // characters
}

// Of makes a Form of a pattern for the whole text. It panics when pattern is
// no regular expression.
func Of(pattern string, least, most int) Form {
	return Form{regexp.MustCompile(`\A(?:` + pattern + `)\z`), least, most}
}

// MatchString says whether s has the form. What is no UTF-8 counts a character
// for each wrong byte, as in package regexp.
func (f Form) MatchString(s string) bool {
	n := utf8.RuneCountInString(s)
	return f.least <= n && n <= f.most && f.pattern.MatchString(s)
}
