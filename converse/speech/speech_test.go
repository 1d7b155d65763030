package speech

import (
	"bytes"
	"testing"

	"outcrop"
)

// Whatever a client or a model sends as an event, it is read, and passed on as
// it came, or refused.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"event":{"sessionStart":{"inferenceConfiguration":{"maxTokens":1024,"topP":0.9}}}}`, `{"event":{"promptStart":{"promptName":"p","toolConfiguration":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":"{}"}}}]}}}}`,
		`{"event":{"contentStart":{"type":"AUDIO","role":"USER","interactive":true,"audioInputConfiguration":{"sampleRateHertz":16000}}}}`, `{"event":{"audioInput":{"content":"AAAA"}}}`,
		`{"event":{"usageEvent":{"details":{"total":{"input":{"speechTokens":1},"output":{"textTokens":2}}}}}}`, `{"event":{"usageEvent":{"details":null}}}`, `{"event":{"a":{},"b":{}}}`, `{"event":{"a":null}}`, `{"event":[]}`, `{}`, `[]`, `null`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := Parse(body)
		switch {
		case err != nil && outcrop.KindOf(err) != outcrop.Invalid:
			t.Fatalf("%v, want a ValidationException", err)
		case err == nil && !bytes.Equal(e.Body, body):
			t.Fatalf("%q is passed on as %q", body, e.Body)
		}
	})
}
