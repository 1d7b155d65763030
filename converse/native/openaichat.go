package native

import (
	"encoding/json"
	"strings"

	"outcrop/converse"
)

// openAIChat is the chat-completions format that gpt-oss, Qwen, DeepSeek V3
// and others take (reference/runtime-metering-billing.md §2.5, §2.8).
type openAIChat struct{}

type chatMessage struct {
	Role             string         `json:"role"`
	Content          chatContent    `json:"content"`
	ReasoningContent string         `json:"reasoning_content"`
	ToolCalls        []chatToolCall `json:"tool_calls"`
	ToolCallID       string         `json:"tool_call_id"`
}

type chatToolCall struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

type chatPart struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	ImageURL struct {
		URL string `json:"url"`
	} `json:"image_url"`
}

// chatContent is a list of parts, or a string that stands for one text.
type chatContent []chatPart

func (c *chatContent) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case 'n':
		return nil
	case '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*c = chatContent{{Type: "text", Text: s}}
		return nil
	}
	return json.Unmarshal(b, (*[]chatPart)(c))
}

// oneOrMany is a string or a list of strings.
type oneOrMany []string

func (o *oneOrMany) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		var s string
		err := json.Unmarshal(b, &s)
		*o = oneOrMany{s}
		return err
	}
	return json.Unmarshal(b, (*[]string)(o))
}

func (openAIChat) Decode(body []byte) (*converse.Request, error) {
	f, err := parse(body)
	if err != nil {
		return nil, err
	}
	var messages []chatMessage
	if found, err := f.take("messages", &messages); err != nil {
		return nil, err
	} else if !found {
		return nil, missingKey("#", "messages")
	}
	r := &converse.Request{InferenceConfig: new(converse.InferenceConfiguration)}
	var longer *int64
	var stop oneOrMany
	err = f.takeAll(map[string]any{
		"max_tokens": &r.InferenceConfig.MaxTokens, "max_completion_tokens": &longer,
		"temperature": &r.InferenceConfig.Temperature, "top_p": &r.InferenceConfig.TopP, "stop": &stop,
	})
	if err != nil {
		return nil, err
	}
	if longer != nil {
		r.InferenceConfig.MaxTokens = longer
	}
	r.InferenceConfig.StopSequences = stop
	f.drop("model", "stream", "stream_options")
	for _, m := range messages {
		if err := readChatMessage(r, &m); err != nil {
			return nil, err
		}
	}
	if err := readChatTools(r, f); err != nil {
		return nil, err
	}
	if err := readResponseFormat(r, f); err != nil {
		return nil, err
	}
	r.AdditionalModelRequestFields = f.rest()
	return r, nil
}

func readChatMessage(r *converse.Request, m *chatMessage) error {
	content, err := readParts(m.Content)
	if err != nil {
		return err
	}
	switch m.Role {
	case "system", "developer":
		for _, b := range content {
			r.System = append(r.System, converse.SystemContentBlock{Text: b.Text})
		}
		return nil
	case "tool":
		result := &converse.ToolResultBlock{ToolUseId: m.ToolCallID}
		for _, b := range content {
			result.Content = append(result.Content, converse.ToolResultContentBlock{Text: b.Text, Image: b.Image})
		}
		appendTurn(r, "user", []converse.ContentBlock{{ToolResult: result}})
		return nil
	case "user":
		appendTurn(r, "user", content)
		return nil
	case "assistant":
		if m.ReasoningContent != "" {
			thought := converse.ContentBlock{ReasoningContent: &converse.ReasoningContentBlock{ReasoningText: &converse.ReasoningTextBlock{Text: m.ReasoningContent}}}
			content = append([]converse.ContentBlock{thought}, content...)
		}
		for _, call := range m.ToolCalls {
			input := orEmptyObject(json.RawMessage(call.Function.Arguments))
			if !json.Valid(input) {
				return malformed("#/messages/tool_calls/function/arguments: not valid JSON")
			}
			content = append(content, converse.ContentBlock{ToolUse: &converse.ToolUseBlock{ToolUseId: call.ID, Name: call.Function.Name, Input: input}})
		}
		appendTurn(r, "assistant", content)
		return nil
	}
	return malformed("#/messages/role: %q is not a valid enum value", m.Role)
}

