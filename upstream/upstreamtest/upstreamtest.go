// Package upstreamtest holds the promises that every upstream keeps, and a
// mock of an OpenAI-compatible server to keep them against.
package upstreamtest

import (
	"context"
	"iter"
	"slices"
	"testing"

	"outcrop"
	"outcrop/converse"
)

// An Upstream answers one Attempt. A sequence ends after the metadata event,
// or with one error. Implementations are safe for concurrent use, stop soon
// after ctx does or the consumer breaks off, do not change the request, and
// never try twice.
type Upstream interface {
	Converse(context.Context, outcrop.Attempt, *converse.Request) (*converse.Response, error)
	ConverseStream(context.Context, outcrop.Attempt, *converse.Request) iter.Seq2[converse.Event, error]
	CountTokens(context.Context, outcrop.Attempt, *converse.Request) (outcrop.Tokens, error)
}

// Attempt is the one that the suite makes.
var Attempt = outcrop.Attempt{
	Invocation:  "6fdc7b38-0a51-4d0a-9c7c-2d1d3c6f8a11",
	Destination: outcrop.Destination{Region: "us-east-1", Model: "amazon.nova-lite-v1:0"},
	Upstream:    "under test", Model: "test-model", Number: 1,
}

// Run holds an upstream to every promise. What stands behind it must play the
// scripts that MockOpenAI describes. open is called once for each promise; if
// the upstream has a Close method it is called before leaks are looked for.
// without names promises that an upstream cannot keep, by their test's name.
func Run(t *testing.T, open func(testing.TB) Upstream, without ...string) {
	for _, p := range promises {
		t.Run(p.name, func(t *testing.T) {
			if slices.Contains(without, p.name) {
				t.Skip("this upstream does not promise it")
			}
			p.check(t, open(t))
		})
	}
}

type promise struct {
	name  string
	check func(*testing.T, Upstream)
}

var promises = []promise{
	{"events come in order, the metadata once and last", ordered},
	{"a stream says what a whole answer says, at the same usage", streamIsWhole},
	{"usage adds up", usageAddsUp},
	{"absent usage is absent, not zero", absentUsage},
	{"a tool is called, and its result answered", toolRoundTrip},
	{"a forced tool is called", forcedTool},
	{"maxTokens ends the answer", maxTokens},
	{"a stop sequence ends the answer", stopSequence},
	{"reasoning comes only when asked for", unaskedReasoning},
	{"the same question gets the same answer", deterministic},
	{"a request is not changed", unchanged},
	{"tokens are counted", counted},
	{"a context that has ended gets no answer", ended},
	{"a stream ends soon after its context", cancelled},
	{"a whole answer ends soon after its context", wholeCancelled},
	{"a stream ends when its consumer breaks off", brokenOff},
	{"a guardrail is not passed over", guarded},
	{"refusals have their kinds", refusals},
	{"a refusal is one error and nothing else", refusedStream},
	{"a stream cut off ends with one error", cut},
	{"many calls at once do not disturb each other", concurrent},
}

// Ask is a request with one user text.
func Ask(text string) *converse.Request {
	return &converse.Request{Messages: []converse.Message{User(Block(text))}}
}

// Block is a block of text.
func Block(text string) converse.ContentBlock { return converse.ContentBlock{Text: &text} }

// User is a turn of the user.
func User(blocks ...converse.ContentBlock) converse.Message {
	return converse.Message{Role: "user", Content: blocks}
}

// Assistant is a turn of the model.
func Assistant(blocks ...converse.ContentBlock) converse.Message {
	return converse.Message{Role: "assistant", Content: blocks}
}

// Play is a request whose upstream plays a script.
func Play(script, text string) *converse.Request {
	r := Ask(text)
	line := ScriptKey + ": " + script
	r.System = []converse.SystemContentBlock{{Text: &line}}
	return r
}

// Events ranges over a stream to its end.
func Events(seq iter.Seq2[converse.Event, error]) ([]converse.Event, error) {
	var events []converse.Event
	for e, err := range seq {
		if err != nil {
			return events, err
		}
		events = append(events, e)
	}
	return events, nil
}
