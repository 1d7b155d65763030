package messages

import (
	"encoding/json"
	"strings"

	"outcrop"
	"outcrop/converse"
)

func invalid(format string, args ...any) error {
	return outcrop.Errorf(outcrop.Invalid, format, args...)
}

// A Body is a request in Anthropic's words.
type Body struct {
	Members map[string]any // top-level members
	Betas   []string       // Bedrock's bodies have them as a list, the Messages API in the header anthropic-beta

	whole bool
}

// Encode writes r as a request of the Messages API
// (reference/runtime-metering-billing.md §2.6), without its model. maxTokens
// stands where r says nothing. Service tier and request metadata stay here.
func Encode(r *converse.Request, maxTokens outcrop.Tokens) (*Body, error) {
	return encode(r, maxTokens, &Body{Members: map[string]any{}})
}

// EncodeWhole is Encode for the form that Bedrock itself takes. It refuses what
// Encode leaves out, so that nothing is lost on the way.
func EncodeWhole(r *converse.Request, maxTokens outcrop.Tokens) (*Body, error) {
	if err := wholly(r); err != nil {
		return nil, err
	}
	b, err := encode(r, maxTokens, &Body{Members: map[string]any{}, whole: true})
	if err != nil {
		return nil, err
	}
	if b.Members["anthropic_version"] = converse.AnthropicVersion; len(b.Betas) > 0 {
		b.Members["anthropic_beta"] = b.Betas
	}
	return b, nil
}

func encode(r *converse.Request, maxTokens outcrop.Tokens, b *Body) (*Body, error) {
	e := encoder{Body: b}
	// In this order a cached prefix runs through a request (§8.5).
	for _, part := range []func(*converse.Request) error{e.tools, e.system, e.messages, e.inference, e.format, e.additional} {
		if err := part(r); err != nil {
			return nil, err
		}
	}
	if _, ok := b.Members["max_tokens"]; !ok {
		b.Members["max_tokens"] = maxTokens
	}
	return b, nil
}

// KeepInput leaves out what count_tokens refuses.
func (b *Body) KeepInput() {
	for name := range b.Members {
		switch name {
		case "model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "mcp_servers", "context_management", "cache_control":
		default:
			delete(b.Members, name)
		}
	}
}

// An encoder writes one request.
type encoder struct {
	*Body
	last **cacheControl // of the last block or tool that can hold one
}

// A cacheControl ends a prefix that the server keeps.
type cacheControl struct {
	Type string `json:"type"`
	TTL  string `json:"ttl,omitempty"` // 5m or 1h
}

// cache marks the block before a cache point. A point before everything else
// has nothing to keep.
func (e *encoder) cache(p *converse.CachePointBlock) {
	if e.last != nil {
		*e.last = &cacheControl{Type: "ephemeral", TTL: p.Ttl}
	}
}

// A tool is one that the model may call.
type tool struct {
	Name         string          `json:"name"`
	Description  string          `json:"description,omitempty"`
	InputSchema  json.RawMessage `json:"input_schema"`
	Strict       *bool           `json:"strict,omitempty"`
	CacheControl *cacheControl   `json:"cache_control,omitempty"`
}

func (e *encoder) tools(r *converse.Request) error {
	if r.ToolConfig == nil {
		return nil
	}
	var tools []any
	for i := range r.ToolConfig.Tools {
		switch t := &r.ToolConfig.Tools[i]; {
		case t.CachePoint != nil:
			e.cache(t.CachePoint)
		case t.SystemTool != nil:
			return invalid("This model doesn't support the system tool %s. Remove it and try again.", t.SystemTool.Name)
		case t.ToolSpec != nil:
			written := &tool{Name: t.ToolSpec.Name, Description: t.ToolSpec.Description, InputSchema: t.ToolSpec.InputSchema.Json, Strict: t.ToolSpec.Strict}
			if len(written.InputSchema) == 0 {
				written.InputSchema = json.RawMessage(`{"type":"object"}`) // required here, optional there
			}
			if !json.Valid(written.InputSchema) {
				return invalid("The inputSchema of tool %s is not JSON. Correct it and try again.", t.ToolSpec.Name)
			}
			tools, e.last = append(tools, written), &written.CacheControl
		}
	}
	if len(tools) > 0 {
		e.Members["tools"] = tools
		e.choice(r.ToolConfig.ToolChoice)
	}
	return nil
}

func (e *encoder) choice(c *converse.ToolChoice) {
	switch {
	case c == nil:
	case c.Any != nil:
		e.Members["tool_choice"] = map[string]string{"type": "any"}
	case c.Tool != nil:
		e.Members["tool_choice"] = map[string]string{"type": "tool", "name": c.Tool.Name}
	default:
		e.Members["tool_choice"] = map[string]string{"type": "auto"}
	}
}

func (e *encoder) system(r *converse.Request) error {
	var blocks []*block
	for i := range r.System {
		switch b := &r.System[i]; {
		case b.CachePoint != nil:
			e.cache(b.CachePoint)
		case b.Text != nil:
			blocks = append(blocks, e.hold(textBlock(*b.Text)))
		case b.GuardContent != nil && b.GuardContent.Text != nil:
			blocks = append(blocks, e.hold(textBlock(b.GuardContent.Text.Text)))
		}
	}
	if len(blocks) > 0 {
		e.Members["system"] = blocks
	}
	return nil
}

// A message is a turn.
type message struct {
	Role    string   `json:"role"`
	Content []*block `json:"content"`
}

func (e *encoder) messages(r *converse.Request) error {
	messages := make([]message, 0, len(r.Messages))
	for i := range r.Messages {
		m := &r.Messages[i]
		written := message{Role: m.Role, Content: []*block{}}
		for j := range m.Content {
			b, err := e.block(&m.Content[j])
			if err != nil {
				return err
			}
			if b != nil {
				written.Content = append(written.Content, b)
			}
		}
		if len(written.Content) == 0 && len(m.Content) > 0 {
			continue // nothing in it is for this server, and it refuses empty turns
		}
		messages = append(messages, written)
	}
	e.Members["messages"] = messages
	return nil
}

func (e *encoder) inference(r *converse.Request) error {
	c := r.InferenceConfig
	if c == nil {
		return nil
	}
	if c.MaxTokens != nil {
		e.Members["max_tokens"] = *c.MaxTokens
	}
	if c.Temperature != nil {
		e.Members["temperature"] = *c.Temperature
	}
	if c.TopP != nil {
		e.Members["top_p"] = *c.TopP
	}
	if len(c.StopSequences) > 0 {
		e.Members["stop_sequences"] = c.StopSequences
	}
	return nil
}

// format asks for an answer that fits a schema. The schema's name and
// description have no place in the Messages API.
func (e *encoder) format(r *converse.Request) error {
	o := r.OutputConfig
	if o == nil || o.TextFormat == nil || o.TextFormat.Structure.JsonSchema == nil {
		return nil
	}
	schema := json.RawMessage(o.TextFormat.Structure.JsonSchema.Schema)
	if !json.Valid(schema) {
		return invalid("The schema at outputConfig.textFormat.structure.jsonSchema is not JSON. Correct it and try again.")
	}
	e.Members["output_config"] = map[string]any{"format": map[string]any{"type": "json_schema", "schema": schema}}
	return nil
}

// toolID is a tool call's id as the Messages API takes it: Converse also
// allows dots and colons. A call and its result are renamed alike.
func toolID(id string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
			return c
		}
		return '_'
	}, id)
}
