package anthropic_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"outcrop"
	"outcrop/gateway"
	"outcrop/upstream/anthropic"
	"outcrop/upstream/upstreamtest"
)

// claude is an attempt at a model whose native body the server takes.
var claude = func() outcrop.Attempt {
	a := upstreamtest.Attempt
	a.Destination.Model, a.Model = "anthropic.claude-sonnet-4-5-20250929-v1:0", `claude"x`
	return a
}()

func form(body string) *gateway.Form {
	return &gateway.Form{Protocol: gateway.InvokeProtocol, Body: []byte(body)}
}

func TestOnlyNativeBodiesOfItsOwnModelsAreForwarded(t *testing.T) {
	u := serve(t, "application/json", "{}")
	good := form(`{"anthropic_version":"bedrock-2023-05-31"}`)
	if !u.Forwards(claude, good) {
		t.Error("a native body is not forwarded")
	}
	if u.Forwards(upstreamtest.Attempt, good) {
		t.Error("a body for another family's model would be forwarded")
	}
	if u.Forwards(claude, &gateway.Form{Protocol: gateway.ConverseProtocol, Body: good.Body}) || u.Forwards(claude, form(`{}`)) || u.Forwards(claude, form(`{`)) {
		t.Error("a body that Bedrock would refuse, or Converse's, would be forwarded")
	}
}

// Property: the body that goes out is the one that came but for the model, the
// version and streaming; every other member is byte for byte what it was.
func TestNativeBodiesAreEditedNotRewritten(t *testing.T) {
	var got []byte
	var beta string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _ = io.ReadAll(r.Body)
		beta = r.Header.Get("Anthropic-Beta")
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"type":"message","content":[],"stop_reason":"end_turn","new":[1, 2],"usage":{"input_tokens":1,"output_tokens":2}}`)
	}))
	defer server.Close()
	u := open(t, anthropic.Config{BaseURL: server.URL})
	rapid.Check(t, func(t *rapid.T) {
		kept := []string{`"max_tokens" : 5`, `"messages":[{"role":"user", "content":"caf\u00e9 }"}]`, `"unknown":{"x":[1.50,null]}`, `"temperature":0.5e0`}
		ours := []string{`"anthropic_version":"bedrock-2023-05-31"`, `"model":"theirs"`, `"stream": false`, `"anthropic_beta":["one-2025"]`}
		n := rapid.IntRange(0, len(kept)).Draw(t, "kept")
		all := rapid.Permutation(append(slices.Clone(kept[:n]), ours...)).Draw(t, "members")
		space := rapid.SampledFrom([]string{"", " ", "\n\t"}).Draw(t, "space")
		answer, err := u.Forward(t.Context(), claude, form(space+"{"+space+strings.Join(all, space+","+space)+space+"}"+space))
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(got) || beta != "one-2025" || !strings.HasPrefix(string(got), `{"model":"claude\"x"`) || strings.Contains(string(got), "theirs") || strings.Contains(string(got), "anthropic_") {
			t.Fatalf("sent %s with beta %q", got, beta)
		}
		for _, member := range kept[:n] {
			if !strings.Contains(string(got), member) {
				t.Fatalf("sent %s without %s", got, member)
			}
		}
		if !strings.Contains(string(answer.Body), `"new":[1, 2]`) || answer.Seen.Usage.OutputTokens != 2 {
			t.Fatalf("answer %s, metered %+v", answer.Body, answer.Seen)
		}
	})
}

// The events of the server become chunks as they are, and are metered as if
// they had been read; the start waits until something is said.
func TestNativeStreamsAreForwarded(t *testing.T) {
	events := []string{begin, ping, start(0, `{"type":"text","text":""}`), delta(0, `{"type":"text_delta","text":"caf\u00e9"}`), delta(0, `{"type":"from_the_future","x":[1, 2]}`), stop(0), ping, end("max_tokens"), over}
	u := serve(t, "text/event-stream", sse(events...))
	var chunks []string
	var output int
	var last gateway.Piece
	for p, err := range u.ForwardStream(t.Context(), claude, form(`{"anthropic_version":"x"}`)) {
		if err != nil {
			t.Fatal(err)
		}
		chunks, output, last = append(chunks, string(p.Chunk)), output+p.Seen.Output, *p
	}
	if d := cmp.Diff(events, chunks); d != "" || output != len("café") {
		t.Errorf("%d bytes in other chunks:\n%s", output, d)
	}
	read, err := ask(t, serve(t, "text/event-stream", sse(slices.Delete(slices.Clone(events), 4, 5)...)))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(read[len(read)-1].Metadata.Usage, last.Seen.Usage); d != "" || !last.Last || last.Seen.StopReason != "max_tokens" {
		t.Errorf("closing with %+v:\n%s", last, d)
	}
}

func TestForwardedStreamsThatFail(t *testing.T) {
	text := []string{start(0, `{"type":"text","text":""}`), delta(0, `{"type":"text_delta","text":"a"}`)}
	for name, c := range map[string]struct {
		kind, body string
		want       outcrop.Kind
		pieces     int
	}{
		"busy before anything is said":   {"text/event-stream", sse(begin, ping, busy), outcrop.Unavailable, 0},
		"busy in the middle":             {"text/event-stream", sse(append([]string{begin}, append(text, busy)...)...), outcrop.Unavailable, 3},
		"cut off":                        {"text/event-stream", sse(append([]string{begin}, text...)...), outcrop.StreamFailed, 3},
		"broken":                         {"text/event-stream", sse(begin, `{"type":`), outcrop.ModelFailed, 0},
		"whole":                          {"application/json", `{"type":"message"}`, outcrop.ModelFailed, 0},
		"an error in place of a stream":  {"application/json", `{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}`, outcrop.Throttled, 0},
		"complete without its last word": {"text/event-stream", sse(append([]string{begin}, append(text, stop(0), end("end_turn"))...)...), outcrop.Internal, 6},
		"nothing said":                   {"text/event-stream", sse(begin, over), outcrop.Internal, 2},
	} {
		pieces, failure := 0, error(nil)
		for _, err := range serve(t, c.kind, c.body).ForwardStream(t.Context(), claude, form(`{"anthropic_version":"x"}`)) {
			if failure = err; err == nil {
				pieces++
			}
		}
		if pieces != c.pieces || (failure != nil || c.want != outcrop.Internal) && outcrop.KindOf(failure) != c.want {
			t.Errorf("%s: %d pieces, then %v; want %d and %s", name, pieces, failure, c.pieces, c.want.Code())
		}
	}
	if _, err := serve(t, "application/json", busy).Forward(t.Context(), claude, form(`{}`)); outcrop.KindOf(err) != outcrop.Unavailable {
		t.Errorf("an error with status 200: %v, want Unavailable", err)
	}
}
