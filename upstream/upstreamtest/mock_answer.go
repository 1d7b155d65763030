package upstreamtest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ScriptKey begins the line of system text that says what to play:
//
//	outcrop.simulate: throttle=2s, tokens=200
//
// The words are the simulator's: throttle, error, status=N, slow, ttft, pace,
// cut=N, tokens=N, nousage.
const ScriptKey = "outcrop.simulate"

// A MockAnswer is what the mock says, and what goes wrong with it.
type MockAnswer struct {
	Reasoning, Text    string
	Calls              []MockCall
	Finish             string // finish_reason
	Matched            string // stop_reason, as vLLM tells it
	Prompt, Completion int    // usage
	Cached             int    // of the prompt
	NoUsage            bool

	Status            int           // instead of 200
	RetryAfter        time.Duration // with Status 429
	TimeToFirst, Pace time.Duration // instead of the mock's
	Cut               int           // drop the connection after this many chunks; 0 means never
}

func (m *MockOpenAI) answer(q *MockRequest) *MockAnswer {
	if m.Answer != nil {
		return m.Answer(q)
	}
	a := &MockAnswer{Finish: "stop", Prompt: q.tokens()}
	length := a.script(q)
	if q.ReasoningEffort != "" && q.ReasoningEffort != "none" {
		a.Reasoning = "I am a mock, so I repeat what I hear."
	}
	if name := q.wantedTool(); name != "" {
		a.call(q, name)
	} else {
		a.Text = "A mock of " + q.Model + " heard: " + q.last()
		for length > 0 && mockTokens(a.Text) < length {
			a.Text += " " + q.last()
		}
	}
	a.restrain(q)
	a.Completion = max(mockTokens(a.Reasoning)+mockTokens(a.Text), 1)
	for _, c := range a.Calls {
		a.Completion += mockTokens(c.Function.Name + c.Function.Arguments)
	}
	return a
}

// mockTokens counts four bytes as a token.
func mockTokens(s string) int { return (len(s) + 3) / 4 }

// tokens of a prompt.
func (q *MockRequest) tokens() int {
	n := 0
	for i := range q.Messages {
		n += 3 + (len(q.Messages[i].Content)+3)/4
	}
	return n
}

// last is what was said last by a user or a tool.
func (q *MockRequest) last() string {
	if len(q.Messages) == 0 {
		return ""
	}
	return q.Messages[len(q.Messages)-1].Text()
}

// wantedTool names the tool to call: when forced, or when the user names it.
func (q *MockRequest) wantedTool() string {
	if len(q.Tools) == 0 {
		return ""
	}
	var forced struct{ Function struct{ Name string } }
	if json.Unmarshal(q.ToolChoice, &forced) == nil && forced.Function.Name != "" {
		return forced.Function.Name
	}
	if string(q.ToolChoice) == `"required"` {
		return q.Tools[0].Function.Name
	}
	for _, t := range q.Tools {
		if q.Messages[len(q.Messages)-1].Role == "user" && strings.Contains(q.last(), t.Function.Name) {
			return t.Function.Name
		}
	}
	return ""
}

// call fills in the required strings of a tool.
func (a *MockAnswer) call(q *MockRequest, name string) {
	input := map[string]any{}
	for _, t := range q.Tools {
		if t.Function.Name != name {
			continue
		}
		for _, p := range t.Function.Parameters.Required {
			switch t.Function.Parameters.Properties[p].Type {
			case "integer", "number":
				input[p] = 1
			case "boolean":
				input[p] = true
			default:
				input[p] = "a " + p
			}
		}
	}
	arguments, _ := json.Marshal(input) // strings, numbers and booleans always marshal
	c := MockCall{ID: fmt.Sprintf("call_%d", len(q.Messages))}
	c.Function.Name, c.Function.Arguments = name, string(arguments)
	a.Calls, a.Finish = []MockCall{c}, "tool_calls"
}

// restrain keeps stop and max_tokens.
func (a *MockAnswer) restrain(q *MockRequest) {
	for _, s := range q.Stop {
		if before, _, found := strings.Cut(a.Text, s); found {
			a.Text, a.Matched = before, s
		}
	}
	limit := q.MaxTokens
	if limit == nil {
		limit = q.MaxCompletionTokens
	}
	if limit != nil && mockTokens(a.Text) > *limit {
		a.Text, a.Finish, a.Matched = strings.ToValidUTF8(a.Text[:4**limit], ""), "length", ""
	}
}

// script reads the words of a script, and returns the wanted number of tokens.
func (a *MockAnswer) script(q *MockRequest) (tokens int) {
	for i := range q.Messages {
		if q.Messages[i].Role != "system" {
			continue
		}
		_, line, _ := strings.Cut(q.Messages[i].Text(), ScriptKey+":")
		line, _, _ = strings.Cut(line, "\n")
		for word := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(word), "=")
			number, _ := strconv.Atoi(value)         // 0 when it is none
			duration, _ := time.ParseDuration(value) // the same
			if name == "tokens" {
				tokens = number
			}
			a.set(name, number, duration)
		}
	}
	return tokens
}

func (a *MockAnswer) set(name string, number int, duration time.Duration) {
	switch name {
	case "throttle":
		a.Status, a.RetryAfter = 429, duration
	case "error":
		a.Status = 503
	case "status":
		a.Status = number
	case "slow", "ttft":
		a.TimeToFirst = duration
	case "pace":
		a.Pace = duration
	case "cut":
		a.Cut = number
	case "nousage":
		a.NoUsage = true
	}
}
