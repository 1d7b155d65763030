package native

import (
	"encoding/json"
	"strings"

	"outcrop/converse"
)

// The families whose body is a prompt with the model's own template tokens
// (reference/runtime-metering-billing.md §2.3, §2.5). The template is read
// back into turns, so that any backend can answer.

// promptRequest takes the prompt out of f under key, and the common settings
// under their names; what is left is carried on.
func promptRequest(body []byte, key string, settings func(fields, *converse.InferenceConfiguration) error) (*converse.Request, error) {
	f, err := parse(body)
	if err != nil {
		return nil, err
	}
	var prompt string
	if found, err := f.take(key, &prompt); err != nil {
		return nil, err
	} else if !found {
		return nil, missingKey("#", key)
	}
	r := &converse.Request{InferenceConfig: new(converse.InferenceConfiguration)}
	if err := settings(f, r.InferenceConfig); err != nil {
		return nil, err
	}
	r.Messages, r.System = turns(prompt)
	f.drop("model", "stream")
	r.AdditionalModelRequestFields = f.rest()
	return r, nil
}

// turns reads a prompt's template. Text without one is a single user turn.
func turns(prompt string) ([]converse.Message, []converse.SystemContentBlock) {
	switch {
	case strings.Contains(prompt, "<|start_header_id|>"):
		return headerTurns(prompt)
	case strings.Contains(prompt, "[INST]"):
		return instTurns(prompt), nil
	}
	return []converse.Message{userTurn(prompt)}, nil
}

func userTurn(text string) converse.Message {
	return converse.Message{Role: "user", Content: []converse.ContentBlock{{Text: &text}}}
}

// headerTurns reads Llama 3's template: headers with a role, turns ended by
// <|eot_id|>. A closing empty assistant header asks for the answer.
func headerTurns(prompt string) (messages []converse.Message, system []converse.SystemContentBlock) {
	for _, part := range strings.Split(prompt, "<|start_header_id|>")[1:] {
		role, text, _ := strings.Cut(part, "<|end_header_id|>")
		text, _, _ = strings.Cut(text, "<|eot_id|>")
		role, text = strings.TrimSpace(role), strings.TrimSpace(text)
		switch {
		case text == "":
		case role == "system":
			system = append(system, converse.SystemContentBlock{Text: &text})
		default:
			m := userTurn(text)
			if role == "assistant" {
				m.Role = role
			}
			messages = append(messages, m)
		}
	}
	return messages, system
}

// instTurns reads Mistral's and Llama 2's template: [INST] user [/INST] answer.
func instTurns(prompt string) []converse.Message {
	var messages []converse.Message
	for _, part := range strings.Split(strings.TrimPrefix(strings.TrimSpace(prompt), "<s>"), "[INST]") {
		user, answer, closed := strings.Cut(part, "[/INST]")
		if text := strings.TrimSpace(user); text != "" {
			messages = append(messages, userTurn(text))
		}
		if text := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(answer), "</s>")); closed && text != "" {
			m := userTurn(text)
			m.Role = "assistant"
			messages = append(messages, m)
		}
	}
	return messages
}

// textOf is all text of an answer.
func textOf(r *converse.Response) string {
	var b strings.Builder
	if m := r.Output.Message; m != nil {
		for _, block := range m.Content {
			if block.Text != nil {
				b.WriteString(*block.Text)
			}
			if c := block.CitationsContent; c != nil {
				for i := range c.Content {
					if c.Content[i].Text != nil {
						b.WriteString(*c.Content[i].Text)
					}
				}
			}
		}
	}
	return b.String()
}

// textChunks streams a format whose chunks are text with a stop reason at the
// end. write makes one chunk; stop is empty but for the last, usage nil too.
type textChunks struct {
	answer *Answer
	stop   string
	write  func(text, stop string, u *converse.TokenUsage) map[string]any
}

func (c *textChunks) Chunk(e converse.Event) ([][]byte, error) {
	switch {
	case e.ContentBlockDelta != nil && e.ContentBlockDelta.Delta.Text != nil:
		return marshal(c.write(*e.ContentBlockDelta.Delta.Text, "", nil))
	case e.MessageStop != nil:
		c.stop = e.MessageStop.StopReason
	case e.Metadata != nil:
		return marshal(withMetrics(c.write("", c.stop, e.Metadata.Usage), c.answer))
	}
	return nil, nil
}

// lengthOr is how these formats say why they stopped.
func lengthOr(stop, otherwise string) any {
	switch stop {
	case "":
		return nil
	case "max_tokens":
		return "length"
	}
	return otherwise
}

// llama is Meta's format.
type llama struct{}

