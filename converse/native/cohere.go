package native

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"

	"outcrop/converse"
)

// cohere is the chat format of Command R
// (reference/runtime-metering-billing.md §2.4). It names no tool calls, so
// they are numbered in the order in which they come.
type cohere struct{}

type cohereTurn struct {
	Role    string         `json:"role"`
	Message string         `json:"message"`
	Calls   []cohereCall   `json:"tool_calls,omitempty"`
	Results []cohereResult `json:"tool_results,omitempty"`
}

type cohereCall struct {
	Name       string          `json:"name"`
	Parameters json.RawMessage `json:"parameters"`
}

type cohereResult struct {
	Call    cohereCall        `json:"call"`
	Outputs []json.RawMessage `json:"outputs"`
}

type cohereTool struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Parameters  map[string]struct {
		Description string `json:"description"`
		Type        string `json:"type"`
		Required    bool   `json:"required"`
	} `json:"parameter_definitions"`
}

func (cohere) Decode(body []byte) (*converse.Request, error) {
	f, err := parse(body)
	if err != nil {
		return nil, err
	}
	r := &converse.Request{InferenceConfig: new(converse.InferenceConfiguration)}
	var message, preamble string
	var history []cohereTurn
	var results []cohereResult
	if err := f.demand("message", &message); err != nil {
		return nil, err
	}
	c := r.InferenceConfig
	if err := f.takeAll(map[string]any{
		"preamble": &preamble, "chat_history": strict{&history}, "tool_results": strict{&results},
		"max_tokens": &c.MaxTokens, "temperature": &c.Temperature, "p": &c.TopP, "stop_sequences": &c.StopSequences,
	}); err != nil {
		return nil, err
	}
	if preamble != "" {
		r.System = []converse.SystemContentBlock{{Text: &preamble}}
	}
	if err := readCohereTurns(r, append(history, cohereTurn{Role: "USER", Message: message, Results: results})); err != nil {
		return nil, err
	}
	if err := readCohereTools(r, f); err != nil {
		return nil, err
	}
	f.drop("model", "stream")
	r.AdditionalModelRequestFields = f.rest()
	return r, nil
}

// readCohereTurns gives each call a number, and each result the number of the
// call that it repeats.
func readCohereTurns(r *converse.Request, turns []cohereTurn) error {
	var open []cohereCall // calls without a result, from number first on
	first := 0
	for _, t := range turns {
		var content []converse.ContentBlock
		if t.Message != "" {
			content = append(content, converse.Text(t.Message))
		}
		switch t.Role {
		case "SYSTEM":
			r.System = append(r.System, converse.SystemContentBlock{Text: &t.Message})
			continue
		case "CHATBOT":
			first += len(open)
			open = t.Calls
			for i, call := range t.Calls {
				content = append(content, converse.ContentBlock{ToolUse: &converse.ToolUseBlock{ToolUseId: cohereID(first + i), Name: call.Name, Input: orEmptyObject(call.Parameters)}})
			}
			appendTurn(r, "assistant", content)
		case "USER", "TOOL":
			told, err := cohereResults(t.Results, open, first)
			if err != nil {
				return err
			}
			if content = append(told, content...); len(content) > 0 {
				appendTurn(r, "user", content)
			}
		default:
			return malformed("#/chat_history/role: %q is not a valid enum value", t.Role)
		}
	}
	return nil
}

func cohereID(n int) string { return "call_" + strconv.Itoa(n) }

func cohereResults(results []cohereResult, open []cohereCall, first int) (blocks []converse.ContentBlock, err error) {
	used := make([]bool, len(open))
	for _, result := range results {
		at := -1
		for i, call := range open {
			if !used[i] && call.Name == result.Call.Name && sameJSON(call.Parameters, result.Call.Parameters) {
				at = i
				break
			}
		}
		if at < 0 {
			return nil, malformed("#/tool_results: a result of %q answers no call in chat_history", result.Call.Name)
		}
		used[at] = true
		block := &converse.ToolResultBlock{ToolUseId: cohereID(first + at), Content: []converse.ToolResultContentBlock{}}
		readOutputs(block, result.Outputs)
		blocks = append(blocks, converse.ContentBlock{ToolResult: block})
	}
	return blocks, nil
}

