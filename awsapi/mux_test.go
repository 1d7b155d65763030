package awsapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/iam"
	"outcrop/identity"
	"outcrop/sigv4"
)

// keys is a directory of one key.
type keys struct{}

const (
	testKey    = "AKIAIOSFODNN7EXAMPLE"
	testSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

var testCaller = outcrop.Caller{Account: "123456789012", Principal: "arn:aws:iam::123456789012:user/a", UserID: "AIDA", AccessKey: testKey}

func (keys) SecretForSession(_ context.Context, id, _ string) (identity.Key, error) {
	if id != testKey {
		e := outcrop.Errorf(outcrop.Denied, "The security token included in the request is invalid.")
		e.Code = "UnrecognizedClientException"
		return identity.Key{}, e
	}
	return identity.Key{Secret: testSecret, Caller: testCaller, Active: true}, nil
}

func (keys) Touch(string, string, outcrop.Region) {}

func (keys) APIKey(_ context.Context, token string) (outcrop.Caller, error) {
	if token != "good" {
		e := outcrop.Errorf(outcrop.Denied, "Authentication failed: Please make sure your API Key is valid.")
		e.Auth = true
		return outcrop.Caller{}, e
	}
	who := testCaller
	who.Bearer = true
	return who, nil
}

// anything allows everything.
type anything struct{}

func (anything) Authorize(context.Context, outcrop.Caller, ...iam.Check) error { return nil }

type probeInput struct {
	InferenceProfileIdentifier string `aws:"inferenceProfileIdentifier,required"`
}

type probeOutput struct {
	InferenceProfileName string `aws:"inferenceProfileName,required"`
}

// testMux serves one real operation of bedrock with the given function.
func testMux(fn func(who outcrop.Caller, id string) (string, error)) *Mux {
	m := NewMux(Options{
		Keys: keys{}, Policy: anything{}, DefaultRegion: "us-east-1", Now: time.Now, Log: slog.New(slog.DiscardHandler),
		KnownRegion: func(r outcrop.Region) bool { return strings.HasPrefix(string(r), "us-") },
	})
	m.Serve("bedrock", Op("GetInferenceProfile", func(_ context.Context, who outcrop.Caller, in *probeInput) (*probeOutput, error) {
		name, err := fn(who, in.InferenceProfileIdentifier)
		return &probeOutput{name}, err
	}))
	m.Serve("ce")
	m.Serve("sts")
	return m
}

func echo(_ outcrop.Caller, id string) (string, error) { return id, nil }

func send(t *testing.T, m *Mux, r *http.Request) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	m.ServeHTTP(w, r)
	return w.Result()
}

func signed(t testing.TB, method, url, body, service, region string) *http.Request {
	t.Helper()
	r := httptest.NewRequest(method, url, strings.NewReader(body))
	who := sigv4.Credentials{AccessKey: testKey, Secret: testSecret}
	sigv4.Sign(r, sigv4.PayloadHash([]byte(body)), who, sigv4.Scope{Region: outcrop.Region(region), Service: service}, time.Now())
	return r
}

