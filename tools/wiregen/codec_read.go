package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"outcrop/awsapi/wire"
)

// isPointer says whether a member's field is a pointer.
func (c *codec) isPointer(s *wire.Shape, m *wire.Member) bool {
	return strings.HasPrefix(c.field(s, m), "*")
}

func (c *codec) decoder(s *wire.Shape) {
	members := c.members(s)
	var required []string
	noteEmpty := false
	for _, m := range members {
		if m.Required && c.asked[s] {
			required = append(required, m.Name)
		}
		noteEmpty = noteEmpty || len(c.emptyFaults(s, m)) > 0
	}
	c.vars = 0
	c.printf("\nfunc (v *%s) decode(d *decoder) {\n", c.names[s])
	switch {
	case s.Union:
		c.printf("at, chosen := d.Object(), false\n")
	case len(required) > 0:
		c.printf("at, seen := d.Object(), uint(0)\n")
	case noteEmpty:
		c.printf("at := d.Object()\n")
	default:
		c.printf("d.Object()\n")
	}
	if len(members) == 0 {
		c.printf("for d.Member() {\nd.Skip()\n}\n}\n")
		return
	}
	c.printf("for d.Member() {\nswitch d.Name() {\n")
	for _, m := range members {
		c.printf("case %q:\n", m.Name)
		if s.Union {
			c.printf("if d.choose(at, &chosen) {\n")
		} else {
			c.printf("if !d.Null() {\n")
		}
		c.read(m.Shape, "v."+exported(m.Name), c.isPointer(s, m))
		if i := slices.Index(required, m.Name); i >= 0 && !s.Union {
			c.printf("seen |= 1 << %d\n", i)
		}
		if words := c.emptyFaults(s, m); len(words) > 0 {
			c.printf("if v.%s == \"\" {\nd.empty(at, %q, %s)\n}\n", exported(m.Name), m.Name, quotedList(words))
		}
		c.printf("}\n")
	}
	c.printf("default:\nd.Skip()\n}\n}\n")
	if len(required) > 0 && !s.Union {
		c.printf("if seen != %#x {\nd.require(at, seen, %s)\n}\n", 1<<len(required)-1, quotedList(required))
	}
	c.printf("}\n")
}

// emptyFaults are the constraints that an optional string breaks by being
// empty. Only the decoder sees that: afterwards it is as good as absent.
func (c *codec) emptyFaults(s *wire.Shape, m *wire.Member) (words []string) {
	if !c.asked[s] || s.Union || m.Required || m.Shape.Type != wire.String {
		return nil
	}
	if m.Shape.HasMin && m.Shape.Min > 0 {
		words = append(words, minWords+number(m.Shape.Min))
	}
	if p := m.Shape.Pattern; p != "" && !regexp.MustCompile(`\A(?:`+p+`)\z`).MatchString("") {
		words = append(words, patternWords+p)
	}
	if enum := m.Shape.Enum; len(enum) > 0 {
		words = append(words, enumWords(strings.Join(enum, ", ")))
	}
	return words
}

func quotedList(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(q, ", ")
}

// readers are the lexer's methods for values that need no more than a call.
var readers = map[wire.Type]string{
	wire.String: "String", wire.Integer: "Int", wire.Long: "Int", wire.Float: "Float", wire.Double: "Float",
	wire.Boolean: "Bool", wire.Blob: "Base64", wire.Doc: "Raw",
}

// read writes statements that decode a value of shape s into target.
func (c *codec) read(s *wire.Shape, target string, pointer bool) {
	switch s.Type {
	case wire.Structure:
		if pointer {
			c.printf("%s = new(%s)\n", target, c.goType(s))
		} else {
			c.printf("%s = %s{}\n", target, c.goType(s))
		}
		c.printf("%s.decode(d)\n", target)
	case wire.List:
		c.readList(s, target)
	case wire.Map:
		c.readMap(s, target)
	default:
		method, ok := readers[s.Type]
		if !ok {
			c.err = fmt.Errorf("no static codec for %s %s", s.Type, s.Name)
		}
		if pointer {
			c.printf("x := d.%s()\n%s = &x\n", method, target)
		} else {
			c.printf("%s = d.%s()\n", target, method)
		}
	}
}

func (c *codec) readList(s *wire.Shape, target string) {
	list := c.fresh("list")
	elem := s.Elem.Shape
	c.printf("%[1]s := []%[2]s{}\nfor d.Array(); d.Element(); {\n", list, c.goType(elem))
	c.printf("%[1]s = append(%[1]s, %[2]s)\nif !d.nullElement() {\n", list, c.zero(elem))
	c.read(elem, fmt.Sprintf("%[1]s[len(%[1]s)-1]", list), false)
	c.printf("}\n}\n%s = %s\n", target, list)
}

func (c *codec) zero(s *wire.Shape) string {
	switch s.Type {
	case wire.Structure:
		return c.goType(s) + "{}"
	case wire.String:
		return `""`
	case wire.Boolean:
		return "false"
	case wire.List, wire.Map, wire.Blob, wire.Doc:
		return "nil"
	}
	return "0"
}

// readMap copies keys and string values: maps hold a client's metadata, which
// is kept in records long after the body.
func (c *codec) readMap(s *wire.Shape, target string) {
	entries, value := c.fresh("entries"), s.Value.Shape
	c.printf("%s := map[string]%s{}\nfor d.Object(); d.Member(); {\nkey := strings.Clone(d.Name())\nif d.nullEntry() {\ncontinue\n}\n", entries, c.goType(value))
	if value.Type == wire.String {
		c.printf("%s[key] = strings.Clone(d.String())\n", entries)
	} else {
		c.printf("var value %s\n", c.goType(value))
		c.read(value, "value", false)
		c.printf("%s[key] = value\n", entries)
	}
	c.printf("}\n%s = %s\n", target, entries)
}
