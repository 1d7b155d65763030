package native

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"outcrop"

	"pgregory.net/rapid"
)

// An object is a native body, or a part of one, whose members can be added to.
type object = map[string]any

var (
	genWord = rapid.StringMatching(`[a-z]{3,10}`)
)

// A known body is a native body with the texts that must be found again.
type known struct {
	body  object
	model outcrop.ModelID
	words []string // of its conversation
}

// mark draws a text that occurs once.
func (k *known) mark(t *rapid.T) string {
	word := fmt.Sprintf("mark%d%s", len(k.words), genWord.Draw(t, "word"))
	k.words = append(k.words, word)
	return word
}

// bodies draw a conversation in each family's format, with everything that the
// family has words for.
var bodiesOf = map[string]func(*rapid.T, *known){
	"anthropic.claude-sonnet-4-5-20250929-v1:0": func(t *rapid.T, k *known) {
		content := []any{object{"type": "text", "text": k.mark(t), "cache_control": object{"type": "ephemeral"}}}
		if rapid.Bool().Draw(t, "image") {
			content = append(content, object{"type": "image", "source": object{"type": "base64", "media_type": "image/png", "data": "aGk="}})
		}
		k.body = object{"anthropic_version": "bedrock-2023-05-31", "max_tokens": 77, "temperature": 0.5, "top_p": 0.25, "stop_sequences": []any{k.mark(t)},
			"system": []any{object{"type": "text", "text": k.mark(t)}},
			"messages": []any{object{"role": "user", "content": content},
				object{"role": "assistant", "content": []any{object{"type": "thinking", "thinking": k.mark(t), "signature": k.mark(t)}, object{"type": "tool_use", "id": "t1", "name": "f", "input": object{"a": k.mark(t)}}}},
				object{"role": "user", "content": []any{object{"type": "tool_result", "tool_use_id": "t1", "content": []any{object{"type": "text", "text": k.mark(t)}}}}}},
			"tools":       []any{object{"name": "f", "description": k.mark(t), "input_schema": object{"type": "object", "title": k.mark(t)}}},
			"tool_choice": object{"type": "tool", "name": "f"}}
	},
	"amazon.nova-lite-v1:0": func(t *rapid.T, k *known) {
		k.body = object{"schemaVersion": "messages-v1", "system": []any{object{"text": k.mark(t)}},
			"messages": []any{object{"role": "user", "content": []any{object{"text": k.mark(t)}, object{"image": object{"format": "png", "source": object{"bytes": "aGk="}}}}},
				object{"role": "assistant", "content": []any{object{"toolUse": object{"toolUseId": "t1", "name": "f", "input": object{"a": k.mark(t)}}}}},
				object{"role": "user", "content": []any{object{"toolResult": object{"toolUseId": "t1", "content": []any{object{"text": k.mark(t)}}}}}}},
			"inferenceConfig": object{"maxTokens": 77, "temperature": 0.5, "topP": 0.25, "stopSequences": []any{k.mark(t)}},
			"toolConfig":      object{"tools": []any{object{"toolSpec": object{"name": "f", "description": k.mark(t), "inputSchema": object{"json": object{"type": "object", "title": k.mark(t)}}}}}}}
	},
	"openai.gpt-oss-120b-1:0": func(t *rapid.T, k *known) {
		k.body = object{"max_tokens": 77, "temperature": 0.5, "top_p": 0.25, "stop": []any{k.mark(t)},
			"messages": []any{object{"role": "system", "content": k.mark(t)},
				object{"role": "user", "content": []any{object{"type": "text", "text": k.mark(t)}, object{"type": "image_url", "image_url": object{"url": "data:image/png;base64,aGk="}}}},
				object{"role": "assistant", "content": k.mark(t), "reasoning_content": k.mark(t), "tool_calls": []any{object{"id": "t1", "type": "function", "function": object{"name": "f", "arguments": `{"a":"` + k.mark(t) + `"}`}}}},
				object{"role": "tool", "tool_call_id": "t1", "content": k.mark(t)}},
			"tools": []any{object{"type": "function", "function": object{"name": "f", "description": k.mark(t), "parameters": object{"type": "object", "title": k.mark(t)}}}}}
	},
	string(commandR): func(t *rapid.T, k *known) {
		call := object{"name": "f", "parameters": object{"a": k.mark(t)}}
		k.body = object{"message": k.mark(t), "preamble": k.mark(t), "max_tokens": 77, "temperature": 0.5, "p": 0.25, "stop_sequences": []any{k.mark(t)},
			"chat_history": []any{object{"role": "USER", "message": k.mark(t)}, object{"role": "CHATBOT", "message": k.mark(t), "tool_calls": []any{call}},
				object{"role": "TOOL", "tool_results": []any{object{"call": call, "outputs": []any{object{"b": k.mark(t)}}}}}, object{"role": "CHATBOT", "message": k.mark(t)}},
			"tools": []any{object{"name": "f", "description": k.mark(t), "parameter_definitions": object{"a": object{"description": k.mark(t), "type": "str", "required": true}}}}}
	},
	"amazon.titan-text-express-v1": func(t *rapid.T, k *known) {
		k.body = object{"inputText": k.mark(t), "textGenerationConfig": object{"maxTokenCount": 77, "temperature": 0.5, "topP": 0.25, "stopSequences": []any{k.mark(t)}}}
	},
	"meta.llama3-1-8b-instruct-v1:0": func(t *rapid.T, k *known) {
		k.body = object{"max_gen_len": 77, "temperature": 0.5, "top_p": 0.25, "prompt": "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n" + k.mark(t) +
			"<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n" + k.mark(t) + "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n" + k.mark(t) +
			"<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n" + k.mark(t) + "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"}
	},
	"mistral.mistral-7b-instruct-v0:2": func(t *rapid.T, k *known) {
		k.body = object{"max_tokens": 77, "temperature": 0.5, "top_p": 0.25, "stop": []any{k.mark(t)},
			"prompt": "<s>[INST] " + k.mark(t) + " [/INST] " + k.mark(t) + "</s>[INST] " + k.mark(t) + " [/INST]"}
	},
	"deepseek.r1-v1:0": func(t *rapid.T, k *known) {
		k.body = object{"max_tokens": 77, "temperature": 0.5, "top_p": 0.25, "stop": []any{k.mark(t)}, "prompt": "<｜begin▁of▁sentence｜>" + k.mark(t) +
			"<｜User｜>" + k.mark(t) + "<｜Assistant｜>" + k.mark(t) + "<｜end▁of▁sentence｜><｜User｜>" + k.mark(t) + "<｜Assistant｜>"}
	},
	"meta.llama4-scout-17b-instruct-v1:0": func(t *rapid.T, k *known) {
		k.body = object{"max_gen_len": 77, "temperature": 0.5, "top_p": 0.25, "prompt": "<|begin_of_text|><|header_start|>system<|header_end|>\n\n" + k.mark(t) +
			"<|eot|><|header_start|>user<|header_end|>\n\n" + k.mark(t) + "<|eot|><|header_start|>assistant<|header_end|>\n\n"}
	},
	"amazon.titan-tg1-large": func(t *rapid.T, k *known) {
		k.body = object{"inputText": "User: " + k.mark(t) + "\nBot: " + k.mark(t) + "\nUser: " + k.mark(t) + "\nBot:", "textGenerationConfig": object{"maxTokenCount": 77, "temperature": 0.5, "topP": 0.25}}
	},
	"cohere.command-light-text-v14": func(t *rapid.T, k *known) {
		k.body = object{"prompt": "User: " + k.mark(t) + "\nChatbot: " + k.mark(t) + "\nUser: " + k.mark(t) + "\nChatbot:", "max_tokens": 77, "temperature": 0.5, "p": 0.25}
	},
	"cohere.command-text-v14": func(t *rapid.T, k *known) {
		k.body = object{"prompt": k.mark(t), "max_tokens": 77, "temperature": 0.5, "p": 0.25, "stop_sequences": []any{k.mark(t)}}
	},
}

