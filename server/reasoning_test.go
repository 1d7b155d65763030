package server

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"outcrop"
)

// What an upstream counts of reasoning is told in every form that has a word
// for it, whole and streamed, and is on the record; where it counts none, chat
// completions say nothing of it.
func TestReasoningTokensAreTold(t *testing.T) {
	details := `,"completion_tokens_details":{"reasoning_tokens":7}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		usage := `"usage":{"prompt_tokens":3,"completion_tokens":9,"total_tokens":12` + details + `}`
		if !strings.Contains(string(body), `"stream":true`) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"choices":[{"index":0,"message":{"role":"assistant","reasoning_content":"hm","content":"Hi"},"finish_reason":"stop"}],`+usage+`}`)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, `data: {"choices":[{"index":0,"delta":{"role":"assistant","reasoning_content":"hm"}}]}`+"\n\n"+`data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}`+"\n\n"+
			`data: {"choices":[],`+usage+"}\n\ndata: [DONE]\n\n")
	}))
	defer server.Close()
	s := start(t, Config{Upstreams: map[string]UpstreamConfig{"gpu": {Kind: "openai", BaseURL: server.URL, Models: map[outcrop.ModelID]outcrop.UpstreamModel{"openai.gpt-oss-120b-1:0": "m"}}}})
	const model = `"model":"openai.gpt-oss-120b-1:0",`
	const said = `"messages":[{"role":"user","content":"Hi"}]`
	calls := []struct{ path, body, want string }{
		{"/openai/v1/chat/completions", `{` + model + said + `}`, `"completion_tokens_details":{"reasoning_tokens":7}`},
		{"/openai/v1/chat/completions", `{` + model + `"stream":true,"stream_options":{"include_usage":true},` + said + `}`, `"completion_tokens_details":{"reasoning_tokens":7}`},
		{"/openai/v1/responses", `{` + model + `"input":"Hi"}`, `"output_tokens_details":{"reasoning_tokens":7}`},
		{"/openai/v1/responses", `{` + model + `"stream":true,"input":"Hi"}`, `"output_tokens_details":{"reasoning_tokens":7}`},
		{"/model/openai.gpt-oss-120b-1:0/invoke", `{` + said + `}`, `"completion_tokens_details":{"reasoning_tokens":7}`},
	}
	for _, c := range calls {
		status, answer := sendRaw(t, s.signed(t, s.admin(), "bedrock", "POST", c.path, jsonHeader(), c.body))
		if status != http.StatusOK || !strings.Contains(answer, c.want) {
			t.Errorf("%s: %d %s\nwant %s", c.path, status, answer, c.want)
		}
	}
	status, answer := sendRaw(t, s.signed(t, s.admin(), "bedrock", "POST", "/model/openai.gpt-oss-120b-1:0/invoke-with-response-stream", jsonHeader(), `{`+said+`}`))
	if text := readably(t, answer); status != http.StatusOK || !strings.Contains(text, `"completion_tokens_details":{"reasoning_tokens":7}`) {
		t.Errorf("a native stream: %d %s", status, text)
	}
	for _, r := range records(t, s) {
		if n := r.Usage.Of(outcrop.ReasoningTokens); n != 7 || r.Usage.Output() != 9 {
			t.Errorf("%s: %d tokens of reasoning in %d, want 7 in 9", r.Operation, n, r.Usage.Output())
		}
	}
	details = ""
	for _, c := range calls[:4] {
		_, answer := sendRaw(t, s.signed(t, s.admin(), "bedrock", "POST", c.path, jsonHeader(), c.body))
		if strings.Contains(answer, "completion_tokens_details") || strings.Contains(answer, `"reasoning_tokens":7`) {
			t.Errorf("%s: %s tells reasoning that nobody counted", c.path, answer)
		}
	}
}
