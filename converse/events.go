package converse

import (
	"encoding/json"
	"iter"
)

// roleAssistant is who speaks in an answer.
const roleAssistant = "assistant"

// Text is a content block that holds s.
func Text(s string) ContentBlock { return ContentBlock{Text: &s} }

// Events tells the answer as a stream would: messageStart; for each block a
// start (tools and images only), its deltas and a stop; messageStop; and one
// metadata event, last (reference/runtime-metering-billing.md §1.8).
//
// Blocks that a stream has no delta for (documents, video, cache points) are
// left out, and so are a tool result's pictures.
func (v *Response) Events() iter.Seq[Event] {
	return func(yield func(Event) bool) {
		t := teller{yield: yield}
		t.message(v.Output.Message)
		t.send(Event{MessageStop: &MessageStopEvent{v.StopReason, v.AdditionalModelResponseFields}})
		t.send(Event{Metadata: v.metadata()})
	}
}

func (v *Response) metadata() *ConverseStreamMetadataEvent {
	m := &ConverseStreamMetadataEvent{
		Usage: v.Usage, Metrics: ConverseStreamMetrics(v.Metrics),
		PerformanceConfig: v.PerformanceConfig, ServiceTier: v.ServiceTier,
	}
	if v.Trace != nil {
		m.Trace = (*ConverseStreamTrace)(v.Trace)
	}
	return m
}

// A teller sends the events of one answer until the listener has had enough.
type teller struct {
	yield func(Event) bool
	gone  bool
	index int64
}

func (t *teller) send(e Event) {
	t.gone = t.gone || !t.yield(e)
}

func (t *teller) message(m *Message) {
	if m == nil {
		m = &Message{Role: roleAssistant}
	}
	t.send(Event{MessageStart: &MessageStartEvent{m.Role}})
	for i := range m.Content {
		if t.block(&m.Content[i]) {
			t.send(Event{ContentBlockStop: &ContentBlockStopEvent{t.index}})
			t.index++
		}
	}
}

func (t *teller) start(s ContentBlockStart) {
	t.send(Event{ContentBlockStart: &ContentBlockStartEvent{s, t.index}})
}

func (t *teller) delta(d ContentBlockDelta) {
	t.send(Event{ContentBlockDelta: &ContentBlockDeltaEvent{d, t.index}})
}

// block tells a block but for its stop, and says whether a stream has it.
func (t *teller) block(b *ContentBlock) bool {
	switch {
	case b.Text != nil:
		t.delta(ContentBlockDelta{Text: b.Text})
	case b.ToolUse != nil:
		u := b.ToolUse
		t.start(ContentBlockStart{ToolUse: &ToolUseBlockStart{u.ToolUseId, u.Name, u.Type}})
		t.delta(ContentBlockDelta{ToolUse: &ToolUseBlockDelta{Input: string(orEmptyObject(u.Input))}})
	case b.ToolResult != nil:
		t.result(b.ToolResult)
	case b.ReasoningContent != nil:
		t.reasoning(b.ReasoningContent)
	case b.CitationsContent != nil:
		t.citations(b.CitationsContent)
	case b.Image != nil:
		t.start(ContentBlockStart{Image: &ImageBlockStart{b.Image.Format}})
		t.delta(ContentBlockDelta{Image: &ImageBlockDelta{&b.Image.Source, b.Image.Error}})
	default:
		return false
	}
	return true
}

func orEmptyObject(doc json.RawMessage) json.RawMessage {
	if len(doc) == 0 {
		return json.RawMessage("{}")
	}
	return doc
}

func (t *teller) result(r *ToolResultBlock) {
	t.start(ContentBlockStart{ToolResult: &ToolResultBlockStart{r.ToolUseId, r.Type, r.Status}})
	deltas := []ToolResultBlockDelta{}
	for i := range r.Content {
		if c := &r.Content[i]; c.Text != nil || c.Json != nil {
			deltas = append(deltas, ToolResultBlockDelta{c.Text, c.Json})
		}
	}
	t.delta(ContentBlockDelta{ToolResult: deltas})
}

// reasoning sends the signature as a delta of its own, after the text.
func (t *teller) reasoning(r *ReasoningContentBlock) {
	if r.ReasoningText == nil {
		t.delta(ContentBlockDelta{ReasoningContent: &ReasoningContentBlockDelta{RedactedContent: r.RedactedContent}})
		return
	}
	t.delta(ContentBlockDelta{ReasoningContent: &ReasoningContentBlockDelta{Text: &r.ReasoningText.Text}})
	if r.ReasoningText.Signature != "" {
		t.delta(ContentBlockDelta{ReasoningContent: &ReasoningContentBlockDelta{Signature: &r.ReasoningText.Signature}})
	}
}

// citations sends the cited text and then its citations, in one block.
func (t *teller) citations(c *CitationsContentBlock) {
	for i := range c.Content {
		t.delta(ContentBlockDelta{Text: c.Content[i].Text})
	}
	for i := range c.Citations {
		from := &c.Citations[i]
		to := &CitationsDelta{Title: from.Title, Source: from.Source, Location: from.Location}
		for j := range from.SourceContent {
			to.SourceContent = append(to.SourceContent, CitationSourceContentDelta{deref(from.SourceContent[j].Text)})
		}
		t.delta(ContentBlockDelta{Citation: to})
	}
}

// padding is what Bedrock cuts its padding from.
const padding = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// Padding is the first n characters, 62 at most, of the text that Bedrock pads
// stream payloads with.
func Padding(n int) string { return padding[:min(max(n, 0), len(padding))] }

// AppendPadded appends the payload with a member "p" of n characters, so that
// the sizes of encrypted frames do not tell what words they carry. Real Bedrock
// does so with a random n; clients ignore the member.
func (v *Event) AppendPadded(dst []byte, n int) []byte {
	start := len(dst)
	dst = append(append(append(dst, `{"p":"`...), Padding(n)...), '"')
	body := len(dst)
	dst = v.AppendPayload(dst)
	if string(dst[body:]) == "{}" {
		return append(dst[:body], '}')
	}
	if dst[start] == '{' && dst[body] == '{' {
		dst[body] = ','
	}
	return dst
}
