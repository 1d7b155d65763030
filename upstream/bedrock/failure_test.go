package bedrock_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"outcrop"
	"outcrop/converse"
	"outcrop/internal/eventstream"
	"outcrop/upstream/bedrock"
	"outcrop/upstream/upstreamtest"
)

var someKeys = bedrock.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "very-secret-key", SessionToken: "very-secret-token"}

// mock is an upstream whose connections are answered by f.
func mock(t testing.TB, f fake) *bedrock.Upstream {
	t.Helper()
	u, err := bedrock.New(t.Context(), bedrock.Config{Credentials: someKeys}, f)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func events(t testing.TB, u *bedrock.Upstream) ([]converse.Event, error) {
	return upstreamtest.Events(u.ConverseStream(t.Context(), upstreamtest.Attempt, upstreamtest.Ask("Hello")))
}

// both asks whole and streamed, and returns the errors.
func both(t testing.TB, u *bedrock.Upstream) map[string]error {
	_, whole := u.Converse(t.Context(), upstreamtest.Attempt, upstreamtest.Ask("Hello"))
	_, streamed := events(t, u)
	return map[string]error{"whole": whole, "streamed": streamed}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		status int
		name   string
		body   string
		kind   outcrop.Kind
		words  string
		code   int
	}{
		{400, "ValidationException:http://internal.amazon.com/coral/com.amazon.bedrock/", `{"message":"The text field is blank."}`, outcrop.Invalid, "The text field is blank.", 0},
		{413, "ValidationException", `{"message":"Too long."}`, outcrop.TooLarge, "Too long.", 0},
		{400, "ValidationException", `{"message":"The provided model identifier is invalid."}`, outcrop.ModelFailed, "does not offer the model amazon.nova-lite-v1:0", 400},
		{400, "ValidationException", `{"message":"Invocation of model ID x with on-demand throughput isn’t supported. Retry your request."}`, outcrop.ModelFailed, "us-east-1", 400},
		{403, "AccessDeniedException", `{"Message":"User: arn:aws:iam::111122223333:user/ops is not authorized"}`, outcrop.ModelFailed, "refused the credentials", 403},
		{403, "UnrecognizedClientException", `{"message":"The security token included in the request is invalid."}`, outcrop.ModelFailed, "refused the credentials", 403},
		{403, "InvalidSignatureException", `{"message":"The canonical string was x-amz-security-token:very-secret-token"}`, outcrop.ModelFailed, "refused the credentials", 403},
		{403, "ExpiredTokenException", `{"message":"expired"}`, outcrop.ModelFailed, "refused the credentials", 403},
		{403, "", `<html>a proxy says no</html>`, outcrop.ModelFailed, "refused the credentials", 403},
		{404, "ResourceNotFoundException", `{"message":"This model version has reached the end of its life."}`, outcrop.NotFound, "end of its life", 0},
		{404, "UnknownOperationException", `{}`, outcrop.ModelFailed, "does not answer as Bedrock does", 404},
		{404, "", `not found`, outcrop.ModelFailed, "does not answer as Bedrock does", 404},
		{302, "", ``, outcrop.ModelFailed, "does not answer as Bedrock does", 302},
		{408, "ModelTimeoutException", `{"message":"Slow."}`, outcrop.ModelTimeout, "Slow.", 0},
		{424, "ModelErrorException", `{"message":"The model fell over.","originalStatusCode":500,"resourceName":"amazon.x"}`, outcrop.ModelFailed, "The model fell over.", 500},
		{429, "ThrottlingException", `{"message":"Too many tokens, please wait before trying again."}`, outcrop.Throttled, "Too many tokens", 0},
		{429, "ModelNotReadyException", `{"message":"Warming up."}`, outcrop.ModelNotReady, "Warming up.", 0},
		{400, "ServiceQuotaExceededException", `{"message":"Quota."}`, outcrop.Throttled, "Quota.", 0},
		{500, "InternalServerException", `{"message":"Oops."}`, outcrop.Unavailable, "Oops.", 0},
		{503, "", `{"__type":"com.amazon.bedrock#ServiceUnavailableException","message":"Busy."}`, outcrop.Unavailable, "Busy.", 0},
		{502, "", `<html>`, outcrop.Unavailable, "no message", 0},
		{499, "SomethingNewException", `{"message":"Hm."}`, outcrop.ModelFailed, "Hm.", 499},
	} {
		u := mock(t, func(*http.Request) (int, http.Header, string) {
			return c.status, http.Header{"X-Amzn-Errortype": {c.name}, "X-Amz-Retry-After": {"1500"}, "Content-Type": {"application/json"}}, c.body
		})
		for how, err := range both(t, u) {
			checkRefusal(t, fmt.Sprintf("%d %s %s, %s", c.status, c.name, c.body, how), err, c.kind, c.words, c.code)
		}
	}
}

