package compatapi

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/native"
)

// A responseBody is a request of OpenAI's responses API.
type responseBody struct {
	header
	Input        json.RawMessage `json:"input"`
	Instructions string          `json:"instructions"`
	Previous     string          `json:"previous_response_id"`
	Background   bool            `json:"background"`
	Store        *bool           `json:"store"`
	MaxTokens    *int64          `json:"max_output_tokens"`
	Temperature  *float64        `json:"temperature"`
	TopP         *float64        `json:"top_p"`
	Tools        []responseTool  `json:"tools"`
	ToolChoice   json.RawMessage `json:"tool_choice"`
	Reasoning    struct {
		Effort  string `json:"effort,omitempty"`
		Summary string `json:"summary,omitempty"`
	} `json:"reasoning"`
	Text struct {
		Format responseFormat `json:"format"`
	} `json:"text"`
	Metadata map[string]string `json:"metadata"`
	User     string            `json:"user"`
	Tier     string            `json:"service_tier"`

	members map[string]json.RawMessage // all of the body, for what is not known
}

type responseTool struct {
	Type        string          `json:"type"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Parameters  json.RawMessage `json:"parameters"`
	Strict      *bool           `json:"strict"`
}

type responseFormat struct {
	Type        string          `json:"type"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Schema      json.RawMessage `json:"schema"`
}

// An item is one part of the input: a message, a call of a function, what it
// returned, or a thought.
type item struct {
	Type      string          `json:"type"`
	Role      string          `json:"role"`
	Content   json.RawMessage `json:"content"`
	CallID    string          `json:"call_id"`
	Name      string          `json:"name"`
	Arguments string          `json:"arguments"`
	Output    json.RawMessage `json:"output"`
	Encrypted string          `json:"encrypted_content"`
	Summary   []itemPart      `json:"summary"`
}

type itemPart struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	ImageURL string `json:"image_url"`
	Refusal  string `json:"refusal"`
}

// taken are the members of a body that are read, or mean nothing here.
var taken = []string{
	"model", "stream", "input", "instructions", "previous_response_id", "background", "store", "max_output_tokens", "temperature", "top_p", "tools",
	"tool_choice", "reasoning", "text", "metadata", "user", "service_tier", "parallel_tool_calls", "truncation", "include", "stream_options",
	"safety_identifier", "prompt_cache_key", "prompt_cache_retention", "top_logprobs", "max_tool_calls",
}

// readResponse reads a body, and refuses what cannot be had here.
func readResponse(body []byte) (*responseBody, error) {
	b := new(responseBody)
	if err := json.Unmarshal(body, b); err != nil {
		return nil, outcrop.Errorf(outcrop.Invalid, "The request body cannot be read: %s", plainJSON(err))
	}
	if err := json.Unmarshal(body, &b.members); err != nil {
		return nil, outcrop.Errorf(outcrop.Invalid, "The request body is not a JSON object.")
	}
	switch {
	case b.Model == "":
		return nil, outcrop.Errorf(outcrop.Invalid, "model is missing: name a model id, a system-defined profile or the ARN of an application profile.")
	case b.Background:
		return nil, outcrop.Errorf(outcrop.Invalid, "background=true is not supported: leave it out, and read the answer as it comes.")
	case len(b.Input) == 0:
		return nil, outcrop.Errorf(outcrop.Invalid, "input is missing: a text, or a list of items.")
	}
	for name := range b.members {
		if !slices.Contains(taken, name) && string(b.members[name]) != "null" {
			return nil, outcrop.Errorf(outcrop.Invalid, "Unknown parameter: '%s'.", name)
		}
	}
	return b, nil
}

// plainJSON is a JSON error without Go's own words.
func plainJSON(err error) string {
	s := strings.TrimPrefix(err.Error(), "json: ")
	s, _, _ = strings.Cut(s, " of type ")
	return s
}

