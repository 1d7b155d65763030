package metricsapi

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/awsapi/awsapitest"
	"outcrop/identity"
	"outcrop/metrics"
	"outcrop/metrics/metricstest"
	"outcrop/sigv4"

	"github.com/fxamacker/cbor/v2"
)

var who = outcrop.Caller{Account: "111122223333", Principal: "arn:aws:iam::111122223333:user/a", Region: "us-east-1"}

// keys know one secret.
type keys struct{}

func (keys) SecretForSession(context.Context, string, string) (identity.Key, error) {
	return identity.Key{Secret: "secret", Caller: who, Active: true}, nil
}

func (keys) Touch(string, string, outcrop.Region) {}

func (keys) APIKey(context.Context, string) (outcrop.Caller, error) {
	return outcrop.Caller{}, outcrop.Errorf(outcrop.Denied, "no such key")
}

// ledger is records in memory.
type ledger []outcrop.UsageRecord

func (l ledger) Sync(context.Context) error { return nil }

func (l ledger) After(_ context.Context, after outcrop.Seq, limit int) ([]outcrop.UsageRecord, error) {
	rest := l[min(int(after), len(l)):]
	return rest[:min(limit, len(rest))], nil
}

// began is the time of the reference's golden vectors.
var began = time.Unix(1763683200, 0).UTC()

// calls are one a minute of each model, for ten minutes from began.
func calls(models ...string) (l ledger) {
	for i := range 10 {
		for _, model := range models {
			at := began.Add(time.Duration(i) * time.Minute)
			r := outcrop.UsageRecord{Seq: outcrop.Seq(len(l) + 1), Operation: outcrop.OpConverseStream, Account: who.Account, Region: "us-east-1", MetricID: model,
				Started: at, FirstByte: at.Add(200 * time.Millisecond), Ended: at.Add(time.Second), Outcome: outcrop.Outcome{Status: 200}}
			r.Usage.Set(outcrop.InputTokens, outcrop.Tokens(10*(i+1)))
			r.Usage.Set(outcrop.OutputTokens, 5)
			r.Usage.Set(outcrop.CacheReadTokens, 3)
			r.Usage.Set(outcrop.CacheWrite5mTokens, 2)
			l = append(l, r)
		}
	}
	return l
}