func sameJSON(a, b json.RawMessage) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, orEmptyObject(a)) == nil && json.Compact(&y, orEmptyObject(b)) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

// cohereTypes are JSON schema's words for Cohere's, which are Python's.
var cohereTypes = map[string]string{"str": "string", "string": "string", "int": "integer", "float": "number", "bool": "boolean", "list": "array", "List": "array", "dict": "object", "Dict": "object"}

func readCohereTools(r *converse.Request, f fields) error {
	var tools []cohereTool
	if found, err := f.take("tools", strict{&tools}); err != nil || !found || len(tools) == 0 {
		return err
	}
	r.ToolConfig = new(converse.ToolConfiguration)
	for _, t := range tools {
		properties, required := map[string]any{}, []string{}
		for name, p := range t.Parameters {
			schema := schemaOf(p.Type)
			if schema == nil {
				return malformed("#/tools/parameter_definitions/%s/type: %q is not a known type", name, p.Type)
			}
			schema["description"] = p.Description
			properties[name] = schema
			if p.Required {
				required = append(required, name)
			}
		}
		schema, err := json.Marshal(map[string]any{"type": "object", "properties": properties, "required": slices.Sorted(slices.Values(required))})
		if err != nil {
			return err
		}
		r.ToolConfig.Tools = append(r.ToolConfig.Tools, converse.Tool{ToolSpec: &converse.ToolSpecification{
			Name: t.Name, Description: t.Description, InputSchema: converse.ToolInputSchema{Json: schema},
		}})
	}
	return nil
}

// cohereFinish are the reasons that Cohere names otherwise.
func cohereFinish(stop string) string {
	switch stop {
	case "max_tokens", "model_context_window_exceeded":
		return "MAX_TOKENS"
	case "content_filtered", "guardrail_intervened":
		return "ERROR_TOXIC"
	}
	return "COMPLETE"
}

func cohereCalls(r *converse.Response) (calls []cohereCall) {
	if r.Output.Message == nil {
		return nil
	}
	for _, b := range r.Output.Message.Content {
		if b.ToolUse != nil {
			calls = append(calls, cohereCall{b.ToolUse.Name, orEmptyObject(b.ToolUse.Input)})
		}
	}
	return calls
}

func cohereAnswer(a *Answer, r *converse.Response) map[string]any {
	text, calls := textOf(r), cohereCalls(r)
	last := map[string]any{"role": "CHATBOT", "message": text}
	answer := map[string]any{"response_id": a.ID, "generation_id": a.ID, "text": text, "finish_reason": cohereFinish(r.StopReason), "chat_history": []any{last}}
	if calls != nil {
		answer["tool_calls"], last["tool_calls"] = calls, calls
	}
	return answer
}

func (cohere) Encode(a *Answer) ([]byte, error) { return json.Marshal(cohereAnswer(a, a.Response)) }

// Chunks implements Family. The last chunk repeats the whole answer, so it is
// gathered on the way.
func (cohere) Chunks(a *Answer) Chunker { return &cohereChunks{answer: a} }

type cohereChunks struct {
	answer *Answer
	whole  converse.Collector
}

func (c *cohereChunks) Chunk(e converse.Event) ([][]byte, error) {
	if err := c.whole.Add(e); err != nil {
		return nil, err
	}
	switch {
	case e.ContentBlockDelta != nil && e.ContentBlockDelta.Delta.Text != nil:
		return marshal(map[string]any{"is_finished": false, "event_type": "text-generation", "text": *e.ContentBlockDelta.Delta.Text})
	case e.Metadata != nil:
		return c.end()
	}
	return nil, nil
}

func (c *cohereChunks) end() ([][]byte, error) {
	r, err := c.whole.Response()
	if err != nil {
		return nil, err
	}
	var out [][]byte
	if calls := cohereCalls(r); calls != nil {
		chunk, err := json.Marshal(map[string]any{"is_finished": false, "event_type": "tool-calls-generation", "tool_calls": calls})
		if err != nil {
			return nil, err
		}
		out = append(out, chunk)
	}
	last, err := marshal(withMetrics(map[string]any{
		"is_finished": true, "event_type": "stream-end", "finish_reason": cohereFinish(r.StopReason), "response": cohereAnswer(c.answer, r),
	}, c.answer))
	return append(out, last...), err
}
