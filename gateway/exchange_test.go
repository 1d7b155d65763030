package gateway

import (
	"testing"

	"outcrop/converse"
)

// Whatever an exchange holds counts against the room that its listener has.
func TestTheSizeOfAnExchangeIsThatOfBothSides(t *testing.T) {
	ten := []byte("0123456789")
	text := string(ten)
	said := &converse.Response{Output: converse.ConverseOutput{Message: &converse.Message{Content: []converse.ContentBlock{{Text: &text}}}}}
	heard := []converse.Event{{ContentBlockDelta: &converse.ContentBlockDeltaEvent{Delta: converse.ContentBlockDelta{Text: &text}}}, {}}
	for _, x := range []Exchange{{Request: ten}, {Forwarded: ten}, {Frames: [][]byte{ten}}, {Chunks: [][]byte{ten}}, {Response: said}, {Events: heard}} {
		if x.Size() != 10 {
			t.Errorf("%+v has %d bytes", x, x.Size())
		}
	}
}
