package bedrock_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/internal/strictyaml"
	"outcrop/server"
	"outcrop/upstream"
	"outcrop/upstream/bedrock"
	"outcrop/upstream/upstreamtest"
)

// far starts another Outcrop, with the simulator behind it, and returns its
// address and the keys of its administrator. Its door verifies every signature.
func far(t testing.TB) (endpoint string, keys bedrock.Credentials) {
	t.Helper()
	s, err := server.Start(context.WithoutCancel(t.Context()), server.Config{Listen: "127.0.0.1:0", DataDir: t.TempDir(),
		Runtime: server.RuntimeConfig{DrainOnHangup: new(strictyaml.Duration)}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	first := s.FirstStart()
	return s.Endpoint(), bedrock.Credentials{AccessKeyID: first.AccessKeyID, SecretAccessKey: first.SecretAccessKey}
}

func open(t testing.TB, c bedrock.Config) *bedrock.Upstream {
	t.Helper()
	u, err := bedrock.New(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Close() })
	return u
}

// throughProfile: us-east-1 has the suite's model through profiles only.
var throughProfile = map[outcrop.ModelID]string{"amazon.nova-lite-v1:0": "us.amazon.nova-lite-v1:0"}

func TestPromises(t *testing.T) {
	endpoint, keys := far(t)
	upstreamtest.Run(t, func(t testing.TB) upstreamtest.Upstream {
		return open(t, bedrock.Config{BaseURL: endpoint, Credentials: keys, Models: throughProfile})
	}, "absent usage is absent, not zero") // Bedrock always reports it; TestUsageThatNeverComes keeps the promise
}

// Each way of signing is taken by a door that verifies, and none is taken with
// a secret that is wrong.
func TestCredentials(t *testing.T) {
	endpoint, keys := far(t)
	noMachine(t)
	file := filepath.Join(t.TempDir(), "credentials")
	write := func(secret string) {
		text := "[prod]\naws_access_key_id=" + keys.AccessKeyID + "\naws_secret_access_key=" + secret + "\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(keys.SecretAccessKey)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	ask := func(c bedrock.Credentials) error {
		_, err := open(t, bedrock.Config{BaseURL: endpoint, Credentials: c, Models: throughProfile}).Converse(t.Context(), upstreamtest.Attempt, upstreamtest.Ask("Hello"))
		return err
	}
	if err := ask(keys); err != nil {
		t.Errorf("written keys: %v", err)
	}
	if err := ask(bedrock.Credentials{Profile: "prod"}); err != nil {
		t.Errorf("profile: %v", err)
	}
	wrong := keys
	wrong.SecretAccessKey = "not-the-secret-at-all"
	for name, c := range map[string]bedrock.Credentials{"secret": wrong, "session": {AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey, SessionToken: "made-up-token"}, "API key": {APIKey: "bedrock-api-key-made-up"}} {
		err := ask(c)
		var e *outcrop.Error
		if !errors.As(err, &e) || e.Kind != outcrop.ModelFailed || !strings.Contains(e.Message, "refused the credentials") {
			t.Errorf("wrong %s: %v, want ModelFailed about Outcrop's credentials", name, err)
		}
	}
	t.Setenv("AWS_ACCESS_KEY_ID", keys.AccessKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", keys.SecretAccessKey)
	if err := ask(bedrock.Credentials{}); err != nil {
		t.Errorf("environment: %v", err)
	}
}

// noMachine keeps the chain of credentials to what a test sets.
func noMachine(t *testing.T) {
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
	for _, name := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CA_BUNDLE"} {
		t.Setenv(name, "")
		os.Unsetenv(name)
	}
}

// Keys that an operator has exchanged in the shared file are found without a
// restart, once the old ones are refused.
func TestKeysOfAProfileAreRotated(t *testing.T) {
	noMachine(t)
	file := filepath.Join(t.TempDir(), "credentials")
	write := func(id string) {
		if err := os.WriteFile(file, []byte("[prod]\naws_access_key_id="+id+"\naws_secret_access_key=secret-of-"+id+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("AKIAOLD")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	answers := func(r *http.Request) (int, http.Header, string) {
		if strings.Contains(r.Header.Get("Authorization"), "Credential=AKIANEW/") {
			return 200, http.Header{"Content-Type": {"application/json"}}, wholeAnswer
		}
		return 403, http.Header{"X-Amzn-Errortype": {"UnrecognizedClientException"}}, `{"message":"The security token included in the request is invalid."}`
	}
	u, err := bedrock.New(t.Context(), bedrock.Config{Credentials: bedrock.Credentials{Profile: "prod"}}, fake(answers))
	if err != nil {
		t.Fatal(err)
	}
	ask := func() error {
		_, err := u.Converse(t.Context(), upstreamtest.Attempt, upstreamtest.Ask("Hello"))
		return err
	}
	if err := ask(); outcrop.KindOf(err) != outcrop.ModelFailed {
		t.Fatalf("old keys: %v", err)
	}
	write("AKIANEW")
	u.Forget()
	if err := ask(); err != nil {
		t.Errorf("after the rotation: %v", err)
	}
}

// fake answers in place of a connection.
type fake func(*http.Request) (int, http.Header, string)

func (f fake) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body.Close()
	}
	status, header, body := f(r)
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}, nil
}

const wholeAnswer = `{"output":{"message":{"role":"assistant","content":[{"text":"Hello"}]}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2},"metrics":{"latencyMs":7}}`

// A name that the far side does not know is the operator's matter, a request
// that it refuses is the caller's.
func TestAnAnswerKeepsBedrocksOwnWords(t *testing.T) {
	endpoint, keys := far(t)
	u := open(t, bedrock.Config{BaseURL: endpoint, Credentials: keys, Models: throughProfile, Limits: upstream.Limits{Timeout: time.Minute}})
	a := upstreamtest.Attempt
	a.Destination.Model = "no.such-model-v1:0"
	_, err := u.Converse(t.Context(), a, upstreamtest.Ask("Hello"))
	var e *outcrop.Error
	if !errors.As(err, &e) || e.Kind != outcrop.ModelFailed || !strings.Contains(e.Message, "no.such-model-v1:0") || !strings.Contains(e.Message, "us-east-1") {
		t.Errorf("%v, want ModelFailed that names the model and the Region", err)
	}
	empty := upstreamtest.Ask("")
	if _, err = u.Converse(t.Context(), upstreamtest.Attempt, empty); outcrop.KindOf(err) != outcrop.Invalid || !strings.Contains(err.Error(), "text") {
		t.Errorf("%v, want Invalid in the far side's words", err)
	}
}
