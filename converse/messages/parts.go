package messages

import (
	"encoding/json"
	"strings"

	"outcrop/converse"
)

// A block is a content block of a request, with the members of all its types.
type block struct {
	Type         string          `json:"type"`
	Text         *string         `json:"text,omitempty"`
	Source       any             `json:"source,omitempty"` // a source, or the text that says where a search result is from
	Title        string          `json:"title,omitempty"`
	Context      string          `json:"context,omitempty"`
	Citations    any             `json:"citations,omitempty"` // whether to cite, or what is cited
	ID           string          `json:"id,omitempty"`
	Name         string          `json:"name,omitempty"`
	Input        json.RawMessage `json:"input,omitempty"`
	ToolUseID    string          `json:"tool_use_id,omitempty"`
	Content      []*block        `json:"content,omitempty"`
	IsError      bool            `json:"is_error,omitempty"`
	Thinking     *string         `json:"thinking,omitempty"`
	Signature    string          `json:"signature,omitempty"`
	Data         string          `json:"data,omitempty"`
	CacheControl *cacheControl   `json:"cache_control,omitempty"`
}

type citations struct {
	Enabled bool `json:"enabled"`
}

// A source is where the bytes or the text of a block are.
type source struct {
	Type      string   `json:"type"` // base64, text or content
	MediaType string   `json:"media_type,omitempty"`
	Data      string   `json:"data,omitempty"`
	Content   []*block `json:"content,omitempty"`
}

func textBlock(text string) *block { return &block{Type: "text", Text: &text} }

// hold makes b the block that a cache point after it marks.
func (e *encoder) hold(b *block) *block {
	e.last = &b.CacheControl
	return b
}

// block writes a block of a turn, nil when it adds none.
func (e *encoder) block(b *converse.ContentBlock) (*block, error) {
	if b.CachePoint != nil {
		e.cache(b.CachePoint)
		return nil, nil
	}
	if b.ReasoningContent != nil {
		return reasoning(b.ReasoningContent), nil // it cannot hold a cache point
	}
	written, err := e.content(b)
	if written != nil {
		e.hold(written)
	}
	return written, err
}

func (e *encoder) content(b *converse.ContentBlock) (*block, error) {
	switch {
	case b.Text != nil:
		return textBlock(*b.Text), nil
	case b.Image != nil:
		return image(b.Image.Format, b.Image.Source.Bytes, b.Image.Source.S3Location)
	case b.Document != nil:
		return document(b.Document)
	case b.ToolUse != nil:
		return toolUse(b.ToolUse)
	case b.ToolResult != nil:
		return toolResult(b.ToolResult)
	case b.GuardContent != nil:
		return guarded(b.GuardContent)
	case b.SearchResult != nil:
		return searchResult(b.SearchResult), nil
	case b.CitationsContent != nil:
		return e.cited(b.CitationsContent), nil
	case b.Video != nil:
		return nil, unsupported("video")
	case b.Audio != nil:
		return nil, unsupported("audio")
	}
	return nil, nil
}

func unsupported(field string) error {
	return invalid("This model doesn't support the %s field. Remove %s and try again.", field, field)
}

func fromS3(field string) error {
	return invalid("This model doesn't support S3 locations in the %s field. Send the bytes and try again.", field)
}

// reasoning writes a thought. The server refuses one without its signature,
// which other models' thoughts have not, so that is left out.
func reasoning(r *converse.ReasoningContentBlock) *block {
	switch {
	case r.ReasoningText == nil:
		return &block{Type: "redacted_thinking", Data: string(r.RedactedContent)}
	case r.ReasoningText.Signature == "":
		return nil
	}
	return &block{Type: "thinking", Thinking: &r.ReasoningText.Text, Signature: r.ReasoningText.Signature}
}

func image(format string, bytes converse.Base64, s3 *converse.S3Location) (*block, error) {
	if s3 != nil {
		return nil, fromS3("image")
	}
	return &block{Type: "image", Source: &source{Type: "base64", MediaType: "image/" + format, Data: string(bytes)}}, nil
}

