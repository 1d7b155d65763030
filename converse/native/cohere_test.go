package native

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outcrop"
)

const commandR = outcrop.ModelID("cohere.command-r-plus-v1:0")

// Calls have no ids in Cohere's form: a result repeats its call, and both get
// the call's number.
func TestCohere(t *testing.T) {
	body := `{"message":"and now?","preamble":"be kind","max_tokens":9,"p":0.5,"k":3,"stop_sequences":["x"],
		"chat_history":[{"role":"USER","message":"weather?"},{"role":"CHATBOT","message":"I look","tool_calls":[{"name":"w","parameters":{"city":"Paris"}},{"name":"w","parameters":{"city": "Rome"}}]},
			{"role":"TOOL","tool_results":[{"call":{"name":"w","parameters":{"city":"Rome"}},"outputs":[{"t":21}]},{"call":{"name":"w","parameters":{"city":"Paris"}},"outputs":[{"t":12}]}]},{"role":"CHATBOT","message":"warm"}],
		"tools":[{"name":"w","description":"weather","parameter_definitions":{"city":{"description":"which","type":"str","required":true},"days":{"type":"List[int]"}}}]}`
	want := `{"messages":[{"role":"user","content":[{"text":"weather?"}]},
		{"role":"assistant","content":[{"text":"I look"},{"toolUse":{"toolUseId":"call_0","name":"w","input":{"city":"Paris"}}},{"toolUse":{"toolUseId":"call_1","name":"w","input":{"city":"Rome"}}}]},
		{"role":"user","content":[{"toolResult":{"toolUseId":"call_1","content":[{"json":{"t":21}}]}},{"toolResult":{"toolUseId":"call_0","content":[{"json":{"t":12}}]}}]},
		{"role":"assistant","content":[{"text":"warm"}]},{"role":"user","content":[{"text":"and now?"}]}],
		"system":[{"text":"be kind"}],"inferenceConfig":{"maxTokens":9,"topP":0.5,"stopSequences":["x"]},
		"toolConfig":{"tools":[{"toolSpec":{"name":"w","description":"weather","inputSchema":{"json":{"type":"object","properties":{"city":{"type":"string","description":"which"},"days":{"type":"array","items":{"type":"integer"},"description":""}},"required":["city"]}}}}]},
		"additionalModelRequestFields":{"k":3}}`
	var got, wanted any
	json.Unmarshal(decode(t, commandR, body).AppendJSON(nil), &got)
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(wanted, got); d != "" {
		t.Error(d)
	}
	for body, says := range map[string]string{
		`{}`: "required key [message] not found", `{"message":"x","tool_results":[{"call":{"name":"w"},"outputs":[]}]}`: "answers no call",
		`{"message":"x","chat_history":[{"role":"POET","message":"y"}]}`: "POET", `{"message":"x","tools":[{"name":"f","parameter_definitions":{"a":{"type":"colour"}}}]}`: "colour",
	} {
		if _, err := (cohere{}).Decode([]byte(body)); outcrop.KindOf(err) != outcrop.Invalid || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want a refusal with %q", body, err, says)
		}
	}
}

func TestCohereAnswersTellTheirCalls(t *testing.T) {
	a := testAnswer(commandR)
	body, err := cohere{}.Encode(a)
	if err != nil || !strings.Contains(string(body), `"text":"Hello there"`) || !strings.Contains(string(body), `"tool_calls":[{"name":"f","parameters":{"a":1}}]`) {
		t.Errorf("%s, %v", body, err)
	}
	var kinds []string
	chunker := cohere{}.Chunks(a)
	for e := range a.Response.Events() {
		chunks, err := chunker.Chunk(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range chunks {
			var chunk struct {
				Kind string `json:"event_type"`
			}
			json.Unmarshal(c, &chunk)
			kinds = append(kinds, chunk.Kind)
		}
	}
	if got := strings.Join(kinds, " "); got != "text-generation tool-calls-generation stream-end" {
		t.Errorf("events %s", got)
	}
}
