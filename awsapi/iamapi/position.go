package iamapi

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// A span is where a statement stands in its policy's text, in bytes.
type span struct{ start, end int }

// statementSpans finds the statements of a policy document. As AWS's positions
// do, a span begins behind the bracket, brace or comma that introduces its
// statement, and ends behind the statement. Text that is no policy has none.
func statementSpans(text string) []span {
	value, start := statementValue(text)
	if strings.HasPrefix(value, "{") {
		return []span{{start + 1, start + len(value)}}
	}
	var spans []span
	d := json.NewDecoder(strings.NewReader(value))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil
	}
	for from := 1; d.More(); {
		var element json.RawMessage
		if d.Decode(&element) != nil {
			return nil
		}
		end := int(d.InputOffset())
		spans = append(spans, span{start + from, start + end})
		from = end + strings.IndexByte(value[end:], ',') + 1
	}
	return spans
}

// statementValue is the value of the member Statement and where it begins.
func statementValue(text string) (value string, start int) {
	d := json.NewDecoder(strings.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return "", 0
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return "", 0
		}
		var v json.RawMessage
		if d.Decode(&v) != nil {
			return "", 0
		}
		if name == "Statement" {
			end := int(d.InputOffset())
			return text[end-len(v) : end], end - len(v)
		}
	}
	return "", 0
}

// position is a byte offset as line and column, both from 1.
func position(text string, offset int) *Position {
	before := text[:offset]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return &Position{Line: ptr(int64(line)), Column: ptr(int64(column))}
}