func checkRefusal(t *testing.T, what string, err error, kind outcrop.Kind, words string, status int) {
	t.Helper()
	var e *outcrop.Error
	if !errors.As(err, &e) || e.Kind != kind || !strings.Contains(e.Message, words) || e.Status != status {
		t.Errorf("%s: %#v; want kind %d with %q and status %d", what, err, kind, words, status)
		return
	}
	if (kind == outcrop.Throttled || kind == outcrop.Unavailable) && e.RetryAfter != 1500*time.Millisecond {
		t.Errorf("%s: retry after %s", what, e.RetryAfter)
	}
	if strings.Contains(e.Message, "111122223333") || strings.Contains(err.Error(), "very-secret") {
		t.Errorf("%s: shows what is the operator's: %v", what, err)
	}
}

func frame(name, payload string) []byte {
	return eventstream.AppendFrame(nil, eventstream.EventHeaders(name, "application/json"), []byte(payload))
}

func exception(name, payload string) []byte {
	return eventstream.AppendFrame(nil, eventstream.ExceptionHeaders(name, "application/json"), []byte(payload))
}

func joined(frames ...[]byte) string { return string(bytes.Join(frames, nil)) }

var (
	begin    = frame("messageStart", `{"p":"abcd","role":"assistant"}`)
	text     = frame("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"Hello"},"p":"ab","new":{"x":[1]}}`)
	blockEnd = frame("contentBlockStop", `{"contentBlockIndex":0}`)
	stop     = frame("messageStop", `{"stopReason":"end_turn"}`)
	metadata = frame("metadata", `{"usage":{"inputTokens":3,"outputTokens":2,"totalTokens":5},"metrics":{"latencyMs":9}}`)
)

// streaming is an upstream whose every answer is body.
func streaming(t testing.TB, body string) *bedrock.Upstream {
	return mock(t, func(*http.Request) (int, http.Header, string) {
		return 200, http.Header{"Content-Type": {"application/vnd.amazon.eventstream"}}, body
	})
}

func TestStreamsThatBreak(t *testing.T) {
	wrong := bytes.Clone(text)
	wrong[len(wrong)-1] ^= 1
	huge := bytes.Clone(text)
	huge[0] = 0x7f
	unmodelled := eventstream.AppendFrame(nil, eventstream.ErrorHeaders("internalServerError", "It broke."), nil)
	for name, c := range map[string]struct {
		body  string
		kind  outcrop.Kind
		words string
	}{
		"empty":                       {"", outcrop.ModelFailed, "ended in the middle"},
		"throttled at once":           {joined(exception("throttlingException", `{"message":"Too many tokens."}`)), outcrop.Throttled, "Too many tokens."},
		"model error at once":         {joined(exception("modelStreamErrorException", `{"message":"Bad.","originalStatusCode":500}`)), outcrop.ModelFailed, "Bad."},
		"throttled in the middle":     {joined(begin, text, exception("throttlingException", `{"message":"Too many tokens."}`)), outcrop.Throttled, "Too many tokens."},
		"validation in the middle":    {joined(begin, exception("validationException", `{"message":"No."}`)), outcrop.Invalid, "No."},
		"unavailable in the middle":   {joined(begin, exception("serviceUnavailableException", `{"message":"Busy."}`)), outcrop.Unavailable, "Busy."},
		"model error in the middle":   {joined(begin, text, exception("modelStreamErrorException", `{"message":"Bad."}`)), outcrop.StreamFailed, "Bad."},
		"new exception in the middle": {joined(begin, exception("somethingNewException", `{"message":"Hm."}`)), outcrop.StreamFailed, "Hm."},
		"our keys in the middle":      {joined(begin, exception("accessDeniedException", `{"message":"User arn"}`)), outcrop.StreamFailed, "refused the credentials"},
		"unmodelled error":            {joined(begin, unmodelled), outcrop.StreamFailed, "It broke."},
		"wrong checksum":              {joined(begin, wrong, blockEnd, stop, metadata), outcrop.StreamFailed, "could not be read"},
		"impossible length":           {joined(begin, huge), outcrop.StreamFailed, "could not be read"},
		"broken JSON":                 {joined(begin, frame("contentBlockDelta", `{"delta":`)), outcrop.StreamFailed, "broken JSON"},
		"no stop":                     {joined(begin, text, blockEnd), outcrop.StreamFailed, "ended in the middle"},
	} {
		_, err := events(t, streaming(t, c.body))
		var e *outcrop.Error
		if !errors.As(err, &e) || e.Kind != c.kind || !strings.Contains(e.Message, c.words) {
			t.Errorf("%s: %v of kind %d, want %q of kind %d", name, err, outcrop.KindOf(err), c.words, c.kind)
		}
	}
}

// Events keep their text though the reader's memory is used again, and kinds
// of frames that are not known are passed over.
func TestStreamsThatHaveMore(t *testing.T) {
	other := frame("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"World"}}`)
	got, err := events(t, streaming(t, joined(frame("initial-response", `{}`), begin, text, frame("somethingNew", `{"a":1}`), other, blockEnd, stop, metadata, frame("afterwards", `{}`))))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := upstreamtest.Collect(got)
	if err != nil || upstreamtest.Text(whole) != "HelloWorld" || whole.Usage.TotalTokens != 5 {
		t.Errorf("%v: %q with %+v", err, upstreamtest.Text(whole), whole.Usage)
	}
}

// The stop has come, the usage never does: the answer stands without it.
func TestUsageThatNeverComes(t *testing.T) {
	got, err := events(t, streaming(t, joined(begin, text, blockEnd, stop)))
	if err != nil {
		t.Fatal(err)
	}
	if r, err := upstreamtest.Collect(got); err != nil || r.Usage != nil || upstreamtest.Text(r) != "Hello" {
		t.Errorf("%v, usage %v", err, r.Usage)
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	for name, c := range map[string]struct{ contentType, body, words string }{
		"unknown operation with 200": {"application/json", `{"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"Version":"1.0"}`, "does not answer as Bedrock does"},
		"another shape":              {"application/json", `{"choices":[]}`, "no answer"},
		"empty":                      {"application/json", ``, ""},
		"HTML":                       {"text/html", `<html>`, "text/html"},
		"an array":                   {"application/json", `[]`, ""},
	} {
		u := mock(t, func(*http.Request) (int, http.Header, string) {
			return 200, http.Header{"Content-Type": {c.contentType}}, c.body
		})
		for how, err := range both(t, u) {
			if outcrop.KindOf(err) != outcrop.ModelFailed || !strings.Contains(fmt.Sprint(err), c.words) {
				t.Errorf("%s, %s: %v, want ModelFailed with %q", name, how, err, c.words)
			}
		}
		if _, err := u.CountTokens(t.Context(), upstreamtest.Attempt, upstreamtest.Ask("Hello")); outcrop.KindOf(err) != outcrop.ModelFailed {
			t.Errorf("%s, counted: %v", name, err)
		}
	}
}

// Whatever the offset at which a connection ends, the call ends with a clear
// error or with the whole answer, and nothing stays behind.
func TestConnectionEndsAtEveryByte(t *testing.T) {
	before := goleak.IgnoreCurrent()
	body := joined(begin, text, blockEnd, stop, metadata)
	for _, reset := range []bool{false, true} {
		t.Run("reset "+strconv.FormatBool(reset), func(t *testing.T) {
			var at atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
				io.WriteString(w, body[:at.Load()])
				http.NewResponseController(w).Flush()
				if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
					if reset {
						c.(*net.TCPConn).SetLinger(0)
					}
					c.Close()
				}
			}))
			defer server.Close()
			u := open(t, bedrock.Config{BaseURL: server.URL, Credentials: someKeys})
			defer u.Close()
			for cut := range len(body) + 1 {
				at.Store(int64(cut))
				got, err := events(t, u)
				checkCut(t, cut, got, err)
			}
		})
	}
	goleak.VerifyNone(t, before)
}

