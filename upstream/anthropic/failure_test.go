package anthropic_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"outcrop"
	"outcrop/converse"
	"outcrop/upstream"
	"outcrop/upstream/anthropic"
	"outcrop/upstream/upstreamtest"
)

// both asks whole and streamed, and returns the errors.
func both(t testing.TB, u *anthropic.Upstream) map[string]error {
	_, whole := u.Converse(t.Context(), upstreamtest.Attempt, upstreamtest.Ask("Hello"))
	_, streamed := ask(t, u)
	return map[string]error{"whole": whole, "streamed": streamed}
}

func TestBadAnswers(t *testing.T) {
	told := message(block(0)...)
	for _, c := range []struct {
		name, contentType, body string
		kind                    outcrop.Kind
		streamOnly              bool
		words                   string
	}{
		{"HTML", "text/html", "<html>" + key + "</html>", outcrop.ModelFailed, false, "text/html"},
		{"broken JSON", "application/json", `{"content":[`, outcrop.ModelFailed, false, "broken JSON"},
		{"empty body", "application/json", ``, outcrop.ModelFailed, false, "broken JSON"},
		{"another shape", "application/json", `{"output":"UnknownOperationException"}`, outcrop.ModelFailed, false, "without a message"},
		{"another type", "application/json", `{"type":"message","content":"Hello"}`, outcrop.ModelFailed, false, "broken JSON"},
		{"an array", "application/json", `[]`, outcrop.ModelFailed, false, "broken JSON"},
		{"an error with 200", "application/json", `{"type":"error","error":{"type":"invalid_request_error","message":"no such thing"}}`, outcrop.Invalid, false, "The model returned the following errors: no such thing"},
		{"a rate error with 200", "application/json", `{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}`, outcrop.Throttled, false, "Too many requests"},
		{"a key error with 200", "application/json", `{"type":"error","error":{"type":"authentication_error","message":"bad ` + key + `"}}`, outcrop.ModelFailed, false, "refused the key"},
		{"an error as the first event", "text/event-stream", sse(busy), outcrop.Unavailable, true, "overloaded"},
		{"an error behind the beginning", "text/event-stream", message(busy), outcrop.Unavailable, true, "overloaded"},
		{"an overload behind text", "text/event-stream", told + sse(busy), outcrop.Unavailable, true, "overloaded"},
		{"a limit behind text", "text/event-stream", told + sse(`{"type":"error","error":{"type":"rate_limit_error","message":"x"}}`), outcrop.Throttled, true, "Too many requests"},
		{"an error behind text", "text/event-stream", told + sse(`{"type":"error","error":{"type":"api_error","message":"it broke"}}`), outcrop.StreamFailed, true, "it broke"},
		{"a refusal behind text", "text/event-stream", told + sse(`{"type":"error","error":{"type":"invalid_request_error","message":"too long"}}`), outcrop.StreamFailed, true, "too long"},
		{"an error of nothing", "text/event-stream", told + sse(`{"type":"error"}`), outcrop.StreamFailed, true, "no message"},
		{"broken JSON behind text", "text/event-stream", told + "data: {\n\n", outcrop.StreamFailed, true, "broken JSON"},
		{"ends behind text", "text/event-stream", told, outcrop.StreamFailed, true, "ended in the middle"},
		{"ends at once", "text/event-stream", "", outcrop.ModelFailed, true, "ended in the middle"},
		{"a piece of no block", "text/event-stream", told + sse(delta(0, `{"type":"text_delta","text":"x"}`)), outcrop.StreamFailed, true, "mixed up"},
		{"a piece of another block", "text/event-stream", told + sse(start(1, `{"type":"text","text":""}`), delta(2, `{"type":"text_delta","text":"x"}`)), outcrop.StreamFailed, true, "mixed up"},
		{"a block of nothing", "text/event-stream", message(`{"type":"content_block_start","index":0}`), outcrop.ModelFailed, true, "block of nothing"},
	} {
		u := serve(t, c.contentType, c.body)
		for how, err := range both(t, u) {
			if how == "whole" && c.streamOnly {
				continue
			}
			if outcrop.KindOf(err) != c.kind || !strings.Contains(fmt.Sprint(err), c.words) || strings.Contains(fmt.Sprint(err), key) {
				t.Errorf("%s, %s: kind %d, %v; want kind %d with %q", c.name, how, outcrop.KindOf(err), err, c.kind, c.words)
			}
		}
	}
	if _, err := serve(t, "application/json", `{"tokens":1}`).CountTokens(t.Context(), upstreamtest.Attempt, upstreamtest.Ask("Hello")); outcrop.KindOf(err) != outcrop.ModelFailed {
		t.Errorf("a count without a count: %v", err)
	}
}

