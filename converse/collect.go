package converse

import (
	"cmp"
	"encoding/json"
	"iter"
	"slices"

	"outcrop"
	"outcrop/internal/jsonlex"
)

// Limits of an answer that is put together from a stream.
const (
	maxCollectedBytes  = 64 << 20
	maxCollectedBlocks = 1 << 14
)

// Collect puts a stream together to the response that Converse would have
// given. A stream that breaks, or ends before its messageStop, is an error; one
// without metadata gives a response without Usage, for the gateway to estimate.
func Collect(events iter.Seq2[Event, error]) (*Response, error) {
	var c Collector
	for e, err := range events {
		if err == nil {
			err = c.Add(e)
		}
		if err != nil {
			return nil, err
		}
	}
	return c.Response()
}

// A Collector puts a response together from events given one by one. Its zero
// value is ready.
type Collector struct {
	role   string
	blocks []*collected // in the order of their indices
	stop   *MessageStopEvent
	meta   *ConverseStreamMetadataEvent
	bytes  int
}

// A collected block grows with its deltas.
type collected struct {
	index     int64
	start     ContentBlockStart
	text      []byte // of a text block, of reasoning, or a tool's input
	hasText   bool
	reasoning bool
	signature string
	redacted  []Base64
	citations []Citation
	results   []ToolResultContentBlock
	image     ImageBlock
}

// Add takes the next event. An event of no known type is ignored.
func (c *Collector) Add(e Event) error {
	switch {
	case e.MessageStart != nil:
		c.role = e.MessageStart.Role
	case e.ContentBlockStart != nil:
		c.block(e.ContentBlockStart.ContentBlockIndex).start = e.ContentBlockStart.Start
	case e.ContentBlockDelta != nil:
		c.block(e.ContentBlockDelta.ContentBlockIndex).add(&e.ContentBlockDelta.Delta, &c.bytes)
	case e.ContentBlockStop != nil:
		c.block(e.ContentBlockStop.ContentBlockIndex)
	case e.MessageStop != nil:
		c.stop = e.MessageStop
	case e.Metadata != nil:
		c.meta = e.Metadata
	}
	switch {
	case c.bytes > maxCollectedBytes:
		return outcrop.Errorf(outcrop.StreamFailed, "The model's answer is longer than %d bytes.", maxCollectedBytes)
	case len(c.blocks) > maxCollectedBlocks:
		return outcrop.Errorf(outcrop.StreamFailed, "The model's answer has more than %d content blocks.", maxCollectedBlocks)
	}
	return nil
}

// block finds the block of an index, or makes it: text has no start event.
func (c *Collector) block(index int64) *collected {
	if n := len(c.blocks); n > 0 && c.blocks[n-1].index == index {
		return c.blocks[n-1]
	}
	i, found := slices.BinarySearchFunc(c.blocks, index, func(b *collected, at int64) int { return cmp.Compare(b.index, at) })
	if !found {
		c.blocks = slices.Insert(c.blocks, i, &collected{index: index})
	}
	return c.blocks[i]
}

func (b *collected) add(d *ContentBlockDelta, size *int) {
	switch {
	case d.Text != nil:
		b.append(*d.Text, size)
	case d.ToolUse != nil:
		b.append(d.ToolUse.Input, size)
	case d.ToolResult != nil:
		for _, r := range d.ToolResult {
			b.results = append(b.results, ToolResultContentBlock{Text: r.Text, Json: r.Json})
			*size += len(deref(r.Text)) + len(r.Json)
		}
	case d.ReasoningContent != nil:
		b.addReasoning(d.ReasoningContent, size)
	case d.Citation != nil:
		b.citations = append(b.citations, citation(d.Citation))
		*size += 512 // about what one takes
	case d.Image != nil:
		b.addImage(d.Image, size)
	}
}

func (b *collected) append(text string, size *int) {
	b.text, b.hasText = append(b.text, text...), true
	*size += len(text)
}

func (b *collected) addReasoning(r *ReasoningContentBlockDelta, size *int) {
	b.reasoning = true
	switch {
	case r.Text != nil:
		b.append(*r.Text, size)
	case r.Signature != nil:
		b.signature += *r.Signature
		*size += len(*r.Signature)
	case r.RedactedContent != nil:
		b.redacted = append(b.redacted, r.RedactedContent)
		*size += len(r.RedactedContent)
	}
}

