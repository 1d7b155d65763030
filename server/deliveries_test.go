package server

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/internal/strictyaml"
	"outcrop/metrics"
	"outcrop/objects"
	"outcrop/telemetry/invocationlog"
)

// json asks an operation of a JSON service, and reads the answer into out.
func (s *Server) json(t *testing.T, service, target, body string, out any) (int, string) {
	t.Helper()
	version := "application/x-amz-json-1.1"
	if service == "monitoring" {
		version = "application/x-amz-json-1.0"
	}
	status, answer := send(t, s.signed(t, s.admin(), service, "POST", "/", http.Header{"Content-Type": {version}, "X-Amz-Target": {target}}, body))
	if out != nil {
		if err := json.Unmarshal([]byte(answer), out); err != nil || status != 200 {
			t.Fatalf("%s: %d %s (%v)", target, status, answer, err)
		}
	}
	return status, answer
}

// metric is the sum of a metric without dimensions over the last hour, as
// GetMetricData tells it; -1 when it has no samples.
func (s *Server) metric(t *testing.T, namespace, name, stat string) float64 {
	t.Helper()
	var out struct {
		MetricDataResults []struct{ Values []float64 }
	}
	s.json(t, "monitoring", "GraniteServiceVersion20100801.GetMetricData", fmt.Sprintf(
		`{"StartTime":%d,"EndTime":%d,"MetricDataQueries":[{"Id":"m","MetricStat":{"Metric":{"Namespace":%q,"MetricName":%q},"Period":60,"Stat":%q}}]}`,
		time.Now().Add(-time.Hour).Unix(), time.Now().Add(2*time.Minute).Unix(), namespace, name, stat), &out)
	if len(out.MetricDataResults[0].Values) == 0 {
		return -1
	}
	if stat == "Maximum" {
		return out.MetricDataResults[0].Values[0]
	}
	sum := 0.0
	for _, v := range out.MetricDataResults[0].Values {
		sum += v
	}
	return sum
}

// soon waits until something holds.
func soon(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within 20s", what)
		}
	}
}

// watched puts an alarm on a metric whose action is a webhook, and returns what
// the webhook hears.
func (s *Server) watched(t *testing.T, namespace, metric string) <-chan string {
	t.Helper()
	told := make(chan string, 1)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		told <- string(b)
	}))
	t.Cleanup(hook.Close)
	if status, answer := s.json(t, "monitoring", "GraniteServiceVersion20100801.PutMetricAlarm", fmt.Sprintf(
		`{"AlarmName":%q,"Namespace":%q,"MetricName":%q,"Statistic":"Maximum","Period":60,"EvaluationPeriods":1,"Threshold":0,"ComparisonOperator":"GreaterThanThreshold","AlarmActions":[%q]}`,
		metric, namespace, metric, hook.URL), nil); status != 200 {
		t.Fatalf("put alarm: %d %s", status, answer)
	}
	return told
}

// fires evaluates the alarms as of the next minute, and waits for the webhook.
func (s *Server) fires(t *testing.T, told <-chan string, metric string) {
	t.Helper()
	if err := s.engines.alarms.Evaluate(t.Context(), time.Now().Truncate(time.Minute).Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	select {
	case body := <-told:
		if !strings.Contains(body, `"NewStateValue":"ALARM"`) || !strings.Contains(body, metric) {
			t.Errorf("the alarm on %s tells %s", metric, body)
		}
	case <-time.After(20 * time.Second):
		t.Errorf("the alarm on %s did not fire", metric)
	}
}

const (
	testGroup  = "/aws/bedrock/calls"
	loggingTo  = `{"loggingConfig":{"cloudWatchConfig":{"logGroupName":"/aws/bedrock/calls","roleArn":"arn:aws:iam::123456789012:role/logger","largeDataDeliveryS3Config":{"bucketName":"large-data"}},"s3Config":{"bucketName":"log-files"}}}`
	trustsUs   = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"bedrock.amazonaws.com"},"Action":"sts:AssumeRole"}}`
	bucketRule = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"bedrock.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::%s/*"}}`
)

