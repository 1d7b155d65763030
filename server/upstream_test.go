package server

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/internal/eventstream"
)

const claude = "anthropic.claude-sonnet-4-5-20250929-v1:0"

// startInFront starts two servers, the first of which calls the second as
// Bedrock in a Region.
func startInFront(t *testing.T, region outcrop.Region) (front, behind *Server) {
	t.Helper()
	behind = start(t, Config{})
	keys := behind.admin()
	return start(t, Config{Upstreams: map[string]UpstreamConfig{"aws": {
		Kind: "bedrock", BaseURL: behind.Endpoint(), Regions: []outcrop.Region{region},
		Credentials: BedrockCredentials{AccessKeyID: keys.AccessKey, SecretAccessKey: keys.Secret},
	}}}), behind
}

// A call on a tagged profile in front is one on a system-defined profile
// behind, in the same Region, and costs what it costs on the profile's tag.
func TestOutcropInFrontOfOutcrop(t *testing.T) {
	front, behind := startInFront(t, "us-west-2")
	source := "arn:aws:bedrock:us-east-1:" + string(testAccount) + ":inference-profile/us." + claude
	status, answer := send(t, front.signed(t, front.admin(), "bedrock", "POST", "/inference-profiles", jsonHeader(),
		`{"inferenceProfileName":"chat","modelSource":{"copyFrom":"`+source+`"},"tags":[{"key":"team","value":"blue"}]}`))
	_, rest, _ := strings.Cut(answer, `"inferenceProfileArn":"`)
	profile, _, _ := strings.Cut(rest, `"`)
	if status/100 != 2 || profile == "" {
		t.Fatalf("create profile: %d %s", status, answer)
	}
	status, answer = sendRaw(t, front.signed(t, front.admin(), "bedrock", "POST", "/model/"+url.PathEscape(profile)+"/converse-stream", jsonHeader(), `{"messages":[{"role":"user","content":[{"text":"Hello"}]}]}`))
	if status != 200 {
		t.Fatalf("converse-stream: %d %s", status, answer)
	}
	usage := usageOf(t, answer)
	there, here := only(t, behind), only(t, front)
	if here.ServedIn != "us-west-2" || there.Region != "us-west-2" || there.ServedIn != "us-west-2" || here.Region != testRegion {
		t.Errorf("called in %s and sent to %s; arrived in %s, served in %s; want us-east-1, then us-west-2", here.Region, here.ServedIn, there.Region, there.ServedIn)
	}
	if there.ModelRef != "us."+claude || there.SDKAttempt != string(here.Invocation) {
		t.Errorf("behind, %s was called by attempt %s; want us.%s by %s", there.ModelRef, there.SDKAttempt, claude, here.Invocation)
	}
	if here.Tags["team"] != "blue" || string(here.Profile) != profile || here.Quote.Price == "" {
		t.Errorf("in front, tags %v of %s at price %q; want team blue of %s at a price", here.Tags, here.Profile, here.Quote.Price, profile)
	}
	if got := converse.UsageOf(here.Usage); got.TotalTokens != usage.TotalTokens || here.Usage.Estimated || here.Usage.Total() != there.Usage.Total() {
		t.Errorf("the client was told %d tokens, in front %d, behind %d", usage.TotalTokens, got.TotalTokens, there.Usage.Total())
	}
	checkBill(t, front)
}

func jsonHeader() http.Header { return http.Header{"Content-Type": {"application/json"}} }

// usageOf is what the stream's last event tells.
func usageOf(t *testing.T, stream string) *converse.TokenUsage {
	t.Helper()
	for decoder := eventstream.NewDecoder(strings.NewReader(stream)); ; {
		m, err := decoder.Next()
		if err != nil {
			t.Fatalf("no metadata: %v", err)
		}
		e, err := converse.DecodeEvent(m.Headers.Text(eventstream.EventType), bytes.Clone(m.Payload))
		if err != nil {
			t.Fatal(err)
		}
		if e.Metadata != nil {
			return e.Metadata.Usage
		}
	}
}

// only is the one record of a ledger.
func only(t *testing.T, s *Server) outcrop.UsageRecord {
	t.Helper()
	found := recordsOf(t, s)
	if len(found) != 1 {
		t.Fatalf("%d records, want one", len(found))
	}
	return found[0]
}

// recordsOf are the first ten records of a ledger.
func recordsOf(t *testing.T, s *Server) []outcrop.UsageRecord {
	t.Helper()
	if err := s.engines.ledger.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	found, err := s.engines.ledger.After(t.Context(), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func checkBill(t *testing.T, s *Server) {
	t.Helper()
	header := http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"AWSInsightsIndexService.UpdateCostAllocationTagsStatus"}}
	if status, answer := send(t, s.signed(t, s.admin(), "ce", "POST", "/", header, `{"CostAllocationTagsStatus":[{"TagKey":"team","Status":"Active"}]}`)); status != 200 {
		t.Fatalf("activate: %d %s", status, answer)
	}
	today := time.Now().UTC()
	header = http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"AWSInsightsIndexService.GetCostAndUsage"}}
	status, answer := send(t, s.signed(t, s.admin(), "ce", "POST", "/", header, `{"TimePeriod":{"Start":"`+today.AddDate(0, 0, -1).Format(time.DateOnly)+`","End":"`+today.AddDate(0, 0, 1).Format(time.DateOnly)+
		`"},"Granularity":"DAILY","Metrics":["UnblendedCost"],"GroupBy":[{"Type":"TAG","Key":"team"}]}`))
	if status != 200 || !strings.Contains(answer, "team$blue") || !strings.Contains(answer, `"Amount":"0.0`) {
		t.Errorf("cost: %d %s, want an amount on team$blue", status, answer)
	}
}

// Options that belong to another kind are refused instead of ignored.
func TestOptionsOfAnotherKindAreRefused(t *testing.T) {
	for name, u := range map[string]UpstreamConfig{
		"credentials of a simulator": {Kind: "simulator", Credentials: BedrockCredentials{Profile: "prod"}},
		"openai of a simulator":      {Kind: "simulator", OpenAI: OpenAIConfig{Tokenize: true}},
		"caFile of a simulator":      {Kind: "simulator", CAFile: "ca.pem"},
		"a bare apiKey of bedrock":   {Kind: "bedrock", APIKey: "key"},
		"headers of bedrock":         {Kind: "bedrock", Headers: map[string]string{"a": "b"}},
		"a baseURL of bedrock":       {Kind: "bedrock", BaseURL: "bedrock.example"},
	} {
		if err := u.check(); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if err := (&UpstreamConfig{Kind: "bedrock"}).check(); err != nil {
		t.Errorf("bedrock needs nothing: %v", err)
	}
}