func (llama) Decode(body []byte) (*converse.Request, error) {
	r, err := promptRequest(body, "prompt", func(f fields, c *converse.InferenceConfiguration) error {
		return f.takeAll(map[string]any{"max_gen_len": &c.MaxTokens, "temperature": &c.Temperature, "top_p": &c.TopP})
	})
	if err == nil && r.InferenceConfig.MaxTokens == nil {
		r.InferenceConfig.MaxTokens = new(int64(512)) // the format's own default
	}
	return r, err
}

func llamaAnswer(text, stop string, u *converse.TokenUsage) map[string]any {
	answer := map[string]any{"generation": text, "prompt_token_count": nil, "generation_token_count": nil, "stop_reason": lengthOr(stop, "stop")}
	if u != nil {
		answer["prompt_token_count"], answer["generation_token_count"] = u.InputTokens, u.OutputTokens
	}
	return answer
}

func (llama) Encode(a *Answer) ([]byte, error) {
	return json.Marshal(llamaAnswer(textOf(a.Response), a.Response.StopReason, a.Response.Usage))
}

func (llama) Chunks(a *Answer) Chunker { return &textChunks{answer: a, write: llamaAnswer} }

// mistralText is the format of Mistral's first models.
type mistralText struct{}

func (mistralText) Decode(body []byte) (*converse.Request, error) {
	return promptRequest(body, "prompt", func(f fields, c *converse.InferenceConfiguration) error {
		return f.takeAll(map[string]any{"max_tokens": &c.MaxTokens, "temperature": &c.Temperature, "top_p": &c.TopP, "stop": &c.StopSequences})
	})
}

func mistralAnswer(text, stop string, _ *converse.TokenUsage) map[string]any {
	return map[string]any{"outputs": []any{map[string]any{"text": text, "stop_reason": lengthOr(stop, "stop")}}}
}

func (mistralText) Encode(a *Answer) ([]byte, error) {
	return json.Marshal(mistralAnswer(textOf(a.Response), a.Response.StopReason, nil))
}

func (mistralText) Chunks(a *Answer) Chunker { return &textChunks{answer: a, write: mistralAnswer} }

// deepseekR1 is DeepSeek R1's format: Mistral's request, choices in the answer.
type deepseekR1 struct{ mistralText }

func deepseekAnswer(text, stop string, _ *converse.TokenUsage) map[string]any {
	return map[string]any{"choices": []any{map[string]any{"text": text, "stop_reason": lengthOr(stop, "stop")}}}
}

func (deepseekR1) Encode(a *Answer) ([]byte, error) {
	return json.Marshal(deepseekAnswer(textOf(a.Response), a.Response.StopReason, nil))
}

func (deepseekR1) Chunks(a *Answer) Chunker { return &textChunks{answer: a, write: deepseekAnswer} }

// titanText is Amazon Titan's format.
type titanText struct{}

func (titanText) Decode(body []byte) (*converse.Request, error) {
	return promptRequest(body, "inputText", func(f fields, c *converse.InferenceConfiguration) error {
		var config fields
		if _, err := f.take("textGenerationConfig", &config); err != nil {
			return err
		}
		if err := config.takeAll(map[string]any{
			"maxTokenCount": &c.MaxTokens, "temperature": &c.Temperature, "topP": &c.TopP, "stopSequences": &c.StopSequences,
		}); err != nil {
			return err
		}
		if len(config) > 0 {
			f["textGenerationConfig"] = config.rest()
		}
		return nil
	})
}

// titanReasons are Titan's words for why an answer ended.
var titanReasons = map[string]string{"": "", "max_tokens": "LENGTH", "stop_sequence": "STOP_CRITERIA_MET", "content_filtered": "CONTENT_FILTERED", "guardrail_intervened": "CONTENT_FILTERED"}

func titanReason(stop string) string {
	if r, ok := titanReasons[stop]; ok {
		return r
	}
	return "FINISH"
}

func (titanText) Encode(a *Answer) ([]byte, error) {
	r := a.Response
	return json.Marshal(map[string]any{
		"inputTextTokenCount": r.Usage.InputTokens,
		"results": []any{map[string]any{
			"tokenCount": r.Usage.OutputTokens, "outputText": textOf(r), "completionReason": titanReason(r.StopReason),
		}},
	})
}

func (titanText) Chunks(a *Answer) Chunker {
	return &textChunks{answer: a, write: func(text, stop string, u *converse.TokenUsage) map[string]any {
		chunk := map[string]any{"outputText": text, "index": 0, "completionReason": nil, "totalOutputTextTokenCount": nil, "inputTextTokenCount": nil}
		if u != nil {
			chunk["completionReason"] = titanReason(stop)
			chunk["totalOutputTextTokenCount"], chunk["inputTextTokenCount"] = u.OutputTokens, u.InputTokens
		}
		return chunk
	}}
}
