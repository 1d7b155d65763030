package messages

import (
	"encoding/json"
	"strconv"

	"outcrop"
	"outcrop/converse"
)

// An answer is a message of the model, or an error in its place.
type answer struct {
	Type       string        `json:"type"`
	Content    []answerBlock `json:"content"`
	StopReason string        `json:"stop_reason"`
	Usage      usage         `json:"usage"`
	Error      *wireError    `json:"error"`
}

// An answerBlock is a content block of an answer, with the members of the
// types that Converse has.
type answerBlock struct {
	Type      string          `json:"type"`
	Text      string          `json:"text"`
	Citations []Citation      `json:"citations"`
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Input     json.RawMessage `json:"input"`
	Thinking  string          `json:"thinking"`
	Signature string          `json:"signature"`
	Data      string          `json:"data"`
}

func failed(message string) *outcrop.Error {
	return outcrop.Errorf(outcrop.ModelFailed, "%s", message)
}

type wireError struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

// A Failure is an error as a server's body tells it.
type Failure struct {
	Message, Kind string
	Code          string // there is none in this form
}

// Error implements error.
func (f *Failure) Error() string { return f.Kind + ": " + f.Message }

func (e *wireError) failure() *Failure {
	return &Failure{Message: e.Message, Kind: e.Type}
}

// ReadFailure reads the body of an error; nil when it is none.
func ReadFailure(text []byte) *Failure {
	var told struct {
		Error *wireError `json:"error"`
	}
	if err := json.Unmarshal(text, &told); err != nil || told.Error == nil {
		return nil
	}
	return told.Error.failure()
}

// Decode reads a whole message. Its error is a *Failure when the text is one,
// and else of the kind ModelFailed.
func Decode(text []byte) (*converse.Response, error) {
	if f := ReadFailure(text); f != nil {
		return nil, f
	}
	var m answer
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, failed("The model's server answered with broken JSON. Tell the operator.").Because(err)
	}
	if m.Type != "message" || m.Content == nil {
		return nil, failed("The model's server answered without a message. Tell the operator.")
	}
	content := make([]converse.ContentBlock, 0, len(m.Content))
	for i := range m.Content {
		if b, ok := m.Content[i].block(); ok {
			content = append(content, b)
		}
	}
	return &converse.Response{
		Output:     converse.ConverseOutput{Message: &converse.Message{Role: "assistant", Content: content}},
		StopReason: stopReason(m.StopReason),
		Usage:      m.Usage.converse(),
	}, nil
}

// block is Converse's form of a block; not ok when Converse has none, as for
// what the server's own tools did.
func (b *answerBlock) block() (converse.ContentBlock, bool) {
	switch b.Type {
	case "text":
		if len(b.Citations) > 0 {
			return b.cited(), true
		}
		return converse.Text(b.Text), b.Text != ""
	case "tool_use":
		return converse.ContentBlock{ToolUse: &converse.ToolUseBlock{ToolUseId: b.ID, Name: b.Name, Input: b.input()}}, true
	case "thinking":
		return converse.ContentBlock{ReasoningContent: &converse.ReasoningContentBlock{
			ReasoningText: &converse.ReasoningTextBlock{Text: b.Thinking, Signature: b.Signature}}}, b.Thinking != "" || b.Signature != ""
	case "redacted_thinking":
		return converse.ContentBlock{ReasoningContent: &converse.ReasoningContentBlock{RedactedContent: converse.Base64(b.Data)}}, b.Data != ""
	}
	return converse.ContentBlock{}, false
}

func (b *answerBlock) input() json.RawMessage {
	if len(b.Input) == 0 || string(b.Input) == "null" {
		return json.RawMessage("{}")
	}
	return b.Input
}

