package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"time"

	"outcrop"
	"outcrop/cost"
	"outcrop/sqlite"
)

// The records of a company: some hundred profiles over thirty days.
const (
	profiles = 200
	period   = 30 * 24 * time.Hour
	batch    = 2000 // as the ledger drains under load
)

var firstDay = time.Date(2026, 10, 29, 0, 0, 0, 0, time.UTC)

// fill appends records as the drain does.
func fill(ctx context.Context, u *sqlite.Usage, n int) error {
	rng := rand.New(rand.NewPCG(1, 2))
	shapes := make([]outcrop.UsageRecord, profiles)
	for i := range shapes {
		shapes[i] = shapeOf(i)
	}
	list := make([]outcrop.UsageRecord, 0, batch)
	for seq := 1; seq <= n; seq++ {
		list = append(list, recordOf(rng, &shapes[rng.IntN(profiles)], seq, n))
		if len(list) == batch || seq == n {
			if err := u.Append(ctx, list, outcrop.Seq(seq)); err != nil {
				return err
			}
			list = list[:0]
		}
	}
	return nil
}

func shapeOf(i int) outcrop.UsageRecord {
	id := fmt.Sprintf("%012x", uint64(i+1)*0x9e3779b97f)
	arn := outcrop.ApplicationProfileARN("us-east-1", "123456789012", id)
	r := outcrop.UsageRecord{
		Operation: []outcrop.Operation{outcrop.OpConverseStream, outcrop.OpConverse, outcrop.OpInvokeModelStream}[i%3], Account: "123456789012",
		Principal: outcrop.ARN(fmt.Sprintf("arn:aws:iam::123456789012:user/team-%d", i%40)), AccessKey: "AKIAIOSFODNN7EXAMPLE",
		Region: "us-east-1", ServedIn: []outcrop.Region{"us-east-1", "us-east-2", "us-west-2"}[i%3], Upstream: "aws", Attempts: 1,
		ModelRef: string(arn), MetricID: id, Profile: arn, Model: "anthropic.claude-sonnet-4-5-20250929-v1:0", Geography: "us",
		Tags:  outcrop.Tags{"team": fmt.Sprintf("team-%d", i%40), "project": fmt.Sprintf("app%02d", i)},
		Quote: outcrop.Quote{Price: "bedrock-2026-10#anthropic.claude-sonnet-4-5-20250929-v1:0/us"},
	}
	for kind, rate := range map[outcrop.TokenKind]outcrop.Rate{outcrop.InputTokens: 3_300_000, outcrop.OutputTokens: 16_500_000, outcrop.CacheReadTokens: 330_000, outcrop.CacheWrite5mTokens: 4_125_000} {
		r.Quote.Rates.Set(kind, rate)
	}
	return r
}

func recordOf(rng *rand.Rand, shape *outcrop.UsageRecord, seq, n int) outcrop.UsageRecord {
	r := *shape
	r.Seq = outcrop.Seq(seq)
	r.Started = firstDay.Add(time.Duration(float64(period) * float64(seq) / float64(n))).Add(-time.Duration(rng.IntN(5000)) * time.Millisecond)
	r.FirstByte = r.Started.Add(time.Duration(200+rng.IntN(900)) * time.Millisecond)
	r.Ended = r.FirstByte.Add(time.Duration(rng.IntN(9000)) * time.Millisecond)
	r.Invocation = idAt(rng, r.Started)
	r.SDKAttempt, r.UpstreamRequest = string(idAt(rng, time.Unix(0, rng.Int64()))), string(idAt(rng, r.FirstByte))
	r.Usage.Set(outcrop.InputTokens, outcrop.Tokens(50+rng.IntN(4000)))
	r.Usage.Set(outcrop.OutputTokens, outcrop.Tokens(1+rng.IntN(1500)))
	r.Usage.Set(outcrop.CacheReadTokens, outcrop.Tokens(rng.IntN(20)*500))
	r.Usage.Set(outcrop.CacheWrite5mTokens, outcrop.Tokens(rng.IntN(2)*800))
	r.Outcome = outcrop.Outcome{Status: 200, StopReason: "end_turn"}
	return r
}

// idAt is an id as the door mints it: the time, then chance.
func idAt(rng *rand.Rand, at time.Time) outcrop.InvocationID {
	ms, a, b := uint64(at.UnixMilli())&(1<<48-1), rng.Uint64(), rng.Uint64()
	return outcrop.InvocationID(fmt.Sprintf("%08x-%04x-7%03x-a%03x-%012x", ms>>16, ms&0xffff, a&0xfff, a>>12&0xfff, b&(1<<48-1)))
}

// answers are what a person may ask, as text to compare.
func (f *folds) answers(ctx context.Context) (string, error) {
	totals, err := f.costs.Totals(ctx)
	if err != nil {
		return "", err
	}
	days := cost.Period{Start: firstDay.AddDate(0, 0, -1), End: firstDay.AddDate(0, 0, 31)}
	answer, err := f.costs.Ask(ctx, "123456789012", cost.Query{
		Period: days, Granularity: "DAILY", GroupBy: []cost.Grouping{{Type: cost.ByDimension, Key: "USAGE_TYPE"}}, Metrics: []cost.Metric{cost.UnblendedCost, cost.UsageQuantity},
	})
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("%d records, %d tokens, digest of a month by day and usage type %s", totals.Records, totals.Tokens, digest(answer.Results))
	if f.meters == nil {
		return text, nil
	}
	n, err := f.meters.Counted(ctx, days.Start, days.End)
	return fmt.Sprintf("%s, %d metric samples", text, n), err
}

// digest is what an answer comes to, in a few letters.
func digest(results []cost.Result) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v", results))
	return hex.EncodeToString(sum[:6])
}
