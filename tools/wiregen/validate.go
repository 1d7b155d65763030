package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"outcrop/awsapi/wire"
)

// extraEnumValues are those that AWS added after the model was taken
// (reference/runtime-metering-billing.md §1.6). They pass; messages do not name
// them.
var extraEnumValues = map[string][]string{"ConversationRole": {"system"}}

// checks says whether there is anything to validate in s.
func (c *codec) checks(s *wire.Shape) bool { return c.checksWithin(s, map[*wire.Shape]bool{}) }

func (c *codec) checksWithin(s *wire.Shape, seen map[*wire.Shape]bool) bool {
	if seen[s] {
		return false
	}
	seen[s] = true
	switch s.Type {
	case wire.Structure:
		return s.Union || slices.ContainsFunc(c.members(s), func(m *wire.Member) bool {
			return c.nullable(m) || c.checksWithin(m.Shape, seen)
		})
	case wire.List:
		return s.HasMin || s.HasMax || c.checksWithin(s.Elem.Shape, seen)
	case wire.Map:
		return s.HasMin || s.HasMax || c.fails(s.Key.Shape, "") != "" || c.checksWithin(s.Value.Shape, seen)
	case wire.String:
		return c.fails(s, "") != ""
	}
	return s.HasMin || s.HasMax
}

// nullable says whether a required member's absence can be seen in Go.
func (c *codec) nullable(m *wire.Member) bool {
	switch m.Shape.Type {
	case wire.List, wire.Map, wire.Blob, wire.Doc:
		return m.Required
	}
	return false
}

func (c *codec) validator(s *wire.Shape) {
	c.vars = 0
	c.printf("\nfunc (v *%s) validate(c *violations, at *place) {\n", c.names[s])
	if s.Union {
		c.unionCheck(s)
	}
	for _, m := range c.members(s) {
		c.memberCheck(s, m)
	}
	c.printf("}\n")
}

func (c *codec) unionCheck(s *wire.Shape) {
	var isSet, keys []string
	for _, m := range c.members(s) {
		isSet = append(isSet, "v."+exported(m.Name)+" != nil")
		keys = append(keys, m.Name)
	}
	list := strings.Join(keys, ", ")
	c.printf("switch n := countTrue(%s); {\ncase n == 0:\nc.noMember(at, %q, %q)\nreturn\n", strings.Join(isSet, ", "), s.Name, list)
	if len(keys) > 1 {
		c.printf("case n > 1:\nc.manyMembers(at, %q, %q)\nreturn\n", s.Name, list)
	}
	c.printf("}\n")
}

func (c *codec) memberCheck(s *wire.Shape, m *wire.Member) {
	field, at := "v."+exported(m.Name), fmt.Sprintf("&place{up: at, name: %q}", m.Name)
	secret := s.Sensitive || m.Shape.Sensitive
	if c.nullable(m) && !s.Union {
		c.printf("if %s == nil {\nc.null(%s)\n}\n", field, at)
	}
	if !c.checks(m.Shape) {
		return
	}
	present := c.present(s, m, field)
	if m.Shape.Type == wire.List && present != "" {
		present = "" // ranging over nil is as good as a check
	}
	if c.lengthLimited(m.Shape) && c.nullable(m) || m.Shape.Type == wire.List && m.Shape.HasMin && m.Shape.Min > 0 {
		present = field + " != nil"
	}
	if present != "" {
		c.printf("if %s {\n", present)
	}
	if c.isPointer(s, m) && m.Shape.Type != wire.Structure {
		field = "*" + field
	}
	c.check(m.Shape, field, at, secret)
	if present != "" {
		c.printf("}\n")
	}
}

func (c *codec) lengthLimited(s *wire.Shape) bool { return s.HasMin && s.Min > 0 }

// check writes the statements that validate value, which is there.
func (c *codec) check(s *wire.Shape, value, at string, secret bool) {
	switch s.Type {
	case wire.Structure:
		c.printf("%s.validate(c, %s)\n", value, at)
	case wire.String:
		c.checkString(s, value, at, secret)
	case wire.List:
		c.checkList(s, value, at, secret)
	case wire.Map:
		c.checkMap(s, value, at)
	case wire.Blob:
		c.checkLength(s, value+".Len()", at)
	default:
		c.checkRange(s, value, at)
	}
}

func (c *codec) checkString(s *wire.Shape, value, at string, secret bool) {
	echo := "quoted(" + value + ")"
	if secret {
		echo = `""`
	}
	for _, f := range c.failures(s, value) {
		c.printf("if %s {\nc.%s(%s, %s, %s)\n}\n", f.when, f.report, at, echo, f.argument)
	}
}

// A failure is one constraint of a string: the Go condition under which it is
// broken, how to report it, and with what argument.
type failure struct{ when, report, argument string }

func (c *codec) failures(s *wire.Shape, value string) (fs []failure) {
	if s.HasMax {
		n := number(s.Max)
		fs = append(fs, failure{fmt.Sprintf("len(%[1]s) > %[2]s && runes(%[1]s) > %[2]s", value, n), "long", n})
	}
	if s.HasMin && s.Min > 0 {
		n := number(s.Min)
		when := fmt.Sprintf("runes(%s) < %s", value, n)
		if s.Min == 1 {
			when = value + ` == ""`
		}
		fs = append(fs, failure{when, "short", n})
	}
	if when := c.patterns.fails(s, value); when != "" {
		fs = append(fs, failure{when, "pattern", strconv.Quote(s.Pattern)})
	}
	if len(s.Enum) > 0 {
		set := strings.Join(s.Enum, ", ")
		when := fmt.Sprintf("!isOneOf(%s, %s)", value, quotedList(append(slices.Clone(s.Enum), extraEnumValues[s.Name]...)))
		fs = append(fs, failure{when, "enum", strconv.Quote(set)})
	}
	return fs
}