func serve(l ledger) *awsapi.Mux {
	now := func() time.Time { return began.Add(time.Hour) }
	m := metrics.New(l, metricstest.NewMemory(), metrics.Rules{}, now, slog.New(slog.DiscardHandler))
	mux := awsapi.NewMux(awsapi.Options{Keys: keys{}, Policy: new(awsapitest.Anything), KnownRegion: func(outcrop.Region) bool { return true },
		DefaultRegion: "us-east-1", Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	mux.Serve("cloudwatch", New(Config{Metrics: m, Now: now}).Operations()...)
	return mux
}

// post signs and sends a request as an SDK does.
func post(t *testing.T, m *awsapi.Mux, path string, header map[string]string, body string) (int, http.Header, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://monitoring.us-east-1.amazonaws.com"+path, strings.NewReader(body))
	for name, value := range header {
		r.Header.Set(name, value)
	}
	err := sigv4.Sign(r, sigv4.PayloadHash([]byte(body)), sigv4.Credentials{AccessKey: "AKIAIOSFODNN7EXAMPLE", Secret: "secret"},
		sigv4.Scope{Region: "us-east-1", Service: "monitoring"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	m.ServeHTTP(w, r)
	answer, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, w.Header(), string(answer)
}

func postJSON(t *testing.T, m *awsapi.Mux, operation, body string) (int, http.Header, string) {
	return post(t, m, "/", map[string]string{"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "GraniteServiceVersion20100801." + operation}, body)
}

// postCBOR sends what the Go SDK sends: CBOR in, CBOR out.
func postCBOR(t *testing.T, m *awsapi.Mux, operation string, body []byte) (int, http.Header, map[string]any) {
	t.Helper()
	status, header, answer := post(t, m, "/service/GraniteServiceVersion20100801/operation/"+operation, map[string]string{
		"Smithy-Protocol": "rpc-v2-cbor", "Content-Type": "application/cbor", "Accept": "application/cbor", "X-Amzn-Query-Mode": "true"}, string(body))
	var v any
	if err := cbor.Unmarshal([]byte(answer), &v); err != nil {
		t.Fatalf("%s: %v in %x", operation, err, answer)
	}
	return status, header, plain(v).(map[string]any)
}

// plain makes text of a tree's keys.
func plain(v any) any {
	switch v := v.(type) {
	case map[any]any:
		out := map[string]any{}
		for key, x := range v {
			out[fmt.Sprint(key)] = plain(x)
		}
		return out
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	}
	return v
}

// The requests that the Go SDK was seen to send (runtime-metering-billing.md
// §5.4), byte for byte.
func TestTheGoSDKsCBOR(t *testing.T) {
	m := serve(calls("abc123def456"))
	golden := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	status, header, list := postCBOR(t, m, "ListMetrics", golden("bf694e616d6573706163656b4157532f426564726f636bff"))
	if status != 200 || header.Get("Smithy-Protocol") != "rpc-v2-cbor" || len(list["Metrics"].([]any)) == 0 {
		t.Errorf("%d %v %v", status, header, list)
	}
	if status, _, all := postCBOR(t, m, "ListMetrics", golden("bfff")); status != 200 || len(all["Metrics"].([]any)) <= len(list["Metrics"].([]any)) { // Outcrop's own namespace, too
		t.Errorf("without input: %d %v", status, all)
	}
	status, _, data := postCBOR(t, m, "GetMetricData", golden("bf67456e6454696d65c1fb41da47ee64200000714d657472696344617461517565726965739fbf624964626d316a4d657472696353746174bf664d6574726963bf6a44696d656e73696f6e739fbf644e616d65674d6f64656c49646556616c75656c616263313233646566343536ffff6a4d65747269634e616d656f496e707574546f6b656e436f756e74694e616d6573706163656b4157532f426564726f636bff66506572696f64183c64537461746353756dffffff69537461727454696d65c1fb41da47eae0000000ff"))
	result := data["MetricDataResults"].([]any)[0].(map[string]any)
	values, times := result["Values"].([]any), result["Timestamps"].([]any)
	if status != 200 || len(values) != 10 || values[0] != float64(100) || !times[0].(time.Time).Equal(began.Add(9*time.Minute)) {
		t.Errorf("%d %v, want ten values, the newest first", status, result)
	}
	status, header, failure := postCBOR(t, m, "GetMetricStatistics", mustCBOR(t, map[string]any{"Namespace": "AWS/Bedrock", "MetricName": "Invocations",
		"StartTime": cbor.Tag{Number: 1, Content: 1763683200}, "EndTime": cbor.Tag{Number: 1, Content: 1763686800}, "Period": 61, "Statistics": []string{"Sum"}}))
	if status != 400 || header.Get("x-amzn-query-error") != "InvalidParameterValue;Sender" || !strings.HasSuffix(failure["__type"].(string), "#InvalidParameterValueException") {
		t.Errorf("%d %v %v", status, header, failure)
	}
}

func mustCBOR(t *testing.T, v any) []byte {
	t.Helper()
	b, err := cbor.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The same question in each of CloudWatch's three protocols.
func TestOneQuestionInThreeProtocols(t *testing.T) {
	m := serve(calls("abc123def456"))
	status, _, answer := postJSON(t, m, "GetMetricStatistics", `{"Namespace":"AWS/Bedrock","MetricName":"InputTokenCount","Dimensions":[{"Name":"ModelId","Value":"abc123def456"}],
		"StartTime":1763683200,"EndTime":1763686800,"Period":3600,"Statistics":["Sum","Average","SampleCount"]}`)
	if status != 200 || !strings.Contains(answer, `"Sum":550`) || !strings.Contains(answer, `"Average":55`) || !strings.Contains(answer, `"Unit":"Count"`) || !strings.Contains(answer, `"Timestamp":1763683200`) {
		t.Errorf("JSON: %d %s", status, answer)
	}
	form := url.Values{"Action": {"GetMetricStatistics"}, "Version": {"2010-08-01"}, "Namespace": {"AWS/Bedrock"}, "MetricName": {"InputTokenCount"},
		"Dimensions.member.1.Name": {"ModelId"}, "Dimensions.member.1.Value": {"abc123def456"}, "StartTime": {"2025-11-21T00:00:00Z"}, "EndTime": {"2025-11-21T01:00:00Z"},
		"Period": {"3600"}, "Statistics.member.1": {"Sum"}}
	status, _, answer = post(t, m, "/", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, form.Encode())
	if status != 200 || !strings.Contains(answer, `<GetMetricStatisticsResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/">`) || !strings.Contains(answer, "<Sum>550") ||
		!strings.Contains(answer, "<Timestamp>2025-11-21T00:00:00Z</Timestamp>") {
		t.Errorf("query: %d %s", status, answer)
	}
	form.Set("Period", "61")
	status, _, answer = post(t, m, "/", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, form.Encode())
	if status != 400 || !strings.Contains(answer, "<Code>InvalidParameterValue</Code>") || !strings.Contains(answer, "<Type>Sender</Type>") {
		t.Errorf("query: %d %s", status, answer)
	}
	status, _, cborAnswer := postCBOR(t, m, "GetMetricStatistics", mustCBOR(t, map[string]any{"Namespace": "AWS/Bedrock", "MetricName": "InputTokenCount",
		"Dimensions": []any{map[string]string{"Name": "ModelId", "Value": "abc123def456"}}, "StartTime": cbor.Tag{Number: 1, Content: 1763683200.0}, "EndTime": cbor.Tag{Number: 1, Content: 1763686800.0},
		"Period": 3600, "ExtendedStatistics": []string{"p50", "tm90"}}))
	points := cborAnswer["Datapoints"].([]any)
	if status != 200 || len(points) != 1 || points[0].(map[string]any)["ExtendedStatistics"].(map[string]any)["p50"] != float64(50) {
		t.Errorf("CBOR: %d %v", status, cborAnswer)
	}
}

func TestDataComesInPages(t *testing.T) {
	m := serve(calls("a", "b"))
	body := `{"StartTime":1763683200,"EndTime":1763686800,"ScanBy":"TimestampAscending","MaxDatapoints":7%s,"MetricDataQueries":[
		{"Id":"s","Expression":"SEARCH('{AWS/Bedrock,ModelId} MetricName=\"Invocations\"','Sum',60)"}]}`
	points, pages, token := 0, 0, ""
	for {
		var next string
		if token != "" {
			next = fmt.Sprintf(`,"NextToken":%q`, token)
		}
		status, _, answer := postJSON(t, m, "GetMetricData", fmt.Sprintf(body, next))
		if status != 200 {
			t.Fatal(status, answer)
		}
		points += strings.Count(answer, "17636") // timestamps
		pages++
		_, after, more := strings.Cut(answer, `"NextToken":"`)
		if !more {
			break
		}
		token, _, _ = strings.Cut(after, `"`)
		if pages > 10 {
			t.Fatal("the pages do not end")
		}
	}
	if points != 20 || pages != 3 {
		t.Errorf("%d points in %d pages, want 20 in 3", points, pages)
	}
	if status, _, answer := postJSON(t, m, "GetMetricData", fmt.Sprintf(body, `,"NextToken":"xx"`)); status != 400 || !strings.Contains(answer, "InvalidNextToken") {
		t.Errorf("%d %s", status, answer)
	}
}

func TestSlipsAreNamed(t *testing.T) {
	m := serve(calls("a"))
	const span = `"StartTime":1763683200,"EndTime":1763686800,`
	for body, want := range map[string]string{
		`{"StartTime":1763686800,"EndTime":1763683200,"MetricDataQueries":[{"Id":"a","Expression":"1"}]}`: "StartTime must be less",
		`{` + span + `"MetricDataQueries":[]}`:                                                                                                                    "between 1 and 500",
		`{` + span + `"MetricDataQueries":[{"Id":"A","Expression":"m"}]}`:                                                                                         "lower-case letter",
		`{` + span + `"MetricDataQueries":[{"Id":"a"}]}`:                                                                                                          "either a MetricStat or an Expression",
		`{` + span + `"MetricDataQueries":[{"Id":"a","Expression":"a + 1"}]}`:                                                                                     "refers to itself",
		`{` + span + `"MetricDataQueries":[{"Id":"a","Expression":"1 + 1"}]}`:                                                                                     "wrap a number in TIME_SERIES",
		`{` + span + `"MetricDataQueries":[{"Id":"a","Expression":"TIME_SERIES(1)","ReturnData":false}]}`:                                                         "ReturnData true",
		`{` + span + `"MetricDataQueries":[{"Id":"a","Expression":"TIME_SERIES(1)"},{"Id":"a","Expression":"TIME_SERIES(1)"}]}`:                                   "more than one query",
		`{` + span + `"MetricDataQueries":[{"Id":"a","Expression":"TIME_SERIES(1)","AccountId":"999900001111"}]}`:                                                 "own account",
		`{` + span + `"MetricDataQueries":[{"Id":"a","MetricStat":{"Metric":{"Namespace":"AWS/Bedrock","MetricName":"Invocations"},"Period":60,"Stat":"p123"}}]}`: "not a valid statistic",
		`{` + span + `"MetricDataQueries":[{"Id":"a","MetricStat":{"Metric":{"Namespace":"AWS/Bedrock","MetricName":"Invocations"},"Period":1,"Stat":"Sum"}}]}`:   "kept by the minute",
	} {
		if status, _, answer := postJSON(t, m, "GetMetricData", body); status != 400 || !strings.Contains(answer, want) || !strings.Contains(answer, "ValidationError") {
			t.Errorf("%s\n%d %s, want %q", body, status, answer, want)
		}
	}
}
