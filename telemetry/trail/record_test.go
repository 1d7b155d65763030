package trail

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"outcrop"
)

func TestARecordIsCloudTrails(t *testing.T) {
	e := event("CreateInferenceProfile", noon)
	e.Input = map[string]any{"inferenceProfileName": "app", "tags": []any{map[string]any{"key": "team", "value": "blue"}}}
	e.Output = map[string]any{"inferenceProfileArn": "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc", "status": "ACTIVE"}
	e.TLSVersion, e.TLSCipher, e.Host = "TLSv1.3", "TLS_AES_128_GCM_SHA256", "localhost:4599"
	got := decode(t, recorded(t, Options{}, e))
	if id, _ := got["eventID"].(string); len(id) != 36 {
		t.Errorf("eventID %q", id)
	}
	delete(got, "eventID")
	want := decode(t, `{"eventVersion":"1.11",
		"userIdentity":{"type":"IAMUser","principalId":"AIDAEXAMPLE","arn":"arn:aws:iam::123456789012:user/team/ann","accountId":"123456789012",
			"accessKeyId":"AKIAIOSFODNN7EXAMPLE","userName":"ann"},
		"eventTime":"2026-11-21T12:00:00Z","eventSource":"bedrock.amazonaws.com","eventName":"CreateInferenceProfile","awsRegion":"us-east-1",
		"sourceIPAddress":"192.0.2.1","userAgent":"aws-cli/2",
		"requestParameters":{"inferenceProfileName":"app","tags":[{"key":"team","value":"blue"}]},
		"responseElements":{"inferenceProfileArn":"arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc","status":"ACTIVE"},
		"requestID":"11111111-2222-4333-8444-555555555555","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,
		"recipientAccountId":"123456789012","eventCategory":"Management",
		"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"localhost:4599"}}`)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestReadsAndFailuresTellNoAnswer(t *testing.T) {
	read := event("GetInferenceProfile", noon)
	read.Output = map[string]any{"inferenceProfileName": "app"}
	denied := event("DeleteInferenceProfile", noon)
	denied.Status, denied.Code, denied.Message = 403, "AccessDeniedException", "User is not authorized"
	denied.Output = map[string]any{"x": "y"}
	for _, e := range []outcrop.AuditEvent{read, denied} {
		got := decode(t, recorded(t, Options{}, e))
		if v, has := got["responseElements"]; !has || v != nil {
			t.Errorf("%s: responseElements %v", e.Operation, v)
		}
		if got["readOnly"] != (e.Operation == "GetInferenceProfile") || e.Code != "" && (got["errorCode"] != e.Code || got["errorMessage"] != e.Message) {
			t.Errorf("%v", got)
		}
	}
}

func TestWhoItWas(t *testing.T) {
	issued := noon.Add(-time.Hour)
	role := outcrop.Caller{
		Account: "123456789012", Principal: "arn:aws:sts::123456789012:assumed-role/deploy/run-1", UserID: "AROAEXAMPLE:run-1", AccessKey: "ASIAIOSFODNN7EXAMPLE",
		Session: &outcrop.Session{
			Role: "arn:aws:iam::123456789012:role/ci/deploy", Name: "run-1", SourceIdentity: "ann", Issued: issued,
			Provider: "arn:aws:iam::123456789012:oidc-provider/token.example.com/x", Subject: "repo:a/b", Audience: "sts.amazonaws.com",
		},
	}
	admitted := func(c outcrop.Caller) outcrop.AuditEvent {
		e := event("ListInferenceProfiles", noon)
		e.Caller = c
		return e
	}
	web := event("AssumeRoleWithWebIdentity", noon)
	web.Service, web.Caller = "sts", outcrop.Caller{Region: "us-east-1"}
	web.Input = map[string]any{"roleArn": "arn:aws:iam::555555555555:role/web"}
	accepted := web
	accepted.Output = map[string]any{"subjectFromWebIdentityToken": "repo:a/b", "provider": "token.example.com", "audience": "sts"}
	stranger := event("ListInferenceProfiles", noon)
	stranger.Admitted, stranger.Status, stranger.ClaimedKey = false, 403, "AKIAIOSFODNN7EXAMPLE"
	stranger.Caller = outcrop.Caller{Account: "555555555555"}
	swapped := stranger
	swapped.ClaimedKey, swapped.Caller = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", outcrop.Caller{}
	token := outcrop.Caller{Account: "123456789012", Principal: "arn:aws:iam::123456789012:user/ann", UserID: "AIDA", AccessKey: "ASIA", Session: &outcrop.Session{Issued: issued}}
	for _, c := range []struct {
		name            string
		e               outcrop.AuditEvent
		want, recipient string
	}{
		{"a role", admitted(role), `{"type":"AssumedRole","principalId":"AROAEXAMPLE:run-1","arn":"arn:aws:sts::123456789012:assumed-role/deploy/run-1",
			"accountId":"123456789012","accessKeyId":"ASIAIOSFODNN7EXAMPLE","sessionContext":{
			"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE","arn":"arn:aws:iam::123456789012:role/ci/deploy","accountId":"123456789012","userName":"deploy"},
			"webIdFederationData":{"federatedProvider":"arn:aws:iam::123456789012:oidc-provider/token.example.com/x",
				"attributes":{"token.example.com/x:aud":"sts.amazonaws.com","token.example.com/x:sub":"repo:a/b"}},
			"attributes":{"creationDate":"2026-11-21T11:00:00Z","mfaAuthenticated":"false"},"sourceIdentity":"ann"}}`, "123456789012"},
		{"a user's session", admitted(token), `{"type":"IAMUser","principalId":"AIDA","arn":"arn:aws:iam::123456789012:user/ann","accountId":"123456789012","accessKeyId":"ASIA",
			"userName":"ann","sessionContext":{"attributes":{"creationDate":"2026-11-21T11:00:00Z","mfaAuthenticated":"false"}}}`, "123456789012"},
		{"root", admitted(outcrop.Caller{Account: "123456789012", Principal: "arn:aws:iam::123456789012:root", UserID: "123456789012"}),
			`{"type":"Root","principalId":"123456789012","arn":"arn:aws:iam::123456789012:root","accountId":"123456789012"}`, "123456789012"},
		{"a web identity", accepted, `{"type":"WebIdentityUser","principalId":"token.example.com:sts:repo:a/b","userName":"repo:a/b","identityProvider":"token.example.com"}`, "555555555555"},
		{"a token refused", web, `{"type":"WebIdentityUser"}`, "555555555555"},
		{"a failed signature", stranger, `{"type":"Unknown","accountId":"555555555555","accessKeyId":"AKIAIOSFODNN7EXAMPLE"}`, "555555555555"},
		{"a secret for a key id", swapped, `{"type":"Unknown"}`, "999999999999"},
	} {
		got := decode(t, recorded(t, Options{}, c.e))
		if want := decode(t, c.want); !reflect.DeepEqual(got["userIdentity"], any(want)) {
			t.Errorf("%s:\ngot  %v\nwant %v", c.name, got["userIdentity"], want)
		}
		if got["recipientAccountId"] != c.recipient {
			t.Errorf("%s: recipient %v, want %s", c.name, got["recipientAccountId"], c.recipient)
		}
	}
}

func TestWhatIsKept(t *testing.T) {
	invoked := event("Converse", noon)
	invoked.Service = "bedrock-runtime"
	chat := event("CreateChatCompletion", noon)
	chat.Service = "openai"
	denied := invoked
	denied.Status, denied.Code = 403, "AccessDeniedException"
	failed := invoked
	failed.Status, failed.Code = 424, "ModelErrorException"
	guessed := invoked
	guessed.Admitted, guessed.Status, guessed.Code = false, 429, "ThrottlingException"
	nothing := event("", noon)
	nothing.Status = 404
	refused := nothing
	refused.Admitted = false
	for _, c := range []struct {
		name      string
		e         outcrop.AuditEvent
		kept, all bool // all: with data events
	}{
		{"control plane", event("ListInferenceProfiles", noon), true, true}, {"served", invoked, false, true}, {"a chat completion", chat, false, true}, {"denied", denied, true, true},
		{"failed", failed, false, true}, {"too many guesses", guessed, true, true}, {"no operation", nothing, false, false}, {"refused without operation", refused, true, true},
	} {
		if got := (&Trail{}).keeps(&c.e); got != c.kept {
			t.Errorf("%s is kept: %v", c.name, got)
		}
		if got := (&Trail{opts: Options{DataEvents: true}}).keeps(&c.e); got != c.all {
			t.Errorf("%s is kept with data events: %v", c.name, got)
		}
	}
	if got := decode(t, recorded(t, Options{}, refused)); got["eventName"] != unnamed {
		t.Errorf("eventName %v", got["eventName"])
	}
}

func TestAnInvocationTellsWhereItWasServed(t *testing.T) {
	e := event("ConverseStream", noon)
	e.Service, e.Input, e.ServedIn, e.Caller.Bearer = "bedrock-runtime", map[string]any{"modelId": "us.amazon.nova-lite-v1:0"}, "us-west-2", true
	got := decode(t, recorded(t, Options{DataEvents: true}, e))
	want := map[string]any{"inferenceRegion": "us-west-2", "callWithBearerToken": true}
	if !reflect.DeepEqual(got["additionalEventData"], any(want)) || got["readOnly"] != true || got["responseElements"] != nil {
		t.Errorf("%v", got)
	}
	e.ServedIn, e.Caller.Bearer = "us-east-1", false
	if got := decode(t, recorded(t, Options{DataEvents: true}, e)); got["additionalEventData"] != nil {
		t.Errorf("served at home: %v", got["additionalEventData"])
	}
}

func TestSecretsNeverReachTheDisk(t *testing.T) {
	const (
		secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
		jwt    = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJyZXBvIn0.c2lnbmF0dXJlLXBhcnQ"
		long   = "ABSKQmVkcm9ja0FQSUtleS1leGFtcGxlOnNlY3JldC1zZWNyZXQ="
		short  = "bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29tLz9BY3Rpb249"
	)
	session := strings.Repeat("IQoJb3JpZ2luX2VjEXAMPLE+/", 20)
	e := event("CreateAccessKey", noon)
	e.Service, e.Source = "iam", "iam.amazonaws.com"
	e.Message = "Value '" + secret + "' and " + jwt
	e.Caller.Origin.UserAgent = "curl " + short
	e.Input = map[string]any{
		"userName": secret, "note": "key " + long + " token " + session, jwt: "as a name", "formData": []byte(secret), "unknown": struct{ S string }{secret},
		"deep": []any{map[string]any{"password": "hunter2", "Token": "hunter2", "ok": "fine"}},
	}
	e.Output = map[string]any{"accessKey": map[string]any{"accessKeyId": "AKIAIOSFODNN7EXAMPLE", "secretAccessKey": "hunter2", "sessionToken": session}}
	line := recorded(t, Options{}, e)
	for _, s := range []string{secret, jwt, long, short, session, "hunter2", "d0phbHJY"} {
		if strings.Contains(line, s) {
			t.Errorf("%s is in %s", s, line)
		}
	}
	for _, s := range []string{`"ok":"fine"`, `"accessKeyId":"AKIAIOSFODNN7EXAMPLE"`, `"password":"` + hidden} {
		if !strings.Contains(line, s) {
			t.Errorf("%s is not in %s", s, line)
		}
	}
	use := event("PutUseCaseForModelAccess", noon)
	use.Input = map[string]any{"formData": "our plans"}
	if line := recorded(t, Options{}, use); strings.Contains(line, "our plans") {
		t.Error(line)
	}
}

func TestWhatIsNoSecretStays(t *testing.T) {
	for _, s := range []string{
		"arn:aws:iam::123456789012:role/service-role/AmazonBedrockExecutionRoleForKnowledgeBases",
		"arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123def456",
		"9e99a48a9960b14926bb7f3b02e22da2b0ab7280", // thumbprint
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"bedrock:*","Resource":"*"}]}`,
		"11111111-2222-4333-8444-555555555555", "",
	} {
		if got := scrub(s); got != s {
			t.Errorf("%s became %s", s, got)
		}
	}
}

func TestSecretsAreFoundByTheirForm(t *testing.T) {
	const key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	for in, want := range map[string]string{
		key: hidden, "secret=" + key: "secret=" + hidden, "'" + key + "' and (" + key + ")": "'" + hidden + "' and (" + hidden + ")",
		key + "x":                           key + "x", // forty-one characters are none
		"a-" + key + "-b":                   "a-" + hidden + "-b",
		"ABSKshort":                         "ABSKshort",
		"xABSKQmVkcm9ja0FQSUtleS0x= y":      "x" + hidden + " y",
		"bedrock-api-key-":                  "bedrock-api-key-",
		"(bedrock-api-key-YmVkcm9jaw==)":    "(" + hidden + ")",
		"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ9": hidden,
		"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ9.c2ln and more": hidden + " and more",
		"eyJhbGciOiJSUzI1NiJ9 alone":                      "eyJhbGciOiJSUzI1NiJ9 alone",
		strings.Repeat("a", maxRunBytes):                  hidden,
		strings.Repeat("a", maxRunBytes-1):                strings.Repeat("a", maxRunBytes-1),
	} {
		if got := scrub(in); got != want {
			t.Errorf("%s became %s, want %s", in, got, want)
		}
	}
}

// Property: whatever stands around a secret, it is taken out.
func TestNoSurroundingsSaveASecret(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		around := rapid.StringMatching(`([^A-Za-z0-9+/].{0,30})?`)
		key := rapid.StringMatching(`A1b[A-Za-z0-9+/]{37}`).Draw(t, "key")
		text := rapid.StringMatching(`(.{0,30}[^A-Za-z0-9+/])?`).Draw(t, "before") + key + around.Draw(t, "after")
		if got := scrub(text); strings.Contains(got, key) {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

func TestARecordIsBounded(t *testing.T) {
	deep := map[string]any{}
	for at, i := deep, 0; i < 100_000; i++ {
		next := map[string]any{}
		at["x"], at = next, next
	}
	many := make([]any, 100_000)
	for i := range many {
		many[i] = "an element"
	}
	for name, v := range map[string]any{"long": strings.Repeat("é\"", 3<<20), "deep": deep, "many": many} {
		e := event("CreateInferenceProfile", noon)
		e.Input, e.Message, e.Code = map[string]any{"x": v}, strings.Repeat("é", 1<<20), "E"
		e.Caller.Origin.UserAgent = strings.Repeat("\x00\xff", 1<<20)
		line := recorded(t, Options{}, e)
		if !json.Valid([]byte(line)) || len(line) > maxLineBytes/2 {
			t.Errorf("%s: %d bytes, valid %v", name, len(line), json.Valid([]byte(line)))
		}
		if p := decode(t, line)["requestParameters"].(map[string]any); name != "deep" && p["omitted"] != true {
			t.Errorf("%s: parameters %v", name, p)
		}
	}
}

func BenchmarkLine(b *testing.B) {
	tr := &Trail{}
	e := event("PutRolePolicy", noon)
	e.Service, e.Source = "iam", "iam.amazonaws.com"
	e.Input = map[string]any{"roleName": "app", "policyName": "invoke", "policyDocument": strings.Repeat(`{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"*"},`, 30)}
	for b.Loop() {
		tr.line(&e)
	}
}
