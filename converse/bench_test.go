package converse

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// bodyOf makes a Converse body of about n bytes of escape-rich text, as chats
// about code are.
func bodyOf(n int) []byte {
	const line = "if err != nil {\n\treturn fmt.Errorf(\"read \\\"%s\\\": %w\", name, err)\n}\nLuister naar de regen, meneer. "
	r := Request{
		System:          []SystemContentBlock{{Text: new("You are a helpful assistant.")}},
		InferenceConfig: &InferenceConfiguration{MaxTokens: new(int64(1024)), Temperature: new(0.5)},
		ToolConfig: &ToolConfiguration{Tools: []Tool{{ToolSpec: &ToolSpecification{Name: "get_weather", Description: "Weather of a city",
			InputSchema: ToolInputSchema{Json: json.RawMessage(`{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`)}}}}},
	}
	for i := 0; len(r.AppendJSON(nil)) < n; i++ {
		r.Messages = append(r.Messages, Message{Role: []string{"user", "assistant"}[i%2], Content: []ContentBlock{Text(strings.Repeat(line, 1+n/2500))}})
	}
	return r.AppendJSON(nil)
}

func imageOf(n int) []byte {
	r := Request{Messages: []Message{{Role: "user", Content: []ContentBlock{Text("What is this?"),
		{Image: &ImageBlock{Format: "png", Source: ImageSource{Bytes: Encode64(make([]byte, n))}}}}}}}
	return r.AppendJSON(nil)
}

func benchmarks(b *testing.B, run func(body, dst []byte) []byte) {
	for _, c := range []struct {
		name string
		body []byte
	}{{"1KB", bodyOf(1 << 10)}, {"4KB", bodyOf(4 << 10)}, {"10KB", bodyOf(10 << 10)}, {"1MB-image", imageOf(1 << 20 * 3 / 4)}} {
		b.Run(fmt.Sprintf("%s=%d", c.name, len(c.body)), func(b *testing.B) {
			dst := make([]byte, 0, 2*len(c.body))
			b.ReportAllocs()
			b.SetBytes(int64(len(c.body)))
			for b.Loop() {
				dst = run(c.body, dst[:0])
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	benchmarks(b, func(body, dst []byte) []byte {
		if _, err := DecodeRequest(body); err != nil {
			b.Fatal(err)
		}
		return dst
	})
}

func BenchmarkDecodeValidateEncode(b *testing.B) {
	benchmarks(b, func(body, dst []byte) []byte {
		r, err := DecodeRequest(body)
		if err == nil {
			err = r.Validate()
		}
		if err != nil {
			b.Fatal(err)
		}
		return r.AppendJSON(dst)
	})
}

func BenchmarkEstimate(b *testing.B) {
	r, err := DecodeRequest(bodyOf(10 << 10))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		EstimateInputTokens(r)
	}
}

func BenchmarkEvent(b *testing.B) {
	e := Event{ContentBlockDelta: &ContentBlockDeltaEvent{ContentBlockDelta{Text: new("Hello \"there\"")}, 0}}
	payload := e.AppendPayload(nil)
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			payload = e.AppendPayload(payload[:0])
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := DecodeEvent("contentBlockDelta", payload); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// The hot path's allocations are part of its promise: none to write, none to
// validate.
func TestAllocations(t *testing.T) {
	r, err := DecodeRequest([]byte(fullRequest))
	if err != nil {
		t.Fatal(err)
	}
	r.RequestMetadata, r.PromptVariables = nil, nil // maps are sorted to be written
	dst := make([]byte, 0, 1<<16)
	if n := testing.AllocsPerRun(100, func() { dst = r.AppendJSON(dst[:0]) }); n != 0 {
		t.Errorf("%v allocations to write a request", n)
	}
	plain, err := DecodeRequest(bodyOf(4 << 10)) // without values whose pattern takes a regular expression
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() {
		if plain.Validate() != nil {
			t.Fatal("invalid")
		}
	}); n > 0 {
		t.Errorf("%v allocations to validate a request", n)
	}
	e := Event{ContentBlockDelta: &ContentBlockDeltaEvent{ContentBlockDelta{Text: new("Hello")}, 0}}
	if n := testing.AllocsPerRun(100, func() { dst = e.AppendPadded(dst[:0], 10) }); n != 0 {
		t.Errorf("%v allocations to write an event", n)
	}
	body := imageOf(1 << 20)
	if n := testing.AllocsPerRun(10, func() {
		if _, err := DecodeRequest(body); err != nil {
			t.Fatal(err)
		}
	}); n > 10 {
		t.Errorf("%v allocations to read a request with an image", n)
	}
}