// logEverything sets the account's invocation logs up: a log group, a bucket
// for large data and one for log files.
func (s *Server) logEverything(t *testing.T) {
	t.Helper()
	for _, call := range [][]string{
		{"CreateRole", "RoleName", "logger", "AssumeRolePolicyDocument", trustsUs},
		{"PutRolePolicy", "RoleName", "logger", "PolicyName", "all", "PolicyDocument", mayAll},
	} {
		if status, answer := s.iam(t, s.admin(), call[0], call[1:]...); status != 200 {
			t.Fatalf("%s: %d %s", call[0], status, answer)
		}
	}
	s.json(t, "logs", "Logs_20140328.CreateLogGroup", `{"logGroupName":"`+testGroup+`"}`, nil)
	for _, name := range []string{"large-data", "log-files"} {
		if err := s.engines.folder.CreateBucket(objects.Bucket{Name: name, Account: testAccount, Region: testRegion, Policy: fmt.Sprintf(bucketRule, name)}); err != nil {
			t.Fatal(err)
		}
	}
	if status, answer := send(t, s.signed(t, s.admin(), "bedrock", "PUT", "/logging/modelinvocations", http.Header{"Content-Type": {"application/json"}}, loggingTo)); status != 200 {
		t.Fatalf("put logging: %d %s", status, answer)
	}
}

// says makes a call that answers with a status.
func (s *Server) says(t *testing.T, body string, want int) {
	t.Helper()
	r := s.signed(t, s.admin(), "bedrock", "POST", "/model/"+url.PathEscape(geoProfile)+"/converse", http.Header{"Content-Type": {"application/json"}}, body)
	if status, answer := send(t, r); status != want {
		t.Fatalf("the call: %d %s, want %d", status, answer, want)
	}
}

func startLogging(t *testing.T) *Server {
	t.Helper()
	s := start(t, Config{Logging: LoggingConfig{FlushLogs: strictyaml.Duration(20 * time.Millisecond), FlushS3: strictyaml.Duration(20 * time.Millisecond)}})
	s.logEverything(t)
	return s
}

// Promise: CloudWatch tells what became of the invocation logs under AWS's
// names and without dimensions, alarms on it fire, and once the destination is
// back nothing is missing.
func TestDeliveriesOfLogsShowInCloudWatch(t *testing.T) {
	s := startLogging(t)
	in := func(name string) float64 { return s.metric(t, metrics.Namespace, name, "Sum") }
	large := `{"messages":[{"role":"user","content":[{"text":"` + strings.Repeat("large ", 30_000) + `"}]}]}`
	s.says(t, hello, 200)
	s.says(t, large, 200)
	soon(t, "both calls are delivered", func() bool {
		return in(metrics.LogsToCloudWatch) == 2 && in(metrics.LogsToS3) == 2 && in(metrics.LargeDataToS3) == 2 // the body goes beside the line, and beside the file
	})
	for _, name := range []string{metrics.LogsToCloudWatchFailed, metrics.LogsToS3Failed, metrics.LargeDataToS3Failed} {
		if n := in(name); n != -1 {
			t.Errorf("%s = %v before anything failed", name, n)
		}
	}

	logsFail, filesFail, largeFail := s.watched(t, metrics.Namespace, metrics.LogsToCloudWatchFailed), s.watched(t, metrics.Namespace, metrics.LogsToS3Failed), s.watched(t, metrics.Namespace, metrics.LargeDataToS3Failed)
	s.empty(t, "large-data", "log-files")
	s.says(t, large, 200)
	soon(t, "buckets that are gone show", func() bool { return in(metrics.LogsToS3Failed) >= 1 && in(metrics.LargeDataToS3Failed) >= 1 })
	s.json(t, "logs", "Logs_20140328.DeleteLogGroup", `{"logGroupName":"`+testGroup+`"}`, nil)
	s.says(t, hello, 200)
	soon(t, "a log group that is gone shows", func() bool { return in(metrics.LogsToCloudWatchFailed) >= 1 })
	s.fires(t, logsFail, metrics.LogsToCloudWatchFailed)
	s.fires(t, filesFail, metrics.LogsToS3Failed)
	s.fires(t, largeFail, metrics.LargeDataToS3Failed)

	for _, name := range []string{"large-data", "log-files"} {
		if err := s.engines.folder.CreateBucket(objects.Bucket{Name: name, Account: testAccount, Region: testRegion, Policy: fmt.Sprintf(bucketRule, name)}); err != nil {
			t.Fatal(err)
		}
	}
	soon(t, "what waited for its bucket arrives", func() bool { return in(metrics.LogsToS3) == 4 })
}

