package native

import (
	"bytes"

	"outcrop"
	"outcrop/converse"
	"outcrop/internal/jsonlex"
)

// A Glance meters a native answer that passes by as it is: whole, or chunk by
// chunk. It goes by the names that the families' formats use, so it needs not
// know which family speaks, and builds nothing of what it reads. The zero
// value has seen nothing.
type Glance struct {
	Output  int    // bytes of text, reasoning and tool input so far
	Stop    string // why the answer ended, in Converse's words
	Metrics bool   // amazon-bedrock-invocationMetrics has come: the answer is complete
	Images  int    // pictures made
	Fault   bool   // an object with a __type has come, as AWS reports errors

	counts [glanceCounts]glanceCount
}

type glanceCount struct {
	n     int64
	known bool
}

// What is counted. The prompt of chat completions includes what was read from
// the cache.
const (
	countInput = iota
	countPrompt
	countOutput
	countCacheRead
	countCacheWrite
	countWrite5m
	countWrite1h
	glanceCounts
)

// counted names the members that tell tokens.
var counted = map[string]int{
	"inputTokenCount": countInput, "outputTokenCount": countOutput, "cacheReadInputTokenCount": countCacheRead, "cacheWriteInputTokenCount": countCacheWrite,
	"input_tokens": countInput, "output_tokens": countOutput, "cache_read_input_tokens": countCacheRead, "cache_creation_input_tokens": countCacheWrite,
	"ephemeral_5m_input_tokens": countWrite5m, "ephemeral_1h_input_tokens": countWrite1h,
	"inputTokens": countInput, "outputTokens": countOutput, "cacheReadInputTokens": countCacheRead, "cacheWriteInputTokens": countCacheWrite,
	"prompt_tokens": countPrompt, "completion_tokens": countOutput, "cached_tokens": countCacheRead,
	"prompt_token_count": countInput, "generation_token_count": countOutput,
	"inputTextTokenCount": countInput, "totalOutputTextTokenCount": countOutput, "tokenCount": countOutput,
}

// Read scans a whole answer or one chunk. Counts of a stream are cumulative:
// the last one holds. Its error is about the text's form.
func (g *Glance) Read(text []byte) error {
	var l jsonlex.Lexer
	l.Reset(text)
	if l.Peek() == jsonlex.ObjectValue {
		g.object(&l)
	} else {
		l.Skip()
	}
	return l.Done()
}

// Into scans one chunk of a stream into seen, and says whether it carries the
// metrics that close the stream.
func (g *Glance) Into(seen *converse.Glimpse, chunk []byte) (last bool, err error) {
	before := g.Output
	if err := g.Read(chunk); err != nil {
		return false, err
	}
	*seen = converse.Glimpse{Output: g.Output - before, StopReason: g.Stop}
	if g.Stop != "" {
		seen.Usage = g.Usage()
	}
	return g.Metrics, nil
}

func (g *Glance) object(l *jsonlex.Lexer) {
	for l.Object(); l.Member(); {
		g.member(l)
	}
}

func (g *Glance) member(l *jsonlex.Lexer) {
	name, kind := l.Name(), l.Peek()
	switch kind {
	case jsonlex.StringValue:
		g.text(l, name)
	case jsonlex.NumberValue:
		if which, ok := counted[name]; ok {
			g.count(l, which)
			return
		}
		l.Skip()
	case jsonlex.ObjectValue:
		switch name {
		case "input": // of a tool, whole; an empty one in a stream is filled later
			if raw := l.Raw(); string(raw) != "{}" {
				g.Output += len(raw)
			}
		case "response", "json", "toolResult": // told before, or not the model's words
			l.Skip()
		case "message": // in a message_start: what has been said so far is not what will have been
			before := g.counts[countOutput]
			g.object(l)
			g.counts[countOutput] = before
		case metricsKey:
			g.Metrics = true
			g.object(l)
		default:
			g.object(l)
		}
	case jsonlex.ListValue:
		for l.Array(); l.Element(); {
			if name == "images" || name == "artifacts" {
				g.Images++
			}
			if l.Peek() == jsonlex.ObjectValue {
				g.object(l)
			} else {
				l.Skip()
			}
		}
	default:
		l.Skip()
	}
}

// metricsKey is what Bedrock adds to the last chunk of a stream.
const metricsKey = "amazon-bedrock-invocationMetrics"

func (g *Glance) text(l *jsonlex.Lexer, name string) {
	switch name {
	case "text", "thinking", "partial_json", "generation", "outputText", "content", "reasoning_content", "reasoning", "arguments", "input":
		g.Output += len(l.String())
	case "stop_reason", "stopReason", "finish_reason", "completionReason":
		g.Stop = stopOf(l.Text())
	case "amazon-bedrock-guardrailAction":
		if l.String() == "INTERVENED" {
			g.Stop = "guardrail_intervened"
		}
	case "__type":
		g.Fault = true
		l.Skip()
	default:
		l.Skip()
	}
}

