package awsapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"outcrop"
	"outcrop/awsapi/wire"
)

func audited(m *Mux) *[]outcrop.AuditEvent {
	all := new([]outcrop.AuditEvent)
	m.audit = func(e outcrop.AuditEvent) { *all = append(*all, e) }
	return all
}

func TestEveryRequestIsToldOnceAfterItsAnswer(t *testing.T) {
	m := testMux(func(_ outcrop.Caller, id string) (string, error) {
		switch id {
		case "gone":
			return "", outcrop.Errorf(outcrop.NotFound, "no such profile")
		case "panic":
			panic("boom")
		}
		return "a name", nil
	})
	told := audited(m)
	tampered := signed(t, "GET", "http://h/inference-profiles/us.x", "", "bedrock", "us-west-2")
	tampered.URL.Path, tampered.RequestURI = "/inference-profiles/us.y", "/inference-profiles/us.y"
	bearer := httptest.NewRequest("GET", "http://h/inference-profiles/us.x", nil)
	bearer.Header.Set("Authorization", "Bearer bad")
	for _, c := range []struct {
		name string
		r    *http.Request
		want outcrop.AuditEvent
	}{
		{"success", signed(t, "GET", "http://h/inference-profiles/us.x", "", "bedrock", "us-east-1"),
			outcrop.AuditEvent{Operation: "GetInferenceProfile", Admitted: true, Status: 200}},
		{"failure", signed(t, "GET", "http://h/inference-profiles/gone", "", "bedrock", "us-east-1"),
			outcrop.AuditEvent{Operation: "GetInferenceProfile", Admitted: true, Status: 404, Code: "ResourceNotFoundException", Message: "no such profile"}},
		{"panic", signed(t, "GET", "http://h/inference-profiles/panic", "", "bedrock", "us-east-1"),
			outcrop.AuditEvent{Operation: "GetInferenceProfile", Admitted: true, Status: 500, Code: "InternalServerException"}},
		{"not served", signed(t, "GET", "http://h/guardrails", "", "bedrock", "us-east-1"),
			outcrop.AuditEvent{Operation: "ListGuardrails", Admitted: true, Status: 404, Code: "UnknownOperationException"}},
		{"unknown path", signed(t, "GET", "http://h/nothing", "", "bedrock", "us-east-1"),
			outcrop.AuditEvent{Admitted: true, Status: 404, Code: "UnknownOperationException"}},
		{"bad signature", tampered, outcrop.AuditEvent{Operation: "GetInferenceProfile", ClaimedKey: testKey, Status: 403}},
		{"bad API key", bearer, outcrop.AuditEvent{Operation: "GetInferenceProfile", Status: 403, Code: "AccessDeniedException"}},
		{"unsigned", httptest.NewRequest("GET", "http://h/inference-profiles/us.x", nil),
			outcrop.AuditEvent{Operation: "GetInferenceProfile", Status: 403, Code: "MissingAuthenticationTokenException"}},
	} {
		*told = nil
		res := send(t, m, c.r)
		if len(*told) != 1 {
			t.Errorf("%s: told of %d times", c.name, len(*told))
			continue
		}
		got := (*told)[0]
		if got.Operation != c.want.Operation || got.Admitted != c.want.Admitted || got.Status != c.want.Status || got.Status != res.StatusCode ||
			got.ClaimedKey != c.want.ClaimedKey || c.want.Code != "" && got.Code != c.want.Code || c.want.Message != "" && got.Message != c.want.Message {
			t.Errorf("%s: %+v", c.name, got)
		}
		if got.Source != "bedrock.amazonaws.com" || got.Service != "bedrock" || string(got.Request) != res.Header.Get("x-amzn-RequestId") || got.Host != "h" {
			t.Errorf("%s: %+v", c.name, got)
		}
		if got.Admitted && got.Caller.Principal != testCaller.Principal || !got.Admitted && got.Caller.Principal != "" || got.Caller.Origin.IP != "192.0.2.1" {
			t.Errorf("%s: caller %+v", c.name, got.Caller)
		}
		if c.name == "success" && (got.Input["inferenceProfileIdentifier"] != "us.x" || got.Output["inferenceProfileName"] != "a name") {
			t.Errorf("input %v, output %v", got.Input, got.Output)
		}
		if c.name == "bad signature" && (got.Caller.Account != testCaller.Account || got.Caller.Region != "us-west-2") {
			t.Errorf("a failed signature is told as %+v, want the account of the key", got.Caller)
		}
	}
}

