package sigv4

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"outcrop"
)

// A suiteCase is one folder of the public signing suite.
type suiteCase struct {
	Credentials struct {
		ID     string `json:"access_key_id"`
		Secret string `json:"secret_access_key"`
		Token  string `json:"token"`
	}
	Expires   int       `json:"expiration_in_seconds"`
	Normalize bool      `json:"normalize"`
	Region    string    `json:"region"`
	Service   string    `json:"service"`
	SignBody  bool      `json:"sign_body"`
	Time      time.Time `json:"timestamp"`
	OmitToken bool      `json:"omit_session_token"`

	dir string
}

func (c *suiteCase) by() Credentials {
	return Credentials{AccessKey: c.Credentials.ID, Secret: c.Credentials.Secret, SessionToken: c.Credentials.Token}
}

func (c *suiteCase) scope() Scope { return Scope{outcrop.Region(c.Region), c.Service} }

func (c *suiteCase) read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}

// request reads a request whose target may hold what net/http refuses, such
// as a raw space, and keeps that target as it stands.
func (c *suiteCase) request(t *testing.T, name string) (*http.Request, []byte) {
	t.Helper()
	line, rest, _ := strings.Cut(c.read(t, name), "\n")
	method, line, _ := strings.Cut(line, " ")
	raw := strings.TrimSuffix(line, " HTTP/1.1")
	head, body, _ := strings.Cut(rest+"\n", "\n\n")
	body = strings.TrimRight(body, "\n")
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(method + " / HTTP/1.1\r\n" + strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n" + body)))
	if err != nil {
		t.Fatal(err)
	}
	path, query, _ := strings.Cut(raw, "?")
	r.RequestURI, r.URL = raw, &url.URL{Path: path, RawQuery: query}
	return r, []byte(body)
}

// suite walks the cases, or skips where a clone has no shared test data.
func suite(t *testing.T, each func(*testing.T, *suiteCase)) {
	const root = "../../shared/testdata/sigv4"
	dirs, err := filepath.Glob(filepath.Join(root, "*"))
	if err != nil || len(dirs) == 0 {
		if os.Getenv("OUTCROP_NO_SKIP") == "1" {
			t.Fatalf("the signing suite is missing at %s", root)
		}
		t.Skipf("the signing suite is not at %s", root)
	}
	if len(dirs) != 38 {
		t.Errorf("%d cases, want 38", len(dirs))
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			c := &suiteCase{dir: dir}
			if err := json.Unmarshal([]byte(c.read(t, "context.json")), c); err != nil {
				t.Fatal(err)
			}
			each(t, c)
		})
	}
}

// TestSuiteVerify verifies what the suite signed. Where the case adds the
// session token after signing (a habit of one service), the unsigned header
// is refused and the request without it holds.
func TestSuiteVerify(t *testing.T) {
	suite(t, func(t *testing.T, c *suiteCase) {
		for _, form := range []string{"header", "query"} {
			r, body := c.request(t, form+"-signed-request.txt")
			if c.OmitToken && form == "header" {
				if err := verify(r, body, c.by().Secret, c.Time); err == nil {
					t.Error("an unsigned session token passed")
				}
				r.Header.Del(headerToken)
			}
			if c.OmitToken && form == "query" {
				before, after, _ := strings.Cut(r.RequestURI, "&X-Amz-Security-Token=")
				_, after, _ = strings.Cut(after, "&")
				r.RequestURI = before + "&" + after
			}
			if err := verify(r, body, c.by().Secret, c.Time); err != nil {
				t.Errorf("%s: %v", form, err)
			}
			if err := verify(r, body, c.by().Secret+"x", c.Time); err == nil {
				t.Errorf("%s: another secret passed", form)
			}
		}
	})
}

func verify(r *http.Request, body []byte, secret string, now time.Time) error {
	s, err := Parse(r)
	if err != nil {
		return err
	}
	if s == nil {
		return io.ErrUnexpectedEOF
	}
	return s.Verify(r, body, secret, now)
}

// TestSuiteCanonical compares the canonical request and the signature, byte
// for byte, in both forms.
func TestSuiteCanonical(t *testing.T) {
	suite(t, func(t *testing.T, c *suiteCase) {
		for _, form := range []string{"header", "query"} {
			r, body := c.request(t, form+"-signed-request.txt")
			s, err := Parse(r)
			if err != nil {
				t.Fatal(err)
			}
			to := targetOf(r)
			query, err := canonicalQuery(to.query)
			if err != nil {
				t.Fatal(err)
			}
			if c.OmitToken {
				query = strings.ReplaceAll(query, "&X-Amz-Security-Token="+escapeQuery(c.Credentials.Token), "")
			}
			paths := signedPaths(nil, c.Service, to.path)
			k := canonical{method: r.Method, path: paths[0], query: query, payload: PayloadHash(body), request: r}
			if !c.Normalize {
				k.path = paths[len(paths)-1]
			}
			k.names = s.SignedHeaders
			if got, want := string(k.appendTo(nil)), strings.TrimSuffix(c.read(t, form+"-canonical-request.txt"), "\n"); got != want {
				t.Errorf("%s canonical request:\n%s\nwant:\n%s", form, got, want)
			}
			key := deriveKey(c.Credentials.Secret, s.Date, c.scope())
			if got, want := string(new(workspace).appendSignature(nil, key, s.stamp, s.Date, c.scope(), &k)), strings.TrimSpace(c.read(t, form+"-signature.txt")); got != want {
				t.Errorf("%s signature %s, want %s", form, got, want)
			}
		}
	})
}

