package simulator

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
)

// Bounds of a made-up document.
const (
	maxSchemaDepth  = 24
	maxSchemaItems  = 64
	maxSchemaValues = 4096
	maxMadeRunes    = 4096
	wishRunes       = 200 // of the prompt, as the value of a property such as "query"
)

// synthesise makes a JSON value that fits schema, the same for the same seed.
// Words of the prompt are used where they fit. What no simple value fits (a
// "not", conflicting conditions) is not solved.
func synthesise(schema json.RawMessage, seed uint64, prompt string) json.RawMessage {
	var root any
	d := json.NewDecoder(bytes.NewReader(schema))
	d.UseNumber()
	if d.Decode(&root) != nil {
		return json.RawMessage("{}")
	}
	m := maker{root: root, seed: seed, words: wishes(prompt), prompt: strings.Join(strings.Fields(prompt), " "), left: maxSchemaValues}
	b := new(bytes.Buffer)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if e.Encode(m.value(root, "", 0)) != nil {
		return json.RawMessage("{}")
	}
	return bytes.TrimSpace(b.Bytes())
}

type maker struct {
	root   any
	seed   uint64
	words  []string // of the prompt, that may be names
	prompt string
	left   int // values that may still be made
}

type object = map[string]any

// value makes a value for schema, found under name.
func (m *maker) value(schema any, name string, depth int) any {
	m.left--
	s, ok := schema.(object)
	if !ok || depth > maxSchemaDepth || m.left < 0 {
		return nil
	}
	s = m.flatten(s, depth)
	if v, ok := s["const"]; ok {
		return v
	}
	for _, member := range []string{"enum", "examples"} {
		if list, ok := s[member].([]any); ok && len(list) > 0 {
			return list[m.seed%uint64(len(list))]
		}
	}
	if v, ok := s["default"]; ok {
		return v
	}
	switch typeOf(s) {
	case "object":
		return m.object(s, depth)
	case "array":
		return m.array(s, name, depth)
	case "integer":
		return json.Number(formatNumber(math.Trunc(m.number(s, true))))
	case "number":
		return json.Number(formatNumber(m.number(s, false)))
	case "boolean":
		return true
	case "null":
		return nil
	}
	return m.text(s, name)
}

// flatten follows $ref and takes in allOf and the first of anyOf and oneOf.
func (m *maker) flatten(s object, depth int) object {
	for range maxSchemaDepth {
		ref, ok := s["$ref"].(string)
		if !ok {
			break
		}
		target, ok := m.resolve(ref).(object)
		if !ok {
			break
		}
		s = merge(target, without(s, "$ref"))
	}
	for _, member := range []string{"allOf", "anyOf", "oneOf"} {
		list, ok := s[member].([]any)
		if !ok || len(list) == 0 {
			continue
		}
		if member != "allOf" {
			list = list[:1]
		}
		s = without(s, member)
		for _, part := range list {
			p, ok := part.(object)
			if m.left--; !ok || m.left < 0 || depth > maxSchemaDepth {
				continue
			}
			s = merge(s, m.flatten(p, depth+1))
		}
	}
	return s
}

func without(s object, member string) object {
	s = maps.Clone(s)
	delete(s, member)
	return s
}

// merge lays b over a. Properties and required names of both hold.
func merge(a, b object) object {
	out := maps.Clone(a)
	for k, v := range b {
		switch was := out[k].(type) {
		case object:
			if is, ok := v.(object); ok && k == "properties" {
				v = merge(was, is)
			}
		case []any:
			if is, ok := v.([]any); ok && k == "required" {
				v = slices.Concat(was, is)
			}
		}
		out[k] = v
	}
	return out
}

// resolve finds a JSON pointer such as "#/$defs/city" in the schema.
func (m *maker) resolve(ref string) any {
	path, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil
	}
	at := m.root
	for step := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if step == "" {
			continue
		}
		o, ok := at.(object)
		if !ok {
			return nil
		}
		at = o[strings.NewReplacer("~1", "/", "~0", "~").Replace(step)]
	}
	return at
}

