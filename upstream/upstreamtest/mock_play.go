package upstreamtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"
)

// A player writes one answer.
type player struct {
	mock   *MockOpenAI
	answer *MockAnswer
	w      http.ResponseWriter
	r      *http.Request
	model  string
	usage  bool // wanted in the stream

	out  []byte // chunks not yet written
	sent int
}

// play writes the answer and says whether all of it went out.
func (p *player) play(streaming bool) bool {
	first := p.answer.TimeToFirst
	if first == 0 {
		first = p.mock.TimeToFirst
	}
	switch {
	case !p.wait(first):
		return false
	case p.answer.Status != 0:
		p.refuse()
		return false
	case streaming:
		return p.stream()
	case p.answer.Cut > 0:
		p.w.Header().Set("Content-Type", "application/json")
		p.out = append(p.out, `{"choices":[`...)
		p.flush()
		panic(http.ErrAbortHandler)
	}
	p.w.Header().Set("Content-Type", "application/json")
	b, _ := json.Marshal(map[string]any{"id": "mock", "object": "chat.completion", "model": p.model, "choices": []any{p.choice("message", p.whole(), p.answer.Finish)}, "usage": p.tokens()}) // always marshals
	_, err := p.w.Write(b)
	return err == nil
}

// wait lets time pass, unless the client goes.
func (p *player) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-p.r.Context().Done():
		return false
	}
}

func (p *player) refuse() {
	p.w.Header().Set("Content-Type", "application/json")
	if p.answer.RetryAfter > 0 {
		p.w.Header().Set("Retry-After", strconv.Itoa(int(p.answer.RetryAfter/time.Second)))
	}
	p.w.WriteHeader(p.answer.Status)
	fmt.Fprintf(p.w, `{"error":{"message":"the mock refuses with status %d","type":"mock","code":null}}`, p.answer.Status)
}

type members = map[string]any

func (p *player) choice(name string, said members, finish string) members {
	c := members{"index": 0, name: said, "finish_reason": nil}
	if finish != "" {
		c["finish_reason"] = finish
	}
	if p.answer.Matched != "" && finish != "" {
		c["stop_reason"] = p.answer.Matched
	}
	return c
}

func (p *player) whole() members {
	m := members{"role": "assistant", "content": p.answer.Text}
	if p.answer.Reasoning != "" {
		m["reasoning_content"] = p.answer.Reasoning
	}
	if len(p.answer.Calls) > 0 {
		m["content"] = nil
		m["tool_calls"] = p.answer.Calls
	}
	return m
}

func (p *player) tokens() any {
	if p.answer.NoUsage {
		return nil
	}
	return members{"prompt_tokens": p.answer.Prompt, "completion_tokens": p.answer.Completion, "total_tokens": p.answer.Prompt + p.answer.Completion,
		"prompt_tokens_details": members{"cached_tokens": p.answer.Cached}}
}

// stream writes chunks as vLLM does: the role, the pieces, the finish, the
// usage, [DONE].
func (p *player) stream() bool {
	p.w.Header().Set("Content-Type", "text/event-stream")
	good := p.chunk(members{"role": "assistant", "content": ""}, "")
	for _, piece := range p.pieces(p.answer.Reasoning) {
		good = good && p.chunk(members{"reasoning_content": piece}, "")
	}
	for _, piece := range p.pieces(p.answer.Text) {
		good = good && p.chunk(members{"content": piece}, "")
	}
	for i, c := range p.answer.Calls {
		good = good && p.chunk(members{"tool_calls": []any{members{"index": i, "id": c.ID, "type": "function", "function": members{"name": c.Function.Name, "arguments": ""}}}}, "")
		for _, piece := range p.pieces(c.Function.Arguments) {
			good = good && p.chunk(members{"tool_calls": []any{members{"index": i, "function": members{"arguments": piece}}}}, "")
		}
	}
	good = good && p.chunk(members{}, p.answer.Finish)
	if p.usage && !p.answer.NoUsage {
		b, _ := json.Marshal(members{"id": "mock", "choices": []any{}, "usage": p.tokens()}) // always marshals
		p.event(b)
	}
	p.event([]byte("[DONE]"))
	return good && p.flush()
}

// pieces cuts a text into chunks on rune borders.
func (p *player) pieces(s string) []string {
	size := p.mock.ChunkTokens * 4
	if size <= 0 {
		size = 16
	}
	var pieces []string
	for len(s) > 0 {
		n := min(size, len(s))
		for n < len(s) && !utf8.RuneStart(s[n]) {
			n++
		}
		pieces = append(pieces, s[:n])
		s = s[n:]
	}
	return pieces
}

// chunk adds a chunk, and writes it when the stream is paced.
func (p *player) chunk(delta members, finish string) bool {
	b, _ := json.Marshal(members{"id": "mock", "object": "chat.completion.chunk", "model": p.model, "choices": []any{p.choice("delta", delta, finish)}}) // always marshals
	p.event(b)
	p.sent++
	if p.answer.Cut > 0 && p.sent >= p.answer.Cut {
		p.flush()
		panic(http.ErrAbortHandler)
	}
	pace := p.answer.Pace
	if pace == 0 {
		pace = p.mock.Pace
	}
	return pace == 0 || p.flush() && p.wait(pace)
}

func (p *player) event(b []byte) {
	p.out = append(append(append(p.out, "data: "...), b...), "\n\n"...)
}

func (p *player) flush() bool {
	_, err := p.w.Write(p.out)
	p.out = p.out[:0]
	return err == nil && http.NewResponseController(p.w).Flush() == nil
}
