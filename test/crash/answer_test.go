package crash

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"

	"outcrop"
	"outcrop/internal/eventstream"
)

// A usage is what a client can read in an answer.
type usage struct{ input, output, cacheRead, cacheWrite int64 }

func usageOf(u *outcrop.Usage) usage {
	n := func(kinds ...outcrop.TokenKind) (sum int64) {
		for _, k := range kinds {
			sum += int64(u.Of(k))
		}
		return sum
	}
	return usage{n(outcrop.InputTokens), n(outcrop.OutputTokens), n(outcrop.CacheReadTokens), n(outcrop.CacheWrite5mTokens, outcrop.CacheWrite1hTokens)}
}

// A told is where answers tell their usage: Converse's member or event, and
// the metrics in the last chunk of a native stream.
type told struct {
	Usage *struct {
		InputTokens, OutputTokens, CacheReadInputTokens, CacheWriteInputTokens int64
	}
	Metrics *struct {
		InputTokenCount, OutputTokenCount, CacheReadInputTokenCount, CacheWriteInputTokenCount int64
	} `json:"amazon-bedrock-invocationMetrics"`
}

func (t *told) usage() (usage, bool) {
	switch {
	case t.Metrics != nil:
		m := t.Metrics
		return usage{m.InputTokenCount, m.OutputTokenCount, m.CacheReadInputTokenCount, m.CacheWriteInputTokenCount}, true
	case t.Usage != nil:
		u := t.Usage
		return usage{u.InputTokens, u.OutputTokens, u.CacheReadInputTokens, u.CacheWriteInputTokens}, true
	}
	return usage{}, false
}

// read takes an answer that comes at once. It is whole when all the bytes that
// Content-Length announced have come.
func (k *call) read(answer *http.Response) {
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return
	}
	k.end = whole
	if k.operation == outcrop.OpInvokeModel {
		k.usage = usageOfHeaders(answer.Header)
		return
	}
	k.settle(text)
}

func usageOfHeaders(h http.Header) usage {
	n := func(name string) int64 {
		v, _ := strconv.ParseInt(h.Get("X-Amzn-Bedrock-"+name), 10, 64) // absent is 0
		return v
	}
	return usage{n("Input-Token-Count"), n("Output-Token-Count"), n("Cache-Read-Input-Token-Count"), n("Cache-Write-Input-Token-Count")}
}

// settle notes the usage in the part of an answer that closes it.
func (k *call) settle(text []byte) {
	var t told
	if err := json.Unmarshal(text, &t); err != nil {
		k.end, k.trouble = refused, err.Error()
		return
	}
	u, ok := t.usage()
	if !ok {
		k.end, k.trouble = refused, "an answer without usage: "+string(text)
		return
	}
	k.end, k.usage = whole, u
}

// follow reads an event stream, up to where its client hangs up. The last
// frame counts once its checksum is good, whether or not the connection then
// ends as it should.
func (k *call) follow(body io.Reader) {
	frames := eventstream.NewDecoder(bufio.NewReader(body))
	for n := 1; ; n++ {
		m, err := frames.Next()
		if err != nil {
			return
		}
		if closing := k.closing(&m); closing != nil {
			k.settle(closing)
			return
		}
		if k.end == failed {
			return
		}
		if n == k.leave {
			k.end = left
			return
		}
	}
}

// closing returns the payload of the frame that closes a stream, or nil.
func (k *call) closing(m *eventstream.Message) []byte {
	if m.Headers.Text(":message-type") == "exception" {
		k.end, k.trouble = failed, m.Headers.Text(":exception-type")
		return nil
	}
	switch m.Headers.Text(":event-type") {
	case "metadata":
		return m.Payload
	case "chunk":
		var chunk struct{ Bytes []byte }
		if json.Unmarshal(m.Payload, &chunk) == nil && bytes.Contains(chunk.Bytes, []byte("amazon-bedrock-invocationMetrics")) {
			return chunk.Bytes
		}
	}
	return nil
}
