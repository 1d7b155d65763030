package native

import (
	"encoding/json"
	"strings"

	"outcrop/converse"
	"outcrop/converse/chat"
)

// openAIChat is the chat-completions format that gpt-oss, Qwen, DeepSeek V3
// and others take (reference/runtime-metering-billing.md §2.5, §2.8).
type openAIChat struct{}

// A chatMessage has, beside what is read, the members of a model's own answer
// that clients send back and that tell a model nothing. Any other is refused.
type chatMessage struct {
	Role             string         `json:"role"`
	Content          chatContent    `json:"content"`
	ReasoningContent string         `json:"reasoning_content"`
	ToolCalls        []chatToolCall `json:"tool_calls"`
	ToolCallID       string         `json:"tool_call_id"`
	Refusal          *string        `json:"refusal"` // what a model said instead of content
	Audio            any            `json:"audio"`
	FunctionCall     any            `json:"function_call"`

	Name             passedOver `json:"name"` // of a speaker or a tool, which the call's id names already
	Reasoning        passedOver `json:"reasoning"`
	ReasoningDetails passedOver `json:"reasoning_details"`
	Annotations      passedOver `json:"annotations"`
}

// passedOver marks a member that says nothing to a model.
type passedOver struct{}

func (passedOver) UnmarshalJSON([]byte) error { return nil }

type chatToolCall struct {
	Index    passedOver `json:"index"`
	ID       string     `json:"id"`
	Type     string     `json:"type"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

type chatPart struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	ImageURL struct {
		URL    string     `json:"url"`
		Detail passedOver `json:"detail"` // how closely to look: no other model has the choice
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
	return strictly(b, (*[]chatPart)(c))
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

// chatOptions are what Bedrock takes.
var chatOptions = chat.Options{MaxTokensField: "max_tokens", MaxStops: 2500, ReasoningField: "reasoning_content", Whole: true}

func (openAIChat) EncodeRequest(r *converse.Request) ([]byte, error) {
	if err := beyond(r); err != nil {
		return nil, err
	}
	return chat.Append(nil, &chatOptions, "", r, false)
}

func (openAIChat) Decode(body []byte) (*converse.Request, error) {
	f, err := parse(body)
	if err != nil {
		return nil, err
	}
	var messages []chatMessage
	if found, err := f.take("messages", strict{&messages}); err != nil {
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
	if m.Audio != nil || m.FunctionCall != nil {
		return malformed("#/messages: audio and function_call are not permitted")
	}
	if m.Refusal != nil && len(content) == 0 {
		content = append(content, converse.ContentBlock{Text: m.Refusal})
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
			blocks = append(blocks, converse.ContentBlock{Text: new(p.Text)})
		case "image_url":
			image, err := ReadDataURL(p.ImageURL.URL)
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

// ReadDataURL reads an inline image. Others are not fetched: a gateway that
// follows clients' URLs can be made to call where its callers may not.
func ReadDataURL(url string) (*converse.ImageBlock, error) {
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
