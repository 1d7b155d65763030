package conform

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"outcrop"
	"outcrop/sigv4"
)

// wires are the ways to reach an endpoint: one protocol each, and any.
type wires struct{ h1, h2, any *http.Transport }

func newWires(e *Endpoint) (wires, error) {
	roots, err := pool(e.Roots)
	if err != nil {
		return wires{}, err
	}
	make := func(h1, h2 bool) *http.Transport {
		t := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: roots}, Protocols: new(http.Protocols)}
		t.Protocols.SetHTTP1(h1)
		if plain := strings.HasPrefix(e.URL, "http:"); h2 && !(plain && h1) { // Go prefers h1 where both are possible without TLS
			t.Protocols.SetHTTP2(!plain)
			t.Protocols.SetUnencryptedHTTP2(plain)
		}
		return t
	}
	return wires{h1: make(true, false), h2: make(false, true), any: make(true, true)}, nil
}

func pool(pem []byte) (*x509.CertPool, error) {
	if len(pem) == 0 {
		return nil, nil
	}
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(pem) {
		return nil, errors.New("no certificate authority in the given PEM")
	}
	return p, nil
}

func (w *wires) close() {
	for _, t := range []*http.Transport{w.h1, w.h2, w.any} {
		t.CloseIdleConnections()
	}
}

// An ask is one request on the raw wire. Its texts are filled with facts.
type ask struct {
	service string // bedrock when empty
	method  string // GET when empty
	path    string // with its query, escaped
	body    string
	header  map[string]string // an empty value takes the header out
	auth    func(*outgoing) error
	h2      bool      // over HTTP/2
	stream  io.Reader // sent in place of body, of unknown length
}

// An outgoing request is about to be authenticated.
type outgoing struct {
	*http.Request
	sent   []byte // the body
	by     sigv4.Credentials
	scope  sigv4.Scope
	apiKey string
}

// A reply is the answer to an ask.
type reply struct {
	status int
	proto  string
	header http.Header
	body   []byte
}

// maxReplyBytes bounds an answer: the longest are lists of all profiles.
const maxReplyBytes = 16 << 20

// send asks and reads the whole answer.
func (s *Subject) send(ctx context.Context, a ask) (*reply, error) {
	o, err := s.request(ctx, a)
	if err != nil {
		return nil, err
	}
	auth := a.auth
	if auth == nil {
		auth = signed
	}
	if err := auth(o); err != nil {
		return nil, err
	}
	transport := s.wire.h1
	if a.h2 {
		transport = s.wire.h2
	}
	res, err := transport.RoundTrip(o.Request)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxReplyBytes))
	if err != nil {
		return nil, fmt.Errorf("read answer of %d: %w", res.StatusCode, err)
	}
	return &reply{res.StatusCode, res.Proto, res.Header, b}, nil
}

func (s *Subject) request(ctx context.Context, a ask) (*outgoing, error) {
	path, err := s.fill(ctx, a.path)
	if err != nil {
		return nil, err
	}
	body, err := s.fill(ctx, a.body)
	if err != nil {
		return nil, err
	}
	service := cmp.Or(a.service, "bedrock")
	var reader io.Reader = strings.NewReader(body)
	if a.stream != nil {
		reader = a.stream
	}
	r, err := http.NewRequestWithContext(ctx, a.method, s.base(service)+path, reader)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "outcrop-conform")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range a.header {
		r.Header.Set(name, value)
		if value == "" {
			r.Header.Del(name)
		}
	}
	keys, err := s.endpoint.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("find credentials: %w", err)
	}
	return &outgoing{
		Request: r, sent: []byte(body), scope: s.scope(service), apiKey: s.endpoint.APIKey,
		by: sigv4.Credentials{AccessKey: keys.AccessKeyID, Secret: keys.SecretAccessKey, SessionToken: keys.SessionToken},
	}, nil
}

// scope is what a service's requests are signed for.
func (s *Subject) scope(service string) sigv4.Scope {
	switch service {
	case "bedrock-runtime":
		return sigv4.Scope{Region: s.endpoint.Region, Service: "bedrock"}
	case "ce":
		return sigv4.Scope{Region: "us-east-1", Service: "ce"}
	}
	return sigv4.Scope{Region: s.endpoint.Region, Service: service}
}

// signed is how requests are authenticated unless a check says otherwise.
func signed(o *outgoing) error { return signedAt(o, time.Now()) }

func signedAt(o *outgoing, at time.Time) error {
	return sigv4.Sign(o.Request, sigv4.PayloadHash(o.sent), o.by, o.scope, at)
}

// inRegion signs for another Region than the checks' own.
func inRegion(region outcrop.Region) func(*outgoing) error {
	return func(o *outgoing) error {
		o.scope.Region = region
		return signed(o)
	}
}