func (b *answerBlock) cited() converse.ContentBlock {
	c := &converse.CitationsContentBlock{Content: []converse.CitationGeneratedContent{{Text: &b.Text}}}
	for i := range b.Citations {
		d := b.Citations[i].delta()
		to := converse.Citation{Title: d.Title, Source: d.Source, Location: d.Location}
		for j := range d.SourceContent {
			to.SourceContent = append(to.SourceContent, converse.CitationSourceContent{Text: &d.SourceContent[j].Text})
		}
		c.Citations = append(c.Citations, to)
	}
	return converse.ContentBlock{CitationsContent: c}
}

// stopReason is Converse's word for a stop_reason
// (reference/runtime-metering-billing.md §2.6). Most words are the same.
func stopReason(reason string) string {
	switch reason {
	case "end_turn", "tool_use", "max_tokens", "stop_sequence", "model_context_window_exceeded":
		return reason
	case "refusal":
		return "content_filtered"
	}
	return "end_turn" // pause_turn, and what is not known yet
}

// usage is what a server counted. Its kinds are disjoint, as Converse's are.
type usage struct {
	Input      count `json:"input_tokens"`
	Output     count `json:"output_tokens"`
	CacheRead  count `json:"cache_read_input_tokens"`
	CacheWrite count `json:"cache_creation_input_tokens"`
	Creation   struct {
		FiveMinutes count `json:"ephemeral_5m_input_tokens"`
		OneHour     count `json:"ephemeral_1h_input_tokens"`
	} `json:"cache_creation"`
}

// A count of tokens, where it is known. What is no count, or none that can be
// believed, is not known.
type count struct {
	n     outcrop.Tokens
	known bool
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *count) UnmarshalJSON(text []byte) error {
	const most = 1 << 40 // tokens; larger claims are not believed
	n, err := strconv.ParseUint(string(text), 10, 64)
	*c = count{outcrop.Tokens(n), err == nil && n <= most}
	return nil
}

// take replaces what later tells. Counts of a stream are cumulative: the last
// one holds, and adding them up would bill twice.
func (u *usage) take(later *usage) {
	for _, c := range []struct{ to, from *count }{
		{&u.Input, &later.Input}, {&u.Output, &later.Output},
		{&u.CacheRead, &later.CacheRead}, {&u.CacheWrite, &later.CacheWrite},
		{&u.Creation.FiveMinutes, &later.Creation.FiveMinutes}, {&u.Creation.OneHour, &later.Creation.OneHour},
	} {
		if c.from.known {
			*c.to = *c.from
		}
	}
}

// tell notes what is known before the end: an answer that is cut is billed by
// it. Its cache writes are in the same terms as those of the whole.
func (u *usage) tell(a outcrop.Attempt) {
	if a.Told == nil || !u.Input.known {
		return
	}
	so := *u
	so.Output = count{known: true}
	seen := so.counted()
	for k, n := range seen.All() {
		if k != outcrop.OutputTokens {
			a.Told.Seen.Set(k, n)
		}
	}
}

// converse is nil unless input and output are known: half a usage is none.
func (u *usage) converse() *converse.TokenUsage {
	if !u.Input.known || !u.Output.known {
		return nil
	}
	told := converse.UsageOf(u.counted())
	return &told
}

// counted is u by kind.
func (u *usage) counted() (t outcrop.Usage) {
	t.Set(outcrop.InputTokens, u.Input.n)
	t.Set(outcrop.OutputTokens, u.Output.n)
	if u.CacheRead.known {
		t.Set(outcrop.CacheReadTokens, u.CacheRead.n)
	}
	short, long := u.Creation.FiveMinutes, u.Creation.OneHour
	if u.CacheWrite.known && u.CacheWrite.n > short.n+long.n { // lifetime not told: the default
		short = count{u.CacheWrite.n - long.n, true}
	}
	if long.known {
		t.Set(outcrop.CacheWrite1hTokens, long.n)
	}
	if short.known || u.CacheWrite.known && !long.known {
		t.Set(outcrop.CacheWrite5mTokens, short.n)
	}
	return t
}
