package gateway

import (
	"testing"

	"outcrop/converse"
)

// A stream without end takes no memory without end.
func TestAStreamThatIsTooLongIsNotGathered(t *testing.T) {
	mega := make([]byte, 1<<20)
	text := string(mega)
	event := converse.Event{ContentBlockDelta: &converse.ContentBlockDeltaEvent{Delta: converse.ContentBlockDelta{Text: &text}}}
	for name, say := range map[string]func(*Exchange){
		"frames": func(x *Exchange) { x.passed(&Piece{Frame: mega}) },
		"chunks": func(x *Exchange) { x.passed(&Piece{Chunk: mega}) },
		"events": func(x *Exchange) { x.saw(event) },
	} {
		x := new(Exchange)
		for n := range maxGathered >> 20 {
			if x.TooLong || x.Size() != n<<20 {
				t.Fatalf("%s: %d bytes of %d MiB", name, x.Size(), n)
			}
			say(x)
		}
		say(x)
		if !x.TooLong || x.Size() > 0 {
			t.Errorf("%s: %d bytes are kept of too many", name, x.Size())
		}
	}
}

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
