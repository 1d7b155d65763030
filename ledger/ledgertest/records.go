package ledgertest

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"outcrop"
)

// Record is a full record of about the size that real ones have.
func Record(n int) outcrop.UsageRecord {
	start := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(n) * 1234567)
	r := outcrop.UsageRecord{
		Invocation: outcrop.InvocationID(fmt.Sprintf("%08x-1d2c-4f7a-9b00-%012x", uint32(n)*2654435761, n)),
		Operation:  outcrop.OpConverseStream, Account: "123456789012", Principal: "arn:aws:iam::123456789012:user/admin",
		AccessKey: "AKIAIOSFODNN7EXAMPLE", SDKAttempt: "0d1f52a7-7d2f-4a2e-8a53-6f3c2f1a9b11",
		Started: start, FirstByte: start.Add(180 * time.Millisecond), Ended: start.Add(2 * time.Second),
		Region: "us-east-1", ServedIn: "us-west-2", Upstream: "simulator", Attempts: 1,
		ModelRef:  "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdef123456",
		MetricID:  "abcdef123456",
		Profile:   "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdef123456",
		Model:     "amazon.nova-lite-v1:0",
		Geography: "us", Tags: outcrop.Tags{"team": "blue", "project": "app01"},
		Quote:   outcrop.Quote{Price: "bedrock-2026-10#amazon.nova-lite-v1:0/us"},
		Outcome: outcrop.Outcome{Status: 200, StopReason: "end_turn"},
	}
	r.Usage.Set(outcrop.InputTokens, outcrop.Tokens(1000+n))
	r.Usage.Set(outcrop.OutputTokens, outcrop.Tokens(n))
	r.Quote.Rates.Set(outcrop.InputTokens, 60_000)
	r.Quote.Rates.Set(outcrop.OutputTokens, 240_000)
	return r
}

// Records draws any record that a ledger can be given.
func Records() *rapid.Generator[outcrop.UsageRecord] {
	return rapid.Custom(func(t *rapid.T) outcrop.UsageRecord {
		text := func(name string) string { return rapid.OneOf(rapid.Just(""), rapid.StringN(1, 20, 80)).Draw(t, name) }
		r := outcrop.UsageRecord{
			Invocation: outcrop.InvocationID(rapid.StringN(1, 40, 80).Draw(t, "invocation")),
			Operation:  outcrop.Operation(text("operation")), Account: outcrop.AccountID(text("account")),
			Principal: outcrop.ARN(text("principal")), AccessKey: text("key"), SDKAttempt: text("sdk"),
			Started: instant(t), FirstByte: instant(t), Ended: instant(t),
			Region: outcrop.Region(text("region")), ServedIn: outcrop.Region(text("served")), Upstream: text("upstream"),
			Attempts: rapid.Int().Draw(t, "attempts"), ModelRef: text("ref"), MetricID: text("metric"),
			Profile: outcrop.ARN(text("profile")), Model: outcrop.ModelID(text("model")), Geography: outcrop.Geography(text("geo")),
			Quote: outcrop.Quote{Price: text("price")},
			Tags:  outcrop.Tags(texts(t)), RequestMetadata: texts(t), ServiceTier: text("tier"),
			TierAsked: text("asked"), Latency: text("latency"), LatencyAsked: text("latency asked"), SessionTags: outcrop.Tags(texts(t)),
			UpstreamRequest: text("theirs"), QuotaTokens: outcrop.Tokens(rapid.Uint64().Draw(t, "quota")), Binding: text("binding"), Guardrail: text("guardrail"),
			ImageSize: text("size"), ImageSteps: rapid.Int().Draw(t, "steps"),
			Outcome: outcrop.Outcome{Status: rapid.Int().Draw(t, "status"), Error: text("error"), StopReason: text("stop"),
				HungUp: rapid.Bool().Draw(t, "hungup"), Recovered: rapid.Bool().Draw(t, "recovered")},
		}
		r.Usage.Estimated = rapid.Bool().Draw(t, "estimated")
		kinds(t, &r.Usage.PerKind)
		kinds(t, &r.Quote.Rates)
		return r
	})
}

func instant(t *rapid.T) time.Time {
	if rapid.Bool().Draw(t, "known") {
		return time.Time{}
	}
	return time.Unix(0, rapid.Int64().Draw(t, "time")).UTC()
}

func texts(t *rapid.T) map[string]string {
	m := rapid.MapOfN(rapid.String(), rapid.String(), 0, 5).Draw(t, "map")
	if len(m) == 0 {
		return nil
	}
	return m
}

func kinds[N ~uint64](t *rapid.T, p *outcrop.PerKind[N]) {
	for k := range outcrop.Kinds() {
		if rapid.Bool().Draw(t, "has") {
			p.Set(k, N(rapid.Uint64().Draw(t, "n")))
		}
	}
}
