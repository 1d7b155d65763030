package wire

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"outcrop/internal/jsonlex"
)

// A jsonDecoder reads JSON into a tree by its shape. Members that the model
// does not know are skipped: SDKs are often newer than our models. Its first
// error sticks, so that what is read after it is of no account.
type jsonDecoder struct {
	jsonlex.Lexer
	names bool // REST-JSON: members go by their locationName; AWS JSON ignores it
}

// decodeJSON reads one value of m's shape that is the whole text.
func decodeJSON(text []byte, m *Member, names bool) (any, error) {
	d := jsonDecoder{names: names}
	d.Reset(text)
	v := d.value(m)
	if err := d.Done(); err != nil {
		return nil, malformed(err, text)
	}
	return v, nil
}

// malformed is a lexer's error in AWS's manner.
func malformed(err error, text []byte) error {
	var bad *jsonlex.Error
	if !errors.As(err, &bad) {
		return err
	}
	var what string
	switch {
	case bad.Kind == jsonlex.NotUTF8:
		return &Malformed{"The request body is not valid UTF-8"}
	case bad.Kind == jsonlex.TooDeep:
		what = fmt.Sprintf("The request body is nested more than %d levels deep", jsonlex.MaxDepth)
	case bad.Kind == jsonlex.Trailing:
		what = "Unexpected data after the end of the request body"
	case bad.Kind == jsonlex.Unfit:
		what = bad.Message
	case bad.Offset >= len(text):
		what = "Unexpected end of the request body"
	default:
		r, _ := utf8.DecodeRune(text[bad.Offset:])
		what = fmt.Sprintf("Unexpected character %q", r)
	}
	return &Malformed{what + " at offset " + strconv.Itoa(bad.Offset)}
}

// value reads one value; nil is null.
func (d *jsonDecoder) value(m *Member) any {
	if m.Shape.Type == Doc {
		return Document(bytes.Clone(d.Raw()))
	}
	if d.Null() {
		return nil
	}
	switch m.Shape.Type {
	case Structure:
		return d.structure(m.Shape)
	case List:
		return d.list(m.Shape)
	case Map:
		return d.mapping(m.Shape)
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
	if !d.comes(jsonlex.StringValue, "a String") {
		return nil
	}
	return d.Text()
}

func (d *jsonDecoder) structure(s *Shape) any {
	if !d.comes(jsonlex.ObjectValue, "a structure") {
		return nil
	}
	tree := make(map[string]any, len(s.Members))
	for d.Object(); d.Member(); {
		if m := d.member(s, d.Name()); m == nil {
			d.Skip()
		} else {
			put(tree, m.Name, d.value(m))
		}
	}
	return tree
}

// put keeps null and absent the same.
func put(tree map[string]any, name string, v any) {
	if doc, ok := v.(Document); v == nil || ok && string(doc) == "null" {
		delete(tree, name) // of a repeated member the last one counts
		return
	}
	tree[name] = v
}

func (d *jsonDecoder) member(s *Shape, key string) *Member {
	if d.names {
		return s.bodyMember(key)
	}
	return s.Member(key)
}

func (d *jsonDecoder) mapping(s *Shape) any {
	if !d.comes(jsonlex.ObjectValue, "a map") {
		return nil
	}
	tree := make(map[string]any)
	for d.Object(); d.Member(); {
		name := strings.Clone(d.Name())
		v := d.value(s.Value)
		if v == nil && !s.Sparse {
			d.refuse("The value of map key %q must not be null", name)
		}
		tree[name] = v
	}
	return tree
}

func (d *jsonDecoder) list(s *Shape) any {
	if !d.comes(jsonlex.ListValue, "a list") {
		return nil
	}
	list := []any{}
	for d.Array(); d.Element(); {
		v := d.value(s.Elem)
		if v == nil && !s.Sparse {
			d.refuse("An element of a list must not be null")
		}
		list = append(list, v)
	}
	return list
}

// integer reads a whole number, also when it is written as 1.0 or 1e3.
func (d *jsonDecoder) integer(t Type) any {
	if !d.comes(jsonlex.NumberValue, "an Integer") {
		return nil
	}
	text := string(d.Raw())
	n, ok := parseInteger(text, t)
	if !ok {
		d.refuse("NUMBER_VALUE can not be converted to %s: %.40s", aType(t), text)
	}
	return n
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

// float reads a number, or the string NaN, Infinity or -Infinity. A float
// keeps what was written: 1.1 stays 1.1.
func (d *jsonDecoder) float() any {
	if d.Peek() == jsonlex.StringValue {
		f, ok := parseSpecialFloat(d.String())
		if !ok {
			d.refuse("STRING_VALUE can not be converted to a Double")
		}
		return f
	}
	if !d.comes(jsonlex.NumberValue, "a Double") {
		return nil
	}
	text := string(d.Raw())
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		d.refuse("NUMBER_VALUE can not be converted to a Double: %.40s", text)
	}
	return f
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

func (d *jsonDecoder) boolean() any {
	if !d.comes(jsonlex.BoolValue, "a Boolean") {
		return nil
	}
	return d.Bool()
}

func (d *jsonDecoder) timestamp(m *Member) any {
	format := m.timestampFormat(UnixEpoch)
	var text string
	switch d.Peek() {
	case jsonlex.StringValue:
		text = d.String()
		if format == UnixEpoch {
			format = ISO8601 // a number in quotes is no timestamp
		}
	case jsonlex.NumberValue:
		text = string(d.Raw())
		format = UnixEpoch // a bare number has one meaning only
	default:
		d.mismatch("a Timestamp")
		return nil
	}
	t, ok := parseTimestamp(text, format)
	if !ok {
		d.refuse("%.40q is not a valid timestamp", text)
	}
	return t
}

func (d *jsonDecoder) blob() any {
	if !d.comes(jsonlex.StringValue, "a Blob") {
		return nil
	}
	b, err := base64.StdEncoding.DecodeString(d.String())
	if err != nil {
		d.refuse("A blob is not valid base64")
	}
	return b
}

// comes says whether a value of the wanted sort comes next.
func (d *jsonDecoder) comes(v jsonlex.Value, wanted string) bool {
	if d.Peek() == v {
		return true
	}
	d.mismatch(wanted)
	return false
}

// mismatch refuses a value of the wrong sort, worded as AWS's own front layer
// does ("NUMBER_VALUE can not be converted to a String"). Where no value
// stands at all, that is the error.
func (d *jsonDecoder) mismatch(wanted string) {
	start := d.Offset()
	found := d.Raw()
	if found == nil {
		return
	}
	message := "NUMBER_VALUE can not be converted to " + wanted
	switch found[0] {
	case '{':
		message = "Start of structure or map found where not expected"
	case '[':
		message = "Start of list found where not expected"
	case '"':
		message = "STRING_VALUE can not be converted to " + wanted
	case 't':
		message = "TRUE_VALUE can not be converted to " + wanted
	case 'f':
		message = "FALSE_VALUE can not be converted to " + wanted
	}
	d.Unfit(start, message)
}

// refuse is for a value that was read and does not fit.
func (d *jsonDecoder) refuse(format string, args ...any) {
	if !d.Failed() {
		d.Unfit(d.End(), fmt.Sprintf(format, args...))
	}
}
