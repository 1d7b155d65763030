package converse

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"outcrop"
)

// Limits of what one error message repeats of a client's input.
const (
	maxListed    = 50   // violations listed; all are counted
	maxEchoRunes = 1024 // of a value; "..." stands for the rest
	maxStepRunes = 64   // of a name of the client's choosing, inside a path
)

// violations collects broken constraints and words them as AWS's framework
// does (reference/control-plane.md §0).
type violations struct {
	count  int
	listed []string
	nulls  []string       // paths already reported as missing
	union  *outcrop.Error // the first union without a member
}

// A place is where a value stands; its parents are on the stack of the walk.
type place struct {
	up    *place
	name  string
	index int // from 1 when the value is a list element
}

// path is written with dots and positions from 1: messages.1.member.role.
func (p *place) path() string { return string(p.append(nil, 0, ".member")) }

// dotted is the path as Bedrock's own checks write it: messages.0.content.1.
func (p *place) dotted() string { return string(p.append(nil, -1, "")) }

// append copies names rather than keeping them, so that places stay on the
// stack of the walk.
func (p *place) append(dst []byte, shift int, suffix string) []byte {
	if p == nil {
		return dst
	}
	if dst = p.up.append(dst, shift, suffix); len(dst) > 0 {
		dst = append(dst, '.')
	}
	if p.index == 0 {
		return append(dst, p.name...)
	}
	return append(strconv.AppendInt(dst, int64(p.index+shift), 10), suffix...)
}

// note reports what a decoder found missing or empty.
func (c *violations) note(faults []fault) {
	for _, f := range faults {
		if f.words == nil {
			c.list("at '" + f.path + "' failed to satisfy constraint: Member must not be null")
			c.nulls = append(c.nulls, f.path)
		}
		for _, w := range f.words {
			c.list("'' at '" + f.path + "' failed to satisfy constraint: " + w)
		}
	}
}

func (c *violations) add(at *place, value, constraint string) {
	if len(c.listed) >= maxListed && len(c.nulls) == 0 {
		c.count++
		return
	}
	path := at.path()
	if c.isNull(path) {
		return // what is missing cannot also be too short
	}
	c.list(value + "at '" + path + "' failed to satisfy constraint: " + constraint)
}

// isNull says whether path, or something that holds it, was reported missing.
func (c *violations) isNull(path string) bool {
	return slices.ContainsFunc(c.nulls, func(null string) bool {
		rest, beneath := strings.CutPrefix(path, null)
		return beneath && (rest == "" || rest[0] == '.')
	})
}

func (c *violations) list(message string) {
	c.count++
	if len(c.listed) < maxListed {
		c.listed = append(c.listed, "Value "+message)
	}
}

// quoted shows a value that is not secret.
func quoted(value string) string { return "'" + cut(value, maxEchoRunes) + "' " }

func quotedInt(n int64) string { return quoted(strconv.FormatInt(n, 10)) }

// quotedFloat writes a number as Java does, where AWS's messages come from: 2.0.
func quotedFloat(f float64) string {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return quoted(s)
}

func quotedList(values []string) string {
	return quoted("[" + strings.Join(values[:min(len(values), maxEchoRunes)], ", ") + "]")
}

// cut keeps a long text of the client's from filling a message.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	n := 0
	for i := range s {
		if n++; n > most {
			return s[:i] + "..."
		}
	}
	return s
}

func clip(name string) string { return cut(name, maxStepRunes) }

func (c *violations) null(at *place) { c.add(at, "", "Member must not be null") }

func (c *violations) short(at *place, value string, least int) {
	c.add(at, value, "Member must have length greater than or equal to "+strconv.Itoa(least))
}

func (c *violations) long(at *place, value string, most int) {
	c.add(at, value, "Member must have length less than or equal to "+strconv.Itoa(most))
}

func (c *violations) pattern(at *place, value, pattern string) {
	c.add(at, value, "Member must satisfy regular expression pattern: "+pattern)
}

func (c *violations) enum(at *place, value, set string) {
	c.add(at, value, "Member must satisfy enum value set: ["+set+"]")
}

func (c *violations) low(at *place, value, least string) {
	c.add(at, value, "Member must have value greater than or equal to "+least)
}

func (c *violations) high(at *place, value, most string) {
	c.add(at, value, "Member must have value less than or equal to "+most)
}

// noMember reports a union with none of its members set, in the words that
// Bedrock uses for it (maximhq/bifrost and BerriAI/litellm quote them).
func (c *violations) noMember(at *place, shape, keys string) {
	if c.union == nil && !c.isNull(at.path()) {
		c.union = outcrop.Errorf(outcrop.Invalid, "%s object at %s must set one of the following keys: %s.", shape, at.dotted(), keys)
	}
}

// manyMembers does so for a union that was given several in Go; a decoder
// refuses them earlier.
func (c *violations) manyMembers(at *place, shape, keys string) {
	if c.union == nil {
		c.union = outcrop.Errorf(outcrop.Invalid, "%s object at %s must set only one of the following keys: %s.", shape, at.dotted(), keys)
	}
}

// err is what the client reads, nil when nothing was broken.
func (c *violations) err() error {
	if c.count == 0 {
		if c.union != nil {
			return c.union
		}
		return nil
	}
	s := "s"
	if c.count == 1 {
		s = ""
	}
	return outcrop.Errorf(outcrop.Invalid, "%d validation error%s detected: %s", c.count, s, strings.Join(c.listed, "; "))
}

// runes counts characters, cheaply when the bytes already say enough.
func runes(s string) int { return utf8.RuneCountInString(s) }

// countTrue counts the members that are set in a union.
func countTrue(set ...bool) (n int) {
	for _, s := range set {
		if s {
			n++
		}
	}
	return n
}

// isOneOf says whether value is in an enum's set.
func isOneOf(value string, set ...string) bool { return slices.Contains(set, value) }

// A charset is a set of ASCII characters: a pattern such as [a-z]+ by hand.
type charset [2]uint64

// holds says whether s is made of the set's characters only.
func (c *charset) holds(s string) bool {
	for i := range len(s) {
		b := s[i]
		if b >= utf8.RuneSelf || c[b>>6]&(1<<(b&63)) == 0 {
			return false
		}
	}
	return true
}
