package server

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"outcrop"
	"outcrop/internal/eventstream"
	"outcrop/internal/strictyaml"
	"outcrop/upstream/upstreamtest"
)

var update = flag.Bool("update", false, "write the golden transcripts anew")

// A spoken conversation is the same one in each ingress form: an image, a tool
// that was called and answered, reasoning and a cache point, as far as the form
// has words for them.
type spoken struct{ name, model, operation, body string }

const (
	onePixel   = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	toolSchema = `{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`

	inConverse = `{"system":[{"text":"Be brief."},{"cachePoint":{"type":"default"}}],"inferenceConfig":{"maxTokens":2000},
		"messages":[{"role":"user","content":[{"image":{"format":"png","source":{"bytes":"` + onePixel + `"}}},{"text":"What is the weather in the city of the picture?"}]},
		{"role":"assistant","content":[{"toolUse":{"toolUseId":"call_0","name":"get_weather","input":{"city":"Paris"}}}]},
		{"role":"user","content":[{"toolResult":{"toolUseId":"call_0","content":[{"text":"21 degrees"}]}}]}],
		"toolConfig":{"tools":[{"toolSpec":{"name":"get_weather","description":"Weather by city","inputSchema":{"json":` + toolSchema + `}}}]},
		"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":1024}}}`
	inAnthropic = `{"anthropic_version":"bedrock-2023-05-31","max_tokens":2000,"system":[{"type":"text","text":"Be brief.","cache_control":{"type":"ephemeral"}}],
		"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + onePixel + `"}},{"type":"text","text":"What is the weather in the city of the picture?"}]},
		{"role":"assistant","content":[{"type":"tool_use","id":"call_0","name":"get_weather","input":{"city":"Paris"}}]},
		{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_0","content":[{"type":"text","text":"21 degrees"}]}]}],
		"tools":[{"name":"get_weather","description":"Weather by city","input_schema":` + toolSchema + `}],"thinking":{"type":"enabled","budget_tokens":1024}}`
	inNova = `{"schemaVersion":"messages-v1","system":[{"text":"Be brief."},{"cachePoint":{"type":"default"}}],"inferenceConfig":{"max_new_tokens":2000},
		"messages":[{"role":"user","content":[{"image":{"format":"png","source":{"bytes":"` + onePixel + `"}}},{"text":"What is the weather in the city of the picture?"}]},
		{"role":"assistant","content":[{"toolUse":{"toolUseId":"call_0","name":"get_weather","input":{"city":"Paris"}}}]},
		{"role":"user","content":[{"toolResult":{"toolUseId":"call_0","content":[{"text":"21 degrees"}]}}]}],
		"toolConfig":{"tools":[{"toolSpec":{"name":"get_weather","description":"Weather by city","inputSchema":{"json":` + toolSchema + `}}}]}}`
	inChat = `{"max_completion_tokens":2000,"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"What is the weather in Paris?"},
		{"role":"assistant","content":null,"tool_calls":[{"id":"call_0","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Paris\"}"}}]},{"role":"tool","tool_call_id":"call_0","content":"21 degrees"}],
		"tools":[{"type":"function","function":{"name":"get_weather","description":"Weather by city","parameters":` + toolSchema + `}}]}`
	inCompletions = `{"model":"us.` + claude + `","max_completion_tokens":2000,"reasoning_effort":"low","messages":[{"role":"system","content":"Be brief."},
		{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + onePixel + `"}},{"type":"text","text":"What is the weather in the city of the picture?"}]},
		{"role":"assistant","content":null,"tool_calls":[{"id":"call_0","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Paris\"}"}}]},{"role":"tool","tool_call_id":"call_0","content":"21 degrees"}],
		"tools":[{"type":"function","function":{"name":"get_weather","description":"Weather by city","parameters":` + toolSchema + `}}]`
	inResponses = `{"model":"us.` + claude + `","max_output_tokens":2000,"store":false,"reasoning":{"effort":"low"},"instructions":"Be brief.","input":[
		{"role":"user","content":[{"type":"input_image","image_url":"data:image/png;base64,` + onePixel + `"},{"type":"input_text","text":"What is the weather in the city of the picture?"}]},
		{"type":"function_call","call_id":"call_0","name":"get_weather","arguments":"{\"city\":\"Paris\"}"},{"type":"function_call_output","call_id":"call_0","output":"21 degrees"}],
		"tools":[{"type":"function","name":"get_weather","description":"Weather by city","parameters":` + toolSchema + `}]`
	inCohere = `{"preamble":"Be brief.","max_tokens":2000,"message":"Thanks!","chat_history":[{"role":"USER","message":"What is the weather in Paris?"},
		{"role":"CHATBOT","message":"","tool_calls":[{"name":"get_weather","parameters":{"city":"Paris"}}]},{"role":"TOOL","tool_results":[{"call":{"name":"get_weather","parameters":{"city":"Paris"}},"outputs":[{"weather":"21 degrees"}]}]},{"role":"CHATBOT","message":"21 degrees."}],
		"tools":[{"name":"get_weather","description":"Weather by city","parameter_definitions":{"city":{"description":"city","type":"str","required":true}}}]}`
	inLlama   = `{"prompt":"<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nWhat is the weather in Paris?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n","max_gen_len":2000}`
	inMistral = `{"prompt":"<s>[INST] What is the weather in Paris? [/INST]","max_tokens":2000}`
)

var conversations = []spoken{
	{"converse", "us." + claude, "converse", inConverse}, {"converse-stream", "us." + claude, "converse-stream", inConverse},
	{"anthropic", "us." + claude, "invoke", inAnthropic}, {"anthropic-stream", "us." + claude, "invoke-with-response-stream", inAnthropic},
	{"nova", "us.amazon.nova-lite-v1:0", "invoke", inNova}, {"nova-stream", "us.amazon.nova-lite-v1:0", "invoke-with-response-stream", inNova},
	{"chat", "openai.gpt-oss-120b-1:0", "invoke", inChat}, {"chat-stream", "openai.gpt-oss-120b-1:0", "invoke-with-response-stream", inChat},
	{"cohere", "cohere.command-r-v1:0", "invoke", inCohere}, {"cohere-stream", "cohere.command-r-v1:0", "invoke-with-response-stream", inCohere},
	{"llama", "us.meta.llama3-1-8b-instruct-v1:0", "invoke", inLlama}, {"llama-stream", "us.meta.llama3-1-8b-instruct-v1:0", "invoke-with-response-stream", inLlama},
	{"mistral", "mistral.mistral-7b-instruct-v0:2", "invoke", inMistral}, {"mistral-stream", "mistral.mistral-7b-instruct-v0:2", "invoke-with-response-stream", inMistral},
	{"completions", claude, "/openai/v1/chat/completions", inCompletions + "}"}, {"completions-stream", claude, "/openai/v1/chat/completions", inCompletions + `,"stream":true,"stream_options":{"include_usage":true}}`},
	{"responses", claude, "/openai/v1/responses", inResponses + "}"}, {"responses-stream", claude, "/openai/v1/responses", inResponses + `,"stream":true}`},
	{"messages", claude, "/anthropic/v1/messages", inMessages("")}, {"messages-stream", claude, "/anthropic/v1/messages", inMessages(`"stream":true,`)},
}

// inMessages is the body that InvokeModel takes, in the form of Anthropic's own
// API.
func inMessages(more string) string {
	return strings.Replace(inAnthropic, `"anthropic_version":"bedrock-2023-05-31",`, `"model":"us.`+claude+`",`+more, 1)
}

// path is where the conversation is held; a compatible form names its model in
// the body.
func (c spoken) path() string {
	if strings.HasPrefix(c.operation, "/") {
		return c.operation
	}
	return "/model/" + c.model + "/" + c.operation
}

// The same conversation through every pair of ingress form and upstream kind.
// What changes is seen in the golden files (go test ./server -run Transcripts
// -update).
func TestTranscripts(t *testing.T) {
	models := map[outcrop.ModelID]outcrop.UpstreamModel{}
	for _, c := range conversations {
		models[outcrop.ModelID(strings.TrimPrefix(c.model, "us."))] = "test-model"
	}
	plain := RuntimeConfig{StreamPadding: new(false)}
	_, chat := upstreamtest.OpenAI(t)
	_, messages := upstreamtest.Anthropic(t)
	behind := start(t, Config{Runtime: plain})
	keys := behind.admin()
	for kind, u := range map[string]UpstreamConfig{
		"simulator": {Kind: "simulator"},
		"openai":    {Kind: "openai", BaseURL: chat, Models: models},
		"anthropic": {Kind: "anthropic", BaseURL: messages, APIKey: "key", Models: models},
		"bedrock":   {Kind: "bedrock", BaseURL: behind.Endpoint(), Credentials: BedrockCredentials{AccessKeyID: keys.AccessKey, SecretAccessKey: keys.Secret}},
	} {
		t.Run(kind, func(t *testing.T) {
			u.Timeout = strictyaml.Duration(0)
			s := start(t, Config{Runtime: plain, Upstreams: map[string]UpstreamConfig{"only": u}})
			for _, c := range conversations {
				header := jsonHeader()
				header.Set("Anthropic-Version", "2023-06-01")
				status, answer := sendRaw(t, s.signed(t, s.admin(), "bedrock", "POST", c.path(), header, c.body))
				compareGolden(t, filepath.Join("testdata", "transcripts", kind, c.name+".txt"), fmt.Sprintf("%d\n%s\n", status, readably(t, answer)))
			}
		})
	}
}

// changing is what is another one in every run.
var changing = regexp.MustCompile(`("(?:latencyMs|invocationLatency|firstByteLatency|created|created_at)":)\d+|(msg_bdrk_)[0-9a-f]{24}|((?:resp|rs|msg|fc)_)[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// readably writes an answer with one event to a line.
func readably(t *testing.T, answer string) string {
	t.Helper()
	var out strings.Builder
	if c := answer[:min(1, len(answer))]; c == "{" || c == "e" || c == "d" { // an object; an event stream as text
		return changing.ReplaceAllString(answer, "${1}${2}${3}0")
	}
	for decoder := eventstream.NewDecoder(strings.NewReader(answer)); ; {
		m, err := decoder.Next()
		if errors.Is(err, io.EOF) {
			return strings.TrimSpace(changing.ReplaceAllString(out.String(), "${1}${2}${3}0"))
		}
		if err != nil {
			t.Fatal(err)
		}
		name, payload := m.Headers.Text(eventstream.EventType)+m.Headers.Text(eventstream.ExceptionType), m.Payload
		var chunk struct{ Bytes string }
		if name == "chunk" && json.Unmarshal(payload, &chunk) == nil {
			if payload, err = base64.StdEncoding.DecodeString(chunk.Bytes); err != nil {
				t.Fatal(err)
			}
		}
		fmt.Fprintf(&out, "%s %s\n", name, payload)
	}
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s differs\n got %s\nwant %s", name, got, want)
	}
}
