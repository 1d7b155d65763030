package bedrock_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"outcrop"
	"outcrop/converse"
	"outcrop/gateway"
	"outcrop/internal/eventstream"
	"outcrop/upstream/bedrock"
	"outcrop/upstream/upstreamtest"
)

// A region answers every request with what it is told, and keeps what it got.
type region struct {
	kind   string
	header http.Header
	answer []byte

	path string
	got  []byte
	head http.Header
}

func (r *region) RoundTrip(q *http.Request) (*http.Response, error) {
	r.got, _ = io.ReadAll(q.Body)
	r.path, r.head = q.URL.EscapedPath(), q.Header
	h := http.Header{"Content-Type": {r.kind}}
	for name, values := range r.header {
		h[name] = values
	}
	return &http.Response{StatusCode: http.StatusOK, Header: h, Body: io.NopCloser(bytes.NewReader(r.answer)), ContentLength: int64(len(r.answer)), Request: q}, nil
}

func (r *region) open(t interface{ Fatal(...any) }) *bedrock.Upstream {
	u, err := bedrock.New(context.Background(), bedrock.Config{Credentials: someKeys}, r)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// said draws an answer: blocks of every kind that is metered, and usage.
func said(t *rapid.T) *converse.Response {
	text := rapid.StringMatching(`[a-z "\\é漢\n]{1,30}`)
	content := []converse.ContentBlock{}
	for range rapid.IntRange(0, 3).Draw(t, "blocks") {
		switch rapid.IntRange(0, 2).Draw(t, "block") {
		case 0:
			content = append(content, converse.Text(text.Draw(t, "text")))
		case 1:
			input, _ := json.Marshal(map[string]string{"q": text.Draw(t, "input")})
			content = append(content, converse.ContentBlock{ToolUse: &converse.ToolUseBlock{ToolUseId: "t", Name: "f", Input: input}})
		case 2:
			content = append(content, converse.ContentBlock{ReasoningContent: &converse.ReasoningContentBlock{
				ReasoningText: &converse.ReasoningTextBlock{Text: text.Draw(t, "thought"), Signature: "s"}}})
		}
	}
	r := &converse.Response{Output: converse.ConverseOutput{Message: &converse.Message{Role: "assistant", Content: content}},
		StopReason: rapid.SampledFrom([]string{"end_turn", "tool_use", "max_tokens"}).Draw(t, "stop")}
	if rapid.Bool().Draw(t, "counted") {
		n := rapid.Int64Range(0, 1<<40)
		r.Usage = &converse.TokenUsage{InputTokens: n.Draw(t, "in"), OutputTokens: n.Draw(t, "out"), TotalTokens: n.Draw(t, "total")}
		if rapid.Bool().Draw(t, "cached") {
			r.Usage.CacheReadInputTokens, r.Usage.CacheWriteInputTokens = new(n.Draw(t, "read")), new(int64(9))
			r.Usage.CacheDetails = []converse.CacheDetail{{Ttl: "1h", InputTokens: 9}}
		}
	}
	return r
}

// withUnknown adds members that Outcrop has never heard of, in strange places
// and with strange white space.
func withUnknown(t *rapid.T, text []byte) []byte {
	extra := rapid.SampledFrom([]string{``, `"fromTheFuture":{"a":[1, 2.50,null],"b":"\u00e9"},`, ` "x" : "}" ,`}).Draw(t, "unknown")
	return append([]byte("{"+extra), text[1:]...)
}

// Property: a form goes out as it came and its answer comes back as it came,
// whatever is in them, and is metered as if it had been read.
func TestWholeAnswersPassByteForByte(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := said(t)
		r := &region{kind: "application/json", answer: withUnknown(t, want.AppendJSON(nil))}
		u := r.open(t)
		form := &gateway.Form{Protocol: gateway.ConverseProtocol, Body: withUnknown(t, []byte(`{"messages":[]}`))}
		got, err := u.Forward(context.Background(), upstreamtest.Attempt, form)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(r.got, form.Body) || !bytes.Equal(got.Body, r.answer) {
			t.Fatalf("sent %s for %s, answered %s for %s", r.got, form.Body, got.Body, r.answer)
		}
		read, err := u.Converse(context.Background(), upstreamtest.Attempt, upstreamtest.Ask("x"))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(read.Usage, got.Seen.Usage); d != "" || got.Seen.StopReason != read.StopReason || got.Seen.Output != spoken(read) {
			t.Fatalf("metered %+v, want %d bytes, %s:\n%s", got.Seen, spoken(read), read.StopReason, d)
		}
	})
}

// spoken is the output of an answer as the gateway's meter counts it.
func spoken(r *converse.Response) (n int) {
	for _, b := range r.Output.Message.Content {
		switch {
		case b.Text != nil:
			n += len(*b.Text)
		case b.ToolUse != nil:
			n += len(b.ToolUse.Input)
		case b.ReasoningContent != nil:
			n += len(b.ReasoningContent.ReasoningText.Text)
		}
	}
	return n
}

