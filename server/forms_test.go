package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outcrop"
	"outcrop/converse"
	"outcrop/internal/eventstream"
)

// A formedModel is a model of a family, with what that family has words for.
type formedModel struct {
	model     string // as it is called
	id        outcrop.ModelID
	tools     bool
	system    bool
	reasoning string // asks for it
}

var formed = []formedModel{
	{"us." + claude, claude, true, true, `{"thinking":{"type":"enabled","budget_tokens":1024}}`},
	{"us.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0", true, true, ""},
	{"openai.gpt-oss-120b-1:0", "openai.gpt-oss-120b-1:0", true, true, `{"reasoning_effort":"low"}`},
	{"cohere.command-r-v1:0", "cohere.command-r-v1:0", true, true, ""},
	{"us.meta.llama3-1-8b-instruct-v1:0", "meta.llama3-1-8b-instruct-v1:0", false, true, ""},
	{"us.meta.llama4-scout-17b-instruct-v1:0", "meta.llama4-scout-17b-instruct-v1:0", false, true, ""},
	{"mistral.mistral-7b-instruct-v0:2", "mistral.mistral-7b-instruct-v0:2", false, false, ""},
	{"us.deepseek.r1-v1:0", "deepseek.r1-v1:0", false, true, `{"reasoning_effort":"low"}`},
	{"amazon.titan-tg1-large", "amazon.titan-tg1-large", false, false, ""},
}

// Through InvokeModel, in its own form, every model says what it says through
// Converse, whole and streamed, calls the same tools, and both sides meter the
// same tokens.
func TestModelsAreAskedInTheirOwnForm(t *testing.T) {
	behind := start(t, Config{})
	keys := behind.admin()
	u := UpstreamConfig{Kind: "bedrock", BaseURL: behind.Endpoint(), Forms: map[outcrop.ModelID]string{},
		Credentials: BedrockCredentials{AccessKeyID: keys.AccessKey, SecretAccessKey: keys.Secret}}
	for _, m := range formed {
		u.Forms[m.id] = "native"
	}
	front := start(t, Config{Upstreams: map[string]UpstreamConfig{"aws": u}})
	calls := 0
	for _, m := range formed {
		for _, body := range m.bodies() {
			want := conversed(t, behind, m.model, "converse", body)
			for _, operation := range []string{"converse", "converse-stream"} {
				got := conversed(t, front, m.model, operation, body)
				calls++
				if d := cmp.Diff(plainAnswer(want), plainAnswer(got)); d != "" {
					t.Errorf("%s by %s of %s (-converse +own form):\n%s", m.model, operation, body, d)
				}
				if got.Usage == nil || got.Usage.OutputTokens == 0 {
					t.Errorf("%s by %s: usage %+v", m.model, operation, got.Usage)
				}
			}
		}
	}
	here := records(t, front)
	there := map[string]outcrop.UsageRecord{}
	for _, r := range records(t, behind) {
		there[r.SDKAttempt] = r
	}
	if len(here) != calls {
		t.Errorf("%d records of %d calls", len(here), calls)
	}
	for _, h := range here {
		b, ok := there[string(h.Invocation)]
		if !ok || !strings.HasPrefix(string(b.Operation), "InvokeModel") || h.Usage.Total() != b.Usage.Total() || h.Usage.Output() != b.Usage.Output() || h.Usage.Estimated || h.Outcome.StopReason == "" {
			t.Errorf("%s: in front %s %+v %+v; behind %s %+v", h.Model, h.Operation, h.Usage, h.Outcome, b.Operation, b.Usage)
		}
	}
}

func (m *formedModel) bodies() []string {
	system := ""
	if m.system {
		system = `"system":[{"text":"Be brief."}],`
	}
	bodies := []string{`{` + system + `"inferenceConfig":{"maxTokens":2000,"temperature":0.5},"messages":[{"role":"user","content":[{"text":"Hello"}]},
		{"role":"assistant","content":[{"text":"Hi."}]},{"role":"user","content":[{"text":"How are you?"}]}]}`}
	if m.reasoning != "" {
		bodies = append(bodies, `{"inferenceConfig":{"maxTokens":2000},"messages":[{"role":"user","content":[{"text":"Think about it"}]}],"additionalModelRequestFields":`+m.reasoning+`}`)
	}
	if m.tools {
		tools := `"toolConfig":{"tools":[{"toolSpec":{"name":"get_weather","description":"Weather by city","inputSchema":{"json":{"type":"object","properties":{"city":{"type":"string","description":"which"}},"required":["city"]}}}}]}`
		bodies = append(bodies, `{"messages":[{"role":"user","content":[{"text":"What is the weather in Paris?"}]}],`+tools+`}`,
			`{"messages":[{"role":"user","content":[{"text":"What is the weather in Paris?"}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"call_0","name":"get_weather","input":{"city":"Paris"}}}]},
			{"role":"user","content":[{"toolResult":{"toolUseId":"call_0","content":[{"text":"21 degrees"}]}}]}],`+tools+`}`)
	}
	return bodies
}

