package costapi

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/awsapi/awsapitest"
	"outcrop/identity"
	"outcrop/sigv4"
)

// keys know one secret.
type keys struct{}

func (keys) SecretForSession(context.Context, string, string) (identity.Key, error) {
	return identity.Key{Secret: "secret", Caller: who, Active: true}, nil
}

func (keys) Touch(string, string, outcrop.Region) {}

func (keys) APIKey(context.Context, string) (outcrop.Caller, error) {
	return outcrop.Caller{}, outcrop.Errorf(outcrop.Denied, "no such key")
}

func serve(a *API) *awsapi.Mux {
	m := awsapi.NewMux(awsapi.Options{Keys: keys{}, Policy: new(awsapitest.Anything), KnownRegion: func(outcrop.Region) bool { return true },
		DefaultRegion: "us-east-1", Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	m.Serve("ce", a.Operations()...)
	return m
}

// send signs and sends one request as an SDK does.
func send(t *testing.T, m *awsapi.Mux, operation, body string) (int, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://ce.us-east-1.amazonaws.com/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AWSInsightsIndexService."+operation)
	err := sigv4.Sign(r, sigv4.PayloadHash([]byte(body)), sigv4.Credentials{AccessKey: "AKIAIOSFODNN7EXAMPLE", Secret: "secret"},
		sigv4.Scope{Region: "us-east-1", Service: "ce"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	m.ServeHTTP(w, r)
	answer, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, string(answer)
}

// The whole way: signature, JSON 1.1, constraints of the model, answer.
func TestThroughTheDoor(t *testing.T) {
	m := serve(open(call(now, "app01")))
	for _, c := range []struct {
		operation, body string
		status          int
		want            []string
	}{
		{"UpdateCostAllocationTagsStatus", `{"CostAllocationTagsStatus":[{"TagKey":"project","Status":"Active"},{"TagKey":"x","Status":"Active"}]}`, 200,
			[]string{`"Code":"TagKeysNotFoundException"`, `"TagKey":"x"`}},
		{"GetCostAndUsage", `{"TimePeriod":{"Start":"2026-11-20","End":"2026-11-22"},"Granularity":"DAILY","Metrics":["UnblendedCost"],"GroupBy":[{"Type":"TAG","Key":"project"}]}`, 200,
			[]string{`"Keys":["project$app01"]`, `"Amount":"0.0123"`, `"Total":{}`, `"Groups":[]`, `"Estimated":true`}},
		{"GetCostAndUsage", `{"TimePeriod":{"Start":"2026-11-20","End":"2026-11-22"},"Granularity":"MONTHLY","Metrics":["UnblendedCost"],
			"Filter":{"And":[{"Tags":{"Key":"project","Values":["app01"]}},{"Not":{"Dimensions":{"Key":"REGION","Values":["eu-west-1"]}}}]}}`, 200,
			[]string{`"Total":{"UnblendedCost":{"Amount":"0.0123","Unit":"USD"}}`, `"Groups":[]`}},
		{"GetTags", `{"TimePeriod":{"Start":"2026-11-20","End":"2026-11-22"}}`, 200, []string{`"Tags":["project"]`, `"TotalSize":1`}},
		{"GetDimensionValues", `{"TimePeriod":{"Start":"2026-11-20","End":"2026-11-22"},"Dimension":"SERVICE"}`, 200, []string{`"Value":"Amazon Bedrock"`}},
		{"ListCostAllocationTags", `{}`, 200, []string{`"TagKey":"project"`, `"LastUsedDate":"2026-11-01T00:00:00Z"`}},
		{"GetCostAndUsage", `{"TimePeriod":{"Start":"2026-11-22","End":"2026-11-20"},"Granularity":"DAILY","Metrics":["UnblendedCost"]}`, 400,
			[]string{"ValidationException", "Start date (and hour) should be before end date (and hour)"}},
		{"GetCostAndUsage", `{"TimePeriod":{"Start":"2026-11-20","End":"2026-11-22"},"Granularity":"DAILY","Metrics":["UnblendedCost"],"NextPageToken":"x"}`, 400,
			[]string{"InvalidNextTokenException"}},
		{"GetCostAndUsage", `{"TimePeriod":{"Start":"2026-11-20","End":"2026-11-22"},"Metrics":["UnblendedCost"]}`, 400, []string{"ValidationException"}},
	} {
		status, answer := send(t, m, c.operation, c.body)
		if status != c.status {
			t.Errorf("%s %s: %d %s", c.operation, c.body, status, answer)
		}
		for _, want := range c.want {
			if !strings.Contains(answer, want) {
				t.Errorf("%s: %s lacks %s", c.operation, answer, want)
			}
		}
	}
}
