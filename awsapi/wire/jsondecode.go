package wire

import (
	"bytes"
	"encoding/base64"
	"math"
	"strconv"
	"strings"
)

// A jsonDecoder reads JSON into a tree by its shape. Members that the model
// does not know are skipped: SDKs are often newer than our models.
type jsonDecoder struct {
	*jsonLexer
	names bool // REST-JSON: members go by their locationName; AWS JSON ignores it
}

// decodeJSON reads one value of m's shape that is the whole text.
func decodeJSON(text []byte, m *Member, names bool) (any, error) {
	lexer, err := newJSONLexer(text)
	if err != nil {
		return nil, err
	}
	d := &jsonDecoder{lexer, names}
	v, err := d.value(m, 0)
	if err != nil {
		return nil, err
	}
	return v, d.end()
}

// value reads one value; nil is null.
func (d *jsonDecoder) value(m *Member, depth int) (any, error) {
	if m.Shape.Type == Doc {
		raw, err := d.raw(depth)
		return Document(bytes.Clone(raw)), err
	}
	if null, err := d.null(); null || err != nil {
		return nil, err
	}
	switch m.Shape.Type {
	case Structure:
		return d.structure(m.Shape, depth)
	case List:
		return d.list(m.Shape, depth)
	case Map:
		return d.mapping(m.Shape, depth)
	case Integer, Long:
		return d.integer(m.Shape.Type)
	case Float, Double:
		return d.float()
	case Boolean:
		return d.boolean()
	case Timestamp:
		return d.timestamp(m)
	case Blob:
		return d.blob()
	}
	return d.str("String")
}

func (d *jsonDecoder) structure(s *Shape, depth int) (map[string]any, error) {
	if d.peek() != '{' {
		return nil, d.mismatch("a structure", depth)
	}
	tree := make(map[string]any, len(s.Members))
	return tree, d.object(depth, func(key []byte) error {
		m := d.member(s, key)
		if m == nil {
			return d.skip(depth + 1)
		}
		v, err := d.value(m, depth+1)
		if err != nil {
			return err
		}
		put(tree, m.Name, v)
		return nil
	})
}

// put keeps null and absent the same.
func put(tree map[string]any, name string, v any) {
	if doc, ok := v.(Document); v == nil || ok && string(doc) == "null" {
		delete(tree, name) // of a repeated member the last one counts
		return
	}
	tree[name] = v
}

func (d *jsonDecoder) member(s *Shape, key []byte) *Member {
	if d.names {
		return s.bodyMember(string(key))
	}
	return s.Member(string(key))
}

// object reads an object, calling each with every key; each reads the value.
func (d *jsonDecoder) object(depth int, each func(key []byte) error) error {
	if err := d.open(depth); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := d.more('}', first)
		if !more {
			return err
		}
		key, err := d.key()
		if err != nil {
			return err
		}
		if err := each(key); err != nil {
			return err
		}
	}
}

func (d *jsonDecoder) mapping(s *Shape, depth int) (map[string]any, error) {
	if d.peek() != '{' {
		return nil, d.mismatch("a map", depth)
	}
	tree := make(map[string]any)
	return tree, d.object(depth, func(key []byte) error {
		name := string(key)
		v, err := d.value(s.Value, depth+1)
		if err != nil {
			return err
		}
		if v == nil && !s.Sparse {
			return d.wrong("The value of map key %q must not be null", name)
		}
		tree[name] = v
		return nil
	})
}

func (d *jsonDecoder) list(s *Shape, depth int) ([]any, error) {
	if d.peek() != '[' {
		return nil, d.mismatch("a list", depth)
	}
	if err := d.open(depth); err != nil {
		return nil, err
	}
	list := []any{}
	for first := true; ; first = false {
		more, err := d.more(']', first)
		if !more {
			return list, err
		}
		v, err := d.value(s.Elem, depth+1)
		if err != nil {
			return nil, err
		}
		if v == nil && !s.Sparse {
			return nil, d.wrong("An element of a list must not be null")
		}
		list = append(list, v)
	}
}

// str reads a string; wanted is the type it is read for.
func (d *jsonDecoder) str(wanted string) (string, error) {
	if d.peek() != '"' {
		return "", d.mismatch("a "+wanted, 0)
	}
	s, err := d.stringBytes()
	return string(s), err
}