// most is what can be believed of one answer.
const most = 1 << 40 // tokens

func (g *Glance) count(l *jsonlex.Lexer, which int) {
	var n int64
	for _, c := range l.Raw() {
		if c < '0' || c > '9' || n > most {
			return // no count that can be believed
		}
		n = n*10 + int64(c-'0')
	}
	g.counts[which] = glanceCount{n, true}
}

// stopOf is Converse's word for any family's.
func stopOf(reason string) string {
	switch reason {
	case "stop", "FINISH", "COMPLETE", "eos", "pause_turn":
		return "end_turn"
	case "length", "LENGTH", "MAX_TOKENS", "model_length":
		return "max_tokens"
	case "tool_calls", "TOOL_CALL", "function_call":
		return "tool_use"
	case "STOP_CRITERIA_MET", "STOP_SEQUENCE":
		return "stop_sequence"
	case "content_filter", "CONTENT_FILTERED", "refusal", "ERROR_TOXIC":
		return "content_filtered"
	}
	return reason
}

// Input is how many tokens were read, where that was told.
func (g *Glance) Input() (n int64, known bool) {
	return g.counts[countInput].n, g.counts[countInput].known
}

// Tell notes what was counted of the input, for an answer that is cut off.
func (g *Glance) Tell(a outcrop.Attempt) {
	if a.Told == nil || !g.counts[countInput].known {
		return
	}
	u := outcrop.Usage{PerKind: a.Told.Seen}
	u.Set(outcrop.InputTokens, outcrop.Tokens(g.counts[countInput].n))
	if read := g.counts[countCacheRead]; read.known {
		u.Set(outcrop.CacheReadTokens, outcrop.Tokens(read.n))
	}
	g.written(&u)
	a.Told.Seen = u.PerKind
}

// Usage is what the answer has told; nil unless input and output are known.
func (g *Glance) Usage() *converse.TokenUsage {
	input, output := g.counts[countInput], g.counts[countOutput]
	read := g.counts[countCacheRead]
	if prompt := g.counts[countPrompt]; prompt.known && !input.known {
		input = glanceCount{max(prompt.n-read.n, 0), true}
	}
	if !input.known || !output.known {
		return nil
	}
	var u outcrop.Usage
	u.Set(outcrop.InputTokens, outcrop.Tokens(input.n))
	u.Set(outcrop.OutputTokens, outcrop.Tokens(output.n))
	if read.known {
		u.Set(outcrop.CacheReadTokens, outcrop.Tokens(read.n))
	}
	g.written(&u)
	told := converse.UsageOf(u)
	return &told
}

// written sets what went into the cache, by its lifetime; where that is not
// told, it is five minutes.
func (g *Glance) written(u *outcrop.Usage) {
	total, short, long := g.counts[countCacheWrite], g.counts[countWrite5m], g.counts[countWrite1h]
	if total.known && total.n > short.n+long.n {
		short = glanceCount{total.n - long.n, true}
	}
	if long.known {
		u.Set(outcrop.CacheWrite1hTokens, outcrop.Tokens(long.n))
	}
	if short.known || total.known && !long.known {
		u.Set(outcrop.CacheWrite5mTokens, outcrop.Tokens(short.n))
	}
}

// Told sets a count that came beside the answer's text, in a header such as
// Input-Token-Count, whose name it is without its prefix.
func (g *Glance) Told(header string, n int64) {
	which, ok := map[string]int{
		"Input-Token-Count": countInput, "Output-Token-Count": countOutput,
		"Cache-Read-Input-Token-Count": countCacheRead, "Cache-Write-Input-Token-Count": countCacheWrite,
	}[header]
	if ok && n >= 0 && n <= most {
		g.counts[which] = glanceCount{n, true}
	}
}

// AppendMetrics appends chunk, which is a JSON object, with the invocation
// metrics as its last member.
func AppendMetrics(dst, chunk []byte, m Metrics) []byte {
	head := bytes.TrimSpace(chunk)
	head = bytes.TrimSpace(head[:len(head)-len("}")])
	dst = append(dst, head...)
	if len(head) > len("{") {
		dst = append(dst, ',')
	}
	dst = append(dst, `"`+metricsKey+`":`...)
	dst = m.append(dst)
	return append(dst, '}')
}

func (m *Metrics) append(dst []byte) []byte {
	member := func(name string, n int64) {
		dst = append(append(append(dst, ','), '"'), name...)
		dst = jsonlex.AppendInt(append(dst, '"', ':'), n)
	}
	start := len(dst)
	member("inputTokenCount", m.InputTokens)
	member("outputTokenCount", m.OutputTokens)
	member("invocationLatency", m.Latency)
	member("firstByteLatency", m.FirstByte)
	if m.CacheRead != nil {
		member("cacheReadInputTokenCount", *m.CacheRead)
	}
	if m.CacheWrite != nil {
		member("cacheWriteInputTokenCount", *m.CacheWrite)
	}
	dst[start] = '{'
	return append(dst, '}')
}