func drawKnown(t *rapid.T, model string) (*known, Family) {
	k := &known{model: outcrop.ModelID(model)}
	bodiesOf[model](t, k)
	family, ok := FamilyOf(k.model)
	if !ok {
		t.Fatalf("%s has no family", model)
	}
	return k, family
}

// Property: whatever a family has words for is in the middle form, once, and
// its settings have their places there.
func TestNothingKnownIsLost(t *testing.T) {
	for model := range bodiesOf {
		t.Run(model, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				k, family := drawKnown(t, model)
				body, _ := json.Marshal(k.body)
				r, err := family.Decode(body)
				if err != nil {
					t.Fatalf("%s: %v", body, err)
				}
				middle := string(r.AppendJSON(nil))
				for _, w := range k.words {
					if !strings.Contains(middle, w) {
						t.Errorf("%q is lost\nof %s\nis %s", w, body, middle)
					}
				}
				c := r.InferenceConfig
				if c == nil || c.MaxTokens == nil || *c.MaxTokens != 77 || c.Temperature == nil || *c.Temperature != 0.5 || c.TopP == nil || *c.TopP != 0.25 {
					t.Errorf("settings: %s", middle)
				}
				if len(r.AdditionalModelRequestFields) > 0 {
					t.Errorf("what has its place was carried beside it: %s", r.AdditionalModelRequestFields)
				}
			})
		})
	}
}

// Property: a member that nobody knows, at whatever level, is refused or found
// again, never dropped in silence.
func TestNothingUnknownIsDropped(t *testing.T) {
	for model := range bodiesOf {
		t.Run(model, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				k, family := drawKnown(t, model)
				levels := objectsIn("#", k.body)
				at := levels[rapid.IntRange(0, len(levels)-1).Draw(t, "level")]
				at.object["zz_unknown"] = "zz_value"
				body, _ := json.Marshal(k.body)
				r, err := family.Decode(body)
				if err != nil {
					if outcrop.KindOf(err) != outcrop.Invalid {
						t.Errorf("at %s: %v", at.path, err)
					}
					return
				}
				if !strings.Contains(string(r.AppendJSON(nil)), "zz_value") {
					t.Errorf("dropped at %s\nof %s\nis %s", at.path, body, r.AppendJSON(nil))
				}
			})
		})
	}
}

type level struct {
	path   string
	object object
}

// objectsIn lists every object there is in a tree, in a fixed order.
func objectsIn(path string, v any) (all []level) {
	switch v := v.(type) {
	case object:
		all = append(all, level{path, v})
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			all = append(all, objectsIn(path+"/"+name, v[name])...)
		}
	case []any:
		for i := range v {
			all = append(all, objectsIn(fmt.Sprintf("%s/%d", path, i), v[i])...)
		}
	}
	return all
}