// integer reads a whole number, also when it is written as 1.0 or 1e3.
func (d *jsonDecoder) integer(t Type) (int64, error) {
	if c := d.peek(); c != '-' && (c < '0' || c > '9') {
		return 0, d.mismatch("an Integer", 0)
	}
	text, err := d.number()
	if err != nil {
		return 0, err
	}
	n, ok := parseInteger(text, t)
	if !ok {
		return 0, d.wrong("NUMBER_VALUE can not be converted to %s: %.40s", aType(t), text)
	}
	return n, nil
}

// parseInteger reads decimal text that may have a zero fraction or exponent.
func parseInteger(text string, t Type) (int64, bool) {
	bits := 32
	if t == Long {
		bits = 64
	}
	n, err := strconv.ParseInt(text, 10, bits)
	if err == nil {
		return n, true
	}
	if !strings.ContainsAny(text, ".eE") || strings.Trim(text, "0123456789+-.eE") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	// 2^53 is where doubles stop telling whole numbers apart.
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 || bits == 32 && (f < math.MinInt32 || f > math.MaxInt32) {
		return 0, false
	}
	return int64(f), true
}

// float reads a number, or the string NaN, Infinity or -Infinity.
func (d *jsonDecoder) float() (float64, error) {
	c := d.peek()
	if c == '"' {
		s, err := d.stringBytes()
		if err != nil {
			return 0, err
		}
		if f, ok := parseSpecialFloat(string(s)); ok {
			return f, nil
		}
		return 0, d.wrong("STRING_VALUE can not be converted to a Double")
	}
	if c != '-' && (c < '0' || c > '9') {
		return 0, d.mismatch("a Double", 0)
	}
	text, err := d.number()
	if err != nil {
		return 0, err
	}
	f, err := strconv.ParseFloat(text, 64) // a float keeps what was written: 1.1 stays 1.1
	if err != nil {
		return 0, d.wrong("NUMBER_VALUE can not be converted to a Double: %.40s", text)
	}
	return f, nil
}

func parseSpecialFloat(s string) (float64, bool) {
	switch s {
	case "NaN":
		return math.NaN(), true
	case "Infinity":
		return math.Inf(1), true
	case "-Infinity":
		return math.Inf(-1), true
	}
	return 0, false
}

func (d *jsonDecoder) boolean() (bool, error) {
	switch d.peek() {
	case 't':
		return true, d.word("true")
	case 'f':
		return false, d.word("false")
	}
	return false, d.mismatch("a Boolean", 0)
}

func (d *jsonDecoder) timestamp(m *Member) (any, error) {
	format := m.timestampFormat(UnixEpoch)
	var text string
	var err error
	switch c := d.peek(); {
	case c == '"':
		text, err = d.str("Timestamp")
		if format == UnixEpoch {
			format = ISO8601 // a number in quotes is no timestamp
		}
	case c == '-' || '0' <= c && c <= '9':
		text, err = d.number()
		format = UnixEpoch // a bare number has one meaning only
	default:
		err = d.mismatch("a Timestamp", 0)
	}
	if err != nil {
		return nil, err
	}
	t, ok := parseTimestamp(text, format)
	if !ok {
		return nil, d.wrong("%.40q is not a valid timestamp", text)
	}
	return t, nil
}

func (d *jsonDecoder) blob() ([]byte, error) {
	if d.peek() != '"' {
		return nil, d.mismatch("a Blob", 0)
	}
	s, err := d.stringBytes()
	if err != nil {
		return nil, err
	}
	b := make([]byte, base64.StdEncoding.DecodedLen(len(s)))
	n, err := base64.StdEncoding.Decode(b, s)
	if err != nil {
		return nil, d.wrong("A blob is not valid base64")
	}
	return b[:n], nil
}

// mismatch is a value of the wrong type, worded as AWS's own front layer does
// ("NUMBER_VALUE can not be converted to a String"), or a grammar fault when
// no value stands here at all.
func (d *jsonDecoder) mismatch(wanted string, depth int) error {
	start := d.at
	c := d.peek()
	if err := d.skip(depth); err != nil {
		return err
	}
	d.at = start
	switch c {
	case '{':
		return d.wrong("Start of structure or map found where not expected")
	case '[':
		return d.wrong("Start of list found where not expected")
	case '"':
		return d.wrong("STRING_VALUE can not be converted to %s", wanted)
	case 't':
		return d.wrong("TRUE_VALUE can not be converted to %s", wanted)
	case 'f':
		return d.wrong("FALSE_VALUE can not be converted to %s", wanted)
	}
	return d.wrong("NUMBER_VALUE can not be converted to %s", wanted)
}
