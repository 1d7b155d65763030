package native

import (
	"encoding/json"
	"slices"
	"strings"

	"outcrop"
	"outcrop/converse"
)

// EncodeRequest writes the last turn as the message, those before it as the
// history. Tool results repeat their calls, which the format has no ids for.
func (cohere) EncodeRequest(r *converse.Request) ([]byte, error) {
	if err := beyond(r); err != nil {
		return nil, err
	}
	if r.OutputConfig != nil {
		return nil, unsaid("outputConfig")
	}
	w := cohereWriter{body: map[string]any{}, calls: map[string]cohereCall{}}
	if err := (settings{"max_tokens", "temperature", "p", "stop_sequences"}).write(w.body, r.InferenceConfig); err != nil {
		return nil, err
	}
	for _, part := range []func(*converse.Request) error{w.system, w.turns, w.tools} {
		if err := part(r); err != nil {
			return nil, err
		}
	}
	if len(w.history) > 0 {
		w.body["chat_history"] = w.history
	}
	return finishBody(w.body, r)
}

type cohereWriter struct {
	body    map[string]any
	history []any
	calls   map[string]cohereCall // by the ids that Converse gives them
}

// system: the first text is the preamble.
func (w *cohereWriter) system(r *converse.Request) error {
	for i := range r.System {
		b := &r.System[i]
		switch {
		case b.Text == nil:
			return refuse(map[string]bool{"cachePoint": b.CachePoint != nil, "guardContent": b.CachePoint == nil})
		case i == 0:
			w.body["preamble"] = *b.Text
		default:
			w.history = append(w.history, cohereTurn{Role: "SYSTEM", Message: *b.Text})
		}
	}
	return nil
}

func (w *cohereWriter) turns(r *converse.Request) error {
	for i := range r.Messages {
		m := &r.Messages[i]
		if m.Role == "assistant" {
			if i == len(r.Messages)-1 {
				return outcrop.Errorf(outcrop.Invalid, "This model doesn't go on with an answer that is begun: the last message must be the user's. Remove the last message and try again.")
			}
			if err := w.chatbot(m); err != nil {
				return err
			}
			continue
		}
		if err := w.user(m, i == len(r.Messages)-1); err != nil {
			return err
		}
	}
	if _, ok := w.body["message"]; !ok {
		w.body["message"] = ""
	}
	return nil
}

func (w *cohereWriter) chatbot(m *converse.Message) error {
	t := cohereTurn{Role: "CHATBOT"}
	for i := range m.Content {
		switch b := &m.Content[i]; {
		case b.Text != nil:
			t.Message = joined(t.Message, *b.Text)
		case b.ToolUse != nil:
			call := cohereCall{b.ToolUse.Name, orEmptyObject(b.ToolUse.Input)}
			if !json.Valid(call.Parameters) {
				return outcrop.Errorf(outcrop.Invalid, "The input of the tool call %s is not JSON. Correct it and try again.", b.ToolUse.ToolUseId)
			}
			w.calls[b.ToolUse.ToolUseId] = call
			t.Calls = append(t.Calls, call)
		default:
			return unsaid(nameOf(b))
		}
	}
	w.history = append(w.history, t)
	return nil
}

// user writes the results of a turn before its text, as the format has them.
func (w *cohereWriter) user(m *converse.Message, last bool) error {
	var results []cohereResult
	text, said := "", false
	for i := range m.Content {
		switch b := &m.Content[i]; {
		case b.Text != nil:
			text, said = joined(text, *b.Text), true
		case b.ToolResult != nil:
			result, err := w.result(b.ToolResult)
			if err != nil {
				return err
			}
			results = append(results, *result)
		default:
			return unsaid(nameOf(b))
		}
	}
	if last {
		w.body["message"] = text
		if len(results) > 0 {
			w.body["tool_results"] = results
		}
		return nil
	}
	if len(results) > 0 {
		w.history = append(w.history, map[string]any{"role": "TOOL", "tool_results": results})
	}
	if said || len(results) == 0 {
		w.history = append(w.history, cohereTurn{Role: "USER", Message: text})
	}
	return nil
}

func joined(a, b string) string {
	if a == "" {
		return b
	}
	return a + "\n" + b
}

// result writes JSON as it is, a text as an object that holds it, and an error
// as one that says so.
func (w *cohereWriter) result(r *converse.ToolResultBlock) (*cohereResult, error) {
	call, ok := w.calls[r.ToolUseId]
	if !ok {
		return nil, outcrop.Errorf(outcrop.Invalid, "The toolResult %s answers no toolUse before it. Correct its toolUseId and try again.", r.ToolUseId)
	}
	out := &cohereResult{Call: call, Outputs: []json.RawMessage{}}
	word := "text"
	if r.Status == "error" {
		word = "error"
	}
	for i := range r.Content {
		c := &r.Content[i]
		value := any(c.Json)
		switch {
		case c.Text != nil:
			value = map[string]string{word: *c.Text}
		case len(c.Json) == 0:
			return nil, refuse(map[string]bool{"toolResult.image": c.Image != nil, "toolResult.document": c.Document != nil, "toolResult.video": c.Video != nil, "toolResult.searchResult": c.SearchResult != nil})
		case r.Status == "error":
			value = map[string]any{word: c.Json}
		}
		raw, err := json.Marshal(value)
		if err != nil {
			return nil, outcrop.Errorf(outcrop.Invalid, "The json of the toolResult %s is not JSON. Correct it and try again.", r.ToolUseId)
		}
		out.Outputs = append(out.Outputs, raw)
	}
	return out, nil
}