// items are the parts of the input; a text stands for one message.
func (b *responseBody) items() ([]json.RawMessage, error) {
	if bytes.HasPrefix(bytes.TrimSpace(b.Input), []byte{'"'}) {
		var text string
		if err := json.Unmarshal(b.Input, &text); err != nil {
			return nil, outcrop.Errorf(outcrop.Invalid, "input is neither a text nor a list of items.")
		}
		one, err := json.Marshal(map[string]any{"type": "message", "role": "user", "content": []any{map[string]any{"type": "input_text", "text": text}}})
		return []json.RawMessage{one}, err
	}
	var all []json.RawMessage
	if json.Unmarshal(b.Input, &all) != nil {
		return nil, outcrop.Errorf(outcrop.Invalid, "input is neither a text nor a list of items.")
	}
	return all, nil
}

// conversation builds the middle form of items, for the model that answers.
func (b *responseBody) conversation(items []json.RawMessage, t *outcrop.Target) (*converse.Request, error) {
	r := &converse.Request{InferenceConfig: &converse.InferenceConfiguration{MaxTokens: b.MaxTokens, Temperature: b.Temperature, TopP: b.TopP}}
	if b.Instructions != "" {
		r.System = append(r.System, converse.SystemContentBlock{Text: &b.Instructions})
	}
	for i, raw := range items {
		var it item
		if err := json.Unmarshal(raw, &it); err != nil {
			return nil, outcrop.Errorf(outcrop.Invalid, "input[%d] cannot be read: %s", i, plainJSON(err))
		}
		if err := it.add(r); err != nil {
			return nil, outcrop.Errorf(outcrop.Invalid, "input[%d]: %s", i, err.Error())
		}
	}
	if err := b.tools(r); err != nil {
		return nil, err
	}
	if err := b.format(r); err != nil {
		return nil, err
	}
	c := common{metadata: b.Metadata}
	if b.Tier != "" && b.Tier != "auto" && b.Tier != "default" {
		c.tier = b.Tier
	}
	if b.User != "" {
		c.metadata = map[string]string{"user": b.User}
		for k, v := range b.Metadata {
			c.metadata[k] = v
		}
	}
	c.apply(r)
	return r, native.SetEffort(r, t.Model, b.Reasoning.Effort)
}

// add puts the item into the conversation.
func (it *item) add(r *converse.Request) error {
	switch it.Type {
	case "", "message":
		return it.message(r)
	case "function_call":
		input := json.RawMessage(it.Arguments)
		if len(input) == 0 {
			input = json.RawMessage("{}")
		}
		if !json.Valid(input) {
			return outcrop.Errorf(outcrop.Invalid, "arguments is not valid JSON")
		}
		turn(r, "assistant", converse.ContentBlock{ToolUse: &converse.ToolUseBlock{ToolUseId: it.CallID, Name: it.Name, Input: input}})
	case "function_call_output":
		content, err := it.output()
		if err != nil {
			return err
		}
		turn(r, "user", converse.ContentBlock{ToolResult: &converse.ToolResultBlock{ToolUseId: it.CallID, Content: content}})
	case "reasoning":
		var text strings.Builder
		for _, p := range it.Summary {
			text.WriteString(p.Text)
		}
		if text.Len() > 0 && it.Encrypted != "" { // a thought without its signature is one that no model takes back
			turn(r, "assistant", converse.ContentBlock{ReasoningContent: &converse.ReasoningContentBlock{
				ReasoningText: &converse.ReasoningTextBlock{Text: text.String(), Signature: it.Encrypted},
			}})
		}
	default:
		return outcrop.Errorf(outcrop.Invalid, "items of type %q are not supported", it.Type)
	}
	return nil
}

func (it *item) message(r *converse.Request) error {
	parts, err := partsOf(it.Content)
	if err != nil {
		return err
	}
	switch it.Role {
	case "system", "developer":
		for _, p := range parts {
			if p.Text != nil {
				r.System = append(r.System, converse.SystemContentBlock{Text: p.Text})
			}
		}
	case "user", "assistant":
		turn(r, it.Role, parts...)
	default:
		return outcrop.Errorf(outcrop.Invalid, "role %q is not one of user, assistant, system, developer", it.Role)
	}
	return nil
}

