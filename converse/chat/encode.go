package chat

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"outcrop"
	"outcrop/converse"
)

func invalid(format string, args ...any) error {
	return outcrop.Errorf(outcrop.Invalid, format, args...)
}

// Options are what servers take otherwise than others.
type Options struct {
	MaxTokensField string // max_tokens or max_completion_tokens
	MaxStops       int    // stop sequences that are taken
	FileParts      bool   // PDF and Office documents are read as parts of type file
	ReasoningField string // under which reasoning is sent back within a turn, such as reasoning_content; empty: it is left out

	// Whole refuses what would be left out, and keeps texts apart that are
	// joined otherwise: nothing that was said is lost on the way.
	Whole bool
}

// Append appends r as the body of a chat completion
// (reference/runtime-metering-billing.md §2.7). An empty model is not named.
// Cache points, service tier and request metadata stay here.
func Append(dst []byte, o *Options, model string, r *converse.Request, streaming bool) ([]byte, error) {
	e := encoder{config: o, request: r}
	if o.Whole {
		if err := wholly(r); err != nil {
			return nil, err
		}
	}
	e.b = slices.Grow(dst, roughSize(r))
	e.raw("{")
	if model != "" {
		e.text("model", model)
	}
	e.member("messages")
	if err := e.messages(); err != nil {
		return nil, err
	}
	if streaming {
		// Without include_usage a stream cannot be metered.
		e.raw(`,"stream":true,"stream_options":{"include_usage":true}`)
	}
	for _, part := range []func() error{e.inference, e.tools, e.format, e.additional} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	e.raw("}")
	return e.b, nil
}

// roughSize is about how long the body gets, so that it is allocated once.
func roughSize(r *converse.Request) int {
	n := 512 + len(r.AdditionalModelRequestFields)
	for i := range r.System {
		if t := r.System[i].Text; t != nil {
			n += len(*t) + len(*t)/8
		}
	}
	for i := range r.Messages {
		for j := range r.Messages[i].Content {
			switch b := &r.Messages[i].Content[j]; {
			case b.Text != nil:
				n += len(*b.Text) + len(*b.Text)/8
			case b.Image != nil:
				n += len(b.Image.Source.Bytes)
			}
			n += 64
		}
	}
	return n
}

// An encoder writes one request.
type encoder struct {
	writer
	config  *Options
	request *converse.Request
}

func (e *encoder) inference() error {
	c := e.request.InferenceConfig
	if c == nil {
		return nil
	}
	if c.MaxTokens != nil {
		e.integer(e.config.MaxTokensField, *c.MaxTokens)
	}
	if c.Temperature != nil {
		e.float("temperature", *c.Temperature)
	}
	if c.TopP != nil {
		e.float("top_p", *c.TopP)
	}
	if len(c.StopSequences) == 0 {
		return nil
	}
	if len(c.StopSequences) > e.config.MaxStops {
		return invalid("The model takes at most %d stop sequences, and the request has %d. Remove some and try again.", e.config.MaxStops, len(c.StopSequences))
	}
	e.member("stop")
	e.raw("[")
	for _, s := range c.StopSequences {
		e.comma()
		e.string(s)
	}
	e.raw("]")
	return nil
}

func (e *encoder) tools() error {
	c := e.request.ToolConfig
	if c == nil {
		return nil
	}
	any := false
	for i := range c.Tools {
		t := &c.Tools[i]
		if t.SystemTool != nil {
			return invalid("This model doesn't support the system tool %s. Remove it and try again.", t.SystemTool.Name)
		}
		if t.ToolSpec == nil {
			continue // a cache point
		}
		if !any {
			e.member("tools")
			e.raw("[")
			any = true
		}
		if err := e.tool(t.ToolSpec); err != nil {
			return err
		}
	}
	if any {
		e.raw("]")
		e.choice(c.ToolChoice)
	}
	return nil
}