// readOutputs is result, read back: the result of a call that failed is one
// whose outputs all say so.
func readOutputs(b *converse.ToolResultBlock, outputs []json.RawMessage) {
	only := func(o json.RawMessage, word string) json.RawMessage {
		var said map[string]json.RawMessage
		if json.Unmarshal(o, &said) != nil || len(said) != 1 {
			return nil
		}
		return said[word]
	}
	word := "error"
	for _, o := range outputs {
		if only(o, "error") == nil {
			word = "text"
		}
	}
	if word == "error" && len(outputs) > 0 {
		b.Status = "error"
	}
	for _, o := range outputs {
		inside := only(o, word)
		var text *string
		switch {
		case inside != nil && json.Unmarshal(inside, &text) == nil && text != nil:
			b.Content = append(b.Content, converse.ToolResultContentBlock{Text: text})
		case b.Status == "error":
			b.Content = append(b.Content, converse.ToolResultContentBlock{Json: inside})
		default:
			b.Content = append(b.Content, converse.ToolResultContentBlock{Json: o})
		}
	}
}

// jsonTypes are Cohere's words for JSON schema's.
var jsonTypes = map[string]string{"string": "str", "integer": "int", "number": "float", "boolean": "bool", "array": "list", "object": "dict"}

// A parameter is a property of a tool's schema, with all that Cohere knows of
// one.
type parameter struct {
	Type        string     `json:"type"`
	Description string     `json:"description"`
	Items       *parameter `json:"items"`
}

// kind is the type in Cohere's words, such as list[str].
func (p *parameter) kind() (string, bool) {
	kind, ok := jsonTypes[p.Type]
	if !ok || p.Items == nil {
		return kind, ok
	}
	of, ok := p.Items.kind()
	return kind + "[" + of + "]", ok && kind == "list" && p.Items.Description == ""
}

// schemaOf is kind, read back; nil for a type that is not known.
func schemaOf(kind string) map[string]any {
	outer, inner, typed := strings.Cut(kind, "[")
	known, ok := cohereTypes[outer]
	if !ok {
		return nil
	}
	schema := map[string]any{"type": known}
	if typed {
		inner, closed := strings.CutSuffix(inner, "]")
		items := schemaOf(inner)
		if items == nil || !closed || known != "array" {
			return nil
		}
		schema["items"] = items
	}
	return schema
}

// tools: the format knows a flat list of parameters. A schema that says more
// is refused, because the model would not be told.
func (w *cohereWriter) tools(r *converse.Request) error {
	if r.ToolConfig == nil {
		return nil
	}
	if c := r.ToolConfig.ToolChoice; c != nil && c.Auto == nil {
		return unsaid("toolConfig.toolChoice")
	}
	var tools []map[string]any
	for i := range r.ToolConfig.Tools {
		t := &r.ToolConfig.Tools[i]
		if t.ToolSpec == nil {
			return refuse(map[string]bool{"cachePoint": t.CachePoint != nil, "systemTool": t.SystemTool != nil})
		}
		if t.ToolSpec.Strict != nil {
			return unsaid("toolSpec.strict")
		}
		parameters, err := parametersOf(t.ToolSpec)
		if err != nil {
			return err
		}
		tools = append(tools, map[string]any{"name": t.ToolSpec.Name, "description": t.ToolSpec.Description, "parameter_definitions": parameters})
	}
	if len(tools) > 0 {
		w.body["tools"] = tools
	}
	return nil
}

func parametersOf(t *converse.ToolSpecification) (map[string]any, error) {
	var schema struct {
		Type       string                     `json:"type"`
		Properties map[string]json.RawMessage `json:"properties"`
		Required   []string                   `json:"required"`
	}
	beyond := func(err error) error {
		return outcrop.Errorf(outcrop.Invalid, "The inputSchema of tool %s says more than this model's form has words for (%s). It knows properties with a type and a description, and which are required.", t.Name, plain(err))
	}
	if err := strictly(orEmptyObject(t.InputSchema.Json), &schema); err != nil {
		return nil, beyond(err)
	}
	parameters := map[string]any{}
	for name, raw := range schema.Properties {
		var p parameter
		if err := strictly(raw, &p); err != nil {
			return nil, beyond(err)
		}
		kind, ok := p.kind()
		if !ok {
			return nil, outcrop.Errorf(outcrop.Invalid, "The inputSchema of tool %s has the property %s of type %q, which this model's form does not know.", t.Name, name, p.Type)
		}
		definition := map[string]any{"type": kind}
		if p.Description != "" {
			definition["description"] = p.Description
		}
		if slices.Contains(schema.Required, name) {
			definition["required"] = true
		}
		parameters[name] = definition
	}
	return parameters, nil
}

func (cohere) DecodeAnswer(a outcrop.Attempt, body []byte) (*converse.Response, error) {
	return voice(cohereVoice).whole(a, body, "text")
}

func (cohere) Reader(a outcrop.Attempt, yield func(converse.Event, error) bool) Reader {
	return voice(cohereVoice).reader(a, yield)
}