func read(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func TestAnswersCarryARequestIDOfTheirOwn(t *testing.T) {
	m := testMux(echo)
	seen := map[string]bool{}
	for _, r := range []*http.Request{
		signed(t, "GET", "http://h/inference-profiles/us.x", "", "bedrock", "us-east-1"),
		signed(t, "GET", "http://h/inference-profiles/us.x", "", "bedrock", "us-east-1"),
		httptest.NewRequest("GET", "http://h/nonsense", nil),
	} {
		id := send(t, m, r).Header.Get("x-amzn-RequestId")
		if !uuid.MatchString(id) || seen[id] {
			t.Errorf("request id %q of %s", id, r.URL)
		}
		seen[id] = true
	}
}

func TestEncodedAndBareARNsReachTheOperation(t *testing.T) {
	const arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123def456"
	m := testMux(echo)
	for _, path := range []string{
		"arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabc123def456",
		"arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123def456",
	} {
		res := send(t, m, signed(t, "GET", "http://h/inference-profiles/"+path, "", "bedrock", "us-east-1"))
		if body := read(t, res); res.StatusCode != 200 || !strings.Contains(body, arn) {
			t.Errorf("%s: %d %s", path, res.StatusCode, body)
		}
	}
}

func TestNobodyPassesWithoutCredentials(t *testing.T) {
	m := testMux(func(outcrop.Caller, string) (string, error) {
		t.Error("the operation was reached")
		return "", nil
	})
	unknown := signed(t, "GET", "http://h/inference-profiles/us.x", "", "bedrock", "us-east-1")
	unknown.Header.Set("Authorization", strings.Replace(unknown.Header.Get("Authorization"), testKey, "AKIAXXXXXXXXXXXXXXXX", 1))
	tampered := signed(t, "GET", "http://h/inference-profiles/us.x", "", "bedrock", "us-east-1")
	tampered.URL.Path, tampered.RequestURI = "/inference-profiles/us.y", "/inference-profiles/us.y" // as a server reads it
	bearer := httptest.NewRequest("GET", "http://h/inference-profiles/us.x", nil)
	bearer.Header.Set("Authorization", "Bearer bad")
	elsewhere := httptest.NewRequest("POST", "http://h/", nil)
	elsewhere.Header.Set("X-Amz-Target", "AWSInsightsIndexService.GetCostAndUsage")
	elsewhere.Header.Set("Authorization", "Bearer good")
	for _, c := range []struct {
		name   string
		r      *http.Request
		status int
		kind   string
	}{
		{"nothing", httptest.NewRequest("GET", "http://h/inference-profiles/us.x", nil), 403, "MissingAuthenticationTokenException"},
		{"unknown key", unknown, 403, "UnrecognizedClientException"},
		{"tampered path", tampered, 403, "InvalidSignatureException"},
		{"bad API key", bearer, 403, "AccessDeniedException"},
		{"unknown Region", signed(t, "GET", "http://h/inference-profiles/us.x", "", "bedrock", "mars-1"), 403, "InvalidSignatureException"},
		{"an API key beside Bedrock", elsewhere, 400, "MissingAuthenticationTokenException"},
	} {
		res := send(t, m, c.r)
		body := read(t, res)
		if got := res.Header.Get("x-amzn-ErrorType") + body; res.StatusCode != c.status || !strings.Contains(got, c.kind) {
			t.Errorf("%s: %d %s, want %d %s", c.name, res.StatusCode, got, c.status, c.kind)
		}
	}
}

func TestAnAPIKeyWithoutARegionGetsTheDefault(t *testing.T) {
	m := testMux(func(who outcrop.Caller, _ string) (string, error) { return string(who.Region), nil })
	r := httptest.NewRequest("GET", "http://h/inference-profiles/us.x", nil)
	r.Header.Set("Authorization", "Bearer good")
	if body := read(t, send(t, m, r)); !strings.Contains(body, "us-east-1") {
		t.Errorf("answer %s, want the default Region", body)
	}
}

func TestFailuresAreRenderedAsTheServiceWritesThem(t *testing.T) {
	m := testMux(func(_ outcrop.Caller, id string) (string, error) {
		switch id {
		case "gone":
			return "", outcrop.Errorf(outcrop.NotFound, "no such profile")
		case "busy":
			e := outcrop.Errorf(outcrop.Throttled, "slow down")
			e.RetryAfter = 1500 * time.Millisecond
			return "", e
		case "secret":
			return "", errors.New("password=hunter2")
		}
		panic("boom")
	})
	for id, want := range map[string]struct {
		status        int
		kind, message string
	}{
		"gone":   {404, "ResourceNotFoundException", "no such profile"},
		"busy":   {429, "ThrottlingException", "slow down"},
		"secret": {500, "InternalServerException", "internal error"},
		"panic":  {500, "InternalServerException", "internal error"},
		"a--%20": {400, "ValidationException", "1 validation error detected"},
	} {
		res := send(t, m, signed(t, "GET", "http://h/inference-profiles/"+id, "", "bedrock", "us-east-1"))
		body := read(t, res)
		kind, _, _ := strings.Cut(res.Header.Get("x-amzn-ErrorType"), ":")
		if res.StatusCode != want.status || kind != want.kind || !strings.Contains(body, want.message) || strings.Contains(body, "hunter2") {
			t.Errorf("%s: %d %s %s", id, res.StatusCode, kind, body)
		}
		if !json.Valid([]byte(body)) {
			t.Errorf("%s: %s is no JSON", id, body)
		}
	}
	res := send(t, m, signed(t, "GET", "http://h/inference-profiles/busy", "", "bedrock", "us-east-1"))
	if res.Header.Get("Retry-After") != "2" || res.Header.Get("x-amz-retry-after") != "1500" {
		t.Errorf("retry headers %v", res.Header)
	}
}

func TestModelledAndNotServedSaysSo(t *testing.T) {
	m := testMux(echo)
	for _, r := range []*http.Request{
		signed(t, "GET", "http://h/guardrails", "", "bedrock", "us-east-1"),
		signed(t, "GET", "http://h/no/such/path", "", "bedrock", "us-east-1"),
		signed(t, "POST", "http://h/", "", "ec2", "us-east-1"),
	} {
		res := send(t, m, r)
		if body := read(t, res); res.StatusCode != 404 || !strings.Contains(res.Header.Get("x-amzn-ErrorType"), "UnknownOperationException") {
			t.Errorf("%s: %d %s", r.URL, res.StatusCode, body)
		}
	}
	query := signed(t, "POST", "http://h/", "Action=AssumeRole&Version=2011-06-15", "sts", "us-east-1")
	if body := read(t, send(t, m, query)); !strings.Contains(body, "<Code>InvalidAction</Code>") {
		t.Errorf("sts: %s", body)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	m := testMux(echo)
	huge := bytes.Repeat([]byte("x"), maxControlBodyBytes+1)
	for name, r := range map[string]*http.Request{
		"announced": signed(t, "POST", "http://h/inference-profiles", string(huge), "bedrock", "us-east-1"),
		"chunked": func() *http.Request {
			r := signed(t, "POST", "http://h/inference-profiles", string(huge), "bedrock", "us-east-1")
			r.ContentLength = -1
			return r
		}(),
	} {
		if res := send(t, m, r); res.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %d, want 413", name, res.StatusCode)
		}
	}
}

func TestEveryModelLoadsAndIsReachable(t *testing.T) {
	for name := range dispatchKeys {
		s := newService(name, nil)
		if len(s.model().Operations) == 0 {
			t.Errorf("%s has no operations", name)
		}
		if key := dispatchKeys[name]; key.target != "" && s.model().TargetPrefix != "" && key.target != s.model().TargetPrefix {
			t.Errorf("%s: target prefix %q, the model says %q", name, key.target, s.model().TargetPrefix)
		}
		if key := dispatchKeys[name]; key.scope != s.model().SigningName {
			t.Errorf("%s: scope %q, the model says %q", name, key.scope, s.model().SigningName)
		}
	}
}

// asked notes what it is asked, and refuses.
type asked struct{ checks []iam.Check }

func (a *asked) Authorize(_ context.Context, _ outcrop.Caller, checks ...iam.Check) error {
	a.checks = append(a.checks, checks...)
	return outcrop.Errorf(outcrop.Denied, "no")
}

func TestEveryOperationAsksBeforeItActs(t *testing.T) {
	m := testMux(func(outcrop.Caller, string) (string, error) {
		t.Error("the operation acted though it was refused")
		return "", nil
	})
	policy := new(asked)
	m.policy = policy
	res := send(t, m, signed(t, "GET", "http://h/inference-profiles/us.x", "", "bedrock", "us-east-1"))
	if res.StatusCode != 403 || len(policy.checks) != 1 || policy.checks[0].Action != "bedrock:GetInferenceProfile" {
		t.Errorf("%d after %+v", res.StatusCode, policy.checks)
	}
	r := httptest.NewRequest("GET", "http://h/inference-profiles/us.x", nil)
	r.Header.Set("Authorization", "Bearer good")
	policy.checks = nil
	send(t, m, r)
	if len(policy.checks) != 2 || policy.checks[0].Action != iam.ActionBearerToken {
		t.Errorf("an API key was asked about %+v, want CallWithBearerToken first", policy.checks)
	}
}

func TestOnlyOpenOperationsAreAnsweredUnsigned(t *testing.T) {
	m := NewMux(Options{Keys: keys{}, Policy: anything{}, DefaultRegion: "us-east-1", Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	type nothing struct{}
	answer := func(_ context.Context, who outcrop.Caller, _ *nothing) (*nothing, error) {
		if who.Account != "" {
			t.Errorf("caller %+v, want nobody", who)
		}
		return new(nothing), nil
	}
	m.Serve("sts", Open("AssumeRoleWithWebIdentity", answer), Op("GetCallerIdentity", answer))
	for body, want := range map[string]int{
		"Action=AssumeRoleWithWebIdentity&RoleArn=arn:aws:iam::123456789012:role/r&RoleSessionName=ab&WebIdentityToken=abcd": 200,
		"Action=GetCallerIdentity": 403,
	} {
		r := httptest.NewRequest("POST", "http://h/", strings.NewReader(body+"&Version=2011-06-15"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if res := send(t, m, r); res.StatusCode != want {
			t.Errorf("%s: %d %s, want %d", body, res.StatusCode, read(t, res), want)
		}
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	m := testMux(echo)
	refused := 0
	for range 200 {
		r := httptest.NewRequest("GET", "http://h/inference-profiles/us.x", nil)
		sigv4.Sign(r, sigv4.PayloadHash(nil), sigv4.Credentials{AccessKey: testKey, Secret: testSecret},
			sigv4.Scope{Region: "us-east-1", Service: "bedrock"}, time.Now().Add(-time.Hour))
		r.RemoteAddr = "192.0.2.66:1"
		if res := send(t, m, r); res.StatusCode == http.StatusTooManyRequests {
			refused++
			if res.Header.Get("Retry-After") == "" {
				t.Fatal("a throttled guess is not told when to come again")
			}
		}
	}
	guess := func(addr string) int {
		r := signed(t, "GET", "http://h/inference-profiles/us.x", "", "bedrock", "us-east-1")
		r.RemoteAddr = addr
		return send(t, m, r).StatusCode
	}
	if refused > 0 {
		t.Errorf("%d requests with a wrong clock were taken for guesses", refused)
	}
	for range 200 {
		r := signed(t, "GET", "http://h/inference-profiles/us.x", "", "bedrock", "us-east-1")
		a := r.Header.Get("Authorization")
		r.Header.Set("Authorization", a[:len(a)-4]+"0000")
		r.RemoteAddr = "192.0.2.66:1"
		if send(t, m, r).StatusCode == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused == 0 {
		t.Error("two hundred wrong signatures and no throttle")
	}
	if got := guess("198.51.100.7:1"); got != 200 {
		t.Errorf("the key's owner at another address: %d, want 200", got)
	}
}

// A short-term key tells its own Region; one that does not exist is none.
func TestAPIKeysOfNoRegion(t *testing.T) {
	for region, want := range map[outcrop.Region]int{"": 200, "us-west-2": 200, "mars-1": 403} {
		m := testMux(echo)
		m.keys = keysOf(region)
		r := httptest.NewRequest("GET", "http://h/inference-profiles/us.x", nil)
		r.Header.Set("Authorization", "Bearer good")
		if answer := send(t, m, r); answer.StatusCode != want {
			t.Errorf("key of %q: %s, want %d", region, answer.Status, want)
		}
	}
}

// keysOf has API keys of one Region.
type keysOf outcrop.Region

func (k keysOf) SecretForSession(ctx context.Context, id, token string) (identity.Key, error) {
	return keys{}.SecretForSession(ctx, id, token)
}

func (k keysOf) APIKey(ctx context.Context, token string) (outcrop.Caller, error) {
	who, err := keys{}.APIKey(ctx, token)
	who.Region = outcrop.Region(k)
	return who, err
}

func (k keysOf) Touch(string, string, outcrop.Region) {}
