package converse

import (
	"bytes"
	"encoding/json"

	"outcrop"
)

// Default fills in what r is silent about from a profile's defaults, for the
// given model. What the call says always wins; and a default that would break
// the call beside what it says is left out: Claude takes no temperature beside
// thinking, and some models take temperature or topP, not both.
func (r *Request) Default(d *outcrop.Defaults, model outcrop.ModelID) {
	takes, own := SettingsOf(model), r.fields()
	c := InferenceConfiguration{}
	if r.InferenceConfig != nil {
		c = *r.InferenceConfig
	}
	temperature, topP := own.has("temperature") || c.Temperature != nil, own.has("top_p") || c.TopP != nil
	thinking, budget := own.thinking()
	if d.MaxTokens != nil && c.MaxTokens == nil && !own.has("max_tokens") && *d.MaxTokens > budget {
		c.MaxTokens = d.MaxTokens
	}
	if c.StopSequences == nil && !own.has("stop_sequences") {
		c.StopSequences = d.StopSequences
	}
	free := !takes.NoSampling && !thinking
	if d.Temperature != nil && free && !temperature && !(takes.NotBoth && topP) {
		c.Temperature, temperature = d.Temperature, true
	}
	if d.TopP != nil && free && !topP && !(takes.NotBoth && temperature) {
		c.TopP = d.TopP
	}
	if c.MaxTokens != nil || c.StopSequences != nil || c.Temperature != nil || c.TopP != nil {
		r.InferenceConfig = &c
	}
	if d.TopK != nil && free && len(takes.TopK) > 0 {
		r.AdditionalModelRequestFields = put(r.AdditionalModelRequestFields, takes.TopK, *d.TopK)
	}
	if d.ResponseFormat != nil && r.OutputConfig == nil && !own.has("output_config") && !own.has("output_format") && !own.has("response_format") {
		schema := &JsonSchemaDefinition{Schema: string(d.ResponseFormat), Name: "answer"}
		r.OutputConfig = &OutputConfig{TextFormat: &OutputFormat{Type: "json_schema", Structure: OutputFormatStructure{JsonSchema: schema}}}
	}
}

// extras are the members of additionalModelRequestFields.
type extras map[string]json.RawMessage

func (r *Request) fields() (f extras) {
	json.Unmarshal(r.AdditionalModelRequestFields, &f) // what is no object is refused elsewhere
	return f
}

func (f extras) has(name string) bool {
	v, ok := f[name]
	return ok && !bytes.Equal(v, []byte("null"))
}

// thinking says whether the call asks a model to think, and how many tokens it
// grants: the answer's maximum must be greater.
func (f extras) thinking() (on bool, budget int64) {
	for _, name := range []string{"thinking", "reasoning_config", "reasoningConfig"} {
		var t struct {
			Type   string
			Budget int64 `json:"budget_tokens"`
		}
		if json.Unmarshal(f[name], &t) == nil && (t.Type == "enabled" || t.Type == "adaptive") {
			return true, t.Budget
		}
	}
	return false, 0
}

// put sets a member of a JSON object at path unless it is there already, and
// leaves what is no object as it was.
func put(doc json.RawMessage, path []string, value any) json.RawMessage {
	members := map[string]json.RawMessage{}
	if len(bytes.TrimSpace(doc)) > 0 && json.Unmarshal(doc, &members) != nil {
		return doc
	}
	if members == nil { // of a null
		members = map[string]json.RawMessage{}
	}
	if len(path) > 1 {
		members[path[0]] = put(members[path[0]], path[1:], value)
	} else if _, there := members[path[0]]; !there {
		members[path[0]], _ = json.Marshal(value) // a number: it cannot fail
	}
	out, err := json.Marshal(members)
	if err != nil {
		return doc
	}
	return out
}
