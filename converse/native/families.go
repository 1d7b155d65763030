package native

import (
	"encoding/json"

	"outcrop"
	"outcrop/converse"
)

// llama is Meta's format. Its template changed with Llama 4.
type llama struct{ template *template }

func (l llama) EncodeRequest(r *converse.Request) ([]byte, error) {
	body, err := encodePrompt(r, l.template, "prompt", settings{"max_gen_len", "temperature", "top_p", ""})
	if err != nil {
		return nil, err
	}
	return finishBody(body, r)
}

func (llama) DecodeAnswer(a outcrop.Attempt, body []byte) (*converse.Response, error) {
	return voice(llamaVoice).whole(a, body, "generation")
}

func (llama) Reader(a outcrop.Attempt, yield func(converse.Event, error) bool) Reader {
	return voice(llamaVoice).reader(a, yield)
}

func (llama) Decode(body []byte) (*converse.Request, error) {
	r, err := promptRequest(body, "prompt", readTemplate, func(f fields, c *converse.InferenceConfiguration) error {
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

// mistralSettings are DeepSeek R1's too.
var mistralSettings = settings{"max_tokens", "temperature", "top_p", "stop"}

func (mistralText) EncodeRequest(r *converse.Request) ([]byte, error) {
	body, err := encodePrompt(r, &mistralTemplate, "prompt", mistralSettings)
	if err != nil {
		return nil, err
	}
	return finishBody(body, r)
}

func (mistralText) DecodeAnswer(a outcrop.Attempt, body []byte) (*converse.Response, error) {
	return voice(mistralVoice).whole(a, body, "outputs")
}

func (mistralText) Reader(a outcrop.Attempt, yield func(converse.Event, error) bool) Reader {
	return voice(mistralVoice).reader(a, yield)
}

func (mistralText) Decode(body []byte) (*converse.Request, error) {
	return promptRequest(body, "prompt", readTemplate, func(f fields, c *converse.InferenceConfiguration) error {
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
// What it thinks stands in tags before the text.
type deepseekR1 struct{ mistralText }

func (deepseekR1) EncodeRequest(r *converse.Request) ([]byte, error) {
	body, err := encodePrompt(r, &deepseekTemplate, "prompt", mistralSettings)
	if err != nil {
		return nil, err
	}
	return finishBody(body, r)
}

func (deepseekR1) DecodeAnswer(a outcrop.Attempt, body []byte) (*converse.Response, error) {
	return voice(deepseekVoice).whole(a, body, "choices")
}

func (deepseekR1) Reader(a outcrop.Attempt, yield func(converse.Event, error) bool) Reader {
	return voice(deepseekVoice).reader(a, yield)
}

func deepseekAnswer(text, stop string, _ *converse.TokenUsage) map[string]any {
	return map[string]any{"choices": []any{map[string]any{"text": text, "stop_reason": lengthOr(stop, "stop")}}}
}

func (deepseekR1) Encode(a *Answer) ([]byte, error) {
	text := textOf(a.Response)
	if thought := thoughtOf(a.Response); thought != "" {
		text = beforeThought + thought + afterThought + text
	}
	return json.Marshal(deepseekAnswer(text, a.Response.StopReason, nil))
}

func (deepseekR1) Chunks(a *Answer) Chunker {
	return &textChunks{answer: a, write: deepseekAnswer, tags: true}
}

// titanText is Amazon Titan's format.
type titanText struct{}

func (titanText) EncodeRequest(r *converse.Request) ([]byte, error) {
	body, err := encodePrompt(&converse.Request{Messages: r.Messages, System: r.System, ToolConfig: r.ToolConfig, OutputConfig: r.OutputConfig,
		PromptVariables: r.PromptVariables, AdditionalModelResponseFieldPaths: r.AdditionalModelResponseFieldPaths}, &titanTemplate, "inputText", settings{})
	if err != nil {
		return nil, err
	}
	config := map[string]any{}
	if err := (settings{"maxTokenCount", "temperature", "topP", "stopSequences"}).write(config, r.InferenceConfig); err != nil {
		return nil, err
	}
	if body["textGenerationConfig"] = config; len(config) == 0 {
		delete(body, "textGenerationConfig")
	}
	return finishBody(body, r)
}

func (titanText) DecodeAnswer(a outcrop.Attempt, body []byte) (*converse.Response, error) {
	return voice(titanVoice).whole(a, body, "results")
}

func (titanText) Reader(a outcrop.Attempt, yield func(converse.Event, error) bool) Reader {
	return voice(titanVoice).reader(a, yield)
}

func (titanText) Decode(body []byte) (*converse.Request, error) {
	return promptRequest(body, "inputText", titanDialog.read, func(f fields, c *converse.InferenceConfiguration) error {
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

// cohereText is the format of the first Command models: a prompt, and
// generations in the answer.
type cohereText struct{}

func (cohereText) EncodeRequest(r *converse.Request) ([]byte, error) {
	body, err := encodePrompt(r, &commandTemplate, "prompt", settings{"max_tokens", "temperature", "p", "stop_sequences"})
	if err != nil {
		return nil, err
	}
	return finishBody(body, r)
}

func (cohereText) DecodeAnswer(a outcrop.Attempt, body []byte) (*converse.Response, error) {
	return voice(commandVoice).whole(a, body, "generations")
}

func (cohereText) Reader(a outcrop.Attempt, yield func(converse.Event, error) bool) Reader {
	return voice(commandVoice).reader(a, yield)
}

func (cohereText) Decode(body []byte) (*converse.Request, error) {
	return promptRequest(body, "prompt", commandDialog.read, func(f fields, c *converse.InferenceConfiguration) error {
		return f.takeAll(map[string]any{"max_tokens": &c.MaxTokens, "temperature": &c.Temperature, "p": &c.TopP, "stop_sequences": &c.StopSequences})
	})
}

func (cohereText) Encode(a *Answer) ([]byte, error) {
	return json.Marshal(map[string]any{"id": a.ID, "generations": []any{map[string]any{
		"id": a.ID, "text": textOf(a.Response), "finish_reason": cohereFinish(a.Response.StopReason),
	}}})
}

func (cohereText) Chunks(a *Answer) Chunker {
	return &textChunks{answer: a, write: func(text, stop string, _ *converse.TokenUsage) map[string]any {
		if stop == "" {
			return map[string]any{"text": text, "is_finished": false}
		}
		return map[string]any{"text": text, "is_finished": true, "finish_reason": cohereFinish(stop)}
	}}
}