func checkCut(t *testing.T, cut int, got []converse.Event, err error) {
	t.Helper()
	if err == nil {
		if r, err := upstreamtest.Collect(got); err != nil || upstreamtest.Text(r) != "Hello" {
			t.Errorf("at byte %d: no error, yet %v", cut, err)
		}
		return
	}
	k := outcrop.KindOf(err)
	if good := k == outcrop.ModelFailed || k == outcrop.Unavailable; len(got) == 0 && !good || len(got) > 0 && k != outcrop.StreamFailed {
		t.Errorf("at byte %d, after %d events: kind %d, %v", cut, len(got), k, err)
	}
}

// Every Region has its own host, and its own scope in the signature.
func TestTheAddressOfARegion(t *testing.T) {
	for _, c := range []struct {
		base  string
		r     outcrop.Region
		model string
		want  string
	}{
		{"", "us-east-1", "amazon.nova-lite-v1:0", "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1%3A0/converse"},
		{"", "cn-north-1", "a.b", "https://bedrock-runtime.cn-north-1.amazonaws.com.cn/model/a.b/converse"},
		{"https://vpce-1.{region}.vpce.amazonaws.com/x/", "eu-west-1", "a.b", "https://vpce-1.eu-west-1.vpce.amazonaws.com/x/model/a.b/converse"},
		{"", "eu-west-1", "arn:aws:bedrock:{region}:111122223333:application-inference-profile/abc", "https://bedrock-runtime.eu-west-1.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A111122223333%3Aapplication-inference-profile%2Fabc/converse"},
	} {
		var got, signed string
		u, err := bedrock.New(t.Context(), bedrock.Config{BaseURL: c.base, Credentials: someKeys, Models: map[outcrop.ModelID]string{"m": c.model}}, fake(func(r *http.Request) (int, http.Header, string) {
			got, signed = r.URL.String(), r.Header.Get("Authorization")
			return 200, http.Header{"Content-Type": {"application/json"}}, wholeAnswer
		}))
		if err != nil {
			t.Fatal(err)
		}
		a := outcrop.Attempt{Destination: outcrop.Destination{Region: c.r, Model: "m"}}
		if _, err := u.Converse(t.Context(), a, upstreamtest.Ask("Hello")); err != nil || got != c.want || !strings.Contains(signed, "/"+string(c.r)+"/bedrock/aws4_request") {
			t.Errorf("%s: %v, %s signed %s; want %s", c.model, err, got, signed, c.want)
		}
	}
	a := outcrop.Attempt{Destination: outcrop.Destination{Region: "evil.example/", Model: "m"}}
	if _, err := mock(t, nil).Converse(t.Context(), a, upstreamtest.Ask("Hello")); outcrop.KindOf(err) != outcrop.ModelFailed {
		t.Errorf("a Region that is none: %v", err)
	}
}
