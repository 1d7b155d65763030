package server

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"outcrop"
	"outcrop/internal/eventstream"
)

// Every operation goes through a bedrock upstream as it is, and is metered in
// front as behind.
func TestOutcropForwardsToOutcrop(t *testing.T) {
	front, behind := startInFront(t, "us-east-1")
	converse := `{"messages":[{"role":"user","content":[{"text":"Hello"}]}],"fromTheFuture":{"a":1}}`
	native := `{"anthropic_version":"bedrock-2023-05-31","max_tokens":200,"messages":[{"role":"user","content":"Hello"}]}`
	var text string
	for _, c := range []struct{ operation, body string }{
		{"converse", converse}, {"converse-stream", converse}, {"invoke", native}, {"invoke-with-response-stream", native},
	} {
		ask := func(s *Server) (http.Header, string) {
			res, err := http.DefaultClient.Do(s.signed(t, s.admin(), "bedrock", "POST", "/model/us."+claude+"/"+c.operation, jsonHeader(), c.body))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			answer, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != 200 {
				t.Fatalf("%s: %d %s %v", c.operation, res.StatusCode, answer, err)
			}
			return res.Header, string(answer)
		}
		header, answer := ask(front)
		said := textIn(t, answer)
		if text == "" {
			text = said
		}
		if said != text || !strings.Contains(text, "Hello") {
			t.Errorf("%s says %q, others %q", c.operation, said, text)
		}
		if c.operation == "invoke" && (header.Get("X-Amzn-Bedrock-Input-Token-Count") == "" || header.Get("X-Amzn-Bedrock-Invocation-Latency") == "") {
			t.Errorf("headers %v lack the counts", header)
		}
	}
	here, there := records(t, front), records(t, behind)
	if len(here) != 4 || len(there) != 4 {
		t.Fatalf("%d records in front, %d behind; want 4", len(here), len(there))
	}
	for i := range here {
		h, b := here[i], there[i]
		if h.Operation != b.Operation || h.Usage != b.Usage || h.Usage.Estimated || h.Outcome != b.Outcome || h.Outcome.StopReason == "" || b.SDKAttempt != string(h.Invocation) {
			t.Errorf("in front %s %+v %+v; behind %s %+v %+v", h.Operation, h.Usage, h.Outcome, b.Operation, b.Usage, b.Outcome)
		}
	}
}

func records(t *testing.T, s *Server) []outcrop.UsageRecord {
	t.Helper()
	if err := s.engines.ledger.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	found, err := s.engines.ledger.After(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// textIn finds all text in an answer of any of the four operations.
func textIn(t *testing.T, answer string) string {
	t.Helper()
	var out strings.Builder
	if strings.HasPrefix(answer, "{") {
		collect(t, []byte(answer), &out)
		return out.String()
	}
	for decoder := eventstream.NewDecoder(strings.NewReader(answer)); ; {
		m, err := decoder.Next()
		if errors.Is(err, io.EOF) {
			return out.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		var chunk struct{ Bytes string }
		if json.Unmarshal(m.Payload, &chunk) == nil && chunk.Bytes != "" {
			m.Payload, err = base64.StdEncoding.DecodeString(chunk.Bytes)
			if err != nil {
				t.Fatal(err)
			}
		}
		collect(t, m.Payload, &out)
	}
}

func collect(t *testing.T, text []byte, out *strings.Builder) {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for name, e := range v {
				if s, ok := e.(string); ok && name == "text" {
					out.WriteString(s)
				}
				walk(e)
			}
		}
	}
	walk(v)
}

// A call that is refused before it reaches the ledger is refused, not broken,
// in a server that is configured with nothing.
func TestARefusedCallIsRefused(t *testing.T) {
	s := start(t, Config{})
	for path, body := range map[string]string{
		"/model/amazon.titan-embed-text-v2:0/invoke": `{"inputText":"x","colour":"red"}`,
		"/model/us." + claude + "/invoke":            `{}`, "/model/us." + claude + "/converse": `{"messages":[{"role":"user","content":[{}]}]}`,
	} {
		if status, answer := send(t, s.signed(t, s.admin(), "bedrock", "POST", path, jsonHeader(), body)); status != 400 {
			t.Errorf("%s: %d %s, want 400", path, status, answer)
		}
	}
}
