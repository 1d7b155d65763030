package cost

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"pgregory.net/rapid"

	"outcrop"
)

// Property: in crowds or one by one, records come to the same.
func TestCrowdsChangeNothing(t *testing.T) {
	some := rapid.Custom(func(t *rapid.T) outcrop.UsageRecord {
		draw := func(name string, most int) int { return rapid.IntRange(0, most).Draw(t, name) }
		r := outcrop.UsageRecord{
			Account: outcrop.AccountID(fmt.Sprint(draw("account", 1))), Profile: outcrop.ARN(fmt.Sprint(draw("profile", 4))), Region: "us-east-1",
			ServiceTier: []string{"", "flex"}[draw("tier", 1)], Started: time.Unix(int64(draw("hour", 1))*3600, 0),
			Tags: []outcrop.Tags{nil, {"team": "a"}, {"team": "b"}}[draw("tags", 2)], Quote: outcrop.Quote{Price: []string{"p", "q"}[draw("price", 1)]},
		}
		r.Usage.Estimated = draw("estimated", 1) == 1
		for kind := range outcrop.TokenKinds {
			if draw("kind", 3) == 0 {
				r.Usage.Set(kind, []outcrop.Tokens{0, 1, 7, 300_000, maxTokensPerKind + 1}[draw("tokens", 4)])
			}
			if draw("rate", 3) == 0 {
				r.Quote.Rates.Set(kind, outcrop.Rate(draw("pico", 2)))
			}
		}
		return r
	})
	rapid.Check(t, func(t *rapid.T) {
		kinds := rapid.SliceOfN(some, 1, 2*maxCrowds).Draw(t, "kinds")
		records := rapid.SliceOfN(rapid.SampledFrom(kinds), 1, 60).Draw(t, "records")
		alone, crowded := newBatch(0), newBatch(0)
		for i := range records {
			records[i].Seq = outcrop.Seq(i + 1)
			alone.add(&records[i])
		}
		if err := crowded.fold(records); err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(alone.Rollups, crowded.Rollups) || !maps.Equal(alone.TagsUsed, crowded.TagsUsed) || alone.damaged != crowded.damaged {
			t.Fatalf("in crowds: %v, %v, %d damaged\none by one: %v, %v, %d damaged", crowded.Rollups, crowded.TagsUsed, crowded.damaged, alone.Rollups, alone.TagsUsed, alone.damaged)
		}
	})
}

// BenchmarkAlike folds what one caller does, in crowds and one by one.
func BenchmarkAlike(b *testing.B) {
	records := make([]outcrop.UsageRecord, 1000)
	for i := range records {
		r := &records[i]
		*r = outcrop.UsageRecord{
			Seq: outcrop.Seq(i + 1), Account: "123456789012", Region: "us-east-1", Model: "amazon.nova-lite-v1:0", Operation: outcrop.OpConverse,
			Profile:   "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/0123456789ab",
			Principal: "arn:aws:iam::123456789012:user/bench", Tags: outcrop.Tags{"team": "bench"}, Quote: outcrop.Quote{Price: "nova-lite"}, Started: time.Unix(1_800_000_000, 0),
		}
		r.Usage.Set(outcrop.InputTokens, 100)
		r.Usage.Set(outcrop.OutputTokens, 20)
	}
	b.Run("crowd", func(b *testing.B) {
		for b.Loop() {
			batch := newBatch(0)
			if err := batch.fold(records); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("alone", func(b *testing.B) {
		for b.Loop() {
			batch := newBatch(0)
			for i := range records {
				batch.add(&records[i])
			}
		}
	})
}
