package chat

import (
	"bytes"
	"testing"

	"outcrop/internal/sse"
)

func BenchmarkEvents(b *testing.B) {
	in := bytes.Repeat([]byte(`data: {"id":"chatcmpl-123","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null}]}`+"\n\n"), 100)
	var c Chunk
	b.ReportAllocs()
	for b.Loop() {
		events := sse.Splitter{Longest: 1 << 20, Limit: 1 << 30, Each: func(data []byte) error {
			if !c.Decode(data) || c.Text != " token" {
				b.Fatal("not decoded")
			}
			return nil
		}}
		if _, err := events.Write(in); err != nil {
			b.Fatal(err)
		}
	}
}