// framed is an answer as a stream, with events that are not known among them.
func framed(t *rapid.T, r *converse.Response) (frames [][]byte) {
	for e := range r.Events() {
		frames = append(frames, eventstream.AppendFrame(nil, eventstream.EventHeaders(e.Name(), "application/json"), withUnknown(t, e.AppendPadded(nil, 3))))
		if e.Metadata == nil && rapid.IntRange(0, 5).Draw(t, "odd") == 0 {
			frames = append(frames, eventstream.AppendFrame(nil, eventstream.EventHeaders("somethingNew", "application/json"), []byte(`{"new":1}`)))
		}
	}
	return frames
}

func TestStreamsPassFrameByFrame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := said(t)
		frames := framed(t, want)
		r := &region{kind: "application/vnd.amazon.eventstream", answer: slices.Concat(frames...)}
		u := r.open(t)
		form := &gateway.Form{Protocol: gateway.ConverseProtocol, Body: []byte(`{"messages":[]}`)}
		var got gateway.Piece
		var passed []byte
		for p, err := range u.ForwardStream(context.Background(), upstreamtest.Attempt, form) {
			if err != nil {
				t.Fatal(err)
			}
			if got.Last {
				t.Fatal("a piece after the last")
			}
			passed = append(passed, p.Frame...)
			got.Seen.Output += p.Seen.Output
			got.Seen.StopReason += p.Seen.StopReason
			got.Last, got.Seen.Usage = p.Last, p.Seen.Usage
		}
		if !bytes.Equal(passed, r.answer) || !got.Last {
			t.Fatalf("passed %q\nof %q, last %t", passed, r.answer, got.Last)
		}
		read, err := upstreamtest.Events(u.ConverseStream(context.Background(), upstreamtest.Attempt, upstreamtest.Ask("x")))
		if err != nil {
			t.Fatal(err)
		}
		whole, err := upstreamtest.Collect(read)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(whole.Usage, got.Seen.Usage); d != "" || got.Seen.StopReason != whole.StopReason || got.Seen.Output != spoken(whole) {
			t.Fatalf("metered %+v, want %d bytes, %s:\n%s", got.Seen, spoken(whole), whole.StopReason, d)
		}
	})
}

func TestNativeBodiesPass(t *testing.T) {
	body := []byte(`{"anthropic_version":"bedrock-2023-05-31", "max_tokens":5,"messages":[],"tools":[{"type":"from_the_future"}]}`)
	r := &region{kind: "application/json", answer: []byte(`{"content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":2,"cache_creation_input_tokens":9,"cache_creation":{"ephemeral_5m_input_tokens":4,"ephemeral_1h_input_tokens":5}}}`),
		header: http.Header{"X-Amzn-Bedrock-Input-Token-Count": {"3"}, "X-Amzn-Bedrock-Output-Token-Count": {"2"}, "X-Amzn-Bedrock-Service-Tier": {"flex"}, "X-Amzn-Requestid": {"theirs"}, "Set-Cookie": {"no"}}}
	u := r.open(t)
	form := &gateway.Form{Protocol: gateway.InvokeProtocol, Body: body, Header: map[string]string{"X-Amzn-Bedrock-Guardrailidentifier": "gr", "Accept": "application/json"}}
	got, err := u.Forward(t.Context(), upstreamtest.Attempt, form)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(r.got, body) || !strings.HasSuffix(r.path, "/invoke") || !bytes.Equal(got.Body, r.answer) {
		t.Errorf("sent %s to %s, got %s", r.got, r.path, got.Body)
	}
	if r.head.Get("X-Amzn-Bedrock-GuardrailIdentifier") != "gr" || !strings.Contains(r.head.Get("Authorization"), "x-amzn-bedrock-guardrailidentifier") {
		t.Errorf("headers %v, want the guardrail's, signed", r.head)
	}
	usage := got.Seen.Usage.Usage()
	if usage.Of(outcrop.InputTokens) != 3 || usage.Of(outcrop.CacheWrite1hTokens) != 5 || usage.Of(outcrop.CacheWrite5mTokens) != 4 {
		t.Errorf("usage %+v; want the header's input and the body's lifetimes", usage)
	}
	if got.Header["X-Amzn-Bedrock-Service-Tier"] != "flex" || got.Header["X-Amzn-Requestid"] != "" || got.Header["Set-Cookie"] != "" {
		t.Errorf("headers told: %v", got.Header)
	}
}

func chunkFrame(text string) []byte {
	return eventstream.AppendFrame(nil, eventstream.EventHeaders("chunk", "application/json"), []byte(`{"p":"ab","bytes":"`+base64.StdEncoding.EncodeToString([]byte(text))+`"}`))
}

