package native

import (
	"encoding/json"
	"fmt"

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
	if path := lost(known, r.AppendJSON(nil)); path != "" {
		return nil, malformed("%s: extraneous key is not permitted", path)
	}
	r.AdditionalModelRequestFields = extra.rest()
	return r, nil
}

// lost is the path of a member of a body that is not there once the body was
// read and written anew: Converse passes over what it does not know, and Nova
// refuses it. Empty is nothing. A null is no member.
func lost(body, again []byte) string {
	var before, after any
	if json.Unmarshal(body, &before) != nil || json.Unmarshal(again, &after) != nil {
		return ""
	}
	return lostIn("#", before, after)
}

func lostIn(path string, before, after any) string {
	switch b := before.(type) {
	case map[string]any:
		a, _ := after.(map[string]any)
		for name, value := range b {
			if value == nil || emptyList(value) {
				continue
			}
			kept, ok := a[name]
			if !ok {
				return path + "/" + name
			}
			if p := lostIn(path+"/"+name, value, kept); p != "" {
				return p
			}
		}
	case []any:
		a, _ := after.([]any)
		for i := range min(len(a), len(b)) {
			if p := lostIn(fmt.Sprintf("%s/%d", path, i), b[i], a[i]); p != "" {
				return p
			}
		}
	}
	return ""
}

func emptyList(v any) bool {
	list, ok := v.([]any)
	return ok && len(list) == 0
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