func TestTheAuditOfARawOperationTellsItsLabelsOnly(t *testing.T) {
	m := testMux(echo)
	m.Serve("bedrock-runtime", Raw("Converse", func(w http.ResponseWriter, r *Request) error {
		if r.Labels.Get("modelId") == "denied" {
			return outcrop.Errorf(outcrop.Denied, "not you")
		}
		r.ServedIn = "us-west-2"
		w.WriteHeader(http.StatusOK)
		return nil
	}))
	told := audited(m)
	send(t, m, signed(t, "POST", "http://h/model/m/converse", `{"messages":[{"role":"user","content":[{"text":"private"}]}]}`, "bedrock", "us-east-1"))
	send(t, m, signed(t, "POST", "http://h/model/denied/converse", `{}`, "bedrock", "us-east-1"))
	if len(*told) != 2 {
		t.Fatalf("told of %d", len(*told))
	}
	served, denied := (*told)[0], (*told)[1]
	if served.ServedIn != "us-west-2" || served.Status != 200 || !reflect.DeepEqual(served.Input, map[string]any{"modelId": "m"}) || served.Service != "bedrock-runtime" {
		t.Errorf("served: %+v", served)
	}
	if denied.Code != "AccessDeniedException" || !denied.Refused() || served.Refused() {
		t.Errorf("denied: %+v", denied)
	}
}

func TestSensitiveValuesStayHidden(t *testing.T) {
	type nothing struct{}
	type output struct {
		Credentials struct {
			SecretAccessKey string `aws:"SecretAccessKey"`
		} `aws:"Credentials"`
	}
	m := NewMux(Options{Keys: keys{}, Policy: anything{}, DefaultRegion: "us-east-1", Now: testMux(echo).now, Log: testMux(echo).log})
	m.Serve("sts", Open("AssumeRoleWithWebIdentity", func(context.Context, outcrop.Caller, *nothing) (*output, error) {
		o := new(output)
		o.Credentials.SecretAccessKey = "hush"
		return o, nil
	}))
	told := audited(m)
	r := httptest.NewRequest("POST", "http://h/", strings.NewReader(
		"Action=AssumeRoleWithWebIdentity&RoleArn=arn:aws:iam::123456789012:role/r&RoleSessionName=ab&WebIdentityToken=private&Version=2011-06-15"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	send(t, m, r)
	e := (*told)[0]
	if !e.Admitted || e.Operation != "AssumeRoleWithWebIdentity" || e.Input["webIdentityToken"] != Hidden || e.Input["roleSessionName"] != "ab" {
		t.Errorf("%+v", e)
	}
	if c, _ := e.Output["credentials"].(map[string]any); c["secretAccessKey"] != Hidden {
		t.Errorf("output %v", e.Output)
	}
}

func TestAValueThatIsNotItsShapeStaysHidden(t *testing.T) {
	s := &wire.Shape{Type: wire.String}
	for _, v := range []any{map[string]any{"a": "b"}, []any{"a"}} {
		if got := visibleValue(s, v); got != Hidden {
			t.Errorf("%v is shown as %v", v, got)
		}
	}
}

// What nobody wants to be told of is not told; a refusal that somebody wants is.
func TestTheAuditIsToldWhatItWants(t *testing.T) {
	m := testMux(echo)
	m.Serve("bedrock-runtime", Raw("Converse", func(_ http.ResponseWriter, r *Request) error {
		switch r.Labels.Get("modelId") {
		case "denied":
			return outcrop.Errorf(outcrop.Denied, "not authorized")
		case "wrong":
			return outcrop.Errorf(outcrop.Invalid, "wrong")
		}
		return nil
	}))
	m.audits = func(service string, refused bool) bool { return service != "bedrock-runtime" || refused }
	told := audited(m)
	tampered := signed(t, "POST", "http://h/model/m/converse", "{}", "bedrock", "us-east-1")
	tampered.Header.Set("X-Amz-Date", "20260101T000000Z")
	for _, c := range []struct {
		name string
		r    *http.Request
		want int
	}{
		{"served", signed(t, "POST", "http://h/model/m/converse", "{}", "bedrock", "us-east-1"), 0},
		{"invalid", signed(t, "POST", "http://h/model/wrong/converse", "{}", "bedrock", "us-east-1"), 0},
		{"denied", signed(t, "POST", "http://h/model/denied/converse", "{}", "bedrock", "us-east-1"), 1},
		{"bad signature", tampered, 1},
		{"control plane", signed(t, "GET", "http://h/inference-profiles/us.x", "", "bedrock", "us-east-1"), 1},
		{"no service", httptest.NewRequest("GET", "http://h/", nil), 1},
	} {
		*told = nil
		send(t, m, c.r)
		if len(*told) != c.want {
			t.Errorf("%s: told %d times", c.name, len(*told))
		}
	}
}