// appendTurn merges consecutive messages of one role: Converse alternates.
func appendTurn(r *converse.Request, role string, content []converse.ContentBlock) {
	if n := len(r.Messages); n > 0 && r.Messages[n-1].Role == role {
		r.Messages[n-1].Content = append(r.Messages[n-1].Content, content...)
		return
	}
	r.Messages = append(r.Messages, converse.Message{Role: role, Content: content})
}

func readParts(parts chatContent) ([]converse.ContentBlock, error) {
	var blocks []converse.ContentBlock
	for _, p := range parts {
		switch p.Type {
		case "text":
			blocks = append(blocks, converse.ContentBlock{Text: ptr(p.Text)})
		case "image_url":
			image, err := readDataURL(p.ImageURL.URL)
			if err != nil {
				return nil, err
			}
			blocks = append(blocks, converse.ContentBlock{Image: image})
		default:
			return nil, malformed("#/messages/content/type: %q is not a valid enum value", p.Type)
		}
	}
	return blocks, nil
}

// readDataURL reads an inline image. Others are not fetched: a gateway that
// follows clients' URLs can be made to call where its callers may not.
func readDataURL(url string) (*converse.ImageBlock, error) {
	rest, ok := strings.CutPrefix(url, "data:image/")
	format, data, found := strings.Cut(rest, ";base64,")
	if !ok || !found {
		return nil, malformed("#/messages/content/image_url: only data:image/…;base64 URLs are permitted")
	}
	if format == "jpg" {
		format = "jpeg"
	}
	return &converse.ImageBlock{Format: format, Source: converse.ImageSource{Bytes: converse.Base64(data)}}, nil
}

func readChatTools(r *converse.Request, f fields) error {
	var tools []struct {
		Function struct {
			Name        string          `json:"name"`
			Description string          `json:"description"`
			Parameters  json.RawMessage `json:"parameters"`
			Strict      *bool           `json:"strict"`
		} `json:"function"`
	}
	found, err := f.take("tools", &tools)
	choice := f["tool_choice"]
	f.drop("tool_choice")
	if err != nil || !found || len(tools) == 0 || string(choice) == `"none"` {
		return err
	}
	r.ToolConfig = new(converse.ToolConfiguration)
	for _, t := range tools {
		r.ToolConfig.Tools = append(r.ToolConfig.Tools, converse.Tool{ToolSpec: &converse.ToolSpecification{
			Name: t.Function.Name, Description: t.Function.Description, Strict: t.Function.Strict,
			InputSchema: converse.ToolInputSchema{Json: orEmptyObject(t.Function.Parameters)},
		}})
	}
	var named struct{ Function struct{ Name string } }
	switch {
	case string(choice) == `"required"`:
		r.ToolConfig.ToolChoice = &converse.ToolChoice{Any: new(converse.AnyToolChoice)}
	case string(choice) == `"auto"`:
		r.ToolConfig.ToolChoice = &converse.ToolChoice{Auto: new(converse.AutoToolChoice)}
	case len(choice) > 0 && json.Unmarshal(choice, &named) == nil && named.Function.Name != "":
		r.ToolConfig.ToolChoice = &converse.ToolChoice{Tool: &converse.SpecificToolChoice{Name: named.Function.Name}}
	}
	return nil
}

func readResponseFormat(r *converse.Request, f fields) error {
	var format struct {
		Type       string `json:"type"`
		JSONSchema struct {
			Name        string          `json:"name"`
			Description string          `json:"description"`
			Schema      json.RawMessage `json:"schema"`
		} `json:"json_schema"`
	}
	raw := f["response_format"]
	if _, err := f.take("response_format", &format); err != nil {
		return err
	}
	switch format.Type {
	case "", "text":
	case "json_schema":
		s := format.JSONSchema
		r.OutputConfig = &converse.OutputConfig{TextFormat: &converse.OutputFormat{Type: "json_schema", Structure: converse.OutputFormatStructure{
			JsonSchema: &converse.JsonSchemaDefinition{Schema: string(s.Schema), Name: s.Name, Description: s.Description},
		}}}
	default:
		f["response_format"] = raw
	}
	return nil
}

