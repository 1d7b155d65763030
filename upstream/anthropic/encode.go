package anthropic

import (
	"encoding/json"
	"strings"

	"outcrop"
	"outcrop/converse"
	"outcrop/upstream"
)

func invalid(format string, args ...any) error {
	return outcrop.Errorf(outcrop.Invalid, format, args...)
}

// A body is a request in Anthropic's words.
type body struct {
	members map[string]any // top-level members
	betas   []string       // of the header anthropic-beta
}

// encode writes r as a request of the Messages API
// (reference/runtime-metering-billing.md §2.6). Service tier and
// request metadata are Outcrop's own and stay here.
func (u *Upstream) encode(a outcrop.Attempt, r *converse.Request) (*body, error) {
	if err := upstream.Unguarded(r); err != nil {
		return nil, err
	}
	b := &body{members: map[string]any{"model": string(a.Model)}}
	e := encoder{body: b}
	// In this order a cached prefix runs through a request (§8.5).
	for _, part := range []func(*converse.Request) error{e.tools, e.system, e.messages, e.inference, e.format, e.additional} {
		if err := part(r); err != nil {
			return nil, err
		}
	}
	if _, ok := b.members["max_tokens"]; !ok {
		b.members["max_tokens"] = u.maxTokens(a)
	}
	return b, nil
}

func (u *Upstream) maxTokens(a outcrop.Attempt) outcrop.Tokens {
	if n := u.config.MaxOutput(a.Destination.Model); n > 0 {
		return n
	}
	return defaultMaxTokens
}

// keepInput leaves out what count_tokens refuses.
func (b *body) keepInput() {
	for name := range b.members {
		switch name {
		case "model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "mcp_servers", "context_management", "cache_control":
		default:
			delete(b.members, name)
		}
	}
}

// An encoder writes one request.
type encoder struct {
	*body
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
		e.members["tools"] = tools
		e.choice(r.ToolConfig.ToolChoice)
	}
	return nil
}

func (e *encoder) choice(c *converse.ToolChoice) {
	switch {
	case c == nil:
	case c.Any != nil:
		e.members["tool_choice"] = map[string]string{"type": "any"}
	case c.Tool != nil:
		e.members["tool_choice"] = map[string]string{"type": "tool", "name": c.Tool.Name}
	default:
		e.members["tool_choice"] = map[string]string{"type": "auto"}
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
		e.members["system"] = blocks
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
	e.members["messages"] = messages
	return nil
}

func (e *encoder) inference(r *converse.Request) error {
	c := r.InferenceConfig
	if c == nil {
		return nil
	}
	if c.MaxTokens != nil {
		e.members["max_tokens"] = *c.MaxTokens
	}
	if c.Temperature != nil {
		e.members["temperature"] = *c.Temperature
	}
	if c.TopP != nil {
		e.members["top_p"] = *c.TopP
	}
	if len(c.StopSequences) > 0 {
		e.members["stop_sequences"] = c.StopSequences
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
	e.members["output_config"] = map[string]any{"format": map[string]any{"type": "json_schema", "schema": schema}}
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