func typeOf(s object) string {
	switch t := s["type"].(type) {
	case string:
		return t
	case []any:
		for _, one := range t {
			if name, ok := one.(string); ok && name != "null" {
				return name
			}
		}
		return "null"
	}
	switch {
	case s["properties"] != nil || s["required"] != nil:
		return "object"
	case s["items"] != nil || s["prefixItems"] != nil || s["minItems"] != nil:
		return "array"
	case s["minimum"] != nil || s["maximum"] != nil || s["multipleOf"] != nil:
		return "number"
	}
	return "string"
}

// object fills in the required properties, or all when none is required.
func (m *maker) object(s object, depth int) any {
	properties, _ := s["properties"].(object)
	out := object{}
	required, _ := s["required"].([]any)
	for _, r := range required {
		if name, ok := r.(string); ok {
			out[name] = m.property(properties, s, name, depth)
		}
	}
	if len(required) == 0 && depth < 4 {
		names := make([]string, 0, len(properties))
		for name := range properties {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			out[name] = m.property(properties, s, name, depth)
		}
	}
	return out
}

func (m *maker) property(properties, s object, name string, depth int) any {
	if schema, ok := properties[name]; ok {
		return m.value(schema, name, depth+1)
	}
	if schema, ok := s["additionalProperties"].(object); ok {
		return m.value(schema, name, depth+1)
	}
	return m.value(object{"type": "string"}, name, depth+1)
}

func (m *maker) array(s object, name string, depth int) any {
	prefix, _ := s["prefixItems"].([]any)
	least, most := count(s, "minItems", max(1, len(prefix))), count(s, "maxItems", maxSchemaItems)
	if depth > 8 && s["minItems"] == nil {
		least = 0 // ends lists of lists
	}
	out := make([]any, 0, min(least, maxSchemaItems))
	for i := range min(least, most, maxSchemaItems) {
		item := s["items"]
		if i < len(prefix) {
			item = prefix[i]
		}
		if _, ok := item.(object); !ok {
			item = object{}
		}
		part := *m
		part.seed += uint64(i) // lists of enums vary
		v := part.value(item, name, depth+1)
		m.left = part.left
		if text, ok := v.(string); ok && s["uniqueItems"] == true && i > 0 && slices.Contains(out, v) {
			v = text + " " + string(rune('a'+i%26))
		}
		if n, ok := v.(json.Number); ok && s["uniqueItems"] == true && slices.Contains(out, v) {
			f, _ := n.Float64()
			v = json.Number(formatNumber(f + float64(i)*max(1, floatOf(s, "multipleOf", 1))))
		}
		out = append(out, v)
	}
	return out
}

func count(s object, member string, fallback int) int {
	return int(min(max(floatOf(s, member, float64(fallback)), 0), maxSchemaItems*64))
}

func floatOf(s object, member string, fallback float64) float64 {
	n, ok := s[member].(json.Number)
	if !ok {
		return fallback
	}
	f, err := n.Float64()
	if err != nil {
		return fallback
	}
	return f
}

// number stays within minimum and maximum, and on a multiple.
func (m *maker) number(s object, whole bool) float64 {
	step := floatOf(s, "multipleOf", 0)
	low, high := floatOf(s, "minimum", math.Inf(-1)), floatOf(s, "maximum", math.Inf(1))
	unit := 1.0
	if !whole && !math.IsInf(low, 0) && !math.IsInf(high, 0) {
		unit = min(1, (high-low)/4)
	} else if !whole {
		unit = 0.5
	}
	if x := floatOf(s, "exclusiveMinimum", math.Inf(-1)); x >= low {
		low = x + unit
		if whole {
			low = math.Floor(x) + 1
		} else if top := min(high, floatOf(s, "exclusiveMaximum", math.Inf(1))); top-x <= unit {
			low = x + (top-x)/4
		}
	}
	if x := floatOf(s, "exclusiveMaximum", math.Inf(1)); x <= high {
		high = x - unit
		if whole {
			high = math.Ceil(x) - 1
		} else if x-unit < low {
			high = low
		}
	}
	if whole {
		low, high = math.Ceil(low), math.Floor(high)
	}
	n := min(max(float64(1+m.seed%9), low), high)
	if step > 0 {
		n = math.Floor(n/step) * step
		if n < low {
			n += step
		}
	}
	return n
}

func formatNumber(f float64) string {
	b, err := json.Marshal(f)
	if err != nil { // infinite bounds
		return "0"
	}
	return string(b)
}
