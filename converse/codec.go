package converse

import (
	"errors"
	"strconv"
	"strings"

	"outcrop"
	"outcrop/internal/jsonlex"
)

// A decoder is what the generated decode methods read from. It remembers which
// required members were missing and which optional strings were empty where
// they may not be, since a Go value cannot tell an absent string from an empty
// one.
type decoder struct {
	jsonlex.Lexer
	text []byte
	gaps []gap
	size int // list elements and map entries so far

	texts  int          // that a Glimpse has added up
	inside jsonlex.Span // of the last, where it was a string
}

// maxElements bounds the list elements and map entries of one body, documents
// not counted. A content block takes some 100 bytes in memory and may take
// three on the wire, so that the limit on a body alone would not bound memory.
const maxElements = 1 << 17

// count is called at each list element and map entry.
func (d *decoder) count() {
	if d.size++; d.size > maxElements {
		d.Unfit(d.Offset(), "more than "+strconv.Itoa(maxElements)+" list elements")
	}
}

// A gap is a required value that was not there: a member of the object at
// offset, or (with no member) the list element at offset, which was null.
// Where words are given, the value was there and empty, and they say what
// constraints that broke.
type gap struct {
	offset int
	member string
	words  []string
}

// A fault is a gap as the client reads of it.
type fault struct {
	path  string
	words []string
}

// reset starts on a body. An empty body is an empty object, as in REST-JSON.
func (d *decoder) reset(body []byte) {
	if len(body) == 0 {
		body = []byte("{}")
	}
	d.text = body
	d.Reset(body)
}

// require notes the members of the object at offset whose bit is not in seen.
func (d *decoder) require(offset int, seen uint, names ...string) {
	if d.Failed() {
		return
	}
	for i, name := range names {
		if seen&(1<<i) == 0 {
			d.gaps = append(d.gaps, gap{offset: offset, member: name})
		}
	}
}

// empty notes an optional string that is there and empty.
func (d *decoder) empty(offset int, member string, words ...string) {
	if !d.Failed() {
		d.gaps = append(d.gaps, gap{offset, member, words})
	}
}

// nullElement consumes a null where a list wants a value.
func (d *decoder) nullElement() bool {
	d.count()
	if d.Peek() != jsonlex.NullValue {
		return false
	}
	offset := d.Offset()
	d.Null()
	d.gaps = append(d.gaps, gap{offset: offset})
	return true
}

// nullEntry consumes a null where a map wants a value: no entry then.
func (d *decoder) nullEntry() bool {
	d.count()
	return d.Null()
}

// choose says whether to read the current member as the one member of the
// union at offset. A null is none, a second one is an error.
func (d *decoder) choose(offset int, chosen *bool) bool {
	if d.Null() {
		return false
	}
	if *chosen {
		d.Unfit(offset, "union holds more than one member")
		return false
	}
	*chosen = true
	return true
}

// done ends the walk. Its error is for the client.
func (d *decoder) done() error {
	err := d.Done()
	if err == nil {
		return nil
	}
	var bad *jsonlex.Error
	if !errors.As(err, &bad) {
		return err
	}
	e := outcrop.Errorf(outcrop.Invalid, "%s", serializationMessage(bad, d.text))
	e.Code = "SerializationException"
	return e
}

// Names that AWS's own deserializer gives to JSON values and to the types that
// it wanted ("NUMBER_VALUE can not be converted to a String").
var (
	tokenNames = map[jsonlex.Value]string{
		jsonlex.ObjectValue: "START_OBJECT", jsonlex.ListValue: "START_ARRAY", jsonlex.StringValue: "STRING_VALUE",
		jsonlex.NumberValue: "NUMBER_VALUE", jsonlex.BoolValue: "BOOLEAN_VALUE", jsonlex.NullValue: "NULL_VALUE",
	}
	typeNames = map[jsonlex.Value]string{
		jsonlex.ObjectValue: "a Structure", jsonlex.ListValue: "a List", jsonlex.StringValue: "a String",
		jsonlex.NumberValue: "a Number", jsonlex.BoolValue: "a Boolean", jsonlex.NullValue: "null",
	}
)

func serializationMessage(e *jsonlex.Error, text []byte) string {
	at := dotted(jsonlex.PathAt(text, e.Offset))
	if at != "" {
		at = " at " + at
	}
	if e.Kind == jsonlex.Mismatch {
		return tokenNames[e.Found] + " can not be converted to " + typeNames[e.Want] + at
	}
	return e.Message + at + " (offset " + strconv.Itoa(e.Offset) + ")"
}

// dotted writes a path with positions from 0, as Bedrock's own messages do:
// messages.0.content.1.
func dotted(path []jsonlex.Step) string {
	var b strings.Builder
	for _, s := range path {
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		if s.Index < 0 {
			b.WriteString(clip(s.Name))
		} else {
			b.WriteString(strconv.Itoa(s.Index))
		}
	}
	return b.String()
}

// faults are the gaps with their paths, written as constraint messages write
// them. Gaps that will only be counted have no path.
func (d *decoder) faults() []fault {
	faults := make([]fault, len(d.gaps))
	offsets := make([]int, min(len(d.gaps), maxListed))
	for i := range offsets {
		offsets[i] = d.gaps[i].offset
	}
	for i, path := range jsonlex.PathsAt(d.text, offsets) {
		faults[i].path = constraintPath(path, d.gaps[i].member)
	}
	for i, g := range d.gaps {
		faults[i].words = g.words
	}
	return faults
}

// constraintPath writes a path with positions from 1: messages.1.member.role.
func constraintPath(path []jsonlex.Step, member string) string {
	var b strings.Builder
	for _, s := range path {
		if s.Index < 0 {
			appendStep(&b, clip(s.Name))
		} else {
			appendStep(&b, strconv.Itoa(s.Index+1))
			appendStep(&b, "member")
		}
	}
	appendStep(&b, member)
	return b.String()
}

func appendStep(b *strings.Builder, step string) {
	if b.Len() > 0 && step != "" {
		b.WriteByte('.')
	}
	b.WriteString(step)
}

// closeObject ends an object whose members were each appended after a comma,
// the first comma being where the brace belongs.
func closeObject(dst []byte, start int) []byte {
	if len(dst) == start {
		return append(dst, '{', '}')
	}
	dst[start] = '{'
	return append(dst, '}')
}

// closeList does the same for a list.
func closeList(dst []byte, start int) []byte {
	if len(dst) == start {
		return append(dst, '[', ']')
	}
	dst[start] = '['
	return append(dst, ']')
}

// appendDocument writes free-form JSON; none is an empty object.
func appendDocument(dst, doc []byte) []byte {
	if len(doc) == 0 {
		return append(dst, '{', '}')
	}
	return append(dst, doc...)
}