// TestSuiteSign signs what the suite signed and arrives at the same request.
// Cases that keep dot segments are another signer's habit; verifying covers them.
func TestSuiteSign(t *testing.T) {
	suite(t, func(t *testing.T, c *suiteCase) {
		r, body := c.request(t, "request.txt")
		if paths := signedPaths(nil, c.Service, targetOf(r).path); len(paths) > 1 && !c.Normalize {
			return
		}
		by := c.by()
		if c.OmitToken {
			by.SessionToken = ""
		}
		if c.SignBody {
			r.Header.Set(headerSHA256, PayloadHash(body))
		}
		if err := Sign(r, PayloadHash(body), by, c.scope(), c.Time); err != nil {
			t.Fatal(err)
		}
		want, _ := c.request(t, "header-signed-request.txt")
		if got, want := r.Header.Get("Authorization"), want.Header.Get("Authorization"); got != want {
			t.Errorf("header:\n%s\nwant:\n%s", got, want)
		}
	})
}

// TestSuitePresign arrives at the same URL, byte for byte.
func TestSuitePresign(t *testing.T) {
	suite(t, func(t *testing.T, c *suiteCase) {
		r, body := c.request(t, "request.txt")
		if paths := signedPaths(nil, c.Service, targetOf(r).path); len(paths) > 1 && !c.Normalize {
			return
		}
		if c.OmitToken {
			t.Log("the token is appended after signing; nothing to compare")
			return
		}
		path, _, _ := strings.Cut(r.RequestURI, "?")
		client := &http.Request{Method: r.Method, Host: r.Host, Header: r.Header, URL: &url.URL{Path: path, RawQuery: r.URL.RawQuery}, ContentLength: r.ContentLength}
		if err := Presign(client, PayloadHash(body), c.by(), c.scope(), c.Time, time.Duration(c.Expires)*time.Second); err != nil {
			t.Fatal(err)
		}
		want, _ := c.request(t, "query-signed-request.txt")
		if got := path + "?" + client.URL.RawQuery; got != want.RequestURI && !strings.ContainsAny(path, " \u1234") {
			t.Errorf("query:\n%s\nwant:\n%s", got, want.RequestURI)
		}
	})
}

// TestGolden is the vector of reference/runtime-metering-billing.md §4.1.
func TestGolden(t *testing.T) {
	const body = `{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`
	at := time.Date(2026, 1, 16, 16, 56, 15, 0, time.UTC)
	r := httptest.NewRequest("POST", "http://127.0.0.1:8080/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabc123def456/converse", nil)
	r.Header.Set("Content-Type", "application/json")
	if got, want := PayloadHash([]byte(body)), "c3335e07d6e89650bf94cb98664be69f8774dbc3198df221f113db0a59ea14f0"; got != want {
		t.Errorf("payload %s, want %s", got, want)
	}
	if got, want := string(likelyPath("bedrock", targetOf(r).path).appendTo(nil)), "/model/arn%253Aaws%253Abedrock%253Aus-east-1%253A123456789012%253Aapplication-inference-profile%252Fabc123def456/converse"; got != want {
		t.Errorf("path %s, want %s", got, want)
	}
	by := Credentials{AccessKey: "AKIAIOSFODNN7EXAMPLE", Secret: exampleSecret}
	if err := Sign(r, PayloadHash([]byte(body)), by, Scope{"us-east-1", "bedrock"}, at); err != nil {
		t.Fatal(err)
	}
	want := "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260116/us-east-1/bedrock/aws4_request, " +
		"SignedHeaders=content-type;host;x-amz-date, Signature=c232baebbc4fd259081c48c34a17083eb6548f3dea3064a9fb88bbc913bedb52"
	if got := r.Header.Get("Authorization"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if err := verify(r, []byte(body), exampleSecret, at); err != nil {
		t.Error(err)
	}
}

const exampleSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

func BenchmarkSign(b *testing.B) {
	r, err := http.NewRequest(http.MethodPost, "http://127.0.0.1:4599/model/us.anthropic.claude-sonnet-4-20250514-v1%3A0/converse", nil)
	if err != nil {
		b.Fatal(err)
	}
	r.RequestURI = r.URL.RequestURI()
	digest := PayloadHash(nil)
	b.ReportAllocs()
	for b.Loop() {
		clear(r.Header)
		for _, name := range []string{"Content-Type", "X-Request-Id", "Amz-Sdk-Invocation-Id", "User-Agent"} {
			r.Header[name] = aValue
		}
		if err := Sign(r, digest, example, bedrockEast, time.Now()); err != nil {
			b.Fatal(err)
		}
	}
}

var aValue = []string{"a value"}
