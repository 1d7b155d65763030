package conform

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"outcrop/server"
)

// serve starts an Outcrop and says how to reach it.
func serve(t *testing.T, config server.Config) Endpoint {
	t.Helper()
	config.Listen, config.DataDir = "127.0.0.1:0", t.TempDir()
	srv, err := server.Start(t.Context(), config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	e := Endpoint{URL: srv.Endpoint(), Region: "us-east-1", APIKey: srv.FirstStart().APIKey,
		Credentials: credentials.NewStaticCredentialsProvider(srv.FirstStart().AccessKeyID, srv.FirstStart().SecretAccessKey, "")}
	if config.TLS {
		if e.Roots, err = os.ReadFile(filepath.Join(config.DataDir, server.CAFile)); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

func open(t *testing.T, e Endpoint) *Subject {
	t.Helper()
	s, err := Open(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// conforms fails the test by every mismatch.
func conforms(t *testing.T, s *Subject, checks []Check) {
	t.Helper()
	s.Run(t.Context(), checks, func(r Result) {
		for _, m := range r.Mismatches {
			t.Errorf("%s %s\n\trecorded in %s\n\t%s: expected %s\n\tgot %s", r.Operation, r.Says, r.Source, m.What, m.Expected, m.Got)
		}
		if r.Status == Skip {
			t.Logf("skipped: %s %s: %s", r.Operation, r.Says, r.Reason)
		}
	})
}

// Property: Outcrop behaves as recorded.
func TestOutcropConforms(t *testing.T) {
	conforms(t, open(t, serve(t, server.Config{})), All())
}

// Property: it does so in another geography, where other models are offered.
func TestOutcropConformsInEurope(t *testing.T) {
	e := serve(t, server.Config{})
	e.Region = "eu-central-1"
	conforms(t, open(t, e), All())
}

// A witness notes how requests of the SDK's clients travelled.
type witness struct {
	http.RoundTripper
	mu   sync.Mutex
	seen map[string]int // protocol and kind of authorization
}

func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := w.RoundTripper.RoundTrip(r)
	if err == nil {
		scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		plane := "control"
		if strings.HasPrefix(r.URL.Path, "/model/") {
			plane = "runtime"
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.seen[plane+" "+res.Proto+" "+scheme]++
	}
	return res, err
}

// Property: over TLS the Go SDK signs in with a Bedrock API key, speaks
// HTTP/2 and reads the same streams.
func TestStreamsOverTLSWithABearerToken(t *testing.T) {
	e := serve(t, server.Config{TLS: true})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(e.Roots)
	w := &witness{RoundTripper: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}, seen: map[string]int{}}
	e.Transport, e.Bearer = w, true
	s := open(t, e)
	checks, err := Select(All(), []string{"conversestream", opInvokeStream, opConverse, opInvoke, transport, authentication})
	if err != nil {
		t.Fatal(err)
	}
	conforms(t, s, checks)
	for key := range w.seen {
		if key != "runtime HTTP/2.0 Bearer" && key != "control HTTP/2.0 AWS4-HMAC-SHA256" {
			t.Errorf("%d requests went as %s", w.seen[key], key)
		}
	}
	if w.seen["runtime HTTP/2.0 Bearer"] < 5 {
		t.Errorf("the SDK's runtime client was used %d times", w.seen["runtime HTTP/2.0 Bearer"])
	}
}

// A liar stands before an Outcrop. Once told to, it gives an answer of its own.
type liar struct {
	through *httputil.ReverseProxy
	lie     atomic.Pointer[http.HandlerFunc]
}

func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if lie := l.lie.Load(); lie != nil {
		(*lie)(w, r)
		return
	}
	l.through.ServeHTTP(w, r)
}

// liars are endpoints that no check may be content with.
var liars = map[string]struct {
	answer  http.HandlerFunc
	content []string // the beginnings of the few sentences that are true of it
}{
	"says yes to everything": {
		func(w http.ResponseWriter, _ *http.Request) { lie(w, 200, "", "{}") },
		[]string{"UntagResource passes over keys that are absent", "GetTags counts what it returns", "GetDimensionValues describes an account", "ListCostAllocationTags filters by status"},
	},
	"is always out of order": {
		func(w http.ResponseWriter, _ *http.Request) {
			lie(w, 500, "InternalServerException:http://internal.amazon.com/coral/com.amazon.bedrock/", `{"message":"The server encountered an internal error."}`)
		},
		[]string{"Transport gives every answer its own request id"},
	},
	"does not find anything": {
		func(w http.ResponseWriter, _ *http.Request) {
			lie(w, 404, "ResourceNotFoundException", `{"message":"There is no system-defined thing of that name."}`)
		},
		[]string{"GetInferenceProfile does not find", "GetInferenceProfile gives an unknown profile", "DeleteInferenceProfile does not find", "TagResource does not find",
			"UntagResource does not find", "ListTagsForResource does not find", "GetFoundationModel does not find", "GetFoundationModelAvailability does not find",
			"ListFoundationModelAgreementOffers does not find", "DeleteFoundationModelAgreement has no agreement", "GetUseCaseForModelAccess answers with the form"},
	},
}

func lie(w http.ResponseWriter, status int, code, body string) {
	h := w.Header()
	h.Set("x-amzn-RequestId", "8d0c1c0e-7b1f-4e1c-9a51-0d9f6f0f4c11")
	h.Set("Content-Type", "application/json")
	if code != "" {
		h.Set("x-amzn-ErrorType", code)
	}
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

// Property: no check passes because it looks at nothing.
func TestLiarsAreFoundOut(t *testing.T) {
	e := serve(t, server.Config{})
	to, err := url.Parse(e.URL)
	if err != nil {
		t.Fatal(err)
	}
	l := &liar{through: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host }}}
	front := httptest.NewUnstartedServer(l)
	front.Config.Protocols = new(http.Protocols)
	front.Config.Protocols.SetHTTP1(true)
	front.Config.Protocols.SetUnencryptedHTTP2(true)
	front.Start()
	t.Cleanup(front.Close)
	e.URL = front.URL
	s := open(t, e)
	if _, err := s.profile(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, from := range liars {
		l.lie.Store(&from.answer)
		s.Run(t.Context(), All(), func(r Result) {
			sentence := r.Operation + " " + r.Says
			told := slices.ContainsFunc(from.content, func(known string) bool { return strings.HasPrefix(sentence, known) })
			if r.Status == Pass && !told {
				t.Errorf("an endpoint that %s passes: %s", name, sentence)
			}
		})
	}
	l.lie.Store(nil) // so that what was made can be deleted
}

// Property: a run leaves no profile behind.
func TestCloseDeletesWhatChecksMade(t *testing.T) {
	e := serve(t, server.Config{})
	kept := open(t, e)
	mine, err := kept.create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, e)
	checks, err := Select(All(), []string{opCreate, opTag})
	if err != nil {
		t.Fatal(err)
	}
	conforms(t, s, checks)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	left, err := kept.listAll(t.Context(), "APPLICATION")
	if err != nil || len(left) != 1 || *left[0].InferenceProfileArn != mine.arn {
		t.Errorf("left are %d profiles, %v; want the one of another run", len(left), err)
	}
}

// Property: on AWS nothing runs that costs money or leaves a change, unless
// it was allowed to.
func TestThriftOnAWS(t *testing.T) {
	for _, c := range []struct {
		need Need
		e    Endpoint
		runs bool
	}{
		{Nothing, Endpoint{AWS: true}, true}, {Spend, Endpoint{AWS: true}, false}, {Own, Endpoint{AWS: true}, false},
		{Spend, Endpoint{AWS: true, Spend: true}, true}, {Own, Endpoint{AWS: true, Spend: true}, false},
		{Spend, Endpoint{}, true}, {Own, Endpoint{}, true},
	} {
		s := &Subject{endpoint: c.e}
		if got := s.unmet(c.need) == nil; got != c.runs {
			t.Errorf("need %d at %+v runs: %t, want %t", c.need, c.e, got, c.runs)
		}
	}
	for _, c := range All() {
		switch c.Operation {
		case opCost, opTags, opDimensions, opListAllocation, opUpdateAllocation: // $0.01 a request
			if c.Needs == Nothing {
				t.Errorf("%s %s would cost money without leave", c.Operation, c.Says)
			}
		}
	}
}

// Property: each check says what, where from, and nothing twice.
func TestEveryCheckIsToldOnce(t *testing.T) {
	said := map[string]bool{}
	for _, c := range All() {
		sentence := c.Operation + " " + c.Says
		if said[sentence] {
			t.Errorf("said twice: %s", sentence)
		}
		said[sentence] = true
		if c.Says == "" || c.Source == "" || c.run == nil || strings.Contains(c.Says, "{") && !strings.Contains(c.Says, "{geography}") && !strings.Contains(c.Says, "{}") {
			t.Errorf("incomplete: %q %q from %q", c.Operation, c.Says, c.Source)
		}
	}
	if known := Operations(All()); len(known) != len(slices.Compact(slices.Sorted(slices.Values(known)))) {
		t.Errorf("an operation's checks are not together: %v", known)
	}
}

func TestSelect(t *testing.T) {
	some, err := Select(All(), []string{"getinferenceprofile", "GetTags"})
	if got := strings.Join(Operations(some), " "); err != nil || got != "GetInferenceProfile GetTags" {
		t.Errorf("selected %s, %v", got, err)
	}
	if _, err := Select(All(), []string{"Levitate"}); err == nil || !strings.Contains(err.Error(), "CreateInferenceProfile") {
		t.Errorf("err = %v, want the names there are", err)
	}
}

func TestReport(t *testing.T) {
	s := &Subject{endpoint: Endpoint{URL: "http://127.0.0.1:1/", Region: "us-east-1"}, facts: facts{account: "111122223333"}}
	checks := []Check{
		{"A", "is well", "a page", Nothing, func(context.Context, *Subject) error { return nil }},
		{"A", "is wrong", "a page", Nothing, func(context.Context, *Subject) error { return joined }},
		{"B", "is not here", "a page", Nothing, func(context.Context, *Subject) error { return skipped("no B") }},
	}
	r := s.Report()
	s.Run(t.Context(), checks, r.Add)
	var table, list, encoded bytes.Buffer
	for _, err := range []error{r.WriteTable(&table, func(s Status) string { return string(s) }), WriteList(&list, checks), r.WriteJSON(&encoded)} {
		if err != nil {
			t.Error(err)
		}
	}
	want := `
A
  PASS  is well
  FAIL  is wrong
        recorded in a page
        HTTP status
          expected 200
          got      500
        the call
          expected an answer
          got      line cut

B
  SKIP  is not here
        no B

http://127.0.0.1:1, account 111122223333, us-east-1: 1 passed, 1 failed, 1 skipped
`
	if table.String() != want {
		t.Errorf("table:\n%s\nwant:\n%s", table.String(), want)
	}
	var back map[string]any
	if err := json.Unmarshal(encoded.Bytes(), &back); err != nil || back["failed"] != 1.0 || len(back["results"].([]any)) != 3 {
		t.Errorf("JSON has %v, %v", slices.Sorted(maps.Keys(back)), err)
	}
	if r.Err() == nil || !strings.Contains(list.String(), "  is wrong  (a page)\n") {
		t.Errorf("err %v, list %s", r.Err(), list.String())
	}
}

// joined is what a check returns that finds two things.
var joined = errors.Join(same("HTTP status", 200, 500), nil, errors.New("line cut"))