func guarded(g *converse.GuardrailConverseContentBlock) (*block, error) {
	switch {
	case g.Text != nil:
		return textBlock(g.Text.Text), nil
	case g.Image != nil:
		return image(g.Image.Format, g.Image.Source.Bytes, nil)
	}
	return nil, nil
}

func document(d *converse.DocumentBlock) (*block, error) {
	from, err := documentSource(d)
	if err != nil {
		return nil, err
	}
	b := &block{Type: "document", Source: from, Title: d.Name, Context: d.Context}
	if d.Citations != nil {
		b.Citations = citations{Enabled: d.Citations.Enabled}
	}
	return b, nil
}

func documentSource(d *converse.DocumentBlock) (*source, error) {
	switch {
	case d.Source.S3Location != nil:
		return nil, fromS3("document")
	case d.Source.Text != nil:
		return plainText(*d.Source.Text), nil
	case d.Source.Content != nil:
		from := &source{Type: "content"}
		for i := range d.Source.Content {
			if t := d.Source.Content[i].Text; t != nil {
				from.Content = append(from.Content, textBlock(*t))
			}
		}
		return from, nil
	}
	switch d.Format {
	case "pdf":
		return &source{Type: "base64", MediaType: "application/pdf", Data: string(d.Source.Bytes)}, nil
	case "txt", "md", "csv", "html":
		text, err := d.Source.Bytes.Bytes()
		if err != nil {
			return nil, invalid("The bytes in the document field are not base64. Correct them and try again.")
		}
		return plainText(strings.ToValidUTF8(string(text), "\uFFFD")), nil
	}
	return nil, invalid("This model doesn't support documents in the format %s. Send it as pdf, txt, md, csv or html and try again.", d.Format)
}

func plainText(text string) *source {
	return &source{Type: "text", MediaType: "text/plain", Data: text}
}

func toolUse(t *converse.ToolUseBlock) (*block, error) {
	input := t.Input
	if len(input) == 0 {
		input = json.RawMessage("{}")
	}
	if !json.Valid(input) {
		return nil, invalid("The input of the tool call %s is not JSON. Correct it and try again.", t.ToolUseId)
	}
	return &block{Type: "tool_use", ID: toolID(t.ToolUseId), Name: t.Name, Input: input}, nil
}

func toolResult(r *converse.ToolResultBlock) (*block, error) {
	b := &block{Type: "tool_result", ToolUseID: toolID(r.ToolUseId), IsError: r.Status == "error"}
	for i := range r.Content {
		c, err := resultContent(&r.Content[i])
		if err != nil {
			return nil, err
		}
		if c != nil {
			b.Content = append(b.Content, c)
		}
	}
	return b, nil
}

func resultContent(c *converse.ToolResultContentBlock) (*block, error) {
	switch {
	case c.Text != nil:
		return textBlock(*c.Text), nil
	case len(c.Json) > 0:
		return textBlock(string(c.Json)), nil
	case c.Image != nil:
		return image(c.Image.Format, c.Image.Source.Bytes, c.Image.Source.S3Location)
	case c.Document != nil:
		return document(c.Document)
	case c.SearchResult != nil:
		return searchResult(c.SearchResult), nil
	case c.Video != nil:
		return nil, unsupported("video")
	}
	return nil, nil
}

func searchResult(r *converse.SearchResultBlock) *block {
	b := &block{Type: "search_result", Source: r.Source, Title: r.Title}
	for i := range r.Content {
		b.Content = append(b.Content, textBlock(r.Content[i].Text))
	}
	if r.Citations != nil {
		b.Citations = citations{Enabled: r.Citations.Enabled}
	}
	return b
}

// cited writes what the assistant said with citations. What it cited is in the
// conversation already, so that only the whole form says it again.
func (e *encoder) cited(c *converse.CitationsContentBlock) *block {
	var text strings.Builder
	for i := range c.Content {
		if t := c.Content[i].Text; t != nil {
			text.WriteString(*t)
		}
	}
	b := textBlock(text.String())
	if e.whole && len(c.Citations) > 0 {
		from := make([]Citation, len(c.Citations))
		for i := range c.Citations {
			from[i] = CitationOf(DeltaOf(&c.Citations[i]))
		}
		b.Citations = from
	}
	return b
}