// partsOf reads content: a text, or a list of parts.
func partsOf(raw json.RawMessage) ([]converse.ContentBlock, error) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []converse.ContentBlock{{Text: &text}}, nil
	}
	var parts []itemPart
	if err := json.Unmarshal(raw, &parts); err != nil {
		return nil, outcrop.Errorf(outcrop.Invalid, "content is neither a text nor a list of parts")
	}
	var blocks []converse.ContentBlock
	for _, p := range parts {
		switch p.Type {
		case "input_text", "output_text", "text":
			blocks = append(blocks, converse.ContentBlock{Text: &p.Text})
		case "refusal":
			blocks = append(blocks, converse.ContentBlock{Text: &p.Refusal})
		case "input_image":
			image, err := native.ReadDataURL(p.ImageURL)
			if err != nil {
				return nil, err
			}
			blocks = append(blocks, converse.ContentBlock{Image: image})
		default:
			return nil, outcrop.Errorf(outcrop.Invalid, "parts of type %q are not supported", p.Type)
		}
	}
	return blocks, nil
}

// output of a function: a text, or parts.
func (it *item) output() ([]converse.ToolResultContentBlock, error) {
	parts, err := partsOf(it.Output)
	if err != nil {
		return nil, err
	}
	var content []converse.ToolResultContentBlock
	for _, p := range parts {
		content = append(content, converse.ToolResultContentBlock{Text: p.Text, Image: p.Image})
	}
	return content, nil
}

// turn adds to the last message when it is of the same role: Converse
// alternates.
func turn(r *converse.Request, role string, content ...converse.ContentBlock) {
	if n := len(r.Messages); n > 0 && r.Messages[n-1].Role == role {
		r.Messages[n-1].Content = append(r.Messages[n-1].Content, content...)
		return
	}
	r.Messages = append(r.Messages, converse.Message{Role: role, Content: content})
}

func (b *responseBody) tools(r *converse.Request) error {
	if len(b.Tools) == 0 || string(b.ToolChoice) == `"none"` {
		return nil
	}
	r.ToolConfig = new(converse.ToolConfiguration)
	for i, tool := range b.Tools {
		if tool.Type != "function" {
			return outcrop.Errorf(outcrop.Invalid, "tools[%d]: tools of type %q are not supported: only functions are.", i, tool.Type)
		}
		schema := tool.Parameters
		if len(schema) == 0 || string(schema) == "null" {
			schema = json.RawMessage(`{"type":"object"}`)
		}
		r.ToolConfig.Tools = append(r.ToolConfig.Tools, converse.Tool{ToolSpec: &converse.ToolSpecification{
			Name: tool.Name, Description: tool.Description, Strict: tool.Strict, InputSchema: converse.ToolInputSchema{Json: schema},
		}})
	}
	var named struct{ Type, Name string }
	switch choice := string(b.ToolChoice); {
	case choice == `"required"`:
		r.ToolConfig.ToolChoice = &converse.ToolChoice{Any: new(converse.AnyToolChoice)}
	case choice == `"auto"`:
		r.ToolConfig.ToolChoice = &converse.ToolChoice{Auto: new(converse.AutoToolChoice)}
	case choice != "" && json.Unmarshal(b.ToolChoice, &named) == nil && named.Name != "":
		r.ToolConfig.ToolChoice = &converse.ToolChoice{Tool: &converse.SpecificToolChoice{Name: named.Name}}
	}
	return nil
}

func (b *responseBody) format(r *converse.Request) error {
	switch f := b.Text.Format; f.Type {
	case "", "text":
		return nil
	case "json_schema":
		r.OutputConfig = &converse.OutputConfig{TextFormat: &converse.OutputFormat{Type: "json_schema", Structure: converse.OutputFormatStructure{
			JsonSchema: &converse.JsonSchemaDefinition{Schema: string(f.Schema), Name: f.Name, Description: f.Description},
		}}}
		return nil
	default:
		return outcrop.Errorf(outcrop.Invalid, "text.format of type %q is not supported: use json_schema.", f.Type)
	}
}
