package iam

import "strings"

// A template is a policy text that may hold policy variables: parts that are
// put together for each request.
type template []part

// A part is text with wildcards, text without (from ${*}, ${?} and ${$}), or
// a variable with an optional default.
type part struct {
	kind       partKind
	text       string // or the default
	key        string // lower case
	hasDefault bool
}

type partKind uint8

const (
	wild partKind = iota
	literal
	variable
)

// parseTemplate splits s at its variables. Version 2008-10-17 has none: there
// ${aws:username} is text (reference/control-plane.md §6.5).
func parseTemplate(s string, variables bool) template {
	if !variables {
		return template{{text: s}}
	}
	var t template
	for {
		before, rest, found := strings.Cut(s, "${")
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			return append(t, part{text: s})
		}
		if before != "" {
			t = append(t, part{text: before})
		}
		t = append(t, parseVariable(name))
		s = after
		if s == "" {
			return t
		}
	}
}

// parseVariable reads what stands between ${ and }: a literal character, a
// key, or a key and a default in single quotes.
func parseVariable(name string) part {
	if name == "*" || name == "?" || name == "$" {
		return part{kind: literal, text: name}
	}
	key, def, found := strings.Cut(name, ",")
	p := part{kind: variable, key: strings.ToLower(strings.TrimSpace(key))}
	def = strings.TrimSpace(def)
	if found && len(def) >= 2 && def[0] == '\'' && def[len(def)-1] == '\'' {
		p.text, p.hasDefault = def[1:len(def)-1], true
	}
	return p
}

// static says whether t is the same for every request.
func (t template) static() bool {
	for _, p := range t {
		if p.kind == variable {
			return false
		}
	}
	return true
}

// resolve finds a part's text; ok is false for a variable without value and
// default. A multi-valued key cannot be a variable.
func (p *part) resolve(c *Context) (text string, ok bool) {
	if p.kind != variable {
		return p.text, true
	}
	if e := c.find(p.key); e != nil && !e.multi {
		return e.values()[0], true
	}
	return p.text, p.hasDefault
}

// plain is t as text in which nothing is a wildcard.
func (t template) plain(c *Context) (string, bool) {
	if len(t) == 1 {
		return t[0].resolve(c)
	}
	var b strings.Builder
	for i := range t {
		text, ok := t[i].resolve(c)
		if !ok {
			return "", false
		}
		b.WriteString(text)
	}
	return b.String(), true
}

// pattern is t with the wildcards its author wrote. A wildcard that comes out
// of a variable is a plain character: values are not the author's.
func (t template) pattern(c *Context) (pattern, bool) {
	var p pattern
	for i := range t {
		text, ok := t[i].resolve(c)
		if !ok {
			return nil, false
		}
		if t[i].kind == wild {
			p = appendPattern(p, text)
		} else {
			p = append(p, []rune(text)...)
		}
	}
	return p, true
}
