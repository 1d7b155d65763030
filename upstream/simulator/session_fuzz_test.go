package simulator

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"outcrop"
	"outcrop/converse/speech"
	"outcrop/upstream/upstreamtest"
)

// Whatever events a client sends, the session ends, once, with its usage, with
// the client's mistake, or with the end of what was sent; and it answers in
// events that can be read.
func FuzzSession(f *testing.F) {
	session := []string{
		`{"event":{"sessionStart":{"inferenceConfiguration":{"maxTokens":8}}}}`,
		`{"event":{"promptStart":{"promptName":"p","audioOutputConfiguration":{"mediaType":"audio/lpcm","sampleRateHertz":8000,"sampleSizeBits":16,"channelCount":1},"toolConfiguration":{"tools":[{"toolSpec":{"name":"get_weather","inputSchema":{"json":"{}"}}}]}}}}`,
		`{"event":{"contentStart":{"promptName":"p","contentName":"a","type":"AUDIO","role":"USER","interactive":true,"audioInputConfiguration":{"mediaType":"audio/lpcm","encoding":"base64","sampleRateHertz":16000,"sampleSizeBits":16,"channelCount":1}}}}`,
		`{"event":{"audioInput":{"promptName":"p","contentName":"a","content":"AAAAAAAA"}}}`, `{"event":{"contentEnd":{"promptName":"p","contentName":"a"}}}`,
		`{"event":{"contentStart":{"promptName":"p","contentName":"b","type":"TEXT","role":"USER","interactive":true}}}`, `{"event":{"textInput":{"promptName":"p","contentName":"b","content":"the weather?"}}}`, `{"event":{"contentEnd":{"promptName":"p","contentName":"b"}}}`,
		`{"event":{"contentStart":{"promptName":"p","contentName":"c","type":"TOOL","role":"TOOL","toolResultInputConfiguration":{"toolUseId":"x"}}}}`, `{"event":{"toolResult":{"promptName":"p","contentName":"c","content":"{}"}}}`,
		`{"event":{"promptEnd":{"promptName":"p"}}}`, `{"event":{"sessionEnd":{}}}`,
	}
	f.Add([]byte(strings.Join(session, "\n")))
	for i := range session { // one is left out, one comes twice
		f.Add([]byte(strings.Join(append(append([]string{}, session[:i]...), session[i+1:]...), "\n")))
		f.Add([]byte(strings.Join(append(append([]string{}, session[:i+1]...), session[i:]...), "\n")))
	}
	f.Add([]byte(strings.Replace(strings.Join(session, "\n"), "16000", "-1", 1)))
	f.Add([]byte(strings.Replace(strings.Join(session, "\n"), "8000", "1000000000", 1)))
	f.Fuzz(func(t *testing.T, said []byte) {
		lines := bytes.Split(said, []byte("\n"))
		hear := func() (speech.Event, error) {
			if len(lines) == 0 {
				return speech.Event{}, io.EOF
			}
			line := lines[0]
			lines = lines[1:]
			return speech.Parse(line)
		}
		var over error
		for e, err := range New(Options{}).Speak(t.Context(), upstreamtest.Attempt, hear) {
			if over != nil {
				t.Fatalf("%+v follows %v", e, over)
			}
			if err != nil {
				over = err
				continue
			}
			if again, err := speech.Parse(e.Body); err != nil || again.Kind != e.Kind {
				t.Fatalf("%s: %v", e.Body, err)
			}
		}
		if over != nil && over != io.EOF && outcrop.KindOf(over) != outcrop.Invalid {
			t.Fatalf("%v, want a ValidationException", over)
		}
	})
}