// empty takes buckets and all that is in them away.
func (s *Server) empty(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		for o, err := range s.engines.folder.List(t.Context(), name, "") {
			if err == nil {
				err = s.engines.folder.Delete(t.Context(), name, o.Key)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := s.engines.folder.DeleteBucket(name); err != nil {
			t.Fatal(err)
		}
	}
}

// Promise: a record that is gone makes the audit's metric 1, and an alarm fires.
func TestTheAuditShowsInCloudWatch(t *testing.T) {
	s := start(t, Config{})
	lane := metrics.Lane{Account: testAccount, Region: testRegion, Namespace: metrics.OwnNamespace}
	audit := func(ctx context.Context) {
		if err := s.engines.ledger.Sync(ctx); err != nil {
			t.Fatal(err)
		}
		s.engines.watch.Check(ctx, time.Now().Add(-2*time.Hour), time.Now().Add(time.Minute))
		s.engines.tellAudit(lane)
	}
	for range 3 {
		s.says(t, hello, 200)
	}
	audit(t.Context())
	if n := s.metric(t, metrics.OwnNamespace, metrics.UsageAuditDifferent, "Maximum"); n != 0 {
		t.Errorf("UsageAuditDifferent = %v after an equal audit", n)
	}
	told := s.watched(t, metrics.OwnNamespace, metrics.UsageAuditDifferent)
	db, err := sql.Open("sqlite", filepath.Join(s.config.DataDir, "outcrop.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `DELETE FROM usage_records WHERE seq = 2`); err != nil {
		t.Fatal(err)
	}
	audit(t.Context())
	if n := s.metric(t, metrics.OwnNamespace, metrics.UsageAuditDifferent, "Maximum"); n != 1 {
		t.Errorf("UsageAuditDifferent = %v once a record is gone", n)
	}
	if n := s.metric(t, metrics.OwnNamespace, metrics.UsageAuditFailed, "Maximum"); n != 0 {
		t.Errorf("UsageAuditFailed = %v of audits that came to a verdict", n)
	}
	s.fires(t, told, metrics.UsageAuditDifferent)
}

// Promise: nobody but Outcrop and AWS's own services writes these namespaces.
func TestNamespacesOfOthersAreNotPutInto(t *testing.T) {
	s := start(t, Config{})
	for namespace, want := range map[string]string{
		"Outcrop": "Outcrop keeps metrics of its own there", "AWS/Bedrock": "Namespaces that begin with AWS/ are reserved",
		"AWS/Lambda": "reserved", "AWS/Bedrock/Guardrails": "reserved",
	} {
		status, answer := s.json(t, "monitoring", "GraniteServiceVersion20100801.PutMetricData",
			`{"Namespace":"`+namespace+`","MetricData":[{"MetricName":"Invocations","Value":1}]}`, nil)
		if status != 400 || !strings.Contains(answer, "InvalidParameterValue") || !strings.Contains(answer, want) {
			t.Errorf("into %s: %d %s", namespace, status, answer)
		}
	}
}

// Promise: a picture counts by its size and steps, and a call of a model with
// several context windows by its window, in CloudWatch and in the logs.
func TestPicturesAndWindowsShow(t *testing.T) {
	s := startLogging(t)
	header := http.Header{"Content-Type": {"application/json"}}
	if status, answer := send(t, s.signed(t, s.admin(), "bedrock", "POST", "/model/amazon.nova-canvas-v1:0/invoke", header,
		`{"taskType":"TEXT_IMAGE","textToImageParams":{"text":"a hill"},"imageGenerationConfig":{"numberOfImages":2,"width":512,"height":768,"quality":"premium"}}`)); status != 200 {
		t.Fatalf("a picture: %d %s", status, answer)
	}
	const claude = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
	if status, answer := send(t, s.signed(t, s.admin(), "bedrock", "POST", "/model/"+url.PathEscape(claude)+"/converse", header.Clone(), hello)); status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	var listed struct {
		Metrics []struct {
			MetricName string
			Dimensions []struct{ Name, Value string }
		}
	}
	s.json(t, "monitoring", "GraniteServiceVersion20100801.ListMetrics", `{"Namespace":"AWS/Bedrock"}`, &listed)
	have := map[string]bool{}
	for _, m := range listed.Metrics {
		have[fmt.Sprint(m.MetricName, m.Dimensions)] = true
	}
	for _, want := range []string{
		"OutputImageCount[{BucketedStepSize 150} {ImageSize 512x768} {ModelId amazon.nova-canvas-v1:0}]",
		"OutputImageCount[{ModelId amazon.nova-canvas-v1:0}]",
		"InputTokenCount[{ContextWindow 200K} {ModelId " + claude + "}]",
	} {
		if !have[want] {
			t.Errorf("no %s among %v", want, have)
		}
	}
	long := outcrop.UsageRecord{Model: outcrop.ModelID(strings.TrimPrefix(claude, "us.")), Geography: "us", Region: testRegion, Started: time.Now()}
	long.Usage.Set(outcrop.InputTokens, 150_000)
	long.Usage.Set(outcrop.CacheReadTokens, 60_000)
	if got := s.engines.window(&long); got != "1M" {
		t.Errorf("210,000 tokens of input are in the window %q, want 1M", got)
	}
	var found struct{ Events []struct{ Message string } }
	soon(t, "both calls are logged", func() bool {
		s.json(t, "logs", "Logs_20140328.FilterLogEvents", `{"logGroupName":"`+testGroup+`","filterPattern":"{ $.output.outputImageWidth = 512 && $.output.outputImageHeight = 768 && $.output.outputImageBucketedStepSize = 150 }"}`, &found)
		return len(found.Events) == 1
	})
}

func TestWindowsAreWrittenAsPeopleSayThem(t *testing.T) {
	for n, want := range map[outcrop.Tokens]string{200_000: "200K", 272_000: "272K", 1_000_000: "1M", 1_050_000: "1M", 199_999: "200K"} {
		if got := thousands(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}

// Promise: readiness is about now. A loss shows for five minutes, and turning
// logging off is none.
func TestALossOfLogsHeals(t *testing.T) {
	now := time.Now()
	lost := invocationlog.Stats{Dropped: map[string]int64{"queue full": 3}, LastLost: now.Add(-time.Minute), LostWhy: "queue full"}
	if v := logsVital(lost, now); v.OK || !strings.Contains(v.Detail, "queue full") || !strings.Contains(v.Detail, "3 dropped") {
		t.Errorf("a minute after a loss: %+v", v)
	}
	if v := logsVital(lost, now.Add(lossHeals)); !v.OK || !strings.Contains(v.Detail, "3 dropped since the start") {
		t.Errorf("later: %+v", v)
	}
	if v := logsVital(invocationlog.Stats{Dropped: map[string]int64{"logging was turned off": 1}}, now); !v.OK {
		t.Errorf("turned off: %+v", v)
	}
}

// Promise: a call that its caller may make and that is refused as invalid is
// logged with its error; one that the caller may not make is not.
func TestRefusalsAreLoggedAfterAuthorisation(t *testing.T) {
	s := startLogging(t)
	nobody := s.user(t, "nobody", "")
	const backwards = `{"messages":[{"role":"robot","content":[{"text":"me first"}]}]}`
	path, header := "/model/"+url.PathEscape(geoProfile)+"/converse", http.Header{"Content-Type": {"application/json"}}
	for _, body := range []string{hello, backwards} {
		if status, answer := send(t, s.signed(t, nobody, "bedrock", "POST", path, header.Clone(), body)); status/100 != 4 {
			t.Fatalf("nobody's call: %d %s", status, answer)
		}
	}
	s.says(t, backwards, 400)
	s.says(t, hello, 200)
	var found struct{ Events []struct{ Message string } }
	soon(t, "two lines are there", func() bool {
		s.json(t, "logs", "Logs_20140328.FilterLogEvents", `{"logGroupName":"`+testGroup+`"}`, &found)
		return len(found.Events) >= 2
	})
	refused := found.Events[0].Message
	for _, want := range []string{`"errorCode":"ValidationException"`, `"inputBodyJson":{"messages":[{"role":"robot"`, `"operation":"Converse"`, `:user/admin"`} {
		if !strings.Contains(refused, want) {
			t.Errorf("%s lacks %s", refused, want)
		}
	}
	if len(found.Events) != 2 || strings.Contains(refused, `"output"`) || strings.Contains(found.Events[1].Message, "errorCode") {
		t.Errorf("%d lines: %v", len(found.Events), found.Events)
	}
	if n := len(records(t, s)); n != 1 {
		t.Errorf("%d records of usage, want 1: a refusal is none", n)
	}
}
