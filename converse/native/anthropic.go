package native

import (
	"bytes"
	"encoding/json"
	"strings"

	"outcrop/converse"
	"outcrop/internal/jsonlex"
)

// anthropic is the Messages format (reference/runtime-metering-billing.md
// §2.1, §2.6).
type anthropic struct{}

type anthropicMessage struct {
	Role    string           `json:"role"`
	Content anthropicContent `json:"content"`
}

// An anthropicBlock is a content block of either direction, with the members
// of all its types.
type anthropicBlock struct {
	Type         string           `json:"type"`
	Text         *string          `json:"text,omitempty"`
	Source       *anthropicSource `json:"source,omitempty"`
	ID           string           `json:"id,omitempty"`
	Name         string           `json:"name,omitempty"`
	Input        json.RawMessage  `json:"input,omitempty"`
	ToolUseID    string           `json:"tool_use_id,omitempty"`
	Content      anthropicContent `json:"content,omitempty"`
	IsError      bool             `json:"is_error,omitempty"`
	Thinking     *string          `json:"thinking,omitempty"`
	Signature    string           `json:"signature,omitempty"`
	RawData      string           `json:"data,omitempty"`
	Title        string           `json:"title,omitempty"`
	Context      string           `json:"context,omitempty"`
	Citations    json.RawMessage  `json:"citations,omitempty"` // {enabled} of a document, what is cited of a text
	CacheControl *anthropicCache  `json:"cache_control,omitempty"`
}

type anthropicSource struct {
	Type      string `json:"type"`
	MediaType string `json:"media_type"`
	Data      string `json:"data"`
	URL       string `json:"url"`
}

type anthropicCache struct {
	Type string `json:"type"`
	TTL  string `json:"ttl,omitempty"`
}

// anthropicContent is a list of blocks, or a string that stands for one text.
type anthropicContent []anthropicBlock

func (c *anthropicContent) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*c = anthropicContent{{Type: "text", Text: &s}}
		return nil
	}
	return strictly(b, (*[]anthropicBlock)(c))
}

// strictly is json.Unmarshal that refuses members it has no place for: what is
// inside a message cannot be carried beside it.
func strictly(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

type anthropicTool struct {
	Type         string          `json:"type"`
	Name         string          `json:"name"`
	Description  string          `json:"description"`
	InputSchema  json.RawMessage `json:"input_schema"`
	Strict       *bool           `json:"strict"`
	CacheControl *anthropicCache `json:"cache_control"`

	members int // there are
}

// UnmarshalJSON counts the members, to notice those that have no field.
func (t *anthropicTool) UnmarshalJSON(b []byte) error {
	var all map[string]json.RawMessage
	type plain anthropicTool
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	err := json.Unmarshal(b, (*plain)(t))
	for _, known := range []string{"type", "name", "description", "input_schema", "strict", "cache_control"} {
		delete(all, known)
	}
	t.members = len(all)
	return err
}

// more says whether the tool has members that Converse's have no place for, or
// is of a type of Anthropic's own.
func (t *anthropicTool) more() bool { return t.members > 0 || t.Type != "" && t.Type != "custom" }

func (anthropic) Decode(body []byte) (*converse.Request, error) {
	f, messages, quick := quickBody(body)
	if !quick {
		var err error
		if f, err = parse(body); err != nil {
			return nil, err
		}
	}
	for _, key := range []string{"anthropic_version", "max_tokens", "messages"} {
		if _, ok := f[key]; !ok && !(key == "messages" && quick && messages != nil) {
			return nil, missingKey("#", key)
		}
	}
	f.drop("anthropic_version", "model", "stream")
	r := &converse.Request{InferenceConfig: new(converse.InferenceConfiguration)}
	var system anthropicContent
	err := f.takeAll(map[string]any{
		"messages": strict{&messages}, "system": &system,
		"max_tokens": &r.InferenceConfig.MaxTokens, "temperature": &r.InferenceConfig.Temperature,
		"top_p": &r.InferenceConfig.TopP, "stop_sequences": &r.InferenceConfig.StopSequences,
	})
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		content, err := readBlocks(m.Content)
		if err != nil {
			return nil, err
		}
		r.Messages = append(r.Messages, converse.Message{Role: m.Role, Content: content})
	}
	if err := readSystem(r, system); err != nil {
		return nil, err
	}
	if err := readTools(r, f); err != nil {
		return nil, err
	}
	r.AdditionalModelRequestFields = f.rest()
	return r, nil
}

func readSystem(r *converse.Request, system anthropicContent) error {
	for _, b := range system {
		if b.Type != "text" || b.Text == nil {
			return malformed("#/system: only text blocks are permitted, found %q", b.Type)
		}
		r.System = append(r.System, converse.SystemContentBlock{Text: b.Text})
		if point := b.CacheControl.point(); point != nil {
			r.System = append(r.System, converse.SystemContentBlock{CachePoint: point})
		}
	}
	return nil
}

