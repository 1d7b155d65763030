package otel

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// says answers with a body.
func says(status int, mediaType string, body []byte) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {mediaType}}, Body: io.NopCloser(bytes.NewReader(body))}, nil
	}
}

// rejects is the protocol's answer that so many spans were not taken.
func rejects(n uint64, why string) []byte {
	part := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), n)
	part = protowire.AppendString(protowire.AppendTag(part, 2, protowire.BytesType), why)
	return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), part)
}

const protobuf = "application/x-protobuf"

func upload(t *testing.T, c Config, answer func(*http.Request) (*http.Response, error)) (tries int, err error) {
	t.Helper()
	client, collector := newTestClient(t, c), &script{answers: []func(*http.Request) (*http.Response, error){answer}}
	client.http.Transport = collector
	client.hurry()
	err = client.UploadTraces(t.Context(), nil)
	return len(collector.at), err
}

func TestWhatACollectorSays(t *testing.T) {
	refused := protowire.AppendString(protowire.AppendTag(nil, 2, protowire.BytesType), "no such\nproject")
	for name, c := range map[string]struct {
		answer func(*http.Request) (*http.Response, error)
		want   string // in the error; empty for none
	}{
		"all taken":             {says(200, protobuf, nil), ""},
		"all taken, and says":   {says(200, protobuf, rejects(0, "")), ""},
		"a part":                {says(200, protobuf, rejects(3, "too old")), "collector.test, try 1: 3 spans rejected: too old"},
		"a part, without why":   {says(200, protobuf, rejects(3, "")), "3 spans rejected"},
		"a warning":             {says(200, protobuf, rejects(0, "slow down")), "0 spans rejected: slow down"},
		"a part in JSON":        {says(200, "application/json; charset=utf-8", []byte(`{"partialSuccess": {"rejectedSpans": "3", "errorMessage": "too old"}}`)), "3 spans rejected: too old"},
		"a part as a number":    {says(200, "application/json", []byte(`{"partialSuccess": {"rejectedSpans": 3}}`)), "3 spans rejected"},
		"JSON without":          {says(200, "application/json", []byte(`{}`)), ""},
		"JSON that is none":     {says(200, "application/json", []byte(`{`)), "cannot be read"},
		"JSON without a number": {says(200, "application/json", []byte(`{"partialSuccess": {"rejectedSpans": "x"}}`)), "cannot be read"},
		"protobuf that is none": {says(200, protobuf, []byte{0x0a, 0xff}), "cannot be read"},
		"a page":                {says(200, "text/html", []byte("<p>hello")), ""},
		"a status":              {says(400, protobuf, refused), "answered 400 Bad Request: no such project"},
		"a text":                {says(401, "text/plain", []byte("\x1b[31mwho?\xff\n")), "answered 401 Unauthorized: [31mwho?"},
		"nothing":               {says(404, "", nil), "answered 404 Not Found"},
		"an unknown status":     {says(599, "", nil), "answered 599"},
		"a long refusal":        {says(400, "text/plain", bytes.Repeat([]byte("ü"), 1<<20)), strings.Repeat("ü", maxTold/2)},
	} {
		_, err := upload(t, Config{Endpoint: "http://collector.test"}, c.answer)
		switch {
		case (err == nil) != (c.want == ""), err != nil && !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		case err != nil && (len(err.Error()) > 2*maxTold || strings.ContainsAny(err.Error(), "\n\x1b\ufffd")):
			t.Errorf("%s: %q is not fit for a log", name, err)
		}
	}
}

// An endless is a body that counts what is read of it.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) { e.read += len(p); return len(p), nil }
func (*endless) Close() error                 { return nil }

func TestAnAnswerWithoutAnEndIsReadInPart(t *testing.T) {
	for _, status := range []int{200, 400} {
		body := new(endless)
		tries, err := upload(t, Config{Endpoint: "http://collector.test"}, func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {protobuf}}, Body: body}, nil
		})
		if err == nil || tries != 1 || body.read > maxAnswer {
			t.Errorf("status %d: %v after %d tries, %d bytes read", status, err, tries, body.read)
		}
	}
}