// AWS's words for constraints (reference/control-plane.md §0).
const (
	minWords     = "Member must have length greater than or equal to "
	maxWords     = "Member must have length less than or equal to "
	patternWords = "Member must satisfy regular expression pattern: "
)

func enumWords(set string) string { return "Member must satisfy enum value set: [" + set + "]" }

// constraints lists everything that holds a string, broken or not: AWS words
// broken elements, keys and values of strings like that.
func constraints(s *wire.Shape) string {
	var words []string
	if s.HasMax {
		words = append(words, maxWords+number(s.Max))
	}
	if s.HasMin {
		words = append(words, minWords+number(s.Min))
	}
	if s.Pattern != "" {
		words = append(words, patternWords+s.Pattern)
	}
	if len(s.Enum) > 0 {
		words = append(words, enumWords(strings.Join(s.Enum, ", ")))
	}
	return strings.Join(words, ", ")
}

// fails is the condition under which a string breaks any constraint, empty for
// never.
func (c *codec) fails(s *wire.Shape, value string) string {
	var when []string
	for _, f := range c.failures(s, value) {
		for _, w := range strings.Split(f.when, " || ") {
			if !slices.Contains(when, w) {
				when = append(when, w)
			}
		}
	}
	return strings.Join(when, " || ")
}

func (c *codec) checkList(s *wire.Shape, value, at string, secret bool) {
	c.checkLength(s, "len("+value+")", at)
	if !c.checks(s.Elem.Shape) {
		return
	}
	if s.Elem.Shape.Type == wire.String {
		c.checkStrings(s.Elem.Shape, value, at, secret)
		return
	}
	i, list := c.fresh("i"), c.fresh("list")
	c.printf("%s := %s\nfor %s := range %s {\n", list, at, i, value)
	c.check(s.Elem.Shape, fmt.Sprintf("%s[%s]", value, i), fmt.Sprintf("&place{up: %s, index: %s + 1}", list, i), secret || s.Elem.Shape.Sensitive)
	c.printf("}\n")
}

// checkStrings reports all strings of a list in one violation at the list.
func (c *codec) checkStrings(s *wire.Shape, value, at string, secret bool) {
	echo := "quotedList(" + value + ")"
	if secret || s.Sensitive {
		echo = `""`
	}
	c.printf("for _, value := range %s {\nif %s {\nc.add(%s, %s, %q)\nbreak\n}\n}\n", value, c.fails(s, "value"), at, echo,
		"Member must satisfy constraint: ["+constraints(s)+"]")
}

func (c *codec) checkMap(s *wire.Shape, value, at string) {
	c.checkLength(s, "len("+value+")", at)
	c.checkEntries(s.Key.Shape, "key", "Map keys", value, at)
	if s.Value.Shape.Type == wire.String {
		c.checkEntries(s.Value.Shape, "_, value", "Map value", value, at)
		return
	}
	if c.checks(s.Value.Shape) {
		entries := c.fresh("entries")
		c.printf("%s := %s\nfor _, key := range slices.Sorted(maps.Keys(%s)) {\nvalue := %s[key]\n", entries, at, value, value)
		c.check(s.Value.Shape, "value", fmt.Sprintf("&place{up: &place{up: %s, name: clip(key)}, name: \"member\"}", entries), s.Sensitive)
		c.printf("}\n")
	}
}

// checkEntries reports all keys or all values of a map in one violation, which
// lists every constraint, as AWS does.
func (c *codec) checkEntries(s *wire.Shape, loop, report, value, at string) {
	name := strings.TrimPrefix(loop, "_, ")
	when := c.fails(s, name)
	if when == "" {
		return
	}
	c.printf("for %s := range %s {\nif %s {\nc.add(%s, \"\", %q)\nbreak\n}\n}\n", loop, value, when, at,
		report+" must satisfy constraint: ["+constraints(s)+"]")
}

// checkLength checks the size of a list, map or blob; its value is not shown.
func (c *codec) checkLength(s *wire.Shape, length, at string) {
	if s.HasMax {
		c.printf("if %s > %s {\nc.long(%s, \"\", %s)\n}\n", length, number(s.Max), at, number(s.Max))
	}
	if s.HasMin && s.Min > 0 {
		c.printf("if %s < %s {\nc.short(%s, \"\", %s)\n}\n", length, number(s.Min), at, number(s.Min))
	}
}

func (c *codec) checkRange(s *wire.Shape, value, at string) {
	echo := "quotedInt(" + value + ")"
	if s.Type == wire.Float || s.Type == wire.Double {
		echo = "quotedFloat(" + value + ")"
	}
	if s.HasMin {
		c.printf("if %s < %s {\nc.low(%s, %s, %q)\n}\n", value, number(s.Min), at, echo, number(s.Min))
	}
	if s.HasMax {
		c.printf("if %s > %s {\nc.high(%s, %s, %q)\n}\n", value, number(s.Max), at, echo, number(s.Max))
	}
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
