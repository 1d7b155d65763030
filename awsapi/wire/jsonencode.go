package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"outcrop/internal/jsonlex"
)

// A jsonEncoder writes a tree as JSON by its shape: structures in the model's
// order of members, maps by key, nothing that is absent.
type jsonEncoder struct {
	buf   []byte
	names bool   // REST-JSON: members go by their locationName
	iso   string // layout of ISO-8601 timestamps
}

func (e *jsonEncoder) value(m *Member, v any) error {
	switch v := v.(type) {
	case nil:
		e.buf = append(e.buf, "null"...) // of a sparse list or map
		return nil
	case map[string]any:
		switch m.Shape.Type {
		case Structure:
			return e.structure(m.Shape, v)
		case Map:
			return e.mapping(m.Shape, v)
		}
	case []any:
		if m.Shape.Type == List {
			return e.list(m.Shape, v)
		}
	case Structs:
		if m.Shape.Type == List {
			return e.elements(m.Shape.Elem, v.list, structKind)
		}
	case Document:
		if m.Shape.Type == Doc {
			return e.document(v)
		}
	case json.RawMessage:
		if m.Shape.Type == Doc {
			return e.document(Document(v))
		}
	default:
		if e.scalar(m, v) {
			return nil
		}
	}
	return fmt.Errorf("encode shape %s: a %s cannot be a %T", m.Shape.Name, m.Shape.Type, v)
}

// scalar writes v if it is what m's shape asks for.
func (e *jsonEncoder) scalar(m *Member, v any) bool {
	t := m.Shape.Type
	switch v := v.(type) {
	case string:
		e.buf = jsonlex.AppendString(e.buf, v)
		return t == String
	case int64:
		e.buf = strconv.AppendInt(e.buf, v, 10)
		return t == Integer || t == Long || t == Float || t == Double
	case int:
		return e.scalar(m, int64(v))
	case float64:
		e.buf = jsonlex.AppendFloat(e.buf, v)
		return t == Float || t == Double
	case bool:
		e.buf = strconv.AppendBool(e.buf, v)
		return t == Boolean
	case []byte:
		e.buf = append(e.buf, '"')
		e.buf = base64.StdEncoding.AppendEncode(e.buf, v)
		e.buf = append(e.buf, '"')
		return t == Blob
	case time.Time:
		e.timestamp(m, v)
		return t == Timestamp
	}
	return false
}

func (e *jsonEncoder) structure(s *Shape, tree map[string]any) error {
	e.buf = append(e.buf, '{')
	first := true
	for _, m := range s.Members {
		v, present := tree[m.Name]
		if !present || v == nil || e.names && m.Location != InBody {
			continue
		}
		name := m.Name
		if e.names {
			name = m.WireName()
		}
		e.key(name, &first)
		if err := e.value(m, v); err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
	}
	e.buf = append(e.buf, '}')
	return nil
}

func (e *jsonEncoder) key(name string, first *bool) {
	if !*first {
		e.buf = append(e.buf, ',')
	}
	*first = false
	e.buf = jsonlex.AppendString(e.buf, name)
	e.buf = append(e.buf, ':')
}

func (e *jsonEncoder) mapping(s *Shape, tree map[string]any) error {
	e.buf = append(e.buf, '{')
	first := true
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		v := tree[key]
		if v == nil && !s.Sparse {
			continue
		}
		e.key(key, &first)
		if err := e.value(s.Value, v); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	e.buf = append(e.buf, '}')
	return nil
}

func (e *jsonEncoder) list(s *Shape, list []any) error {
	e.buf = append(e.buf, '[')
	first := true
	for _, v := range list {
		if v == nil && !s.Sparse {
			continue
		}
		if !first {
			e.buf = append(e.buf, ',')
		}
		first = false
		if err := e.value(s.Elem, v); err != nil {
			return err
		}
	}
	e.buf = append(e.buf, ']')
	return nil
}

// document copies JSON text, checked and without white space.
func (e *jsonEncoder) document(d Document) error {
	b := bytes.NewBuffer(e.buf)
	if err := json.Compact(b, d); err != nil {
		return fmt.Errorf("encode document: %w", err)
	}
	e.buf = b.Bytes()
	return nil
}

func (e *jsonEncoder) timestamp(m *Member, t time.Time) {
	format := m.timestampFormat(UnixEpoch)
	if format == UnixEpoch {
		e.buf = appendEpoch(e.buf, t)
		return
	}
	e.buf = append(e.buf, '"')
	e.buf = appendTimestamp(e.buf, t, format, e.iso)
	e.buf = append(e.buf, '"')
}

// floatText writes f for a header, query or message, where the names of what
// is no number have no quotes.
func floatText(f float64) string {
	return strings.Trim(string(jsonlex.AppendFloat(nil, f)), `"`)
}