func TestSecretsAreInNoErrorAndNoLog(t *testing.T) {
	secrets := []string{"s3cret-key", "s3cret-token", "s3cret-password", "s3cret-query"}
	c := Config{Endpoint: "http://user:s3cret-password@collector.test/?key=s3cret-query", Headers: map[string]string{"X-Key": "s3cret-key", "Authorization": "Bearer s3cret-token"}}
	echoes := func(r *http.Request) (*http.Response, error) {
		return says(403, "text/plain", []byte(r.URL.String()+" "+r.Header.Get("X-Key")+" "+strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")+" is not let in"))(r)
	}
	var failures []error
	for _, answer := range []func(*http.Request) (*http.Response, error){echoes, refuses, answers(302, "Location", "http://elsewhere.test/?key=s3cret-query"), answers(503)} {
		_, err := upload(t, c, answer)
		failures = append(failures, err)
	}
	if !strings.Contains(failures[0].Error(), "is not let in") {
		t.Errorf("%v does not tell why", failures[0])
	}
	client := newTestClient(t, Config{Endpoint: "http://user:s3cret-password@127.0.0.1:1/?key=s3cret-query", Headers: c.Headers})
	client.hurry()
	failures = append(failures, client.UploadTraces(t.Context(), nil))
	for _, c := range []Config{
		{Endpoint: "http://user:s3cret-password@collector.test:port/?key=s3cret-query"}, {Endpoint: "http://collector.test/\x7fs3cret-query"},
		{Endpoint: "http://collector.test", Headers: map[string]string{"X-Key": "s3cret-key\r\nX: y"}}, {Endpoint: "http://collector.test", Headers: map[string]string{"X Key": "s3cret-key"}},
	} {
		_, err := New(t.Context(), c, slog.New(slog.DiscardHandler))
		failures = append(failures, err)
	}
	for i, err := range failures {
		if err == nil {
			t.Fatalf("case %d did not fail", i)
		}
		for _, secret := range secrets {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("case %d tells %s: %v", i, secret, err)
			}
		}
	}
}

func TestWhatIsNotTakenIsLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	tracer, err := New(t.Context(), Config{Endpoint: "http://collector.test", Sample: 1}, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ok, away, part := says(200, protobuf, nil), answers(400), says(200, protobuf, rejects(2, "too old"))
	tracer.client.http.Transport = &script{answers: []func(*http.Request) (*http.Response, error){away, away, ok, away, part, part, says(200, protobuf, rejects(0, "slow")), ok}}
	for range 8 {
		invoke(tracer, "")
		if err := tracer.provider.ForceFlush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := tracer.Close(); err != nil {
		t.Fatal(err)
	}
	for say, times := range map[string]int{"cannot be sent": 2, "rejects spans": 1, "2 spans rejected: too old": 1, "warns": 1} {
		if n := strings.Count(log.String(), say); n != times {
			t.Errorf("%q is logged %d times, want %d: %s", say, n, times, log.String())
		}
	}
}

// identity writes a certificate and its key.
func identity(t *testing.T) (cert, key string, made *x509.Certificate) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, IsCA: true, BasicConstraintsValid: true}
	raw, err1 := x509.CreateCertificate(rand.Reader, about, about, &private.PublicKey, private)
	secret, err2 := x509.MarshalPKCS8PrivateKey(private)
	made, err3 := x509.ParseCertificate(raw)
	cert, key = inPEM(t, "CERTIFICATE", raw), inPEM(t, "PRIVATE KEY", secret)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	return cert, key, made
}

func inPEM(t *testing.T, kind string, raw []byte) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "file.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestAPrivateAuthorityAndAClientsCertificate(t *testing.T) {
	cert, key, made := identity(t)
	came := make(chan *sent, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { came <- received(t, r) }))
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	server.TLS.ClientCAs.AddCert(made)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	server.StartTLS()
	defer server.Close()

	stranger := newTestClient(t, Config{Endpoint: server.URL})
	if err := stranger.UploadTraces(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "try 1") || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("to a server of an unknown authority: %v", err)
	}
	t.Setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", inPEM(t, "CERTIFICATE", server.Certificate().Raw))
	nameless := newTestClient(t, Config{Endpoint: server.URL})
	nameless.hurry()
	if err := nameless.UploadTraces(context.Background(), nil); err == nil {
		t.Error("the server takes spans of nobody")
	}
	t.Setenv("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", cert)
	t.Setenv("OTEL_EXPORTER_OTLP_CLIENT_KEY", key)
	if err := newTestClient(t, Config{Endpoint: server.URL}).UploadTraces(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if got := <-came; got.ProtoMajor != 2 || len(got.TLS.PeerCertificates) != 1 || !got.TLS.PeerCertificates[0].Equal(made) {
		t.Errorf("sent by %s from %v", got.Proto, got.TLS.PeerCertificates)
	}
}
