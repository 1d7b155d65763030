package bedrock_test

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outcrop"
	"outcrop/converse"
	"outcrop/upstream/bedrock"
	"outcrop/upstream/upstreamtest"
)

const full = `{"messages":[{"role":"user","content":[{"text":"Hi"},{"image":{"format":"png","source":{"bytes":"aGk="}}},{"cachePoint":{"type":"default","ttl":"1h"}}]}],` +
	`"system":[{"text":"Be brief."}],"inferenceConfig":{"maxTokens":7,"temperature":0.5,"topP":0.25,"stopSequences":["x"]},` +
	`"toolConfig":{"tools":[{"toolSpec":{"name":"f","description":"d","inputSchema":{"json":{"type":"object","n":[1,2.50]}},"strict":true}}],"toolChoice":{"any":{}}},` +
	`"guardrailConfig":{"guardrailIdentifier":"g","guardrailVersion":"1","trace":"enabled","streamProcessingMode":"sync"},` +
	`"additionalModelRequestFields":{"k":1},"additionalModelResponseFieldPaths":["/a"],"requestMetadata":{"team":"blue"},"performanceConfig":{"latency":"optimized"},"serviceTier":{"type":"flex"}}`

// What the Converse API has goes to the Region as it came; what it has not is
// lost on the way, and streamProcessingMode is ConverseStream's alone.
func TestARequestKeepsWhatConverseKnows(t *testing.T) {
	r, err := converse.DecodeRequest([]byte(strings.Replace(full, `"system"`, `"somethingNew":1,"system"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	var sent any
	var path, id string
	u, err := bedrock.New(t.Context(), bedrock.Config{Credentials: someKeys}, reading(func(r *http.Request, body []byte) {
		path, id = r.URL.EscapedPath(), r.Header.Get("Amz-Sdk-Invocation-Id")
		if err := json.Unmarshal(body, &sent); err != nil {
			t.Error(err)
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	var want any
	check := func(how, text string) {
		want = nil
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, sent); d != "" || id != string(upstreamtest.Attempt.Invocation) {
			t.Errorf("%s at %s by %s (-want +sent):\n%s", how, path, id, d)
		}
	}
	u.Converse(t.Context(), upstreamtest.Attempt, r)
	check("whole", strings.Replace(full, `,"streamProcessingMode":"sync"`, "", 1))
	for range u.ConverseStream(t.Context(), upstreamtest.Attempt, r) {
	}
	check("streamed", full)
}

// reading hands each request's body to a test, and answers with nothing.
type reading func(*http.Request, []byte)

func (f reading) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	f(r, body)
	return &http.Response{StatusCode: 500, Header: http.Header{}, Body: http.NoBody}, nil
}

func TestACustomAuthorityIsTrusted(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, wholeAnswer)
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file string
		kind outcrop.Kind
	}{"trusted": {file, outcrop.Internal}, "unknown": {"", outcrop.Unavailable}} {
		u := open(t, bedrock.Config{BaseURL: server.URL, CAFile: c.file, Credentials: someKeys})
		_, err := u.Converse(t.Context(), upstreamtest.Attempt, upstreamtest.Ask("Hello"))
		if (err == nil) != (name == "trusted") || outcrop.KindOf(err) != c.kind {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConfigurationsThatCannotWork(t *testing.T) {
	for words, c := range map[string]bedrock.Config{
		"http:// or https://":    {BaseURL: "ftp://x", Credentials: someKeys},
		"query":                  {BaseURL: "https://x/?a=b", Credentials: someKeys},
		"password":               {BaseURL: "https://me:very-secret-key@x", Credentials: someKeys},
		"one of apiKey":          {Credentials: bedrock.Credentials{APIKey: "a", Profile: "b"}},
		"come together":          {Credentials: bedrock.Credentials{AccessKeyID: "a"}},
		"sessionToken needs":     {Credentials: bedrock.Credentials{SessionToken: "a"}},
		"cannot be sent":         {Credentials: bedrock.Credentials{APIKey: "a\r\nb"}},
		"neither a model id":     {Credentials: someKeys, Models: map[outcrop.ModelID]string{"a.b": "../../x?y"}},
		"read caFile":            {Credentials: someKeys, CAFile: filepath.Join(t.TempDir(), "none")},
		"read AWS configuration": {Credentials: bedrock.Credentials{Profile: "no-such-profile-anywhere"}},
	} {
		_, err := bedrock.New(t.Context(), c, nil)
		if err == nil || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "very-secret") {
			t.Errorf("%v, want %q", err, words)
		}
	}
}

func TestCredentialsStayOutOfLogs(t *testing.T) {
	for _, text := range []string{fmt.Sprintf("%v", someKeys), fmt.Sprintf("%+v", someKeys), fmt.Sprintf("%#v", someKeys), fmt.Sprint(someKeys.LogValue()), fmt.Sprintf("%+v", bedrock.Config{Credentials: someKeys}), fmt.Sprint(bedrock.Credentials{APIKey: "very-secret"})} {
		if strings.Contains(text, "very-secret") {
			t.Errorf("shows a secret: %s", text)
		}
	}
}

// A proxy from the environment is asked for a Region's host; Go reads the
// environment once a process, so the test runs itself again.
func TestAProxyIsHonoured(t *testing.T) {
	const region = "http://bedrock-runtime.us-east-1.example"
	if os.Getenv("OUTCROP_TEST_PROXIED") != "" {
		u := open(t, bedrock.Config{BaseURL: region, Credentials: someKeys})
		if _, err := u.Converse(t.Context(), upstreamtest.Attempt, upstreamtest.Ask("Hello")); err != nil {
			t.Error(err)
		}
		return
	}
	asked := make(chan string, 1)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Host
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, wholeAnswer)
	}))
	defer proxy.Close()
	again(t, "OUTCROP_TEST_PROXIED=1", "HTTP_PROXY="+proxy.URL, "http_proxy="+proxy.URL, "NO_PROXY=", "no_proxy=")
	select {
	case host := <-asked:
		if !strings.HasSuffix(region, host) {
			t.Errorf("the proxy was asked for %s", host)
		}
	default:
		t.Error("the proxy was not asked")
	}
}

// again runs the test in a process of its own.
func again(t *testing.T, env ...string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	c.Env = append(os.Environ(), env...)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
