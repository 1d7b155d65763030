package bedrock_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outcrop"
	"outcrop/converse"
	"outcrop/gateway"
	"outcrop/upstream/bedrock"
	"outcrop/upstream/upstreamtest"
)

const (
	llama       = outcrop.ModelID("meta.llama3-3-70b-instruct-v1:0")
	importedARN = "arn:aws:bedrock:{region}:111122223333:imported-model/abcdefghijkl"
)

var llamaAttempt = func() outcrop.Attempt {
	a := upstreamtest.Attempt
	a.Destination.Model = llama
	return a
}()

// An asked is what a Region was asked, and answers with the same.
type asked struct {
	status int
	header http.Header
	answer string

	path string
	sent http.Header
	body []byte
}

func (s *asked) RoundTrip(r *http.Request) (*http.Response, error) {
	s.path, s.sent = r.URL.EscapedPath(), r.Header
	s.body, _ = io.ReadAll(r.Body)
	return &http.Response{StatusCode: max(s.status, 200), Header: s.header, ContentLength: -1, Body: io.NopCloser(strings.NewReader(s.answer))}, nil
}

func importing(t testing.TB, s *asked) *bedrock.Upstream {
	t.Helper()
	u, err := bedrock.New(t.Context(), bedrock.Config{Credentials: someKeys, Models: map[outcrop.ModelID]string{llama: importedARN}}, s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func jsonAnswer(text string, more ...string) *asked {
	s := &asked{header: http.Header{"Content-Type": {"application/json"}}, answer: text}
	for i := 0; i+1 < len(more); i += 2 {
		s.header.Set(more[i], more[i+1])
	}
	return s
}

// An imported model has no Converse operation. It is asked through InvokeModel
// in the form of the family that its id names, with what a conversation says
// beside it in headers; and its answer is metered by the headers.
func TestAnImportedModelIsAskedInItsOwnForm(t *testing.T) {
	r, err := converse.DecodeRequest([]byte(`{"system":[{"text":"Be brief."}],"messages":[{"role":"user","content":[{"text":"Hi"}]}],"inferenceConfig":{"maxTokens":7,"temperature":0.5},
		"guardrailConfig":{"guardrailIdentifier":"g","guardrailVersion":"1"},"requestMetadata":{"team":"blue"},"performanceConfig":{"latency":"optimized"},"serviceTier":{"type":"flex"}}`))
	if err != nil {
		t.Fatal(err)
	}
	s := jsonAnswer(`{"generation":"Hello","prompt_token_count":null,"generation_token_count":null,"stop_reason":"length"}`,
		"X-Amzn-Bedrock-Input-Token-Count", "11", "X-Amzn-Bedrock-Output-Token-Count", "3", "X-Amzn-Bedrock-Service-Tier", "flex", "X-Amzn-Bedrock-Invocation-Latency", "42")
	got, err := importing(t, s).Converse(t.Context(), llamaAttempt, r)
	if err != nil {
		t.Fatal(err)
	}
	if want := "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A111122223333%3Aimported-model%2Fabcdefghijkl/invoke"; s.path != want {
		t.Errorf("asked at %s, want %s", s.path, want)
	}
	var sent map[string]any
	if err := json.Unmarshal(s.body, &sent); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]any{"max_gen_len": 7.0, "temperature": 0.5, "prompt": "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"}, sent); d != "" {
		t.Error(d)
	}
	for name, want := range map[string]string{"Guardrailidentifier": "g", "Guardrailversion": "1", "Request-Metadata": `{"team":"blue"}`, "Performanceconfig-Latency": "optimized", "Service-Tier": "flex"} {
		if s.sent.Get("X-Amzn-Bedrock-"+name) != want || !strings.Contains(s.sent.Get("Authorization"), strings.ToLower("x-amzn-bedrock-"+name)) {
			t.Errorf("%s is %q and signed by %s", name, s.sent.Get("X-Amzn-Bedrock-"+name), s.sent.Get("Authorization"))
		}
	}
	want := &converse.Response{Output: converse.ConverseOutput{Message: &converse.Message{Role: "assistant", Content: []converse.ContentBlock{converse.Text("Hello")}}}, StopReason: "max_tokens",
		Usage: &converse.TokenUsage{InputTokens: 11, OutputTokens: 3, TotalTokens: 14}, ServiceTier: &converse.ServiceTier{Type: "flex"}, Metrics: converse.ConverseMetrics{LatencyMs: 42}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// A conversation goes through the middle form; a body that is in the model's
// own form already passes as it came.
func TestOwnFormsPassOnlyWhereTheyAreTheSame(t *testing.T) {
	config := bedrock.Config{Credentials: someKeys, Models: map[outcrop.ModelID]string{llama: importedARN}, Forms: map[outcrop.ModelID]string{"qwen.qwen3-32b-v1:0": "native", "acme.own-v1:0": "chat", "mistral.mistral-7b-instruct-v0:2": "chat"}}
	u := open(t, config)
	for _, c := range []struct {
		model    outcrop.ModelID
		protocol gateway.Protocol
		want     bool
	}{
		{llama, gateway.ConverseProtocol, false}, {llama, gateway.InvokeProtocol, true},
		{"qwen.qwen3-32b-v1:0", gateway.ConverseProtocol, false}, {"qwen.qwen3-32b-v1:0", gateway.InvokeProtocol, true},
		{"acme.own-v1:0", gateway.ConverseProtocol, false}, {"acme.own-v1:0", gateway.InvokeProtocol, true},
		{"mistral.mistral-7b-instruct-v0:2", gateway.InvokeProtocol, false}, {"amazon.nova-lite-v1:0", gateway.ConverseProtocol, true},
	} {
		if got := u.Forwards(outcrop.Attempt{Destination: outcrop.Destination{Model: c.model}}, &gateway.Form{Protocol: c.protocol}); got != c.want {
			t.Errorf("%s by %s: %t", c.model, c.protocol, got)
		}
	}
	converses := config
	converses.Forms = map[outcrop.ModelID]string{llama: "converse"}
	if !open(t, converses).Forwards(llamaAttempt, &gateway.Form{Protocol: gateway.ConverseProtocol}) {
		t.Error("an exception is not kept")
	}
}

func TestFormsThatNobodyKnows(t *testing.T) {
	for words, c := range map[string]bedrock.Config{
		"its id does not tell its own form": {Models: map[outcrop.ModelID]string{"acme.own-v1:0": importedARN}},
		"which its id does not tell":        {Forms: map[outcrop.ModelID]string{"acme.own-v1:0": "native"}},
		`"lama" of the model acme.own-v1:0`: {Forms: map[outcrop.ModelID]string{"acme.own-v1:0": "lama"}},
	} {
		c.Credentials = someKeys
		if _, err := bedrock.New(t.Context(), c, nil); err == nil || !strings.Contains(err.Error(), words) || !strings.Contains(err.Error(), "chat, ") && !strings.Contains(err.Error(), "llama3") {
			t.Errorf("%v, want %q and the forms there are", err, words)
		}
	}
}

// What InvokeModel cannot do for a conversation is refused, and nothing is sent.
func TestWhatStandsBesideABodyIsSentOrRefused(t *testing.T) {
	for says, body := range map[string]string{
		"guardrailConfig.trace": `"guardrailConfig":{"guardrailIdentifier":"g","guardrailVersion":"1","trace":"enabled"}`,
		"streamProcessingMode":  `"guardrailConfig":{"guardrailIdentifier":"g","guardrailVersion":"1","streamProcessingMode":"async"}`,
	} {
		r, err := converse.DecodeRequest([]byte(`{"messages":[{"role":"user","content":[{"text":"Hi"}]}],` + body + `}`))
		if err != nil {
			t.Fatal(err)
		}
		s := jsonAnswer(`{}`)
		_, err = upstreamtest.Events(importing(t, s).ConverseStream(t.Context(), llamaAttempt, r))
		if outcrop.KindOf(err) != outcrop.Invalid || !strings.Contains(err.Error(), says) || s.path != "" {
			t.Errorf("%v at %q, want a refusal of %s", err, s.path, says)
		}
	}
}

func nativeFrame(text string) []byte {
	return frame("chunk", `{"bytes":"`+base64.StdEncoding.EncodeToString([]byte(text))+`","p":"abc"}`)
}

var (
	nativeText = nativeFrame(`{"generation":"Hello","prompt_token_count":3,"generation_token_count":1,"stop_reason":null}`)
	nativeStop = nativeFrame(`{"generation":"","prompt_token_count":null,"generation_token_count":2,"stop_reason":"stop"}`)
	nativeLast = nativeFrame(`{"generation":"","stop_reason":"stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":3,"outputTokenCount":2,"invocationLatency":9,"firstByteLatency":1}}`)
)

func nativeStream(t testing.TB, frames ...[]byte) ([]converse.Event, error) {
	return cutStream(t, joined(frames...))
}

func cutStream(t testing.TB, body string) ([]converse.Event, error) {
	s := &asked{header: http.Header{"Content-Type": {"application/vnd.amazon.eventstream"}, "X-Amzn-Bedrock-Service-Tier": {"flex"}}, answer: body}
	return upstreamtest.Events(importing(t, s).ConverseStream(t.Context(), llamaAttempt, upstreamtest.Ask("Hi")))
}

func TestNativeChunksAreToldAsEvents(t *testing.T) {
	got, err := nativeStream(t, nativeText, nativeLast)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range got {
		names = append(names, e.Name())
	}
	if d := cmp.Diff([]string{"messageStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"}, names); d != "" {
		t.Fatal(d)
	}
	m := got[4].Metadata
	if m.Usage == nil || m.Usage.InputTokens != 3 || m.Usage.OutputTokens != 2 || m.ServiceTier == nil || m.ServiceTier.Type != "flex" || got[3].MessageStop.StopReason != "end_turn" {
		t.Errorf("%+v and %+v", m, got[3].MessageStop)
	}
}

func TestNativeStreamsThatBreak(t *testing.T) {
	for name, c := range map[string]struct {
		frames [][]byte
		kind   outcrop.Kind
		words  string
	}{
		"throttled at once":      {[][]byte{exception("throttlingException", `{"message":"Too many tokens."}`)}, outcrop.Throttled, "Too many tokens."},
		"throttled in the midst": {[][]byte{nativeText, exception("throttlingException", `{"message":"Too many tokens."}`)}, outcrop.Throttled, "Too many tokens."},
		"a fault in the midst":   {[][]byte{nativeText, exception("modelStreamErrorException", `{"message":"Oops."}`)}, outcrop.StreamFailed, "Oops."},
		"a chunk that is broken": {[][]byte{nativeText, nativeFrame(`{"generation":`)}, outcrop.StreamFailed, "broken JSON"},
		"no base64":              {[][]byte{frame("chunk", `{"bytes":"%%%"}`)}, outcrop.ModelFailed, "broken JSON"},
		"an error as a chunk":    {[][]byte{nativeFrame(`{"__type":"x","message":"no"}`)}, outcrop.ModelFailed, "answers in this model's form"},
		"nothing":                {nil, outcrop.ModelFailed, "ended in the middle"},
		"no end":                 {[][]byte{nativeText}, outcrop.StreamFailed, "ended in the middle"},
	} {
		_, err := nativeStream(t, c.frames...)
		if outcrop.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v, want kind %d with %q", name, err, c.kind, c.words)
		}
	}
}

// Wherever the connection ends, there is one error, or the answer was complete
// and stands.
func TestANativeStreamEndsAtEveryByte(t *testing.T) {
	whole := joined(nativeText, nativeStop, nativeLast)
	stands := len(nativeText) + len(nativeStop)
	for cut := range whole {
		got, err := cutStream(t, whole[:cut])
		complete := len(got) > 0 && got[len(got)-1].Metadata != nil
		if complete == (err != nil) || complete != (cut >= stands) {
			t.Fatalf("cut at %d of %d: %d events, complete %t, %v", cut, len(whole), len(got), complete, err)
		}
	}
}

func TestNativeAnswersThatAreNone(t *testing.T) {
	for name, s := range map[string]*asked{
		"broken JSON":        jsonAnswer(`{"generation":`),
		"another form":       jsonAnswer(`{"outputs":[{"text":"a"}]}`),
		"an error body":      jsonAnswer(`{"__type":"com.amazon.coral.service#UnknownOperationException"}`),
		"a page":             {header: http.Header{"Content-Type": {"text/html"}}, answer: "<html>"},
		"larger than is fit": {header: http.Header{"Content-Type": {"application/json"}}, answer: `{"generation":"` + string(bytes.Repeat([]byte("x"), 80<<20)) + `"}`},
	} {
		_, err := importing(t, s).Converse(t.Context(), llamaAttempt, upstreamtest.Ask("Hi"))
		if outcrop.KindOf(err) != outcrop.ModelFailed {
			t.Errorf("%s: %v, want ModelFailed", name, err)
		}
	}
}

// Counting asks with the body that would be sent.
func TestTokensOfAnOwnFormAreCounted(t *testing.T) {
	s := jsonAnswer(`{"inputTokens":5}`)
	n, err := importing(t, s).CountTokens(t.Context(), llamaAttempt, upstreamtest.Ask("Hi"))
	if err != nil || n != 5 || !bytes.Contains(s.body, []byte(`"invokeModel":{"body":"`)) {
		t.Errorf("%d, %v by %s", n, err, s.body)
	}
}
