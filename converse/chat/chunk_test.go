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
		e := sse.NewReader(bytes.NewReader(in), 1<<20, 1<<30)
		for {
			data, err := e.Next()
			if err != nil {
				break
			}
			if !c.Decode(data) || c.Text != " token" {
				b.Fatal("not decoded")
			}
		}
	}
}