func (e *encoder) tool(t *converse.ToolSpecification) error {
	e.comma()
	e.raw(`{"type":"function","function":{`)
	e.text("name", t.Name)
	if t.Description != "" {
		e.text("description", t.Description)
	}
	if len(t.InputSchema.Json) > 0 {
		e.member("parameters")
		if err := e.document(t.InputSchema.Json); err != nil {
			return invalid("The inputSchema of tool %s is not JSON. Correct it and try again.", t.Name)
		}
	}
	if t.Strict != nil {
		e.member("strict")
		e.raw(strconv.FormatBool(*t.Strict))
	}
	e.raw("}}")
	return nil
}

// document appends JSON as the client wrote it, having checked that it is.
func (e *encoder) document(b json.RawMessage) error {
	if !json.Valid(b) {
		return errNotJSON
	}
	e.b = append(e.b, b...)
	return nil
}

func (e *encoder) choice(c *converse.ToolChoice) {
	switch {
	case c == nil:
	case c.Any != nil:
		e.text("tool_choice", "required")
	case c.Tool != nil:
		e.member("tool_choice")
		e.raw(`{"type":"function","function":{`)
		e.text("name", c.Tool.Name)
		e.raw("}}")
	default:
		e.text("tool_choice", "auto")
	}
}

// format asks for an answer that fits a schema.
func (e *encoder) format() error {
	o := e.request.OutputConfig
	if o == nil || o.TextFormat == nil || o.TextFormat.Structure.JsonSchema == nil {
		return nil
	}
	schema := o.TextFormat.Structure.JsonSchema
	name := schema.Name
	if name == "" {
		name = "response"
	}
	e.raw(`,"response_format":{"type":"json_schema","json_schema":{`)
	e.text("name", name)
	if schema.Description != "" {
		e.text("description", schema.Description)
	}
	e.member("schema")
	if err := e.document(json.RawMessage(schema.Schema)); err != nil {
		return invalid("The schema at outputConfig.textFormat.structure.jsonSchema is not JSON. Correct it and try again.")
	}
	e.raw(`,"strict":true}}`)
	return nil
}

// ownFields are the top-level members that Converse has a field for: an
// additional field of that name would say it twice.
var ownFields = []string{"model", "messages", "system", "stream", "stream_options", "n"}

// additional merges additionalModelRequestFields at the top level.
func (e *encoder) additional() error {
	b := bytes.TrimSpace(e.request.AdditionalModelRequestFields)
	if len(b) == 0 || string(b) == "null" || string(b) == "{}" {
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(b, &members); err != nil {
		return invalid("The additionalModelRequestFields field must be a JSON object. Correct it and try again.")
	}
	if err := rename(members); err != nil {
		return err
	}
	e.effort(members)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if slices.Contains(ownFields, name) || e.written(name) {
			return invalid("The additional field %s conflicts with an existing field.", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		e.comma()
		e.string(name)
		e.raw(":")
		e.b = append(e.b, members[name]...)
	}
	return nil
}

// rename turns the bare-word reasoning_config that LibreChat sends for models
// that are not Claude (reference/librechat.md §1.5) into OpenAI's name for it.
func rename(members map[string]json.RawMessage) error {
	effort, ok := members["reasoning_config"]
	if !ok || !strings.HasPrefix(string(effort), `"`) {
		return nil
	}
	if _, both := members["reasoning_effort"]; both {
		return invalid("The additional field reasoning_config conflicts with an existing field.")
	}
	members["reasoning_effort"] = effort
	delete(members, "reasoning_config")
	return nil
}

// written says whether the request itself has set a top-level member.
func (e *encoder) written(name string) bool {
	c, r := e.request.InferenceConfig, e.request
	if c == nil {
		c = new(converse.InferenceConfiguration)
	}
	switch name {
	case "max_tokens", "max_completion_tokens":
		return c.MaxTokens != nil
	case "temperature":
		return c.Temperature != nil
	case "top_p":
		return c.TopP != nil
	case "stop":
		return len(c.StopSequences) > 0
	case "tools", "tool_choice":
		return r.ToolConfig != nil
	case "response_format":
		return r.OutputConfig != nil
	}
	return false
}
