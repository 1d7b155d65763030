package upstreamtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
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
	p.out = append(p.out, `{"id":"mock","object":"chat.completion","model":`+quote(p.model)+`,"choices":[`...)
	p.choice("message", p.whole(), p.answer.Finish)
	p.out = append(p.out, `],"usage":`+p.tokens()+`}`...)
	_, err := p.w.Write(p.out)
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

// quote writes s as JSON.
func quote(s string) string {
	b, _ := json.Marshal(s) // strings always marshal
	return string(b)
}

// choice adds a choice that says said, which is JSON. Benchmarks stand on the
// mock, so it appends and does not reflect.
func (p *player) choice(name, said, finish string) {
	p.out = append(p.out, `{"index":0,"`+name+`":`+said+`,"finish_reason":`...)
	if finish == "" {
		p.out = append(p.out, "null}"...)
		return
	}
	p.out = append(p.out, quote(finish)...)
	if p.answer.Matched != "" {
		p.out = append(p.out, `,"stop_reason":`+quote(p.answer.Matched)...)
	}
	p.out = append(p.out, '}')
}

func (p *player) whole() string {
	said := `{"role":"assistant","content":` + quote(p.answer.Text)
	if p.answer.Reasoning != "" {
		said += `,"reasoning_content":` + quote(p.answer.Reasoning)
	}
	calls := make([]string, len(p.answer.Calls))
	for i, c := range p.answer.Calls {
		calls[i] = p.call(i, c, c.Function.Arguments)
	}
	if len(calls) > 0 {
		said += `,"tool_calls":[` + strings.Join(calls, ",") + "]"
	}
	return said + "}"
}

func (p *player) call(i int, c MockCall, arguments string) string {
	return `{"index":` + strconv.Itoa(i) + `,"id":` + quote(c.ID) + `,"type":"function","function":{"name":` + quote(c.Function.Name) + `,"arguments":` + quote(arguments) + `}}`
}

func (p *player) tokens() string {
	if p.answer.NoUsage {
		return "null"
	}
	return fmt.Sprintf(`{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,"prompt_tokens_details":{"cached_tokens":%d}}`,
		p.answer.Prompt, p.answer.Completion, p.answer.Prompt+p.answer.Completion, p.answer.Cached)
}

// stream writes chunks as vLLM does: the role, the pieces, the finish, the
// usage, [DONE].
func (p *player) stream() bool {
	p.w.Header().Set("Content-Type", "text/event-stream")
	good := p.chunk(`{"role":"assistant","content":""}`, "")
	for _, piece := range p.pieces(p.answer.Reasoning) {
		good = good && p.chunk(`{"reasoning_content":`+quote(piece)+`}`, "")
	}
	for _, piece := range p.pieces(p.answer.Text) {
		good = good && p.chunk(`{"content":`+quote(piece)+`}`, "")
	}
	for i, c := range p.answer.Calls {
		good = good && p.chunk(`{"tool_calls":[`+p.call(i, c, "")+`]}`, "")
		for _, piece := range p.pieces(c.Function.Arguments) {
			good = good && p.chunk(`{"tool_calls":[{"index":`+strconv.Itoa(i)+`,"function":{"arguments":`+quote(piece)+`}}]}`, "")
		}
	}
	good = good && p.chunk("{}", p.answer.Finish)
	if p.usage && !p.answer.NoUsage {
		p.out = append(p.out, `data: {"id":"mock","choices":[],"usage":`+p.tokens()+"}\n\n"...)
	}
	p.out = append(p.out, "data: [DONE]\n\n"...)
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
func (p *player) chunk(delta, finish string) bool {
	p.out = append(p.out, `data: {"id":"mock","object":"chat.completion.chunk","model":`+quote(p.model)+`,"choices":[`...)
	p.choice("delta", delta, finish)
	p.out = append(p.out, "]}\n\n"...)
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

func (p *player) flush() bool {
	_, err := p.w.Write(p.out)
	p.out = p.out[:0]
	return err == nil && http.NewResponseController(p.w).Flush() == nil
}
