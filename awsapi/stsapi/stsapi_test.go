package stsapi_test

import (
	"encoding/xml"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/awsapi/awsapitest"
	"outcrop/awsapi/stsapi"
	"outcrop/identity"
	"outcrop/identity/identitytest"
	"outcrop/identity/oidc"
	"outcrop/identity/oidc/oidctest"
	"outcrop/identity/sealing"
	"outcrop/sigv4"
)

const account = outcrop.AccountID("123456789012")

// A door is STS behind the real wire, with a user who may do everything.
type door struct {
	*awsapi.Mux
	dir    *identity.Directory
	policy *awsapitest.Anything
	now    time.Time
	admin  sigv4.Credentials
}

func newDoor(t *testing.T) *door {
	t.Helper()
	sealer, err := sealing.NewSealer(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d := &door{policy: new(awsapitest.Anything), now: time.Date(2026, 1, 16, 16, 56, 15, 0, time.UTC)}
	clock := func() time.Time { return d.now }
	d.dir = identity.New(identitytest.NewStore(), sealer, clock)
	b, _, err := d.dir.Bootstrap(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	d.admin = sigv4.Credentials{AccessKey: b.AccessKeyID, Secret: b.SecretAccessKey}
	issuers := oidc.New(oidc.Client(), clock)
	t.Cleanup(func() { issuers.Close() })
	d.Mux = awsapi.NewMux(awsapi.Options{Keys: d.dir, Policy: d.policy, DefaultRegion: "us-east-1", Now: clock,
		Log: slog.New(slog.DiscardHandler), KnownRegion: func(outcrop.Region) bool { return true }})
	d.Serve("sts", (&stsapi.API{Identity: d.dir, Issuers: issuers}).Operations()...)
	return d
}

// An answer is what a client reads, of any operation here.
type answer struct {
	status int
	Result struct {
		Account, Arn, UserId string
		Credentials          struct {
			AccessKeyId, SecretAccessKey, SessionToken string
			Expiration                                 time.Time
		}
		AssumedRoleUser                                                 struct{ AssumedRoleId, Arn string }
		PackedPolicySize                                                int
		SubjectFromWebIdentityToken, Provider, Audience, SourceIdentity string
	} `xml:",any"`
	Error struct{ Code, Message string } `xml:"Error"`
}

func (a *answer) credentials() sigv4.Credentials {
	c := a.Result.Credentials
	return sigv4.Credentials{AccessKey: c.AccessKeyId, Secret: c.SecretAccessKey, SessionToken: c.SessionToken}
}

func (d *door) call(t *testing.T, by *sigv4.Credentials, action string, params ...string) *answer {
	t.Helper()
	form := url.Values{"Action": {action}, "Version": {"2011-06-15"}}
	for i := 0; i < len(params); i += 2 {
		form.Set(params[i], params[i+1])
	}
	body := form.Encode()
	r := httptest.NewRequest("POST", "http://127.0.0.1:4599/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	if by != nil {
		sigv4.Sign(r, sigv4.PayloadHash([]byte(body)), *by, sigv4.Scope{Region: "us-east-1", Service: "sts"}, d.now)
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	a := &answer{status: w.Code}
	if err := xml.Unmarshal(w.Body.Bytes(), a); err != nil {
		t.Fatalf("%s: %v in %s", action, err, w.Body)
	}
	return a
}

func (a *answer) wants(t *testing.T, what string, status int, code, text string) {
	t.Helper()
	if a.status != status || a.Error.Code != code || !strings.Contains(a.Error.Message, text) {
		t.Errorf("%s: %d %s %q, want %d %s %q", what, a.status, a.Error.Code, a.Error.Message, status, code, text)
	}
}

func (d *door) role(t *testing.T, name, principal, condition string) string {
	t.Helper()
	r, err := d.dir.CreateRole(t.Context(), account, identity.RoleSpec{Name: name, Trust: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` +
		principal + `,"Action":["sts:AssumeRole","sts:AssumeRoleWithWebIdentity","sts:TagSession"]` + condition + `}]}`})
	if err != nil {
		t.Fatal(err)
	}
	return string(r.ARN())
}

// A role is assumed, and its credentials say who they are until they end.
func TestAssumeRole(t *testing.T) {
	d := newDoor(t)
	arn := d.role(t, "app", `{"AWS":"123456789012"}`, "")
	a := d.call(t, &d.admin, "AssumeRole", "RoleArn", arn, "RoleSessionName", "web", "Tags.member.1.Key", "team", "Tags.member.1.Value", "blue", "TransitiveTagKeys.member.1", "team", "DurationSeconds", "900")
	if a.status != 200 || a.Result.AssumedRoleUser.Arn != "arn:aws:sts::123456789012:assumed-role/app/web" || a.Result.PackedPolicySize < 1 ||
		!a.Result.Credentials.Expiration.Equal(d.now.Add(15*time.Minute)) {
		t.Fatalf("%+v", a)
	}
	session := a.credentials()
	who := d.call(t, &session, "GetCallerIdentity")
	if who.Result.Arn != a.Result.AssumedRoleUser.Arn || who.Result.UserId != a.Result.AssumedRoleUser.AssumedRoleId || who.Result.Account != string(account) {
		t.Errorf("%+v", who)
	}
	d.call(t, &session, "GetSessionToken").wants(t, "GetSessionToken by a session", 403, "AccessDenied", "Cannot call GetSessionToken with session credentials")
	half := session
	half.SessionToken = ""
	d.call(t, &half, "GetCallerIdentity").wants(t, "without the token", 403, "InvalidClientTokenId", "The security token included in the request is invalid.")
	half = session
	half.SessionToken += "A"
	d.call(t, &half, "GetCallerIdentity").wants(t, "with an altered token", 403, "InvalidClientTokenId", "The security token included in the request is invalid.")
	half = session
	half.Secret = "wrong"
	d.call(t, &half, "GetCallerIdentity").wants(t, "with a wrong secret", 403, "SignatureDoesNotMatch", "The request signature we calculated")
	mixed := d.admin
	mixed.SessionToken = session.SessionToken
	d.call(t, &mixed, "GetCallerIdentity").wants(t, "a long-term key with a token", 403, "InvalidClientTokenId", "")
	d.now = d.now.Add(15 * time.Minute)
	d.call(t, &session, "GetCallerIdentity").wants(t, "at its end", 403, "ExpiredToken", "The security token included in the request is expired")
	if len(d.policy.Asked) != 0 { // AssumeRole asks for itself, the others here need no permission
		t.Errorf("the door asked about %+v", d.policy.Asked)
	}
}

func TestAssumeRoleRefused(t *testing.T) {
	d := newDoor(t)
	arn := d.role(t, "app", `{"AWS":"123456789012"}`, "")
	external := d.role(t, "external", `{"AWS":"123456789012"}`, `,"Condition":{"StringEquals":{"sts:ExternalId":"x1"}}`)
	for _, c := range []struct {
		name       string
		params     []string
		status     int
		code, text string
	}{
		{"no such role", []string{"RoleArn", "arn:aws:iam::123456789012:role/none"}, 403, "AccessDenied", "User: arn:aws:iam::123456789012:user/admin is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/none"},
		{"no role at all", []string{"RoleArn", "arn:aws:iam::123456789012:user/admin"}, 400, "ValidationError", "arn:aws:iam::123456789012:user/admin is invalid"},
		{"no external id", []string{"RoleArn", external}, 403, "AccessDenied", "because no role trust policy allows the sts:AssumeRole action"},
		{"an MFA code", []string{"RoleArn", arn, "SerialNumber", "arn:aws:iam::123456789012:mfa/me", "TokenCode", "123456"}, 403, "AccessDenied", "MultiFactorAuthentication failed"},
		{"too long", []string{"RoleArn", arn, "DurationSeconds", "7200"}, 400, "ValidationError", "MaxSessionDuration"},
		{"far too long", []string{"RoleArn", arn, "DurationSeconds", "43201"}, 400, "ValidationError", "durationSeconds"},
		{"a tag twice", []string{"RoleArn", arn, "Tags.member.1.Key", "a", "Tags.member.1.Value", "1", "Tags.member.2.Key", "a", "Tags.member.2.Value", "2"}, 400, "InvalidParameterValue", "Duplicate tag keys"},
		{"a broken policy", []string{"RoleArn", arn, "Policy", "{}"}, 400, "MalformedPolicyDocument", ""},
		{"contexts", []string{"RoleArn", arn, "ProvidedContexts.member.1.ProviderArn", "arn:aws:iam::aws:contextProvider/IdentityCenter", "ProvidedContexts.member.1.ContextAssertion", "abcd"}, 400, "ValidationError", "ProvidedContexts"},
	} {
		d.call(t, &d.admin, "AssumeRole", append([]string{"RoleSessionName", "web"}, c.params...)...).wants(t, c.name, c.status, c.code, c.text)
	}
	d.call(t, &d.admin, "AssumeRole", "RoleArn", external, "RoleSessionName", "web", "ExternalId", "x1").wants(t, "the external id", 200, "", "")
	d.call(t, nil, "AssumeRole", "RoleArn", arn, "RoleSessionName", "web").wants(t, "unsigned", 403, "MissingAuthenticationToken", "")
}

func TestSmallOperations(t *testing.T) {
	d := newDoor(t)
	a := d.call(t, &d.admin, "GetSessionToken")
	session := a.credentials()
	if who := d.call(t, &session, "GetCallerIdentity"); who.Result.Arn != "arn:aws:iam::123456789012:user/admin" {
		t.Errorf("%+v", who)
	}
	for _, id := range []string{d.admin.AccessKey, session.AccessKey} {
		if got := d.call(t, &d.admin, "GetAccessKeyInfo", "AccessKeyId", id); got.Result.Account != string(account) {
			t.Errorf("%s: %+v", id, got)
		}
	}
	d.call(t, &d.admin, "GetAccessKeyInfo", "AccessKeyId", "AKIAIOSFODNN7EXAMPLE").wants(t, "an unknown key", 400, "ValidationError", "not known")
	d.call(t, &d.admin, "DecodeAuthorizationMessage", "EncodedMessage", "abc").wants(t, "a message", 400, "InvalidAuthorizationMessageException", "plain text")
	d.policy.Deny = "sts:GetAccessKeyInfo"
	d.call(t, &d.admin, "GetAccessKeyInfo", "AccessKeyId", d.admin.AccessKey).wants(t, "without permission", 403, "AccessDenied", "sts:GetAccessKeyInfo")
}

// A workload signs in with its OIDC token and holds no secret at all.
func TestAssumeRoleWithWebIdentity(t *testing.T) {
	d := newDoor(t)
	key := oidctest.NewKey(t, "k1", "ES256")
	issuer := oidctest.NewIssuer(t, key)
	p, err := d.dir.CreateProvider(t.Context(), account, identity.Provider{URL: issuer.URL, ClientIDs: []string{"sts.amazonaws.com"}})
	if err != nil {
		t.Fatal(err)
	}
	host := strings.TrimPrefix(issuer.URL, "http://")
	arn := d.role(t, "pod", `{"Federated":"`+string(p.ARN())+`"}`, `,"Condition":{"StringEquals":{"`+host+`:sub":"repo:acme/app","`+host+`:aud":"sts.amazonaws.com"}}`)
	token := func(sub string, exp time.Time) string {
		return oidctest.Token(key, map[string]any{"iss": issuer.URL, "aud": "sts.amazonaws.com", "sub": sub, "iat": d.now.Unix(), "exp": exp.Unix()}, nil)
	}
	call := func(token string) *answer {
		return d.call(t, nil, "AssumeRoleWithWebIdentity", "RoleArn", arn, "RoleSessionName", "ci-1", "WebIdentityToken", token)
	}
	a := call(token("repo:acme/app", d.now.Add(time.Minute)))
	if a.status != 200 || a.Result.SubjectFromWebIdentityToken != "repo:acme/app" || a.Result.Audience != "sts.amazonaws.com" || a.Result.Provider != string(p.ARN()) {
		t.Fatalf("%+v", a)
	}
	session := a.credentials()
	if who := d.call(t, &session, "GetCallerIdentity"); who.Result.Arn != "arn:aws:sts::123456789012:assumed-role/pod/ci-1" {
		t.Errorf("%+v", who)
	}
	call(token("repo:evil/app", d.now.Add(time.Minute))).wants(t, "another subject", 403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
	call(token("repo:acme/app", d.now.Add(-time.Hour))).wants(t, "an old token", 400, "ExpiredTokenException", "Token expired: current date/time")
	call("not.a.token").wants(t, "no token", 400, "InvalidIdentityToken", "not a valid JWT")
	d.call(t, nil, "AssumeRoleWithWebIdentity", "RoleArn", arn, "RoleSessionName", "ci", "WebIdentityToken", "abcd", "ProviderId", "www.amazon.com").wants(t, "OAuth 2.0", 400, "InvalidIdentityToken", "ProviderId")
	issuer.Close()
	d.now = d.now.Add(25 * time.Hour)
	call(token("repo:acme/app", d.now.Add(time.Minute))).wants(t, "an issuer that is gone", 400, "IDPCommunicationError", "could not be reached")
	if len(d.policy.Asked) != 0 {
		t.Errorf("asked about %+v: nobody signed these", d.policy.Asked)
	}
}
