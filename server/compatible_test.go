package server

import (
	"net/http"
	"strings"
	"testing"

	"outcrop"
	"outcrop/profile"
)

// compatibleCalls are silent about how long the answer may be, each in its
// form. %MODEL% is what is called.
var compatibleCalls = []struct{ name, path, body, said, cut string }{
	{"chat completion", "/openai/v1/chat/completions", `{"model":"%MODEL%","messages":[{"role":"user","content":"Tell me a long story."}]}`, `"max_tokens":3`, `"finish_reason":"length"`},
	{"chat completion streamed", "/openai/v1/chat/completions", `{"model":"%MODEL%","stream":true,"messages":[{"role":"user","content":"Tell me a long story."}]}`, `"max_completion_tokens":3`, `"finish_reason":"length"`},
	{"response", "/openai/v1/responses", `{"model":"%MODEL%","input":"Tell me a long story."}`, `"max_output_tokens":3`, `"status":"incomplete"`},
	{"response streamed", "/openai/v1/responses", `{"model":"%MODEL%","stream":true,"input":"Tell me a long story."}`, `"max_output_tokens":3`, `"status":"incomplete"`},
	{"message", "/anthropic/v1/messages", `{"model":"%MODEL%","messages":[{"role":"user","content":"Tell me a long story."}]}`, `"max_tokens":3`, `"stop_reason":"max_tokens"`},
	{"message streamed", "/anthropic/v1/messages", `{"model":"%MODEL%","stream":true,"messages":[{"role":"user","content":"Tell me a long story."}]}`, `"max_tokens":3`, `"stop_reason":"max_tokens"`},
}

var fiveTokens = profile.Tag{Key: "outcrop:default:maxTokens", Value: "5"}

// Promise: a profile's defaults hold in every form of call where the call is
// silent, and a bound model id is that profile.
func TestDefaultsAndBindingsInOtherProvidersForms(t *testing.T) {
	const model = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
	for _, by := range []string{"ARN", "binding"} {
		for _, c := range compatibleCalls {
			t.Run(c.name+" by "+by, func(t *testing.T) {
				s := start(t, Config{})
				arn := s.profileWith(t, model, profile.Tag{Key: "team", Value: "blue"}, fiveTokens)
				named := string(arn)
				if by == "binding" {
					named = "gpt-house"
					if _, err := s.engines.bindings.Bind(t.Context(), profile.BindingKey{Account: testAccount, Region: testRegion, ModelID: named}, string(arn)); err != nil {
						t.Fatal(err)
					}
				}
				body := strings.ReplaceAll(c.body, "%MODEL%", named)
				status, answer := send(t, s.signed(t, s.admin(), "bedrock", "POST", c.path, jsonHeader(), body))
				if status != http.StatusOK || !strings.Contains(answer, c.cut) {
					t.Fatalf("%d %.600s\nwant an answer that the profile cut short: %s", status, answer, c.cut)
				}
				r := only(t, s)
				if got := r.Usage.Output(); got != 5 || r.Profile != arn || r.Tags["team"] != "blue" {
					t.Errorf("%d tokens out for %s with %v, want the profile's 5, on its bill", got, r.Profile, r.Tags)
				}
				if want := map[string]string{"binding": named}[by]; r.Binding != want {
					t.Errorf("recorded as binding %q, want %q", r.Binding, want)
				}
			})
		}
	}
}

// What a call says itself wins over the profile.
func TestACallInAnotherProvidersFormWinsOverDefaults(t *testing.T) {
	s := start(t, Config{})
	arn := s.profileWith(t, "us.anthropic.claude-sonnet-4-5-20250929-v1:0", fiveTokens)
	for _, c := range compatibleCalls {
		body := strings.Replace(strings.ReplaceAll(c.body, "%MODEL%", string(arn)), "{", "{"+c.said+",", 1)
		if status, answer := send(t, s.signed(t, s.admin(), "bedrock", "POST", c.path, jsonHeader(), body)); status != http.StatusOK {
			t.Errorf("%s: %d %s", c.name, status, answer)
		}
	}
	if err := s.engines.ledger.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	records, err := s.engines.ledger.After(t.Context(), 0, 20)
	if err != nil || len(records) != len(compatibleCalls) {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for _, r := range records {
		if r.Usage.Output() != 3 {
			t.Errorf("%d tokens out, want the 3 that the call said", r.Usage.Output())
		}
	}
}

// profileWith makes an application profile of a system-defined one.
func (s *Server) profileWith(t *testing.T, of string, tags ...profile.Tag) outcrop.ARN {
	t.Helper()
	made, err := s.engines.profiles.Create(t.Context(), profile.CreateRequest{
		Account: testAccount, Region: testRegion, Name: "house", Tags: tags,
		CopyFrom: "arn:aws:bedrock:" + string(testRegion) + ":" + string(testAccount) + ":inference-profile/" + of,
	})
	if err != nil {
		t.Fatal(err)
	}
	return made.ARN
}
