package sigv4

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"outcrop"
)

var (
	exampleTime = time.Date(2026, 1, 16, 16, 56, 15, 0, time.UTC)
	example     = Credentials{AccessKey: "AKIAIOSFODNN7EXAMPLE", Secret: exampleSecret}
	bedrockEast = Scope{"us-east-1", "bedrock"}
)

func wantCode(t testing.TB, err error, code, text string) {
	t.Helper()
	var e *outcrop.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want %s", err, code)
	}
	kind := outcrop.Denied
	if code == "IncompleteSignatureException" || code == "MalformedQueryString" {
		kind = outcrop.Invalid
	}
	if e.Code != code || e.Kind != kind || !e.Auth || !strings.Contains(e.Message, text) {
		t.Errorf("error %s (kind %d, auth %v): %s\nwant %s: …%s…", e.Code, e.Kind, e.Auth, e.Message, code, text)
	}
	if strings.Contains(err.Error(), exampleSecret) {
		t.Errorf("the error tells the secret: %v", err)
	}
}

// signed is a request as it arrives, with its body.
func signed(t testing.TB) (*http.Request, []byte) {
	body := []byte(`{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`)
	r := httptest.NewRequest("POST", "http://127.0.0.1:4599/model/arn%3Aaws%3Abedrock%2Fabc/converse?b=2&a=1", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Amz-Target", "a.b")
	r.RequestURI = r.URL.RequestURI() // a server sees no scheme and host here
	if err := Sign(r, PayloadHash(body), example, bedrockEast, exampleTime); err != nil {
		t.Fatal(err)
	}
	return r, body
}

func presigned(t testing.TB) *http.Request {
	r := httptest.NewRequest("POST", "https://bedrock.amazonaws.com/?Action=CallWithBearerToken", nil)
	r.RequestURI = ""
	if err := Presign(r, PayloadHash(nil), example, bedrockEast, exampleTime, time.Hour); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestClock(t *testing.T) {
	r, body := signed(t)
	p := presigned(t)
	for _, c := range []struct {
		request *http.Request
		body    []byte
		at      time.Duration
		want    string // "" for accepted
		expired bool
	}{
		{r, body, 0, "", false},
		{r, body, ClockSkew, "", false},
		{r, body, -ClockSkew, "", false},
		{r, body, ClockSkew + time.Second, "Signature expired: 20260116T165615Z is now earlier than 20260116T165616Z (20260116T170116Z - 5 min.)", true},
		{r, body, -ClockSkew - time.Second, "Signature not yet current: 20260116T165615Z is still later than 20260116T165614Z (20260116T165114Z + 5 min.)", false},
		{p, nil, 0, "", false},
		{p, nil, time.Hour, "", false},
		{p, nil, time.Hour + time.Second, "Signature expired: 20260116T175615Z is now earlier than 20260116T175616Z", true},
		{p, nil, -ClockSkew - time.Second, "Signature not yet current", false},
	} {
		err := verify(c.request, c.body, exampleSecret, exampleTime.Add(c.at).In(time.FixedZone("CET", 3600)))
		switch {
		case c.want == "" && err != nil:
			t.Errorf("at %v: %v", c.at, err)
		case c.want != "":
			wantCode(t, err, "InvalidSignatureException", c.want)
		}
		if errors.Is(err, ErrExpired) != c.expired {
			t.Errorf("at %v: expired = %v, want %v", c.at, !c.expired, c.expired)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	const ok = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260116/us-east-1/bedrock/aws4_request, SignedHeaders=host;x-amz-date, Signature=00"
	const date = "20260116T165615Z"
	for _, c := range []struct{ auth, date, code, text string }{
		{"AWS4-HMAC-SHA256", date, "IncompleteSignatureException", "missing equal-sign"},
		{"AWS4-HMAC-SHA256 x", date, "IncompleteSignatureException", "Invalid key=value pair (missing equal-sign) in Authorization header (hashed"},
		{"AWS4-HMAC-SHA256 a=b", date, "IncompleteSignatureException", "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter."},
		{"AWS4-HMAC-SHA1 a=b", date, "IncompleteSignatureException", "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1'"},
		{"AWS4-ECDSA-P256-SHA256 a=b", date, "IncompleteSignatureException", "Unsupported AWS 'algorithm'"},
		{ok, "", "IncompleteSignatureException", "existence of either a 'X-Amz-Date' or a 'Date' header"},
		{ok, "yesterday", "IncompleteSignatureException", "Date must be in ISO-8601 'basic format'. Got 'yesterday'."},
		{ok, "20260116T165615+", "IncompleteSignatureException", "Date must be in ISO-8601"},
		{ok, "20261316T165615Z", "IncompleteSignatureException", "Date must be in ISO-8601"},
		{ok, "20260117T165615Z", "InvalidSignatureException", "Date in Credential scope does not match"},
		{strings.Replace(ok, "AKIDEXAMPLE/", "", 1), date, "IncompleteSignatureException", "exactly 5 slash-delimited elements"},
		{strings.Replace(ok, "AKIDEXAMPLE", "", 1), date, "IncompleteSignatureException", "exactly 5 slash-delimited elements"},
		{strings.Replace(ok, "AKIDEXAMPLE", "AKID\tEXAMPLE", 1), date, "IncompleteSignatureException", "exactly 5 slash-delimited elements"},
		{strings.Replace(ok, "us-east-1", "", 1), date, "InvalidSignatureException", "valid region"},
		{strings.Replace(ok, "bedrock/", "/", 1), date, "InvalidSignatureException", "correct service"},
		{strings.Replace(ok, "aws4_request", "aws5", 1), date, "InvalidSignatureException", "valid terminator: 'aws4_request'"},
		{strings.Replace(ok, "host;", "", 1), date, "InvalidSignatureException", "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{strings.Replace(ok, "host;", strings.Repeat("host;", maxSignedHeaders), 1), date, "IncompleteSignatureException", "more than 128"},
		{ok + strings.Repeat(" ", maxAuthBytes), date, "IncompleteSignatureException", "longer than"},
	} {
		r := httptest.NewRequest("POST", "/", nil)
		r.Header.Set("Authorization", c.auth)
		if c.date != "" {
			r.Header.Set("X-Amz-Date", c.date)
		}
		s, err := Parse(r)
		if s != nil {
			t.Errorf("%.60q parsed as %v", c.auth, s)
		}
		wantCode(t, err, c.code, c.text)
	}
}

func TestParseQueryRefuses(t *testing.T) {
	ok := presigned(t).URL.RawQuery
	for _, c := range []struct{ from, to, code, text string }{
		{"X-Amz-Date=20260116T165615Z&", "", "IncompleteSignatureException", "must include 'X-Amz-Date'"},
		{"X-Amz-Credential", "X-Amz-Credentials", "IncompleteSignatureException", "must include 'X-Amz-Credential'"},
		{"X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Algorithm=AWS4", "IncompleteSignatureException", "Unsupported AWS 'algorithm'"},
		{"X-Amz-Expires=3600", "X-Amz-Expires=soon", "IncompleteSignatureException", "should be a number"},
		{"X-Amz-Expires=3600&", "", "IncompleteSignatureException", "should be a number"},
		{"X-Amz-Expires=3600", "X-Amz-Expires=0", "IncompleteSignatureException", "non-negative"},
		{"X-Amz-Expires=3600", "X-Amz-Expires=604801", "IncompleteSignatureException", "less than a week"},
		{"X-Amz-Date=2026", "X-Amz-Date=%zz2026", "MalformedQueryString", "syntax error"},
		{"=host", "=date", "InvalidSignatureException", "'Host' or ':authority'"},
	} {
		if !strings.Contains(ok, c.from) {
			t.Fatalf("no %q in %s", c.from, ok)
		}
		r := httptest.NewRequest("POST", "https://bedrock.amazonaws.com/?"+strings.Replace(ok, c.from, c.to, 1), nil)
		_, err := Parse(r)
		wantCode(t, err, c.code, c.text)
	}
	both := httptest.NewRequest("POST", "/?"+ok, nil)
	both.Header.Set("Authorization", "AWS4-HMAC-SHA256 x")
	_, err := Parse(both)
	wantCode(t, err, "IncompleteSignatureException", "Only one auth mechanism allowed")
}

func TestParseFindsNothing(t *testing.T) {
	for _, auth := range []string{"", "Bearer abc", "Basic abc", "AWS AKID:sig", "aws4-hmac-sha256 x"} {
		r := httptest.NewRequest("POST", "/?redirect=x%26X-Amz-Signature=1&X-Amz=1", nil)
		r.Header.Set("Authorization", auth)
		if s, err := Parse(r); s != nil || err != nil {
			t.Errorf("%q: %v, %v", auth, s, err)
		}
	}
}

func TestDateHeader(t *testing.T) {
	r, body := signed(t)
	auth := r.Header.Get("Authorization")
	r.Header.Set("Date", exampleTime.Format(http.TimeFormat))
	r.Header.Set("Authorization", strings.Replace(auth, ";x-amz-date", "", 1))
	r.Header.Del("X-Amz-Date")
	s, err := Parse(r)
	if err != nil || !s.Time.Equal(exampleTime) {
		t.Fatal(s, err)
	}
	wantCode(t, s.Verify(r, body, exampleSecret, exampleTime), "InvalidSignatureException", textMismatch)
}

// TestTamper: no byte of what was signed can be changed.
func TestTamper(t *testing.T) {
	alter := func(s string, i int) string { return s[:i] + string(s[i]^1) + s[i+1:] }
	check := func(what string, r *http.Request, body []byte) {
		t.Helper()
		s, err := Parse(r)
		if err != nil || s == nil {
			return
		}
		secret := exampleSecret
		if s.AccessKey != example.AccessKey {
			secret = "of another key"
		}
		if err := s.Verify(r, body, secret, exampleTime); err == nil {
			t.Errorf("%s passed", what)
		}
	}
	r, body := signed(t)
	if err := verify(r, body, exampleSecret, exampleTime); err != nil {
		t.Fatal(err)
	}
	for i := 1; i < len(r.RequestURI); i++ {
		c := r.Clone(t.Context())
		c.RequestURI = alter(r.RequestURI, i)
		check("target "+c.RequestURI, c, body)
	}
	for i := range body {
		check(fmt.Sprintf("body byte %d", i), r, []byte(alter(string(body), i)))
	}
	for _, name := range []string{"Content-Type", "X-Amz-Target", "X-Amz-Date", "Authorization"} {
		for i := range r.Header.Get(name) {
			c := r.Clone(t.Context())
			c.Header.Set(name, alter(r.Header.Get(name), i))
			check(name+": "+c.Header.Get(name), c, body)
		}
		c := r.Clone(t.Context())
		c.Header.Add(name, "more")
		if name != "Authorization" {
			check("a second "+name, c, body)
		}
	}
	for i := range r.Host {
		c := r.Clone(t.Context())
		c.Host = alter(r.Host, i)
		check("host "+c.Host, c, body)
	}
	c := r.Clone(t.Context())
	c.Method = "PUT"
	check("method", c, body)
}

func TestUnsignedHeadersAreRefused(t *testing.T) {
	r, body := signed(t)
	r.Header.Set("X-Amz-Security-Token", "another")
	wantCode(t, verify(r, body, exampleSecret, exampleTime), "InvalidSignatureException", "not signed: x-amz-security-token")
	r, body = signed(t)
	r.Header.Set("Amz-Sdk-Request", "attempt=2") // boto3 leaves these unsigned
	r.Header.Set("X-Amzn-Trace-Id", "Root=1")    // proxies add this one
	if err := verify(r, body, exampleSecret, exampleTime); err != nil {
		t.Error(err)
	}
}

func TestPayloadHeader(t *testing.T) {
	for _, claimed := range []string{PayloadHash([]byte("other")), "nonsense", UnsignedPayload, StreamingUnsignedTrailer} {
		body := []byte("{}")
		r := httptest.NewRequest("POST", "/x", nil)
		r.Header.Set(headerSHA256, claimed)
		if err := Sign(r, claimed, example, bedrockEast, exampleTime); err != nil {
			t.Fatal(err)
		}
		wantCode(t, verify(r, body, exampleSecret, exampleTime), "InvalidSignatureException", "x-amz-content-sha256")
		s, err := Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		lenient := Verifier{AllowUnsignedPayload: true}
		err = lenient.Verify(s, r, body, exampleSecret, exampleTime)
		if word := claimed == UnsignedPayload || claimed == StreamingUnsignedTrailer; word != (err == nil) {
			t.Errorf("%s with a lenient verifier: %v", claimed, err)
		}
	}
}

// TestKeyCache: a rotated secret never meets the old secret's key, and what
// was not proven is not remembered.
func TestKeyCache(t *testing.T) {
	var v Verifier
	sign := func(secret string) (*Signature, *http.Request) {
		r := httptest.NewRequest("GET", "/", nil)
		if err := Sign(r, PayloadHash(nil), Credentials{AccessKey: "AKID", Secret: secret}, bedrockEast, exampleTime); err != nil {
			t.Fatal(err)
		}
		s, err := Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		return s, r
	}
	oldSig, oldReq := sign("old")
	newSig, newReq := sign("new")
	if err := v.Verify(newSig, newReq, nil, "old", exampleTime); err == nil || len(v.keys.keys) != 0 {
		t.Errorf("a wrong signature: %v, %d keys kept", err, len(v.keys.keys))
	}
	for range 2 {
		if err := v.Verify(oldSig, oldReq, nil, "old", exampleTime); err != nil {
			t.Error(err)
		}
	}
	if err := v.Verify(oldSig, oldReq, nil, "new", exampleTime); err == nil {
		t.Error("the old signature passed after rotation")
	}
	if err := v.Verify(newSig, newReq, nil, "new", exampleTime); err != nil {
		t.Error(err)
	}
	if len(v.keys.keys) != 1 {
		t.Errorf("%d keys kept, want the new one in place of the old", len(v.keys.keys))
	}
	for i := range maxCachedKeys + 1 {
		v.keys.keep(keyName{accessKey: fmt.Sprint(i)}, "s", nil)
	}
	if n := len(v.keys.keys); n > maxCachedKeys {
		t.Errorf("%d keys kept", n)
	}
}

// TestNothingPrintsASecret tries the verbs that dig deepest.
func TestNothingPrintsASecret(t *testing.T) {
	r, body := signed(t)
	s, err := Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	s.SecurityToken = "tokentoken"
	var v Verifier
	if err := v.Verify(s, r, body, exampleSecret, exampleTime); err != nil {
		t.Fatal(err)
	}
	by := Credentials{"AKID", exampleSecret, "tokentoken"}
	var b bytes.Buffer
	for _, x := range []any{s, *s, by, &by, &v, struct{ C Credentials }{by}, []Credentials{by}, map[string]*Signature{"s": s}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&b, verb+"\n", x)
		}
		slog.New(slog.NewTextHandler(&b, nil)).Info("x", "v", x)
		slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "v", x)
	}
	hex := fmt.Sprintf("%x", exampleSecret)
	for _, secret := range []string{exampleSecret, hex, "tokentoken", s.claimed} {
		if strings.Contains(b.String(), secret) {
			t.Errorf("printed %s", secret)
		}
	}
}

// Property: what Sign signs and net/http carries, Verify accepts, whatever
// the path, query, headers and body.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		service := rapid.SampledFrom([]string{"bedrock", "sts", "s3"}).Draw(t, "service")
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		segments := rapid.SliceOfN(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", ".", "..", "a%2Fb", "%", "+"})), 0, 5).Draw(t, "path")
		for i := range segments {
			if rapid.Bool().Draw(t, "escaped") {
				segments[i] = url.PathEscape(segments[i])
			}
		}
		u := &url.URL{Scheme: "http", Host: "127.0.0.1:4599", Path: "/" + strings.Join(segments, "/")}
		if p, err := url.PathUnescape(u.Path); err == nil && rapid.Bool().Draw(t, "raw") {
			u.Path, u.RawPath = p, u.Path
		}
		query := url.Values{}
		for i, s := range rapid.SliceOfN(rapid.String(), 0, 6).Draw(t, "query") {
			query.Add(s, fmt.Sprint(i%2, s))
		}
		u.RawQuery = query.Encode()
		r := &http.Request{Method: "POST", URL: u, Header: http.Header{}, ContentLength: int64(len(body)), Body: http.NoBody}
		if len(body) > 0 {
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		for _, v := range rapid.SliceOfN(rapid.StringMatching(`[ \t!-~]{0,20}`), 0, 5).Draw(t, "headers") {
			r.Header.Add(rapid.SampledFrom([]string{"X-Amz-Meta-A", "Content-Type", "X-Other", "x-amz-target"}).Draw(t, "name"), v)
		}
		by := Credentials{AccessKey: "AKID", Secret: rapid.String().Draw(t, "secret"), SessionToken: rapid.StringMatching(`[A-Za-z0-9/+=]{0,30}`).Draw(t, "token")}
		scope := Scope{"us-east-1", service}
		var err error
		if rapid.Bool().Draw(t, "presign") {
			err = Presign(r, PayloadHash(body), by, scope, exampleTime, time.Minute)
			if service == "s3" { // S3 takes the body of a pre-signed URL as unsigned
				return
			}
		} else {
			err = Sign(r, PayloadHash(body), by, scope, exampleTime)
		}
		if err != nil {
			t.Fatal(err)
		}
		var wire bytes.Buffer
		if err := r.Write(&wire); err != nil {
			t.Fatal(err)
		}
		got, arrived := receive(t, wire.Bytes())
		if err := verify(got, arrived, by.Secret, exampleTime); err != nil {
			t.Fatalf("%v\n%s", err, wire.Bytes())
		}
		if err := verify(got, append(arrived, 1), by.Secret, exampleTime); err == nil {
			t.Fatal("another body passed")
		}
	})
}

func TestAbsoluteTarget(t *testing.T) {
	for raw, want := range map[string]target{
		"http://a.example/x%3Ay?q=1": {"/x%3Ay", "q=1"},
		"http://a.example":           {"/", ""},
		"http://a.example?q":         {"/", "q"},
		"/x?q=http://b":              {"/x", "q=http://b"},
		"//x":                        {"//x", ""},
		"*":                          {"*", ""},
	} {
		if got := targetOf(&http.Request{RequestURI: raw}); got != want {
			t.Errorf("%s: %v, want %v", raw, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	r, _ := signed(f)
	f.Add(r.RequestURI, r.Header.Get("Authorization"), r.Header.Get("X-Amz-Date"))
	f.Add("/?"+presigned(f).URL.RawQuery, "", "")
	f.Add("/", "AWS4-HMAC-SHA256 =,=,=", "Mon, 02 Jan 2006 15:04:05 GMT")
	f.Fuzz(func(t *testing.T, target, auth, date string) {
		r := &http.Request{Method: "GET", RequestURI: target, URL: new(url.URL), Header: http.Header{"Authorization": {auth}, "X-Amz-Date": {date}}}
		s, err := Parse(r)
		if s != nil && err != nil {
			t.Error("both a signature and an error")
		}
		if s != nil && (s.AccessKey == "" || s.Region == "" || s.Service == "" || s.Time.IsZero() && s.stamp[0] != '0') {
			t.Errorf("incomplete: %v", s)
		}
	})
}

// FuzzVerify throws whole requests at the door: it never panics, and what was
// not signed never passes.
func FuzzVerify(f *testing.F) {
	files, err := os.ReadDir("testdata")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		if b, err := os.ReadFile("testdata/" + file.Name()); err == nil {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		r, body, err := read(wire)
		if err != nil {
			return
		}
		s, err := Parse(r)
		if err != nil || s == nil {
			return
		}
		if s.Verify(r, body, "a secret nobody signed with", s.Time) == nil {
			t.Errorf("passed: %q", wire)
		}
		if err := s.Verify(r, body, exampleSecret, s.Time); err == nil && s.AccessKey != "AKIAIOSFODNN7EXAMPLE" {
			t.Errorf("passed: %q", wire)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 1024)
	r := httptest.NewRequest("POST", "http://127.0.0.1:4599/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabc123def456/converse", nil)
	r.Header.Set("Content-Type", "application/json")
	if err := Sign(r, PayloadHash(body), example, bedrockEast, exampleTime); err != nil {
		b.Fatal(err)
	}
	var v Verifier
	b.ReportAllocs()
	for b.Loop() {
		s, err := Parse(r)
		if err == nil {
			err = v.Verify(s, r, body, exampleSecret, exampleTime)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// A digest is told only of a body that a signature was verified for.
func TestTheDigestIsThatOfTheVerifiedBody(t *testing.T) {
	body := []byte(`{"a":1}`)
	r, err := http.NewRequest(http.MethodPost, "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := Sign(r, PayloadHash(body), example, bedrockEast, exampleTime); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{string(body): PayloadHash(body), `{"a":2}`: ""} {
		s, err := Parse(r)
		if err != nil || s.Digest() != "" {
			t.Fatalf("%q before it is verified, %v", s.Digest(), err)
		}
		if err := s.Verify(r, []byte(text), example.Secret, exampleTime); (err == nil) != (want != "") || s.Digest() != want {
			t.Errorf("%s: %v, digest %q, want %q", text, err, s.Digest(), want)
		}
	}
	if (*Signature)(nil).Digest() != "" {
		t.Error("nobody's signature has a digest")
	}
}
