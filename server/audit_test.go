package server

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/sigv4"
)

// An auditor sends requests and reads what the trail says of each.
type auditor struct {
	*Server
	t *testing.T
}

// told sends r and returns the answer with the one record of it, or nil when
// the trail has none. A second request is the sign that the first one's record
// has been written: records keep their order.
func (a auditor) told(r *http.Request) (status int, body string, record map[string]any) {
	a.t.Helper()
	status, body, id := a.send(r)
	_, _, last := a.send(a.signed(a.t, a.admin(), "bedrock", "GET", "/inference-profiles", nil, ""))
	for range 500 {
		lines := a.lines()
		if len(lines) == 0 || lines[len(lines)-1]["requestID"] != last {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		for _, line := range lines {
			if line["requestID"] == id {
				if record != nil {
					a.t.Errorf("request %s has two records", id)
				}
				record = line
			}
		}
		return status, body, record
	}
	a.t.Fatal("the trail does not come to its end")
	return
}

func (a auditor) send(r *http.Request) (status int, body, id string) {
	a.t.Helper()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return answer.StatusCode, string(b), answer.Header.Get("x-amzn-RequestId")
}

// text is everything the trail holds.
func (a auditor) text() string {
	names, err := filepath.Glob(filepath.Join(a.config.DataDir, "audit", "trail-*.jsonl"))
	if err != nil {
		a.t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			a.t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}

func (a auditor) lines() []map[string]any {
	var all []map[string]any
	for line := range strings.Lines(a.text()) {
		var m map[string]any
		if strings.HasSuffix(line, "\n") && json.Unmarshal([]byte(line), &m) == nil {
			all = append(all, m)
		}
	}
	return all
}

// form is a request of a query service.
func (a auditor) form(by sigv4.Credentials, service string, values url.Values) *http.Request {
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	return a.signed(a.t, by, service, "POST", "/", header, values.Encode())
}

// expect holds a record to members by their paths, such as userIdentity.type.
func (a auditor) expect(what string, record map[string]any, want map[string]any) {
	a.t.Helper()
	if record == nil {
		a.t.Errorf("%s: no record", what)
		return
	}
	for path, value := range want {
		var got any = record
		for name := range strings.SplitSeq(path, ".") {
			m, _ := got.(map[string]any)
			got = m[name]
		}
		if got != value {
			a.t.Errorf("%s: %s is %v, want %v", what, path, got, value)
		}
	}
}

const converseBody = `{"messages":[{"role":"user","content":[{"text":"my private words"}]}]}`

// Whoever comes leaves exactly one record, and no secret.
func TestTheTrailTellsWhoDidWhat(t *testing.T) {
	a := auditor{start(t, Config{}), t}
	admin, nobody, guessed := a.admin(), a.user(t, "nobody", ""), a.user(t, "guessed", "")
	secrets := []string{admin.Secret, nobody.Secret, guessed.Secret, a.first.APIKey, "my private words"}

	status, body, record := a.told(a.signed(t, admin, "bedrock", "POST", "/inference-profiles", nil,
		`{"inferenceProfileName":"app","modelSource":{"copyFrom":"arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0"}}`))
	if status != http.StatusCreated {
		t.Fatal(status, body)
	}
	a.expect("create", record, map[string]any{
		"eventName": "CreateInferenceProfile", "eventSource": "bedrock.amazonaws.com", "readOnly": false, "errorCode": nil, "awsRegion": "us-east-1",
		"userIdentity.type": "IAMUser", "userIdentity.accessKeyId": admin.AccessKey, "requestParameters.inferenceProfileName": "app",
		"responseElements.status": "ACTIVE", "recipientAccountId": string(testAccount), "sourceIPAddress": "127.0.0.1", "eventType": "AwsApiCall",
	})

	_, _, record = a.told(a.signed(t, nobody, "bedrock", "GET", "/inference-profiles", nil, ""))
	a.expect("denied", record, map[string]any{
		"eventName": "ListInferenceProfiles", "errorCode": "AccessDeniedException", "userIdentity.userName": "nobody", "responseElements": nil, "readOnly": true,
	})
	status, _, record = a.told(a.signed(t, nobody, "bedrock", "POST", "/model/us.amazon.nova-lite-v1:0/converse", nil, converseBody))
	a.expect("denied invocation", record, map[string]any{
		"eventName": "Converse", "errorCode": "AccessDeniedException", "userIdentity.userName": "nobody", "requestParameters.modelId": "us.amazon.nova-lite-v1:0",
	})
	if status != http.StatusForbidden {
		t.Error(status)
	}
	if status, body, record = a.told(a.signed(t, admin, "bedrock", "POST", "/model/us.amazon.nova-lite-v1:0/converse", nil, converseBody)); status != 200 || record != nil {
		t.Errorf("a served invocation: %d %s, record %v", status, body, record)
	}

	wrong := sigv4.Credentials{AccessKey: guessed.AccessKey, Secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	_, _, record = a.told(a.signed(t, wrong, "bedrock", "GET", "/inference-profiles", nil, ""))
	a.expect("failed signature", record, map[string]any{
		"eventName": "ListInferenceProfiles", "errorCode": "InvalidSignatureException", "userIdentity.type": "Unknown",
		"userIdentity.accessKeyId": guessed.AccessKey, "userIdentity.accountId": string(testAccount), "requestParameters": nil,
	})
	for range 20 {
		if status, _, record = a.told(a.signed(t, wrong, "bedrock", "GET", "/inference-profiles", nil, "")); status == http.StatusTooManyRequests {
			break
		}
	}
	a.expect("throttled", record, map[string]any{"errorCode": "ThrottlingException", "userIdentity.accessKeyId": guessed.AccessKey})

	_, body, record = a.told(a.form(admin, "sts", url.Values{"Action": {"GetSessionToken"}, "Version": {"2011-06-15"}}))
	a.expect("session", record, map[string]any{"eventName": "GetSessionToken", "eventSource": "sts.amazonaws.com", "errorCode": nil})
	secrets = append(secrets, between(t, body, "<SecretAccessKey>"), between(t, body, "<SessionToken>"))
	_, body, record = a.told(a.form(admin, "iam", url.Values{"Action": {"CreateAccessKey"}, "UserName": {"nobody"}, "Version": {"2010-05-08"}}))
	a.expect("access key", record, map[string]any{
		"eventName": "CreateAccessKey", "requestParameters.userName": "nobody", "responseElements.accessKey.accessKeyId": between(t, body, "<AccessKeyId>"),
	})
	secrets = append(secrets, between(t, body, "<SecretAccessKey>"))
	_, body, record = a.told(a.form(admin, "iam", url.Values{"Action": {"CreateServiceSpecificCredential"}, "UserName": {"nobody"},
		"ServiceName": {"bedrock.amazonaws.com"}, "Version": {"2010-05-08"}}))
	a.expect("API key", record, map[string]any{"eventName": "CreateServiceSpecificCredential", "errorCode": nil})
	key := between(t, body, "<ServiceCredentialSecret>")
	secrets = append(secrets, key)
	_, _, record = a.told(a.request(t, "GET", "/inference-profiles", http.Header{"Authorization": {"Bearer " + key}}, ""))
	a.expect("bearer", record, map[string]any{"userIdentity.userName": "nobody", "additionalEventData.callWithBearerToken": true})
	_, _, record = a.told(a.request(t, "GET", "/inference-profiles", http.Header{"Authorization": {"Bearer " + key + "x"}}, ""))
	a.expect("wrong bearer", record, map[string]any{"userIdentity.type": "Unknown", "eventName": "ListInferenceProfiles"})

	for _, secret := range secrets {
		if len(secret) < 10 || strings.Contains(a.text(), secret) {
			t.Errorf("the trail holds the secret %q", secret)
		}
	}
}

// between is the text of an XML element.
func between(t *testing.T, body, tag string) string {
	t.Helper()
	_, rest, _ := strings.Cut(body, tag)
	text, _, found := strings.Cut(rest, "<")
	if !found || text == "" {
		t.Fatalf("no %s in %s", tag, body)
	}
	return text
}

// With data events every invocation is kept, and says in which Region a model
// answered when that is not the one it was called in.
func TestServedInvocationsAreKeptWhenAskedFor(t *testing.T) {
	a := auditor{start(t, Config{
		Audit:     AuditConfig{DataEvents: true},
		Upstreams: map[string]UpstreamConfig{"far": {Kind: "simulator", Regions: []outcrop.Region{"us-west-2"}}},
	}), t}
	for _, operation := range []string{"converse", "converse-stream", "invoke", "invoke-with-response-stream"} {
		body := converseBody
		if strings.HasPrefix(operation, "invoke") {
			body = `{"messages":[{"role":"user","content":[{"text":"my private words"}]}],"inferenceConfig":{"maxTokens":10}}`
		}
		status, answer, record := a.told(a.signed(t, a.admin(), "bedrock", "POST", "/model/us.amazon.nova-lite-v1:0/"+operation, nil, body))
		if status != 200 {
			t.Fatalf("%s: %d %s", operation, status, answer)
		}
		a.expect(operation, record, map[string]any{
			"additionalEventData.inferenceRegion": "us-west-2", "awsRegion": "us-east-1", "readOnly": true, "responseElements": nil,
			"requestParameters.modelId": "us.amazon.nova-lite-v1:0",
		})
	}
	if strings.Contains(a.text(), "my private words") {
		t.Error("the trail holds a conversation")
	}
}

func TestLookupEventsOverTheWire(t *testing.T) {
	a := auditor{start(t, Config{}), t}
	nobody := a.user(t, "nobody", "")
	a.told(a.signed(t, nobody, "bedrock", "GET", "/inference-profiles", nil, ""))
	header := http.Header{"Content-Type": {"application/x-amz-json-1.1"},
		"X-Amz-Target": {"com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents"}}
	look := func(by sigv4.Credentials, body string) (int, string) {
		return send(t, a.signed(t, by, "cloudtrail", "POST", "/", header.Clone(), body))
	}
	status, answer := look(a.admin(), `{"LookupAttributes":[{"AttributeKey":"Username","AttributeValue":"nobody"}]}`)
	var out struct {
		Events []struct {
			EventID, EventName, ReadOnly, Username, CloudTrailEvent string
			EventTime                                               float64
		}
	}
	if err := json.Unmarshal([]byte(answer), &out); err != nil || status != 200 || len(out.Events) != 1 {
		t.Fatalf("%d %s %v", status, answer, err)
	}
	e := out.Events[0]
	var inner struct{ EventID, ErrorCode string }
	if json.Unmarshal([]byte(e.CloudTrailEvent), &inner) != nil || inner.EventID != e.EventID || inner.ErrorCode != "AccessDeniedException" ||
		e.EventName != "ListInferenceProfiles" || e.ReadOnly != "true" || time.Since(time.Unix(int64(e.EventTime), 0)) > time.Hour {
		t.Errorf("%+v", e)
	}
	for body, code := range map[string]string{
		`{"StartTime":2000000000,"EndTime":1000000000}`: "InvalidTimeRangeException",
		`{"NextToken":"x"}`:                             "InvalidNextTokenException",
		`{"MaxResults":51}`:                             "ValidationException",
		`{"LookupAttributes":[{"AttributeKey":"EventName","AttributeValue":"a"},{"AttributeKey":"EventName","AttributeValue":"b"}]}`: "InvalidLookupAttributesException",
	} {
		if status, answer := look(a.admin(), body); status != 400 || !strings.Contains(answer, code) {
			t.Errorf("%s: %d %s, want %s", body, status, answer, code)
		}
	}
	if status, answer := look(nobody, `{}`); !refusedWith(status, answer, "cloudtrail:LookupEvents") {
		t.Errorf("nobody: %d %s", status, answer)
	}
}