// conversed is the answer of Converse or ConverseStream.
func conversed(t *testing.T, s *Server, model, operation, body string) *converse.Response {
	t.Helper()
	status, answer := sendRaw(t, s.signed(t, s.admin(), "bedrock", "POST", "/model/"+model+"/"+operation, jsonHeader(), body))
	if status != http.StatusOK {
		t.Fatalf("%s by %s: %d %s\n%s", model, operation, status, answer, body)
	}
	if operation == "converse" {
		r, err := converse.DecodeResponse([]byte(answer))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r, err := converse.Collect(func(yield func(converse.Event, error) bool) {
		for decoder := eventstream.NewDecoder(strings.NewReader(answer)); ; {
			m, err := decoder.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			var e converse.Event
			if err == nil {
				e, err = converse.DecodeEvent(m.Headers.Text(eventstream.EventType), bytes.Clone(m.Payload))
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	})
	if err != nil {
		t.Fatalf("%s by %s: %v\n%s", model, operation, err, answer)
	}
	return r
}

// plainAnswer is what is said and why it ended. Calls are named by their
// numbers where the form has no ids, and thoughts signed where it has signatures.
func plainAnswer(r *converse.Response) string {
	var out strings.Builder
	for _, b := range r.Output.Message.Content {
		switch {
		case b.Text != nil:
			out.WriteString("text: " + *b.Text + "\n")
		case b.ToolUse != nil:
			var input bytes.Buffer
			if json.Compact(&input, b.ToolUse.Input) != nil {
				input.Write(b.ToolUse.Input)
			}
			out.WriteString("call: " + b.ToolUse.Name + input.String() + "\n")
		case b.ReasoningContent != nil && b.ReasoningContent.ReasoningText != nil:
			out.WriteString("thought: " + b.ReasoningContent.ReasoningText.Text + "\n")
		}
	}
	return out.String() + r.StopReason
}

// What a model's form has no words for is the caller's mistake, told before
// anything is sent.
func TestWhatAFormCannotSayIsRefused(t *testing.T) {
	behind := start(t, Config{})
	keys := behind.admin()
	front := start(t, Config{Upstreams: map[string]UpstreamConfig{"aws": {Kind: "bedrock", BaseURL: behind.Endpoint(), Forms: map[outcrop.ModelID]string{"mistral.mistral-7b-instruct-v0:2": "native"},
		Credentials: BedrockCredentials{AccessKeyID: keys.AccessKey, SecretAccessKey: keys.Secret}}}})
	for says, body := range map[string]string{
		"system messages":   `{"system":[{"text":"s"}],"messages":[{"role":"user","content":[{"text":"hi"}]}]}`,
		"toolConfig":        `{"messages":[{"role":"user","content":[{"text":"hi"}]}],"toolConfig":{"tools":[{"toolSpec":{"name":"f","description":"d","inputSchema":{"json":{"type":"object"}}}}]}}`,
		"A text holds </s>": `{"messages":[{"role":"user","content":[{"text":"hi</s>"}]}]}`,
	} {
		for _, operation := range []string{"converse", "converse-stream"} {
			status, answer := send(t, front.signed(t, front.admin(), "bedrock", "POST", "/model/mistral.mistral-7b-instruct-v0:2/"+operation, jsonHeader(), body))
			if status != http.StatusBadRequest || !strings.Contains(answer, says) {
				t.Errorf("%s: %d %s, want 400 with %q", operation, status, answer, says)
			}
		}
	}
	if got := records(t, behind); len(got) != 0 {
		t.Errorf("%d calls were sent all the same", len(got))
	}
}

// A configuration that cannot work says what would.
func TestFormsThatCannotWork(t *testing.T) {
	for says, u := range map[string]UpstreamConfig{
		"for the kind bedrock":   {Kind: "simulator", Forms: map[outcrop.ModelID]string{"meta.llama3-1-8b-instruct-v1:0": "native"}},
		`no model "meta.lama"`:   {Kind: "bedrock", Forms: map[outcrop.ModelID]string{"meta.lama": "native"}},
		"the forms are converse": {Kind: "bedrock", Forms: map[outcrop.ModelID]string{"meta.llama3-1-8b-instruct-v1:0": "lama"}},
		"say under forms":        {Kind: "bedrock", Forms: map[outcrop.ModelID]string{"cohere.rerank-v3-5:0": "native"}},
	} {
		config := Config{Listen: "127.0.0.1:0", DataDir: t.TempDir(), Upstreams: map[string]UpstreamConfig{"aws": u}}
		u.Credentials = BedrockCredentials{AccessKeyID: "a", SecretAccessKey: "b"}
		if u.Kind == "bedrock" {
			config.Upstreams["aws"] = u
		}
		s, err := Start(t.Context(), config, slog.New(slog.DiscardHandler))
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}
