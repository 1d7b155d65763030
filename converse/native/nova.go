package native

import (
	"encoding/json"

	"outcrop/converse"
)

// nova is Amazon Nova's format: Converse's own shapes with a few names of its
// own (reference/runtime-metering-billing.md §2.2).
type nova struct{}

// novaAliases are inferenceConfig's other spellings.
var novaAliases = map[string]string{"max_new_tokens": "maxTokens", "top_p": "topP", "top_k": "topK", "stop_sequences": "stopSequences"}

func (nova) Decode(body []byte) (*converse.Request, error) {
	f, err := parse(body)
	if err != nil {
		return nil, err
	}
	f.drop("schemaVersion", "model", "stream")
	if _, ok := f["messages"]; !ok {
		return nil, missingKey("#", "messages")
	}
	extra := fields{}
	if err := novaInference(f, extra); err != nil {
		return nil, err
	}
	for key, raw := range f {
		switch key {
		case "messages", "system", "toolConfig", "inferenceConfig":
		default:
			extra[key] = raw
			delete(f, key)
		}
	}
	known, err := json.Marshal(f)
	if err != nil {
		return nil, malformed("#: %s", plain(err))
	}
	r, err := converse.DecodeRequest(known)
	if err != nil {
		return nil, err
	}
	r.AdditionalModelRequestFields = extra.rest()
	return r, nil
}

// novaInference writes inferenceConfig in Converse's spelling. What Converse
// does not have there (topK, reasoningConfig) is carried in extra.
func novaInference(f, extra fields) error {
	var config fields
	if found, err := f.take("inferenceConfig", &config); err != nil || !found {
		return err
	}
	carried := fields{}
	for key, raw := range config {
		if name, ok := novaAliases[key]; ok {
			delete(config, key)
			key = name
			config[key] = raw
		}
		switch key {
		case "maxTokens", "temperature", "topP", "stopSequences":
		default:
			carried[key] = raw
			delete(config, key)
		}
	}
	if len(carried) > 0 {
		extra["inferenceConfig"] = carried.rest()
	}
	b, err := json.Marshal(config)
	f["inferenceConfig"] = b
	return err
}

// novaUsage has names of its own for the caches.
type novaUsage struct {
	Input      int64  `json:"inputTokens"`
	Output     int64  `json:"outputTokens"`
	Total      int64  `json:"totalTokens"`
	CacheRead  *int64 `json:"cacheReadInputTokenCount,omitempty"`
	CacheWrite *int64 `json:"cacheWriteInputTokenCount,omitempty"`
}

func novaUsageOf(u *converse.TokenUsage) novaUsage {
	return novaUsage{u.InputTokens, u.OutputTokens, u.TotalTokens, u.CacheReadInputTokens, u.CacheWriteInputTokens}
}

func (nova) Encode(a *Answer) ([]byte, error) {
	r := *a.Response
	usage := novaUsageOf(r.Usage)
	r.Usage = new(converse.TokenUsage)
	var answer map[string]json.RawMessage
	if err := json.Unmarshal(r.AppendJSON(nil), &answer); err != nil {
		return nil, err
	}
	delete(answer, "metrics")
	answer["usage"], _ = json.Marshal(usage)
	return json.Marshal(answer)
}

func (nova) Chunks(a *Answer) Chunker { return novaChunks{a} }

// novaChunks wraps each Converse event in an object by its name.
type novaChunks struct{ answer *Answer }

func (c novaChunks) Chunk(e converse.Event) ([][]byte, error) {
	if e.Metadata != nil {
		return marshal(withMetrics(map[string]any{"metadata": map[string]any{"usage": novaUsageOf(e.Metadata.Usage), "metrics": struct{}{}}}, c.answer))
	}
	return marshal(map[string]json.RawMessage{e.Name(): e.AppendPayload(nil)})
}
