package orgapi

import (
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/awsapi/awsapitest"
	"outcrop/identity"
	"outcrop/identity/identitytest"
	"outcrop/identity/sealing"
	"outcrop/sigv4"
)

const (
	management = outcrop.AccountID("111122223333")
	outsider   = outcrop.AccountID("444455556666")

	denyAll = `{"Version":"2012-10-17","Statement":[{"Sid":"No","Effect":"Deny","Action":"bedrock:*","Resource":"*"}]}`
)

// A door is the API behind the real wire, called as an administrator of the
// management account.
type door struct {
	*awsapi.Mux
	api    *API
	clock  time.Time
	policy *awsapitest.Anything
	keys   sigv4.Credentials
}

func openDoor(t *testing.T) *door {
	t.Helper()
	sealer, err := sealing.NewSealer(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d := &door{clock: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC), policy: new(awsapitest.Anything)}
	now := func() time.Time { return d.clock }
	d.api = New(Config{Identity: identity.New(identitytest.NewStore(), sealer, now)})
	d.keys = d.admin(t, management)
	d.Mux = awsapi.NewMux(awsapi.Options{
		Keys: d.api.Identity, Policy: d.policy, KnownRegion: func(outcrop.Region) bool { return true }, DefaultRegion: "us-east-1",
		Now: now, Log: slog.New(slog.DiscardHandler),
	})
	d.Serve("organizations", d.api.Operations()...)
	return d
}

// admin makes an account and its administrator, if they are not there.
func (d *door) admin(t *testing.T, of outcrop.AccountID) sigv4.Credentials {
	t.Helper()
	b, _, err := d.api.Identity.Bootstrap(t.Context(), of)
	if err != nil {
		t.Fatal(err)
	}
	return sigv4.Credentials{AccessKey: b.AccessKeyID, Secret: b.SecretAccessKey}
}

// as is the same door with another's keys.
func (d *door) as(who sigv4.Credentials) *door {
	other := *d
	other.keys = who
	return &other
}

func (d *door) send(t *testing.T, operation, body string) (status int, answer string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), "POST", "http://organizations.test/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AWSOrganizationsV20161128."+operation)
	if err := sigv4.Sign(r, sigv4.PayloadHash([]byte(body)), d.keys, sigv4.Scope{Region: "us-east-1", Service: "organizations"}, d.clock); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	if !json.Valid(w.Body.Bytes()) {
		t.Fatalf("%s: %s is no JSON", operation, w.Body)
	}
	return w.Code, w.Body.String()
}

// do calls an operation that has to succeed.
func (d *door) do(t *testing.T, operation, body string) string {
	t.Helper()
	status, answer := d.send(t, operation, body)
	if status != 200 {
		t.Fatalf("%s %s: %d %s", operation, body, status, answer)
	}
	return answer
}

// refuses calls an operation that has to fail. The JSON services answer all
// faults of the client with 400.
func (d *door) refuses(t *testing.T, code, operation, body string) {
	t.Helper()
	status, answer := d.send(t, operation, body)
	var e struct {
		Type string `json:"__type"`
	}
	if err := json.Unmarshal([]byte(answer), &e); err != nil || status != 400 || e.Type != code {
		t.Errorf("%s %s: %d %s\nwant 400 %s", operation, body, status, answer, code)
	}
}

func has(t *testing.T, answer string, patterns ...string) {
	t.Helper()
	for _, p := range patterns {
		if !regexp.MustCompile(p).MatchString(answer) {
			t.Errorf("no %s in %s", p, answer)
		}
	}
}

// find is the first group of a pattern in an answer.
func find(t *testing.T, answer, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(answer)
	if m == nil {
		t.Fatalf("no %s in %s", pattern, answer)
	}
	return m[1]
}

// organise makes the organisation and gives its root.
func (d *door) organise(t *testing.T) (root string) {
	t.Helper()
	d.do(t, "CreateOrganization", `{"FeatureSet":"ALL"}`)
	return find(t, d.do(t, "ListRoots", `{}`), `"Id":"(r-[a-z0-9]{4})"`)
}

// quote is text as a JSON string.
func quote(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}
