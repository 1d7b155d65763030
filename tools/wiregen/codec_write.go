package main

import (
	"fmt"

	"outcrop/awsapi/wire"
)

func (c *codec) encoder(s *wire.Shape) {
	members := c.members(s)
	c.vars = 0
	c.printf("\nfunc (v *%s) append(dst []byte) []byte {\n", c.names[s])
	if len(members) == 0 {
		c.printf("return append(dst, '{', '}')\n}\n")
		return
	}
	c.printf("start := len(dst)\n")
	if s.Union {
		c.printf("switch {\n")
	}
	for _, m := range members {
		c.writeMember(s, m)
	}
	if s.Union {
		c.printf("}\n")
	}
	c.printf("return closeObject(dst, start)\n}\n")
}

// writeMember writes the statements that append one member: always when it is
// required, else when it is there.
func (c *codec) writeMember(s *wire.Shape, m *wire.Member) {
	field := "v." + exported(m.Name)
	present := c.present(s, m, field)
	switch {
	case s.Union:
		c.printf("case %s:\n", present)
	case present != "":
		c.printf("if %s {\n", present)
	}
	c.printf("dst = append(dst, `,%q:`...)\n", m.Name)
	value := field
	if c.isPointer(s, m) && m.Shape.Type != wire.Structure {
		value = "*" + field
	}
	c.write(m.Shape, value)
	if !s.Union && present != "" {
		c.printf("}\n")
	}
}

// present is the condition under which a member is there, empty for always.
func (c *codec) present(s *wire.Shape, m *wire.Member, field string) string {
	switch {
	case c.isPointer(s, m):
		return field + " != nil"
	case m.Required && !s.Union:
		return ""
	case m.Shape.Type == wire.String:
		return field + ` != ""`
	}
	return field + " != nil"
}

// write writes statements that append value.
func (c *codec) write(s *wire.Shape, value string) {
	switch s.Type {
	case wire.Structure:
		c.printf("dst = %s.append(dst)\n", value)
	case wire.String:
		c.printf("dst = jsonlex.AppendString(dst, %s)\n", value)
	case wire.Integer, wire.Long:
		c.printf("dst = jsonlex.AppendInt(dst, %s)\n", value)
	case wire.Float, wire.Double:
		c.printf("dst = jsonlex.AppendFloat(dst, %s)\n", value)
	case wire.Boolean:
		c.printf("dst = jsonlex.AppendBool(dst, %s)\n", value)
	case wire.Blob:
		c.printf("dst = jsonlex.AppendBase64(dst, %s)\n", value)
	case wire.Doc:
		c.printf("dst = appendDocument(dst, %s)\n", value)
	case wire.List:
		at, i := c.fresh("at"), c.fresh("i")
		c.printf("%s := len(dst)\nfor %s := range %s {\ndst = append(dst, ',')\n", at, i, value)
		c.write(s.Elem.Shape, fmt.Sprintf("%s[%s]", value, i))
		c.printf("}\ndst = closeList(dst, %s)\n", at)
	case wire.Map:
		at := c.fresh("at")
		c.printf("%s := len(dst)\nfor _, key := range slices.Sorted(maps.Keys(%s)) {\n", at, value)
		c.printf("dst = append(jsonlex.AppendString(append(dst, ','), key), ':')\nvalue := %s[key]\n", value)
		c.write(s.Value.Shape, "value")
		c.printf("}\ndst = closeObject(dst, %s)\n", at)
	}
}