func TestStatuses(t *testing.T) {
	for status, kind := range map[int]outcrop.Kind{
		302: outcrop.ModelFailed, 400: outcrop.Invalid, 401: outcrop.ModelFailed, 403: outcrop.ModelFailed, 404: outcrop.ModelFailed,
		413: outcrop.Invalid, 429: outcrop.Throttled, 500: outcrop.ModelFailed, 502: outcrop.Unavailable, 503: outcrop.Unavailable, 504: outcrop.ModelTimeout, 529: outcrop.Unavailable,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"type":"error","error":{"type":"x","message":"bad words %s and token-of-org in %s"}}`, r.Header.Get("X-Api-Key"), strings.Repeat("long ", 1000))
		}))
		u := open(t, anthropic.Config{BaseURL: server.URL, Headers: map[string]string{"X-Org": "token-of-org"}})
		all := both(t, u)
		_, all["counted"] = u.CountTokens(t.Context(), upstreamtest.Attempt, upstreamtest.Ask("Hello"))
		for how, err := range all {
			var e *outcrop.Error
			if !errors.As(err, &e) || e.Kind != kind {
				t.Errorf("%d, %s: %v, want kind %d", status, how, err, kind)
				continue
			}
			if kind == outcrop.ModelFailed && e.Status != status {
				t.Errorf("%d: status %d", status, e.Status)
			}
			if (kind == outcrop.Throttled || kind == outcrop.Unavailable) && e.RetryAfter != 7*time.Second {
				t.Errorf("%d: retry after %s", status, e.RetryAfter)
			}
			if said := err.Error(); strings.Contains(said, key) || strings.Contains(said, "token-of-org") || len(said) > 1200 {
				t.Errorf("%d: shows a secret or too much: %s", status, said)
			}
		}
		server.Close()
	}
}

// raw listens and hands every connection, its request read, to answer.
func raw(t testing.TB, answer func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			readRequest(c)
			answer(c)
			c.Close()
		}
	}()
	return "http://" + l.Addr().String()
}

// readRequest reads to the end of a JSON body, which is "}" here.
func readRequest(c net.Conn) {
	var b bytes.Buffer
	for buf := make([]byte, 4096); !bytes.HasSuffix(b.Bytes(), []byte("}")); {
		n, err := c.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			return
		}
	}
}

// chunked encodes s for HTTP/1.1.
func chunked(s string, size int) string {
	var b strings.Builder
	for len(s) > 0 {
		n := min(size, len(s))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, s[:n])
		s = s[n:]
	}
	return b.String() + "0\r\n\r\n"
}

// endless writes head, then piece until nobody reads any more.
func endless(head, piece string) func(net.Conn) {
	many := []byte(strings.Repeat(piece, 1+64<<10/len(piece)))
	return func(c net.Conn) {
		_, err := io.WriteString(c, head)
		for err == nil {
			_, err = c.Write(many)
		}
	}
}

// Whatever the offset at which a connection ends, the call ends with a clear
// error or with the whole answer, and nothing stays behind.
func TestConnectionEndsAtEveryByte(t *testing.T) {
	before := goleak.IgnoreCurrent()
	streamed := "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(message(append(block(0), end("end_turn"), over)...), 40)
	body := `{"type":"message","content":[{"type":"text","text":"a"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}`
	whole := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	for name, answer := range map[string]string{"streamed": streamed, "whole": whole} {
		for _, reset := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, reset %v", name, reset), func(t *testing.T) { endsAtEveryByte(t, answer, name == "streamed", reset) })
		}
	}
	goleak.VerifyNone(t, before)
}

func endsAtEveryByte(t *testing.T, answer string, streaming, reset bool) {
	var at atomic.Int64
	base := raw(t, func(c net.Conn) {
		io.WriteString(c, answer[:at.Load()])
		if reset {
			c.(*net.TCPConn).SetLinger(0)
		}
	})
	u := open(t, anthropic.Config{BaseURL: base})
	for cut := range len(answer) {
		at.Store(int64(cut))
		var err error
		var events []converse.Event
		if streaming {
			events, err = ask(t, u)
		} else {
			_, err = u.Converse(t.Context(), upstreamtest.Attempt, upstreamtest.Ask("Hello"))
		}
		checkCut(t, cut, events, err)
	}
}

func checkCut(t *testing.T, cut int, events []converse.Event, err error) {
	t.Helper()
	if err == nil {
		if _, err := upstreamtest.Collect(events); len(events) > 0 && err != nil {
			t.Errorf("at byte %d: no error, yet %v", cut, err)
		}
		return
	}
	want := []outcrop.Kind{outcrop.Unavailable, outcrop.ModelFailed}
	if len(events) > 0 {
		want = []outcrop.Kind{outcrop.StreamFailed, outcrop.StreamFailed}
	}
	if k := outcrop.KindOf(err); k != want[0] && k != want[1] {
		t.Errorf("at byte %d, after %d events: kind %d, %v", cut, len(events), k, err)
	}
}

func TestSlowServers(t *testing.T) {
	before := goleak.IgnoreCurrent()
	for name, c := range map[string]struct {
		write string
		kind  outcrop.Kind
	}{
		"silent":                   {"", outcrop.ModelTimeout},
		"slow headers":             {"HTTP/1.1 200 OK\r\nContent-Type: ", outcrop.ModelTimeout},
		"headers, then silence":    {"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", outcrop.ModelTimeout},
		"comments for ever":        {"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: ping\n\n", outcrop.ModelTimeout},
		"one event, then silence":  {"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + message(block(0)...), outcrop.StreamFailed},
		"half an event, then none": {"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + message(block(0)...) + "data: {", outcrop.StreamFailed},
	} {
		t.Run(name, func(t *testing.T) {
			base := raw(t, func(conn net.Conn) {
				io.WriteString(conn, c.write)
				io.Copy(io.Discard, conn) // until the client hangs up
			})
			u := open(t, anthropic.Config{BaseURL: base, Limits: upstream.Limits{FirstByteTimeout: 50 * time.Millisecond, IdleTimeout: 50 * time.Millisecond, Timeout: 50 * time.Millisecond}})
			if _, err := ask(t, u); outcrop.KindOf(err) != c.kind || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("kind %d, %v; want kind %d", outcrop.KindOf(err), err, c.kind)
			}
			if _, err := u.Converse(t.Context(), upstreamtest.Attempt, upstreamtest.Ask("Hello")); err == nil {
				t.Error("Converse got an answer")
			}
		})
	}
	goleak.VerifyNone(t, before)
}

func TestEndlessServers(t *testing.T) {
	before := goleak.IgnoreCurrent()
	json := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
	sse := "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
	for name, answer := range map[string]func(net.Conn){
		"headers":  endless("HTTP/1.1 200 OK\r\n", "X-Header: value\r\n"),
		"a body":   endless(json+`{"x":"`, "x"),
		"a line":   endless(sse+"data: ", "x"),
		"an error": endless("HTTP/1.1 500 Oops\r\nContent-Type: application/json\r\n\r\n", "x"),
	} {
		t.Run(name, func(t *testing.T) {
			u := open(t, anthropic.Config{BaseURL: raw(t, answer)})
			for how, err := range both(t, u) {
				if k := outcrop.KindOf(err); k != outcrop.ModelFailed && k != outcrop.Unavailable {
					t.Errorf("%s: kind %d, %v", how, k, err)
				}
			}
		})
	}
	goleak.VerifyNone(t, before)
}

// A connection is used again after a stream as after a whole answer.
func TestConnectionsAreReused(t *testing.T) {
	var opened atomic.Int64
	server := httptest.NewUnstartedServer(new(upstreamtest.MockAnthropic))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	u := open(t, anthropic.Config{BaseURL: server.URL})
	for range 10 {
		for how, err := range both(t, u) {
			if err != nil {
				t.Fatalf("%s: %v", how, err)
			}
		}
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections for 20 calls, want 1", n)
	}
}
