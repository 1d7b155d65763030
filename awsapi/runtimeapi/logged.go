package runtimeapi

import (
	"bytes"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/native"
	"outcrop/gateway"
)

// logged writes an answer a second time, for the invocation logs, from values
// of its own: the client's are still in use.
type logged struct {
	family native.Family
	task   *native.Task
	answer native.Answer
}

// Output implements gateway.Native.
func (l *logged) Output(x *gateway.Exchange) ([]byte, error) {
	a := l.answer
	switch {
	case x.Task != nil && l.task != nil:
		return l.task.Encode(&native.TaskAnswer{ID: a.ID, Response: x.Task, Tokens: int64(x.Record.Usage.Of(outcrop.InputTokens))})
	case x.Response != nil && l.family != nil:
		a.Response = x.Response
		return l.family.Encode(&a)
	case len(x.Events) > 0 && l.family != nil:
		return l.chunks(x, a)
	}
	return nil, nil
}

// chunks are the native chunks of a stream, as a list.
func (l *logged) chunks(x *gateway.Exchange, a native.Answer) ([]byte, error) {
	r := &x.Record
	usage := converse.UsageOf(r.Usage)
	a.Metrics = func() native.Metrics {
		return native.Metrics{
			InputTokens: usage.InputTokens, OutputTokens: usage.OutputTokens, CacheRead: usage.CacheReadInputTokens, CacheWrite: usage.CacheWriteInputTokens,
			Latency: r.Ended.Sub(r.Started).Milliseconds(), FirstByte: r.FirstByte.Sub(r.Started).Milliseconds(),
		}
	}
	var all [][]byte
	chunker := l.family.Chunks(&a)
	for _, e := range x.Events {
		some, err := chunker.Chunk(e)
		if err != nil {
			return nil, err
		}
		for _, c := range some {
			all = append(all, bytes.Clone(c))
		}
	}
	return append(append([]byte{'['}, bytes.Join(all, []byte{','})...), ']'), nil
}
