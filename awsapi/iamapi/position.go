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
	var policy struct{ Statement json.RawMessage }
	if json.Unmarshal([]byte(text), &policy) != nil || len(policy.Statement) == 0 {
		return nil
	}
	value := string(policy.Statement)
	start := statementOffset(text)
	if value[0] == '{' {
		return []span{{start + 1, start + len(value)}}
	}
	var spans []span
	d := json.NewDecoder(strings.NewReader(value))
	if _, err := d.Token(); err != nil {
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

// statementOffset is where the value of the member Statement begins. Texts
// have passed iam.ParsePolicy, so that the member is there once.
func statementOffset(text string) int {
	d := json.NewDecoder(strings.NewReader(text))
	for depth := 0; ; {
		t, err := d.Token()
		switch {
		case err != nil:
			return 0
		case t == json.Delim('{') || t == json.Delim('['):
			depth++
		case t == json.Delim('}') || t == json.Delim(']'):
			depth--
		case depth == 1 && t == "Statement":
			var value json.RawMessage
			if d.Decode(&value) != nil {
				return 0
			}
			return int(d.InputOffset()) - len(value)
		}
	}
}

// position is a byte offset as line and column, both from 1.
func position(text string, offset int) *Position {
	before := text[:offset]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return &Position{Line: ptr(int64(line)), Column: ptr(int64(column))}
}