func readTools(r *converse.Request, f fields) error {
	var tools []anthropicTool
	if _, ok := f["tools"]; !ok {
		f.drop("tool_choice")
		return nil
	}
	raw := f["tools"]
	if _, err := f.take("tools", &tools); err != nil {
		return err
	}
	config := new(converse.ToolConfiguration)
	for _, t := range tools {
		if t.InputSchema == nil || t.more() { // Anthropic's own: carried whole, since the model's family knows it
			f["tools"] = raw
			return nil
		}
		config.Tools = append(config.Tools, converse.Tool{ToolSpec: &converse.ToolSpecification{
			Name: t.Name, Description: t.Description, InputSchema: converse.ToolInputSchema{Json: t.InputSchema}, Strict: t.Strict,
		}})
		if point := t.CacheControl.point(); point != nil {
			config.Tools = append(config.Tools, converse.Tool{CachePoint: point})
		}
	}
	var choice struct {
		Type, Name string
		Alone      bool `json:"disable_parallel_tool_use"`
	}
	chosen := f["tool_choice"]
	if _, err := f.take("tool_choice", strict{&choice}); err != nil {
		return err
	}
	r.ToolConfig = config
	if choice.Alone || choice.Type == "none" { // Converse has no word for these
		f["tool_choice"] = chosen
		return nil
	}
	switch choice.Type {
	case "auto":
		config.ToolChoice = &converse.ToolChoice{Auto: new(converse.AutoToolChoice)}
	case "any":
		config.ToolChoice = &converse.ToolChoice{Any: new(converse.AnyToolChoice)}
	case "tool":
		config.ToolChoice = &converse.ToolChoice{Tool: &converse.SpecificToolChoice{Name: choice.Name}}
	}
	return nil
}

// point is the cachePoint that stands after a block with cache_control.
func (c *anthropicCache) point() *converse.CachePointBlock {
	if c == nil {
		return nil
	}
	return &converse.CachePointBlock{Type: "default", Ttl: c.TTL}
}

func readBlocks(blocks anthropicContent) ([]converse.ContentBlock, error) {
	var out []converse.ContentBlock
	for _, b := range blocks {
		block, err := readBlock(&b)
		if err != nil {
			return nil, err
		}
		out = append(out, block)
		if point := b.CacheControl.point(); point != nil {
			out = append(out, converse.ContentBlock{CachePoint: point})
		}
	}
	return out, nil
}

func readBlock(b *anthropicBlock) (converse.ContentBlock, error) {
	switch b.Type {
	case "text":
		if b.Text == nil {
			return converse.ContentBlock{}, missingKey("#/messages/content", "text")
		}
		if wanted(b.Citations) {
			return readCited(b)
		}
		return converse.ContentBlock{Text: b.Text}, nil
	case "image":
		image, err := readImage(b.Source)
		return converse.ContentBlock{Image: image}, err
	case "document":
		document, err := readDocument(b)
		return converse.ContentBlock{Document: document}, err
	case "tool_use":
		return converse.ContentBlock{ToolUse: &converse.ToolUseBlock{ToolUseId: b.ID, Name: b.Name, Input: orEmptyObject(b.Input)}}, nil
	case "tool_result":
		result, err := readToolResult(b)
		return converse.ContentBlock{ToolResult: result}, err
	case "thinking":
		text := &converse.ReasoningTextBlock{Signature: b.Signature}
		if b.Thinking != nil {
			text.Text = *b.Thinking
		}
		return converse.ContentBlock{ReasoningContent: &converse.ReasoningContentBlock{ReasoningText: text}}, nil
	case "redacted_thinking":
		return converse.ContentBlock{ReasoningContent: &converse.ReasoningContentBlock{RedactedContent: converse.Base64(b.RawData)}}, nil
	}
	return converse.ContentBlock{}, malformed("#/messages/content/type: %q is not a valid enum value", b.Type)
}

func readImage(s *anthropicSource) (*converse.ImageBlock, error) {
	if s == nil || s.Type != "base64" {
		return nil, malformed("#/messages/content/source: only base64 images are permitted")
	}
	format, ok := strings.CutPrefix(s.MediaType, "image/")
	if !ok {
		return nil, malformed("#/messages/content/source/media_type: %q is not an image", s.MediaType)
	}
	return &converse.ImageBlock{Format: format, Source: converse.ImageSource{Bytes: jsonlex.Bytes(s.Data)}}, nil
}

func readDocument(b *anthropicBlock) (*converse.DocumentBlock, error) {
	d := &converse.DocumentBlock{Name: b.Title, Context: b.Context}
	if d.Name == "" {
		d.Name = "document"
	}
	if wanted(b.Citations) {
		var c struct {
			Enabled bool `json:"enabled"`
		}
		if err := strictly(b.Citations, &c); err != nil {
			return nil, malformed("#/messages/content/citations: %s", plain(err))
		}
		d.Citations = &converse.CitationsConfig{Enabled: c.Enabled}
	}
	switch {
	case b.Source == nil:
		return nil, missingKey("#/messages/content", "source")
	case b.Source.Type == "base64":
		d.Format, d.Source.Bytes = "pdf", jsonlex.Bytes(b.Source.Data)
	case b.Source.Type == "text":
		d.Format, d.Source.Text = "txt", new(b.Source.Data)
	default:
		return nil, malformed("#/messages/content/source/type: %q is not permitted here", b.Source.Type)
	}
	return d, nil
}

func readToolResult(b *anthropicBlock) (*converse.ToolResultBlock, error) {
	r := &converse.ToolResultBlock{ToolUseId: b.ToolUseID, Content: []converse.ToolResultContentBlock{}}
	if b.IsError {
		r.Status = "error"
	}
	for _, c := range b.Content {
		block, err := readBlock(&c)
		switch {
		case err != nil:
			return nil, err
		case block.Text != nil:
			r.Content = append(r.Content, converse.ToolResultContentBlock{Text: block.Text})
		case block.Image != nil:
			r.Content = append(r.Content, converse.ToolResultContentBlock{Image: block.Image})
		case block.Document != nil:
			r.Content = append(r.Content, converse.ToolResultContentBlock{Document: block.Document})
		default:
			return nil, malformed("#/messages/content/content/type: %q is not permitted in a tool_result", c.Type)
		}
	}
	return r, nil
}

func orEmptyObject(raw json.RawMessage) json.RawMessage {
	if len(bytes.TrimSpace(raw)) == 0 {
		return json.RawMessage("{}")
	}
	return raw
}
