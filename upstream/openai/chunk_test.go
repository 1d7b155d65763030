package openai

import (
	"bytes"
	"testing"

	"outcrop/internal/sse"
	"outcrop/upstream"
)

func BenchmarkEvents(b *testing.B) {
	in := bytes.Repeat([]byte(`data: {"id":"chatcmpl-123","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null}]}`+"\n\n"), 100)
	var c chunk
	b.ReportAllocs()
	for b.Loop() {
		e := sse.NewReader(bytes.NewReader(in), upstream.MaxEventBytes, upstream.MaxStreamBytes)
		for {
			data, err := e.Next()
			if err != nil {
				break
			}
			if !c.decode(data) || c.text != " token" {
				b.Fatal("not decoded")
			}
		}
	}
}
