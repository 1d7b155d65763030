package awsapi

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"outcrop"
)

// A deaf writer takes an answer and keeps nothing.
type deaf http.Header

func (d deaf) Header() http.Header         { return http.Header(d) }
func (d deaf) Write(b []byte) (int, error) { return len(b), nil }
func (d deaf) WriteHeader(int)             {}

// converseThroughTheDoor makes a function that sends one signed Converse
// request, as a server would, to an operation that does nothing.
func converseThroughTheDoor(t testing.TB) func() {
	t.Helper()
	m := testMux(echo)
	m.audit = func(outcrop.AuditEvent) {}
	m.audits = func(string, bool) bool { return false }
	m.Serve("bedrock-runtime", Raw("Converse", func(w http.ResponseWriter, r *Request) error {
		if r.Labels.Get("modelId") != "us.amazon.nova-lite-v1:0" {
			t.Errorf("labels %v", r.Labels)
		}
		r.Free() // as an operation does that was forwarded
		return nil
	}))
	text := bytes.Repeat([]byte("x"), 1000)
	r := signed(t, "POST", "http://h/model/us.amazon.nova-lite-v1%3A0/converse", string(text), "bedrock", "us-east-1")
	r.Header.Set("User-Agent", "Boto3/1.43 md/Botocore")
	body := bytes.NewReader(nil)
	r.Body = io.NopCloser(body)
	w := deaf(http.Header{})
	return func() {
		clear(w)
		body.Reset(text)
		m.ServeHTTP(w, r)
		if status := w.Header().Get("X-Amzn-Requestid"); status == "" {
			t.Error("no answer")
		}
	}
}

func BenchmarkTheDoor(b *testing.B) {
	call := converseThroughTheDoor(b)
	b.ReportAllocs()
	for b.Loop() {
		call()
	}
}

func BenchmarkEscapedPath(b *testing.B) {
	u, err := url.ParseRequestURI("/model/us.amazon.nova-lite-v1%3A0/converse")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		escapedPath(u)
	}
}

// The quick way to the path as it was sent is the standard library's.
func TestEscapedPathIsTheStandardLibrarys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.SampledFrom([]string{"/", "a", "-._:", "%3A", "%3a", "%2F", "%25", "%41", "%", "%4", "%zz", "%C3%A9", "é", " ", "~", "@", "[", "\"", "?"})
		u := &url.URL{RawPath: strings.Join(rapid.SliceOfN(part, 0, 8).Draw(t, "raw"), ""), Path: strings.Join(rapid.SliceOfN(part, 0, 8).Draw(t, "path"), "")}
		if plain, err := url.PathUnescape(u.RawPath); err == nil && rapid.IntRange(0, 3).Draw(t, "apart") > 0 {
			u.Path = plain
		}
		if got, want := escapedPath(u), u.EscapedPath(); got != want {
			t.Fatalf("%+v: %q, want %q", u, got, want)
		}
	})
}
