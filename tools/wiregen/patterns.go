package main

import (
	"cmp"
	"fmt"
	"maps"
	"regexp/syntax"
	"slices"
	"strings"

	"outcrop/awsapi/wire"
)

// patterns are the model's patterns that some check uses, by shape name: as a
// charset where a pattern is one class of ASCII characters, repeated, and as a
// regular expression otherwise.
type patterns map[string]string

// fails is the condition under which value does not match; empty when a
// pattern matches everything or there is none.
func (p patterns) fails(s *wire.Shape, value string) string {
	if s.Pattern == "" || s.Pattern == `[\s\S]*` {
		return ""
	}
	re, err := syntax.Parse(s.Pattern, syntax.Perl)
	if err != nil {
		return ""
	}
	name := "pattern" + s.Name
	set, least, most, ok := charset(re)
	if !ok {
		p[name] = fmt.Sprintf("regexp.MustCompile(`\\A(?:%s)\\z`)", s.Pattern)
		return fmt.Sprintf("!%s.MatchString(%s)", name, value)
	}
	p[name] = fmt.Sprintf("charset{%#x, %#x}", set[0], set[1])
	when := fmt.Sprintf("!%s.holds(%s)", name, value)
	if least == 1 {
		when = fmt.Sprintf("%s == \"\" || %s", value, when)
	} else if least > 0 {
		when = fmt.Sprintf("len(%s) < %d || %s", value, least, when)
	}
	if most >= 0 {
		when = fmt.Sprintf("len(%s) > %d || %s", value, most, when)
	}
	return when
}

// charset reads a pattern that is one class of ASCII characters, repeated.
func charset(re *syntax.Regexp) (set [2]uint64, least, most int, ok bool) {
	least, most = 1, 1
	switch re.Op {
	case syntax.OpPlus:
		least, most, re = 1, -1, re.Sub[0]
	case syntax.OpStar:
		least, most, re = 0, -1, re.Sub[0]
	case syntax.OpRepeat:
		least, most, re = re.Min, re.Max, re.Sub[0]
	}
	if re.Op != syntax.OpCharClass {
		return set, 0, 0, false
	}
	for i := 0; i < len(re.Rune); i += 2 {
		if re.Rune[i+1] >= 0x80 {
			return set, 0, 0, false
		}
		for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
			set[r>>6] |= 1 << (r & 63)
		}
	}
	return set, least, most, true
}

func (p patterns) declare() string {
	if len(p) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n// The patterns of the model: sets of characters where one class is repeated.\nvar (\n")
	for _, name := range slices.SortedFunc(maps.Keys(p), cmp.Compare[string]) {
		fmt.Fprintf(&b, "%s = %s\n", name, p[name])
	}
	b.WriteString(")\n")
	return b.String()
}
