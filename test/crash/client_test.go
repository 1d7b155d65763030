package crash

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/server/servertest"
)

// A profile is something to invoke, and what its usage must be filed under.
type profile struct {
	ref       string
	arn       outcrop.ARN
	tags      outcrop.Tags
	anthropic bool // its InvokeModel bodies are Anthropic's
}

const (
	claude = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
	nova   = "us.amazon.nova-lite-v1:0"
	team   = "team" // the tag that costs are told apart by

	systemDefined = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/"
)

// makeProfiles makes application profiles of four teams; a fifth has no team
// and invokes the system-defined profile.
func makeProfiles(t *testing.T, s *servertest.Server) []profile {
	admin, err := s.Client(http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	list := []profile{{ref: nova, arn: systemDefined + nova}}
	for i, name := range []string{"red", "green", "blue", "grey"} {
		source := []string{claude, nova}[i%2]
		tags := outcrop.Tags{team: name, "stage": "test"}
		arn, err := admin.CreateProfile(t.Context(), name, systemDefined+source, tags)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, profile{ref: string(arn), arn: arn, tags: tags, anthropic: source == claude})
	}
	return list
}

// An ending is how a call came out for its client.
type ending int

const (
	cutOff  ending = iota // the connection broke: the server had died
	whole                 // answered to the last byte
	failed                // the stream ended with an exception, read to its last byte
	left                  // the client hung up
	refused               // answered with an error
)

// A call is what a client knows of one request.
type call struct {
	attempt   string // amz-sdk-invocation-id; in no other request
	operation outcrop.Operation
	profile   profile
	life      int
	began     time.Time
	heard     time.Time            // when the headers of the answer came; zero for never
	id        outcrop.InvocationID // x-amzn-RequestId
	end       ending
	trouble   string // of a refusal
	usage     usage  // as the answer told; known when whole

	script string
	leave  int // hang up after so many events; 0 for never
}

// A client asks one thing after another.
type client struct {
	signer   *servertest.Client
	http     http.RoundTripper
	life     int
	number   int
	size     size
	profiles []profile
	rng      *rand.Rand
	heard    func()
}

// run asks until over is closed. After a connection broke it waits for that, so
// that a dead server does not set it spinning.
func (c *client) run(t *testing.T, over <-chan struct{}) (calls []*call) {
	for n := 0; ; n++ {
		select {
		case <-over:
			return calls
		default:
		}
		ask := c.dice(n)
		calls = append(calls, ask)
		c.ask(t.Context(), ask)
		if ask.end == cutOff || ask.end == refused {
			select {
			case <-over:
			case <-time.After(250 * time.Millisecond):
			}
		}
	}
}

var operations = []outcrop.Operation{ // as often as they stand here
	outcrop.OpConverseStream, outcrop.OpConverseStream, outcrop.OpConverseStream, outcrop.OpConverseStream, outcrop.OpConverseStream,
	outcrop.OpInvokeModelStream, outcrop.OpInvokeModelStream, outcrop.OpConverse, outcrop.OpConverse, outcrop.OpInvokeModel,
}

// dice chooses what to ask: some are long, one stream in twenty is left by its
// client and one in forty is broken off by its upstream.
func (c *client) dice(n int) *call {
	k := &call{
		attempt: fmt.Sprintf("life-%d-client-%d-call-%d", c.life, c.number, n), life: c.life,
		operation: operations[c.rng.IntN(len(operations))],
		profile:   c.profiles[c.rng.IntN(len(c.profiles))],
		script:    fmt.Sprintf("tokens=%d", 4+c.rng.IntN(40)),
	}
	switch long, roll := c.rng.IntN(c.size.oneIn) == 0, c.rng.IntN(40); {
	case long:
		k.script = c.size.long
	case roll < 2 && k.operation.Streaming():
		k.leave = 1 + c.rng.IntN(6)
	case roll == 2 && k.operation.Streaming():
		k.script = fmt.Sprintf("tokens=80, cut=%d", 1+c.rng.IntN(10))
	}
	return k
}

// ask sends one request and follows its answer to the end, whatever that is.
func (c *client) ask(ctx context.Context, k *call) {
	ctx, hangUp := context.WithCancel(ctx)
	defer hangUp()
	path, body := k.request()
	r, err := c.signer.Request(ctx, "bedrock", path, body, map[string]string{"Amz-Sdk-Invocation-Id": k.attempt})
	if err != nil {
		k.end, k.trouble = refused, err.Error()
		return
	}
	k.began = time.Now()
	answer, err := c.http.RoundTrip(r)
	if err != nil {
		return
	}
	defer answer.Body.Close()
	k.heard, k.id = time.Now(), outcrop.InvocationID(answer.Header.Get("X-Amzn-Requestid"))
	c.heard()
	switch {
	case answer.StatusCode != http.StatusOK:
		k.refuse(answer)
	case k.operation.Streaming():
		k.follow(answer.Body)
	default:
		k.read(answer)
	}
}

func (k *call) refuse(answer *http.Response) {
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return
	}
	k.end, k.trouble = refused, fmt.Sprintf("%s %s: %s", k.operation, answer.Status, text)
}

// request is the path and body of a call.
func (k *call) request() (path string, body []byte) {
	system := "outcrop.simulate: " + k.script
	const question = "Tell me about rocks."
	switch {
	case k.operation == outcrop.OpConverse || k.operation == outcrop.OpConverseStream:
		body = fmt.Appendf(nil, `{"system":[{"text":%q}],"messages":[{"role":"user","content":[{"text":%q}]}]}`, system, question)
	case k.profile.anthropic:
		body = fmt.Appendf(nil, `{"anthropic_version":"bedrock-2023-05-31","max_tokens":4096,"system":%q,"messages":[{"role":"user","content":%q}]}`, system, question)
	default:
		body = fmt.Appendf(nil, `{"system":[{"text":%q}],"messages":[{"role":"user","content":[{"text":%q}]}],"inferenceConfig":{"maxTokens":4096}}`, system, question)
	}
	return servertest.Model(k.profile.ref, paths[k.operation]), body
}

var paths = map[outcrop.Operation]string{
	outcrop.OpConverse: "converse", outcrop.OpConverseStream: "converse-stream",
	outcrop.OpInvokeModel: "invoke", outcrop.OpInvokeModelStream: "invoke-with-response-stream",
}

// tally says how calls came out.
func tally(calls []*call) string {
	var n [refused + 1]int
	for _, k := range calls {
		n[k.end]++
	}
	names := []string{"cut off by the kill", "whole", "failed in the stream", "left by their client", "refused"}
	var parts []string
	for end, name := range names {
		parts = append(parts, fmt.Sprintf("%d %s", n[end], name))
	}
	return fmt.Sprintf("%d calls: %s", len(calls), strings.Join(parts, ", "))
}
