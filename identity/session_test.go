package identity_test

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outcrop"
	"outcrop/identity"
	"outcrop/identity/identitytest"
	"outcrop/identity/oidc"
	"outcrop/identity/oidc/oidctest"
	"outcrop/identity/sealing"
	"outcrop/sigv4"
)

// trusting is a trust policy that lets principal do everything STS has, under
// a condition that may be empty.
func trusting(principal, condition string) string {
	if condition != "" {
		condition = `,"Condition":` + condition
	}
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principal + `,"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity","sts:AssumeRoleWithWebIdentity"]` + condition + `}]}`
}

func codeOf(err error) string {
	var e *outcrop.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return fmt.Sprint(err)
}

func (h *house) trusted(t testing.TB, name, trust string) identity.Role {
	t.Helper()
	r, err := h.CreateRole(t.Context(), account, identity.RoleSpec{Name: name, Path: "/apps/", Trust: trust, MaxSession: 2 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (h *house) assume(t testing.TB, who outcrop.Caller, r identity.Role) *identity.NewSession {
	t.Helper()
	s, err := h.AssumeRole(t.Context(), who, identity.AssumeRequest{Role: r.ARN(), Name: "web"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func wantCode(t testing.TB, what string, err error, code, text string) {
	t.Helper()
	if err == nil || codeOf(err) != code || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: %v (code %s), want %s %q", what, err, codeOf(err), code, text)
	}
}

func TestAssumedRole(t *testing.T) {
	h := newHouse(t)
	alice := h.user(t, "alice")
	r := h.trusted(t, "app", trusting(`{"AWS":"`+string(alice.Principal)+`"}`, ""))
	s := h.assume(t, alice, r)
	if !strings.HasPrefix(s.AccessKeyID, "ASIA") || len(s.AccessKeyID) != 20 || len(s.SecretAccessKey) != 40 {
		t.Errorf("credentials look like %s / %d characters", s.AccessKeyID, len(s.SecretAccessKey))
	}
	k, err := h.SecretForSession(t.Context(), s.AccessKeyID, s.Token)
	if err != nil {
		t.Fatal(err)
	}
	who := k.Caller
	if k.Secret != s.SecretAccessKey || !k.Active || who.AccessKey != s.AccessKeyID || who.Account != account ||
		who.Principal != "arn:aws:sts::123456789012:assumed-role/app/web" || who.UserID != r.ID+":web" {
		t.Errorf("key %+v", who)
	}
	if who.Session.Role != r.ARN() || who.Session.Name != "web" || !who.Session.Issued.Equal(start) || !who.Session.Expires.Equal(start.Add(time.Hour)) {
		t.Errorf("session %+v", who.Session)
	}
	if got, err := h.AccountOfAccessKey(t.Context(), s.AccessKeyID); got != account || err != nil {
		t.Errorf("account of %s is %q, %v", s.AccessKeyID, got, err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if out := fmt.Sprintf(verb, *s) + fmt.Sprintf(verb, s); strings.Contains(out, s.SecretAccessKey) || strings.Contains(out, s.Token) {
			t.Errorf("%s prints a secret", verb)
		}
	}
	if b, _ := json.Marshal(s); strings.Contains(string(b), s.Token) {
		t.Error("JSON has the token")
	}
}

// A key and a token belong together, and nothing goes without its other half.
func TestSessionCredentialsBelongTogether(t *testing.T) {
	h := newHouse(t)
	b := h.bootstrap(t)
	alice := h.user(t, "alice")
	r := h.trusted(t, "app", trusting(`{"AWS":"`+string(alice.Principal)+`"}`, ""))
	s, other := h.assume(t, alice, r), h.assume(t, alice, r)
	if _, err := h.SecretForSession(t.Context(), b.AccessKeyID, ""); err != nil {
		t.Errorf("a long-term key: %v", err)
	}
	for name, pair := range map[string][2]string{
		"a long-term key with a token":  {b.AccessKeyID, s.Token},
		"a session's key without one":   {s.AccessKeyID, ""},
		"the token of another session":  {s.AccessKeyID, other.Token},
		"an unknown key with the token": {"ASIAIOSFODNN7EXAMPLE", s.Token},
		"no key":                        {"", s.Token},
		"a token of nonsense":           {s.AccessKeyID, "FwoGZXIvYXdzEBYaD"},
		"a token without its end":       {s.AccessKeyID, s.Token[:len(s.Token)-1]},
		"a token twice":                 {s.AccessKeyID, s.Token + s.Token},
	} {
		_, err := h.SecretForSession(t.Context(), pair[0], pair[1])
		wantRefusal(t, err, "UnrecognizedClientException", unrecognized, false)
		if err == nil {
			t.Error(name)
		}
	}
	foreign := newHouse(t)
	_, err := foreign.SecretForSession(t.Context(), s.AccessKeyID, s.Token)
	wantRefusal(t, err, "UnrecognizedClientException", unrecognized, false)
}

func TestSessionEndsOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sealer, err := sealing.NewSealer(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		d := identity.New(identitytest.NewStore(), sealer, time.Now)
		s, err := d.GetSessionToken(t.Context(), identity.Root(account), 15*time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for range 15*60 - 1 {
			time.Sleep(time.Second)
			if _, err := d.SecretForSession(t.Context(), s.AccessKeyID, s.Token); err != nil {
				t.Fatalf("%s after the start: %v", time.Until(s.Caller.Session.Expires), err)
			}
		}
		time.Sleep(time.Second)
		for range 2 {
			_, err = d.SecretForSession(t.Context(), s.AccessKeyID, s.Token)
			wantRefusal(t, err, "ExpiredTokenException", "The security token included in the request is expired", true)
			time.Sleep(time.Hour) // forgotten by then
		}
	})
}

func TestSessionEndsWithItsPrincipal(t *testing.T) {
	h := newHouse(t)
	alice := h.user(t, "alice")
	trust := trusting(`{"AWS":"`+string(alice.Principal)+`"}`, "")
	s := h.assume(t, alice, h.trusted(t, "app", trust))
	use := func(s *identity.NewSession) error {
		_, err := h.SecretForSession(t.Context(), s.AccessKeyID, s.Token)
		return err
	}
	if err := use(s); err != nil {
		t.Fatal(err)
	}
	if err := h.DeleteRole(t.Context(), account, "app"); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, use(s), "UnrecognizedClientException", unrecognized, false)
	h.trusted(t, "app", trust)
	wantRefusal(t, use(s), "UnrecognizedClientException", unrecognized, false)

	own, err := h.GetSessionToken(t.Context(), alice, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.RenameUser(t.Context(), account, "alice", "alicia", ""); err != nil {
		t.Fatal(err)
	}
	k, err := h.SecretForSession(t.Context(), own.AccessKeyID, own.Token)
	if err != nil || k.Caller.Principal != "arn:aws:iam::123456789012:user/alicia" || k.Caller.UserID != alice.UserID {
		t.Errorf("a renamed user's session: %v, %+v", err, k.Caller)
	}
	if err := h.DeleteUser(t.Context(), account, "alicia"); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, use(own), "UnrecognizedClientException", unrecognized, false)
	h.user(t, "alicia")
	wantRefusal(t, use(own), "UnrecognizedClientException", unrecognized, false)
}

// Rotating the envelope key ends every session: a stolen one could make any.
func TestRotationEndsSessions(t *testing.T) {
	h := newHouse(t)
	s, err := h.GetSessionToken(t.Context(), identity.Root(account), 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.RotateEnvelope(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.now = h.now.Add(time.Minute)
	_, err = h.SecretForSession(t.Context(), s.AccessKeyID, s.Token)
	wantRefusal(t, err, "UnrecognizedClientException", unrecognized, false)
}

func TestWhoMayAssume(t *testing.T) {
	h := newHouse(t)
	alice, bob := h.user(t, "alice"), h.user(t, "bob")
	elsewhere := outcrop.Caller{Account: "999988887777", Principal: "arn:aws:iam::999988887777:root", UserID: "999988887777"}
	named := h.trusted(t, "named", trusting(`{"AWS":"`+string(alice.Principal)+`"}`, ""))
	wide := h.trusted(t, "wide", trusting(`{"AWS":"arn:aws:iam::123456789012:root"}`, ""))
	secret := h.trusted(t, "external", trusting(`{"AWS":"`+string(alice.Principal)+`"}`, `{"StringEquals":{"sts:ExternalId":"open sesame"}}`))
	mfa := h.trusted(t, "mfa", trusting(`{"AWS":"`+string(alice.Principal)+`"}`, `{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`))
	notTags := h.trusted(t, "untagged", strings.Replace(trusting(`{"AWS":"`+string(alice.Principal)+`"}`, ""), `"sts:TagSession","sts:SetSourceIdentity",`, "", 1))
	if err := h.PutInlinePolicy(t.Context(), identity.UserRef(account, "bob"), "assume", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::123456789012:role/apps/*"}]}`); err != nil {
		t.Fatal(err)
	}
	const notAuthorized = "User: arn:aws:iam::123456789012:user/%s is not authorized to perform: sts:%s on resource: arn:aws:iam::123456789012:role/apps/%s"
	for _, c := range []struct {
		name string
		who  outcrop.Caller
		q    identity.AssumeRequest
		text string // empty: allowed
	}{
		{"named in the trust policy", alice, identity.AssumeRequest{Role: named.ARN()}, ""},
		{"not named", bob, identity.AssumeRequest{Role: named.ARN()}, fmt.Sprintf(notAuthorized, "bob", "AssumeRole", "named")},
		{"through the account, without a policy of one's own", alice, identity.AssumeRequest{Role: wide.ARN()},
			fmt.Sprintf(notAuthorized, "alice", "AssumeRole", "wide") + " because no identity-based policy allows the sts:AssumeRole action"},
		{"through the account, with one", bob, identity.AssumeRequest{Role: wide.ARN()}, ""},
		{"no such role", alice, identity.AssumeRequest{Role: "arn:aws:iam::123456789012:role/apps/none"}, fmt.Sprintf(notAuthorized, "alice", "AssumeRole", "none")},
		{"another path", alice, identity.AssumeRequest{Role: "arn:aws:iam::123456789012:role/named"}, "is not authorized to perform: sts:AssumeRole"},
		{"root", identity.Root(account), identity.AssumeRequest{Role: wide.ARN()}, "Roles may not be assumed by root accounts."},
		{"root of another account", elsewhere, identity.AssumeRequest{Role: wide.ARN()}, "Roles may not be assumed by root accounts."},
		{"without the external id", alice, identity.AssumeRequest{Role: secret.ARN()}, "sts:AssumeRole"},
		{"with a wrong one", alice, identity.AssumeRequest{Role: secret.ARN(), ExternalID: "Open Sesame"}, "sts:AssumeRole"},
		{"with the right one", alice, identity.AssumeRequest{Role: secret.ARN(), ExternalID: "open sesame"}, ""},
		{"without MFA", alice, identity.AssumeRequest{Role: mfa.ARN()}, "sts:AssumeRole"},
		{"tags that may not be passed", alice, identity.AssumeRequest{Role: notTags.ARN(), Tags: outcrop.Tags{"a": "b"}}, "sts:TagSession"},
		{"a source identity that may not be set", alice, identity.AssumeRequest{Role: notTags.ARN(), SourceIdentity: "alice"}, "sts:SetSourceIdentity"},
		{"neither", alice, identity.AssumeRequest{Role: notTags.ARN()}, ""},
	} {
		c.q.Name = "web"
		_, err := h.AssumeRole(t.Context(), c.who, c.q)
		switch {
		case c.text == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.text != "" && (outcrop.KindOf(err) != outcrop.Denied || !strings.Contains(err.Error(), c.text)):
			t.Errorf("%s: %v, want %q", c.name, err, c.text)
		}
	}
}

func TestAssumeRoleInput(t *testing.T) {
	h := newHouse(t)
	alice := h.user(t, "alice")
	r := h.trusted(t, "app", trusting(`{"AWS":"`+string(alice.Principal)+`"}`, ""))
	const allowAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	noise := func(i int) string { // what does not compress
		sum := sha512.Sum512([]byte{byte(i)})
		return base64.StdEncoding.EncodeToString(sum[:])
	}
	long, huge := outcrop.Tags{}, ""
	for i := range 30 {
		long[fmt.Sprint("key", i)] = noise(i)
	}
	for i := range 20 {
		huge += `,"arn:aws:bedrock:us-east-1:123456789012:*/` + noise(i)[:50] + `"`
	}
	huge = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"bedrock:*","Resource":["*"` + huge + `]}]}`
	for _, c := range []struct {
		name       string
		q          identity.AssumeRequest
		code, text string
	}{
		{"15 minutes", identity.AssumeRequest{Life: 15 * time.Minute}, "", ""},
		{"less", identity.AssumeRequest{Life: 899 * time.Second}, "ValidationError", "greater than or equal to 900"},
		{"the role's most", identity.AssumeRequest{Life: 2 * time.Hour}, "", ""},
		{"more", identity.AssumeRequest{Life: 2*time.Hour + time.Second}, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."},
		{"a policy", identity.AssumeRequest{Policy: allowAll}, "", ""},
		{"no policy but text", identity.AssumeRequest{Policy: "{"}, "MalformedPolicyDocument", "."},
		{"a policy with a principal", identity.AssumeRequest{Policy: trusting(`"*"`, "")}, "MalformedPolicyDocument", "."},
		{"AWS's policy", identity.AssumeRequest{PolicyARNs: []outcrop.ARN{"arn:aws:iam::aws:policy/AmazonBedrockReadOnly"}}, "", ""},
		{"an unknown policy", identity.AssumeRequest{PolicyARNs: []outcrop.ARN{"arn:aws:iam::123456789012:policy/none"}}, "ValidationError", "does not exist"},
		{"another account's policy", identity.AssumeRequest{PolicyARNs: []outcrop.ARN{"arn:aws:iam::999988887777:policy/none"}}, "ValidationError", "does not exist"},
		{"eleven policies", identity.AssumeRequest{PolicyARNs: make([]outcrop.ARN, 11)}, "ValidationError", "at most 10"},
		{"a long policy", identity.AssumeRequest{Policy: huge}, "", ""},
		{"too long a policy", identity.AssumeRequest{Policy: strings.Replace(huge, "aws", strings.Repeat("x", 2048), 1)}, "", "less than or equal to 2048"},
		{"a policy that does not pack", identity.AssumeRequest{Policy: huge, Tags: long}, "PackedPolicyTooLarge", "of allotted space, please use smaller policy."},
		{"tags that do not pack", identity.AssumeRequest{Tags: long}, "PackedPolicyTooLarge", "Packed size of session tags consumes"},
		{"tags that differ in case", identity.AssumeRequest{Tags: outcrop.Tags{"Team": "a", "team": "b"}}, "InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive."},
		{"AWS's own tag", identity.AssumeRequest{Tags: outcrop.Tags{"AWS:x": "a"}}, "InvalidParameterValue", "reserved"},
		{"transitive without a tag", identity.AssumeRequest{Transitive: []string{"team"}}, "InvalidParameterValue", "must be included in the requested tags"},
		{"a transitive tag", identity.AssumeRequest{Tags: outcrop.Tags{"team": "a"}, Transitive: []string{"Team"}}, "", ""},
		{"too long a tag", identity.AssumeRequest{Tags: outcrop.Tags{"team": strings.Repeat("v", 257)}}, "InvalidParameterValue", "256"},
		{"a bad name", identity.AssumeRequest{Name: "a/b"}, "ValidationError", "roleSessionName"},
	} {
		c.q.Role = r.ARN()
		if c.q.Name == "" {
			c.q.Name = "web"
		}
		s, err := h.AssumeRole(t.Context(), alice, c.q)
		if c.text != "" {
			wantCode(t, c.name, err, c.code, c.text)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		k, err := h.SecretForSession(t.Context(), s.AccessKeyID, s.Token)
		if err != nil || !maps.Equal(k.Caller.Session.Tags, c.q.Tags) {
			t.Errorf("%s: %v, %+v", c.name, err, k.Caller.Session)
		}
		if given := c.q.Policy != "" || c.q.PolicyARNs != nil || c.q.Tags != nil; given != (s.PackedPercent > 0) || s.PackedPercent > 100 {
			t.Errorf("%s: packed to %d %%", c.name, s.PackedPercent)
		}
	}
}

func TestRoleChaining(t *testing.T) {
	h := newHouse(t)
	alice := h.user(t, "alice")
	first := h.trusted(t, "first", trusting(`{"AWS":"`+string(alice.Principal)+`"}`, ""))
	second := h.trusted(t, "second", trusting(`{"AWS":"`+string(first.ARN())+`"}`, ""))
	closed := h.trusted(t, "closed", strings.Replace(trusting(`{"AWS":"`+string(first.ARN())+`"}`, ""), `"sts:TagSession",`, "", 1))
	if err := h.PutInlinePolicy(t.Context(), identity.RoleRef(account, "first"), "all", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:*","Resource":"*"}]}`); err != nil {
		t.Fatal(err)
	}
	s, err := h.AssumeRole(t.Context(), alice, identity.AssumeRequest{Role: first.ARN(), Name: "one", Tags: outcrop.Tags{"team": "blue", "tmp": "x"}, Transitive: []string{"team"}, SourceIdentity: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	q := identity.AssumeRequest{Role: second.ARN(), Name: "two"}
	next, err := h.AssumeRole(t.Context(), s.Caller, q)
	if err != nil {
		t.Fatal(err)
	}
	got := next.Caller.Session
	if !maps.Equal(got.Tags, outcrop.Tags{"team": "blue"}) || !slices.Equal(got.Transitive, []string{"team"}) || got.SourceIdentity != "alice" {
		t.Errorf("inherited %+v", got)
	}
	if len(s.Caller.Session.Tags) != 2 {
		t.Error("the first session was changed")
	}
	q.Life = time.Hour + time.Second
	_, err = h.AssumeRole(t.Context(), s.Caller, q)
	wantCode(t, "an hour and more", err, "ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	q.Life, q.Tags = 0, outcrop.Tags{"TEAM": "red"}
	_, err = h.AssumeRole(t.Context(), s.Caller, q)
	wantCode(t, "an inherited tag", err, "InvalidParameterValue", "conflicts with a transitive tag key from the calling session")
	q.Tags, q.SourceIdentity = nil, "mallory"
	_, err = h.AssumeRole(t.Context(), s.Caller, q)
	wantCode(t, "another source identity", err, "AccessDenied", "source identity")
	q.SourceIdentity, q.Role = "", closed.ARN()
	if _, err = h.AssumeRole(t.Context(), s.Caller, q); err == nil || !strings.Contains(err.Error(), "sts:TagSession") {
		t.Errorf("inherited tags a role may not be given: %v", err)
	}
	_, err = h.GetSessionToken(t.Context(), s.Caller, 0)
	wantCode(t, "GetSessionToken by a session", err, "AccessDenied", "Cannot call GetSessionToken with session credentials")
}

// A managed session policy is read when the session is used; when it is gone,
// it allows nothing, and does not set the session free.
func TestManagedSessionPolicy(t *testing.T) {
	h := newHouse(t)
	alice := h.user(t, "alice")
	r := h.trusted(t, "app", trusting(`{"AWS":"`+string(alice.Principal)+`"}`, ""))
	const one, two = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"bedrock:Get*","Resource":"*"}]}`, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"bedrock:List*","Resource":"*"}]}`
	p, err := h.CreatePolicy(t.Context(), account, identity.PolicySpec{Name: "limit", Document: one})
	if err != nil {
		t.Fatal(err)
	}
	s, err := h.AssumeRole(t.Context(), alice, identity.AssumeRequest{Role: r.ARN(), Name: "web", Policy: two, PolicyARNs: []outcrop.ARN{p.ARN()}})
	if err != nil {
		t.Fatal(err)
	}
	policies := func() []string {
		k, err := h.SecretForSession(t.Context(), s.AccessKeyID, s.Token)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.PoliciesOf(t.Context(), k.Caller); err != nil {
			t.Fatal(err)
		}
		return k.Caller.Session.Policies
	}
	if got := policies(); !slices.Equal(got, []string{two, one}) {
		t.Errorf("policies %q", got)
	}
	if err := h.DeletePolicy(t.Context(), account, p.ARN()); err != nil {
		t.Fatal(err)
	}
	if got := policies(); len(got) != 2 || got[0] != two || !strings.Contains(got[1], "none:Nothing") {
		t.Errorf("policies after the managed one was deleted: %q", got)
	}
}

func TestGetSessionToken(t *testing.T) {
	h := newHouse(t)
	alice := h.user(t, "alice")
	for _, c := range []struct {
		who        outcrop.Caller
		life, want time.Duration
		code       string
	}{
		{alice, 0, 12 * time.Hour, ""},
		{alice, 36 * time.Hour, 36 * time.Hour, ""},
		{alice, 36*time.Hour + time.Second, 0, "ValidationError"},
		{alice, 899 * time.Second, 0, "ValidationError"},
		{identity.Root(account), 0, time.Hour, ""},
		{identity.Root(account), 36 * time.Hour, time.Hour, ""},
	} {
		s, err := h.GetSessionToken(t.Context(), c.who, c.life)
		if c.code != "" {
			wantCode(t, fmt.Sprint(c.life), err, c.code, "durationSeconds")
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.life, err)
			continue
		}
		k, err := h.SecretForSession(t.Context(), s.AccessKeyID, s.Token)
		if err != nil || k.Caller.Principal != c.who.Principal || k.Caller.UserID != c.who.UserID || k.Caller.Session.Expires.Sub(start) != c.want {
			t.Errorf("%s: %v %+v, want %s", c.life, err, k.Caller, c.want)
		}
	}
}

func TestAccountOfAccessKey(t *testing.T) {
	h := newHouse(t)
	b := h.bootstrap(t)
	if got, err := h.AccountOfAccessKey(t.Context(), b.AccessKeyID); got != account || err != nil {
		t.Error(got, err)
	}
	_, err := h.AccountOfAccessKey(t.Context(), "AKIAIOSFODNN7EXAMPLE")
	wantCode(t, "unknown", err, "ValidationError", "not known")
}

func TestWebIdentity(t *testing.T) {
	h := newHouse(t)
	k := oidctest.NewKey(t, "k1", "RS256")
	i := oidctest.NewIssuer(t, k)
	o := oidc.New(oidc.Client(), func() time.Time { return h.now })
	defer o.Close()
	p, err := h.CreateProvider(t.Context(), account, identity.Provider{URL: i.URL, ClientIDs: []string{"sts.amazonaws.com", "other"}})
	if err != nil {
		t.Fatal(err)
	}
	host := strings.TrimPrefix(i.URL, "http://")
	trust := trusting(`{"Federated":"`+string(p.ARN())+`"}`, `{"StringEquals":{"`+host+`:aud":"sts.amazonaws.com","`+host+`:sub":"system:serviceaccount:prod:app"}}`)
	r := h.trusted(t, "pod", trust)
	other := h.trusted(t, "other", strings.ReplaceAll(trust, "prod:app", "prod:other"))
	users := h.trusted(t, "users", trusting(`{"AWS":"*"}`, ""))
	untagged := h.trusted(t, "untagged", strings.Replace(trust, `"sts:TagSession",`, "", 1))
	call := func(r outcrop.ARN, change map[string]any) (*identity.NewSession, *identity.WebIdentity, error) {
		claims := i.Claims(h.now)
		maps.Copy(claims, change)
		return h.AssumeRoleWithWebIdentity(t.Context(), o, outcrop.Caller{Region: "us-east-1"}, oidctest.Token(k, claims, nil), identity.AssumeRequest{Role: r, Name: "pod-1"})
	}
	tags := map[string]any{"https://aws.amazon.com/tags": map[string]any{"principal_tags": map[string]any{"team": []string{"blue"}}, "transitive_tag_keys": []string{"team"}}}
	s, id, err := call(r.ARN(), tags)
	if err != nil {
		t.Fatal(err)
	}
	key, err := h.SecretForSession(t.Context(), s.AccessKeyID, s.Token)
	if err != nil {
		t.Fatal(err)
	}
	got := key.Caller.Session
	if key.Caller.Principal != "arn:aws:sts::123456789012:assumed-role/pod/pod-1" || got.Provider != p.ARN() || got.Subject != id.Subject ||
		got.Audience != "sts.amazonaws.com" || got.Tags["team"] != "blue" || !slices.Equal(got.Transitive, []string{"team"}) {
		t.Errorf("session %+v", got)
	}
	if _, _, err := call(r.ARN(), map[string]any{"https://aws.amazon.com/source_identity": "alice"}); err != nil {
		t.Errorf("with a source identity: %v", err)
	}
	const no = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
	for name, c := range map[string]struct {
		role       outcrop.ARN
		change     map[string]any
		code, text string
	}{
		"another subject":          {other.ARN(), nil, "AccessDenied", no},
		"another audience":         {r.ARN(), map[string]any{"aud": "other"}, "AccessDenied", no},
		"a role for users":         {users.ARN(), nil, "AccessDenied", no},
		"no such role":             {"arn:aws:iam::123456789012:role/none", nil, "AccessDenied", no},
		"tags that are not let in": {untagged.ARN(), tags, "AccessDenied", no},
		"another account":          {"arn:aws:iam::999988887777:role/pod", nil, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for " + i.URL},
		"expired":                  {r.ARN(), map[string]any{"exp": h.now.Unix() - 60}, "ExpiredTokenException", "Token expired"},
		"not for AWS":              {r.ARN(), map[string]any{"aud": "nobody"}, "InvalidIdentityToken", "Incorrect token audience"},
	} {
		_, _, err := call(c.role, c.change)
		wantCode(t, name, err, c.code, c.text)
	}
	if err := h.DeleteProvider(t.Context(), account, p.ARN()); err != nil {
		t.Fatal(err)
	}
	_, _, err = call(r.ARN(), nil)
	wantCode(t, "a provider that is trusted no longer", err, "InvalidIdentityToken", "No OpenIDConnect provider")
}

// shortTermBy does what aws-bedrock-token-generator does with credentials.
func shortTermBy(t testing.TB, s *identity.NewSession, region outcrop.Region, at time.Time) string {
	t.Helper()
	r, err := http.NewRequest("POST", "https://bedrock.amazonaws.com/?Action=CallWithBearerToken", nil)
	if err != nil {
		t.Fatal(err)
	}
	by := sigv4.Credentials{AccessKey: s.AccessKeyID, Secret: s.SecretAccessKey, SessionToken: s.Token}
	if err := sigv4.Presign(r, sigv4.PayloadHash(nil), by, sigv4.Scope{Region: region, Service: "bedrock"}, at, 12*time.Hour); err != nil {
		t.Fatal(err)
	}
	return "bedrock-api-key-" + base64.StdEncoding.EncodeToString([]byte(strings.TrimPrefix(r.URL.String(), "https://")+"&Version=1"))
}

func TestShortTermKeyOfASession(t *testing.T) {
	h := newHouse(t)
	alice := h.user(t, "alice")
	r := h.trusted(t, "app", trusting(`{"AWS":"`+string(alice.Principal)+`"}`, ""))
	s := h.assume(t, alice, r)
	h.now = start.Add(30 * time.Minute)
	key := shortTermBy(t, s, "eu-west-1", h.now)
	who, err := h.APIKey(t.Context(), key)
	if err != nil || who.Principal != s.Caller.Principal || who.Session == nil || who.Region != "eu-west-1" || !who.Bearer {
		t.Fatalf("%v %+v", err, who)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(key, "bedrock-api-key-"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"without its token":     dropParam(string(raw), "X-Amz-Security-Token"),
		"with another's":        strings.Replace(string(raw), s.Token, h.assume(t, alice, r).Token, 1),
		"for another Region":    strings.Replace(string(raw), "eu-west-1", "us-east-1", 1),
		"with a longer life":    strings.Replace(string(raw), "Expires=43200", "Expires=43201", 1),
		"with a token appended": string(raw) + "&X-Amz-Security-Token=" + s.Token,
	} {
		if _, err := h.APIKey(t.Context(), "bedrock-api-key-"+base64.StdEncoding.EncodeToString([]byte(text))); err == nil {
			t.Errorf("a key %s is good", name)
		}
	}
	h.now = start.Add(time.Hour) // the session's end, long before the key's
	_, err = h.APIKey(t.Context(), key)
	wantRefusal(t, err, "", "Bearer Token has expired", true)

	long, err := h.GetSessionToken(t.Context(), alice, 36*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	key = shortTermBy(t, long, "us-east-1", h.now)
	if _, err := h.APIKey(t.Context(), key); err != nil {
		t.Error(err)
	}
	h.now = h.now.Add(12*time.Hour + time.Second) // the key's end, before the session's
	_, err = h.APIKey(t.Context(), key)
	wantRefusal(t, err, "", "Bearer Token has expired", true)
}

func dropParam(query, name string) string {
	head, rest, _ := strings.Cut(query, name+"=")
	_, tail, _ := strings.Cut(rest, "&")
	return head + tail
}

// generator is what provide_token of aws-bedrock-token-generator for Python
// does, with the botocore that is installed.
const generator = `
import base64, sys
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
key, secret, token, region = sys.argv[1:]
r = AWSRequest(method="POST", url="https://bedrock.amazonaws.com/", headers={"host": "bedrock.amazonaws.com"}, params={"Action": "CallWithBearerToken"})
SigV4QueryAuth(Credentials(key, secret, token or None), "bedrock", region, expires=43200).add_auth(r)
print("bedrock-api-key-" + base64.b64encode((r.url.replace("https://", "") + "&Version=1").encode()).decode())
`

func TestShortTermKeyOfTheRealGenerator(t *testing.T) {
	if err := exec.Command("python3", "-c", "import botocore").Run(); err != nil {
		if os.Getenv("OUTCROP_NO_SKIP") == "1" {
			t.Fatal("python3 with botocore is needed")
		}
		t.Skip("python3 with botocore is not installed")
	}
	h := newHouse(t)
	h.now = time.Now()
	b := h.bootstrap(t)
	alice := h.user(t, "alice")
	r := h.trusted(t, "app", trusting(`{"AWS":"`+string(alice.Principal)+`"}`, ""))
	full, err := h.AssumeRole(t.Context(), alice, identity.AssumeRequest{Role: r.ARN(), Name: "web", Tags: outcrop.Tags{"team": "blue", "ünïcode": "ß=+/"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		key, secret, token string
		principal          outcrop.ARN
	}{
		{b.AccessKeyID, b.SecretAccessKey, "", b.User.ARN()},
		{full.AccessKeyID, full.SecretAccessKey, full.Token, full.Caller.Principal},
	} {
		out, err := exec.Command("python3", "-c", generator, c.key, c.secret, c.token, "us-west-2").Output()
		if err != nil {
			t.Fatal(err)
		}
		who, err := h.APIKey(t.Context(), strings.TrimSpace(string(out)))
		if err != nil || who.Principal != c.principal || who.Region != "us-west-2" {
			t.Errorf("%v %+v", err, who)
		}
	}
}

func BenchmarkSecretForSession(b *testing.B) {
	h := newHouse(b)
	s, err := h.GetSessionToken(b.Context(), identity.Root(account), 0)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.SecretForSession(b.Context(), s.AccessKeyID, s.Token); err != nil {
			b.Fatal(err)
		}
	}
}