func TestNativeStreamsPass(t *testing.T) {
	chunks := []string{`{"generation":"Hel","stop_reason":null}`, `{"generation":"lo","stop_reason":"length"}`,
		`{"generation":"","stop_reason":"length","amazon-bedrock-invocationMetrics":{"inputTokenCount":7,"outputTokenCount":3,"invocationLatency":1,"firstByteLatency":1}}`}
	var frames []byte
	for _, c := range chunks {
		frames = append(frames, chunkFrame(c)...)
	}
	r := &region{kind: "application/vnd.amazon.eventstream", answer: frames}
	var passed []byte
	var output int
	var last gateway.Piece
	for p, err := range r.open(t).ForwardStream(t.Context(), upstreamtest.Attempt, &gateway.Form{Protocol: gateway.InvokeProtocol, Body: []byte("{}")}) {
		if err != nil {
			t.Fatal(err)
		}
		passed, output, last = append(passed, p.Frame...), output+p.Seen.Output, *p
	}
	if !bytes.Equal(passed, frames) || output != 5 || !last.Last || last.Seen.StopReason != "max_tokens" || last.Seen.Usage.InputTokens != 7 {
		t.Errorf("passed %q, %d bytes, closing with %+v", passed, output, last.Seen)
	}
}

// What a Region refuses, before or in the middle, has the same kind on both
// ways, and no error is passed on as an answer.
func TestForwardedFailures(t *testing.T) {
	form := &gateway.Form{Protocol: gateway.ConverseProtocol, Body: []byte("{}")}
	exception := eventstream.AppendFrame(nil, eventstream.ExceptionHeaders("throttlingException", "application/json"), []byte(`{"message":"slow down"}`))
	delta := eventstream.AppendFrame(nil, eventstream.EventHeaders("contentBlockDelta", "application/json"), []byte(`{"delta":{"text":"a"},"contentBlockIndex":0}`))
	broken := eventstream.AppendFrame(nil, eventstream.EventHeaders("contentBlockDelta", "application/json"), []byte(`{"delta":`))
	for name, c := range map[string]struct {
		answer []byte
		want   outcrop.Kind
		pieces int
	}{
		"an exception at once": {exception, outcrop.Throttled, 0}, "an exception later": {slices.Concat(delta, exception), outcrop.Throttled, 1},
		"cut off": {delta, outcrop.StreamFailed, 1}, "cut inside": {delta[:20], outcrop.ModelFailed, 0}, "broken JSON": {slices.Concat(delta, broken), outcrop.StreamFailed, 1},
		"nothing": {nil, outcrop.ModelFailed, 0},
	} {
		r := &region{kind: "application/vnd.amazon.eventstream", answer: c.answer}
		var failure error
		pieces := 0
		for _, err := range r.open(t).ForwardStream(t.Context(), upstreamtest.Attempt, form) {
			if err != nil {
				failure = err
			} else {
				pieces++
			}
		}
		if outcrop.KindOf(failure) != c.want || pieces != c.pieces {
			t.Errorf("%s: %d pieces and %v; want %d and %s", name, pieces, failure, c.pieces, c.want.Code())
		}
	}
	r := &region{kind: "application/json", answer: []byte(`{"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"Version":"1.0"}`)}
	for _, protocol := range []gateway.Protocol{gateway.ConverseProtocol, gateway.InvokeProtocol} {
		if _, err := r.open(t).Forward(t.Context(), upstreamtest.Attempt, &gateway.Form{Protocol: protocol}); outcrop.KindOf(err) != outcrop.ModelFailed {
			t.Errorf("%s: an error with status 200: %v, want ModelFailed", protocol, err)
		}
	}
}

func BenchmarkStreams(b *testing.B) {
	r := &region{kind: "application/vnd.amazon.eventstream"}
	text := strings.Repeat("word ", 4)
	for e := range (&converse.Response{Output: converse.ConverseOutput{Message: &converse.Message{Role: "assistant"}}, StopReason: "end_turn", Usage: &converse.TokenUsage{InputTokens: 1, OutputTokens: 400}}).Events() {
		if e.MessageStop != nil {
			for range 100 {
				d := converse.Event{ContentBlockDelta: &converse.ContentBlockDeltaEvent{Delta: converse.ContentBlockDelta{Text: &text}}}
				r.answer = eventstream.AppendFrame(r.answer, eventstream.EventHeaders(d.Name(), "application/json"), d.AppendPadded(nil, 9))
			}
		}
		r.answer = eventstream.AppendFrame(r.answer, eventstream.EventHeaders(e.Name(), "application/json"), e.AppendPayload(nil))
	}
	u := r.open(b)
	form := &gateway.Form{Protocol: gateway.ConverseProtocol, Body: upstreamtest.Ask("Hello").AppendJSON(nil)}
	b.Run("forwarded", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for _, err := range u.ForwardStream(b.Context(), upstreamtest.Attempt, form) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("read and written anew", func(b *testing.B) {
		b.ReportAllocs()
		var payload, frame []byte
		for b.Loop() {
			for e, err := range u.ConverseStream(b.Context(), upstreamtest.Attempt, upstreamtest.Ask("Hello")) {
				if err != nil {
					b.Fatal(err)
				}
				payload = e.AppendPadded(payload[:0], 9)
				frame = eventstream.AppendFrame(frame[:0], eventstream.EventHeaders(e.Name(), "application/json"), payload)
			}
		}
	})
}
