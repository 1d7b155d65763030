package runtimeapi

import (
	"io"
	"testing"

	"outcrop"
	"outcrop/internal/eventstream"
)

// Whatever a signed frame holds, it is an event, the end, or the client's
// mistake.
func FuzzHeard(f *testing.F) {
	chunk := func(payload string) []byte {
		return eventstream.AppendFrame(nil, eventstream.EventHeaders("chunk", "application/json"), []byte(payload))
	}
	f.Add([]byte{})
	f.Add(chunk(`{"bytes":"eyJldmVudCI6eyJzZXNzaW9uRW5kIjp7fX19"}`))                             // {"event":{"sessionEnd":{}}}
	f.Add(chunk(`{"bytes":"eyJldmVudCI6eyJhIjp7fSwiYiI6e319fQ=="}`))                             // two in one
	f.Add(chunk(`{"bytes":"eyJldmVudCI6eyJ1c2FnZUV2ZW50Ijp7ImRldGFpbHMiOnsidG90YWwiOnt9fX19"}`)) // a model's own
	f.Add(chunk(`{"bytes":"%%%"}`))
	f.Add(chunk(`{"bytes":null}`))
	f.Add(append(chunk(`{}`), chunk(`{}`)...))
	f.Add(eventstream.AppendFrame(nil, eventstream.ExceptionHeaders("chunk", "application/json"), []byte(`{}`)))
	f.Fuzz(func(t *testing.T, payload []byte) {
		e, err := heard(payload)
		switch {
		case err == io.EOF && len(payload) == 0:
		case err != nil && outcrop.KindOf(err) != outcrop.Invalid:
			t.Fatalf("%v, want a ValidationException", err)
		case err == nil && len(e.Body) == 0:
			t.Fatalf("%+v has no body", e)
		}
	})
}