func (b *collected) addImage(d *ImageBlockDelta, size *int) {
	if d.Source != nil {
		b.image.Source = *d.Source
		*size += len(d.Source.Bytes)
	}
	if d.Error != nil {
		b.image.Error = d.Error
	}
}

func citation(d *CitationsDelta) Citation {
	c := Citation{Title: d.Title, Source: d.Source, Location: d.Location}
	for i := range d.SourceContent {
		c.SourceContent = append(c.SourceContent, CitationSourceContent{Text: &d.SourceContent[i].Text})
	}
	return c
}

// Response is what the events came to. It may be asked once, at the end.
func (c *Collector) Response() (*Response, error) {
	if c.stop == nil {
		return nil, outcrop.Errorf(outcrop.StreamFailed, "The model's answer ended before it was complete.")
	}
	if c.role == "" {
		c.role = roleAssistant
	}
	r := &Response{
		Output:                        ConverseOutput{Message: &Message{Role: c.role, Content: []ContentBlock{}}},
		StopReason:                    c.stop.StopReason,
		AdditionalModelResponseFields: c.stop.AdditionalModelResponseFields,
	}
	for _, b := range c.blocks {
		block, err := b.block()
		if err != nil {
			return nil, err
		}
		r.Output.Message.Content = append(r.Output.Message.Content, block)
	}
	if m := c.meta; m != nil {
		r.Usage, r.Metrics = m.Usage, ConverseMetrics(m.Metrics)
		r.PerformanceConfig, r.ServiceTier = m.PerformanceConfig, m.ServiceTier
		r.Trace = (*ConverseTrace)(m.Trace)
	}
	return r, nil
}

// block is the content block that b came to.
func (b *collected) block() (ContentBlock, error) {
	switch {
	case b.start.ToolUse != nil:
		u := b.start.ToolUse
		return ContentBlock{ToolUse: &ToolUseBlock{ToolUseId: u.ToolUseId, Name: u.Name, Type: u.Type, Input: toolInput(b.text)}}, nil
	case b.start.ToolResult != nil:
		r := b.start.ToolResult
		content := b.results
		if content == nil {
			content = []ToolResultContentBlock{}
		}
		return ContentBlock{ToolResult: &ToolResultBlock{ToolUseId: r.ToolUseId, Content: content, Status: r.Status, Type: r.Type}}, nil
	case b.start.Image != nil:
		image := b.image
		image.Format = b.start.Image.Format
		return ContentBlock{Image: &image}, nil
	case b.reasoning:
		return b.reasoningBlock()
	case len(b.citations) > 0:
		return ContentBlock{CitationsContent: b.cited()}, nil
	}
	return Text(string(b.text)), nil
}

func (b *collected) cited() *CitationsContentBlock {
	c := &CitationsContentBlock{Citations: b.citations}
	if b.hasText {
		text := string(b.text)
		c.Content = []CitationGeneratedContent{{Text: &text}}
	}
	return c
}

func (b *collected) reasoningBlock() (ContentBlock, error) {
	if b.hasText || b.signature != "" {
		return ContentBlock{ReasoningContent: &ReasoningContentBlock{ReasoningText: &ReasoningTextBlock{string(b.text), b.signature}}}, nil
	}
	redacted := Base64{}
	if len(b.redacted) == 1 {
		redacted = b.redacted[0]
	} else {
		var whole []byte // base64 texts cannot be joined: each may be padded
		for _, part := range b.redacted {
			bytes, err := part.Bytes()
			if err != nil {
				return ContentBlock{}, outcrop.Errorf(outcrop.StreamFailed, "The model's redacted reasoning is not base64.").Because(err)
			}
			whole = append(whole, bytes...)
		}
		redacted = append(redacted, Encode64(whole)...)
	}
	return ContentBlock{ReasoningContent: &ReasoningContentBlock{RedactedContent: redacted}}, nil
}

// toolInput makes a document of a tool's input, which arrives as pieces of JSON
// text. No pieces mean no arguments. What a token limit cut short is no JSON;
// it is kept as a string, so that the answer stays readable and nothing is lost.
func toolInput(text []byte) json.RawMessage {
	switch {
	case len(text) == 0:
		return json.RawMessage("{}")
	case json.Valid(text):
		return text
	}
	return jsonlex.AppendString(nil, string(text))
}
