package server

import (
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/gateway"
	"outcrop/internal/strictyaml"
)

// A Region that is slow to begin is not waited for, though what it and the next
// one say goes through as it came: the client hears the one that began first,
// and the other is in the ledger as what it cost.
func TestAForwardedCallIsHedged(t *testing.T) {
	t.Parallel()
	behind := start(t, Config{Upstreams: map[string]UpstreamConfig{"simulator": {
		Kind: "simulator", Faults: []FaultConfig{{Script: "slow=60s", Region: testRegion}},
	}}})
	keys := behind.admin()
	for _, operation := range []string{"converse", "converse-stream", "invoke", "invoke-with-response-stream"} {
		front := start(t, Config{
			Routing: RoutingConfig{Hedge: strictyaml.Duration(100 * time.Millisecond)},
			Upstreams: map[string]UpstreamConfig{"aws": {
				Kind: "bedrock", BaseURL: behind.Endpoint(), Regions: []outcrop.Region{testRegion, "us-west-2"},
				Credentials: BedrockCredentials{AccessKeyID: keys.AccessKey, SecretAccessKey: keys.Secret},
			}},
		})
		body := `{"messages":[{"role":"user","content":[{"text":"Hello"}]}]}`
		if strings.HasPrefix(operation, "invoke") {
			body = `{"anthropic_version":"bedrock-2023-05-31","max_tokens":100,"messages":[{"role":"user","content":"Hello"}]}`
		}
		began := time.Now()
		status, answer := send(t, front.signed(t, front.admin(), "bedrock", "POST", "/model/us."+claude+"/"+operation, jsonHeader(), body))
		if took := time.Since(began); status != 200 || answer == "" || took > 30*time.Second {
			t.Fatalf("%s: %d %s after %s", operation, status, answer, took)
		}
		records := recordsOf(t, front)
		if len(records) != 2 {
			t.Fatalf("%s: %d records, want the answer and the attempt that lost", operation, len(records))
		}
		lost, won := records[0], records[1]
		if won.Outcome.Status != 200 || won.ServedIn != "us-west-2" || won.Attempts != 2 || won.Usage.Estimated || won.UpstreamRequest == "" {
			t.Errorf("%s: the answer's record: %+v", operation, won)
		}
		if lost.Outcome.Status != 499 || lost.ServedIn != testRegion || lost.RequestMetadata[gateway.HedgeKey] != string(won.Invocation) {
			t.Errorf("%s: the lost attempt's record: %+v", operation, lost)
		}
	}
}