// chatFinish are the finish reasons of chat completions.
var chatFinish = map[string]string{"max_tokens": "length", "tool_use": "tool_calls", "content_filtered": "content_filter", "guardrail_intervened": "content_filter"}

func finishReason(stop string) string {
	if f, ok := chatFinish[stop]; ok {
		return f
	}
	return "stop"
}

func chatUsage(u *converse.TokenUsage) map[string]any {
	usage := map[string]any{"prompt_tokens": u.TotalTokens - u.OutputTokens, "completion_tokens": u.OutputTokens, "total_tokens": u.TotalTokens}
	if u.CacheReadInputTokens != nil {
		usage["prompt_tokens_details"] = map[string]any{"cached_tokens": *u.CacheReadInputTokens}
	}
	return usage
}

func chatObject(a *Answer, object string, choices ...any) map[string]any {
	if choices == nil {
		choices = []any{}
	}
	return map[string]any{"id": "chatcmpl-" + a.ID, "object": object, "created": a.Created.Unix(), "model": string(a.Model), "choices": choices}
}

func (openAIChat) Encode(a *Answer) ([]byte, error) {
	message := map[string]any{"role": "assistant", "content": nil}
	if text := textOf(a.Response); text != "" {
		message["content"] = text
	}
	var calls []any
	if m := a.Response.Output.Message; m != nil {
		for _, b := range m.Content {
			switch {
			case b.ToolUse != nil:
				calls = append(calls, map[string]any{"id": b.ToolUse.ToolUseId, "type": "function",
					"function": map[string]any{"name": b.ToolUse.Name, "arguments": string(orEmptyObject(b.ToolUse.Input))}})
			case b.ReasoningContent != nil && b.ReasoningContent.ReasoningText != nil:
				message["reasoning_content"] = b.ReasoningContent.ReasoningText.Text
			}
		}
	}
	if calls != nil {
		message["tool_calls"] = calls
	}
	answer := chatObject(a, "chat.completion", map[string]any{"index": 0, "message": message, "finish_reason": finishReason(a.Response.StopReason)})
	answer["usage"] = chatUsage(a.Response.Usage)
	return json.Marshal(answer)
}

func (openAIChat) Chunks(a *Answer) Chunker { return &chatChunks{answer: a, tool: -1} }

// chatChunks numbers the tool calls as they come.
type chatChunks struct {
	answer *Answer
	tool   int
}

func (c *chatChunks) Chunk(e converse.Event) ([][]byte, error) {
	switch {
	case e.MessageStart != nil:
		return c.delta(map[string]any{"role": "assistant", "content": ""}, nil)
	case e.ContentBlockStart != nil && e.ContentBlockStart.Start.ToolUse != nil:
		c.tool++
		t := e.ContentBlockStart.Start.ToolUse
		return c.call(map[string]any{"index": c.tool, "id": t.ToolUseId, "type": "function", "function": map[string]any{"name": t.Name, "arguments": ""}})
	case e.ContentBlockDelta != nil:
		d := &e.ContentBlockDelta.Delta
		switch {
		case d.Text != nil:
			return c.delta(map[string]any{"content": *d.Text}, nil)
		case d.ToolUse != nil:
			return c.call(map[string]any{"index": c.tool, "function": map[string]any{"arguments": d.ToolUse.Input}})
		case d.ReasoningContent != nil && d.ReasoningContent.Text != nil:
			return c.delta(map[string]any{"reasoning_content": *d.ReasoningContent.Text}, nil)
		}
	case e.MessageStop != nil:
		return c.delta(map[string]any{}, finishReason(e.MessageStop.StopReason))
	case e.Metadata != nil:
		last := chatObject(c.answer, "chat.completion.chunk")
		last["usage"] = chatUsage(e.Metadata.Usage)
		return marshal(withMetrics(last, c.answer))
	}
	return nil, nil
}

func (c *chatChunks) call(call map[string]any) ([][]byte, error) {
	return c.delta(map[string]any{"tool_calls": []any{call}}, nil)
}

func (c *chatChunks) delta(delta map[string]any, finish any) ([][]byte, error) {
	return marshal(chatObject(c.answer, "chat.completion.chunk", map[string]any{"index": 0, "delta": delta, "finish_reason": finish}))
}
