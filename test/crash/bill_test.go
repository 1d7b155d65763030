package crash

import (
	"maps"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"outcrop"
)

// bill asks Cost Explorer for the tokens of each team, in a life without other
// calls. The key "" is usage without the tag.
func (w *world) bill(t *testing.T) map[string]outcrop.Tokens {
	server := w.start(t)
	admin, err := server.Client(http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	type m = map[string]any
	activate := m{"CostAllocationTagsStatus": []m{{"TagKey": team, "Status": "Active"}}}
	var activated struct{ Errors []any }
	if err := admin.CostExplorer(t.Context(), "UpdateCostAllocationTagsStatus", activate, &activated); err != nil || len(activated.Errors) > 0 {
		t.Fatal(err, activated.Errors)
	}
	today := time.Now().UTC()
	question := m{
		"TimePeriod":  m{"Start": today.AddDate(0, 0, -1).Format(time.DateOnly), "End": today.AddDate(0, 0, 1).Format(time.DateOnly)},
		"Granularity": "DAILY", "Metrics": []string{"UsageQuantity"}, "GroupBy": []m{{"Type": "TAG", "Key": team}},
	}
	var answer costs
	if err := admin.CostExplorer(t.Context(), "GetCostAndUsage", question, &answer); err != nil {
		t.Fatal(err)
	}
	if err := server.Stop(); err != nil {
		t.Error(err)
	}
	return answer.tokens(t)
}

// costs is the part of GetCostAndUsage's answer that is read.
type costs struct {
	ResultsByTime []struct {
		Groups []struct {
			Keys    []string
			Metrics struct{ UsageQuantity struct{ Amount string } }
		}
	}
}

func (c *costs) tokens(t *testing.T) map[string]outcrop.Tokens {
	sums := map[string]outcrop.Tokens{}
	for _, day := range c.ResultsByTime {
		for _, g := range day.Groups {
			thousands, ok := new(big.Rat).SetString(g.Metrics.UsageQuantity.Amount)
			if !ok || len(g.Keys) != 1 {
				t.Fatalf("no amount or no key in %+v", g)
			}
			tokens := thousands.Mul(thousands, big.NewRat(1000, 1))
			if !tokens.IsInt() {
				t.Errorf("%s: %s thousand tokens is no whole number of tokens", g.Keys[0], g.Metrics.UsageQuantity.Amount)
			}
			sums[strings.TrimPrefix(g.Keys[0], team+"$")] += outcrop.Tokens(tokens.Num().Uint64())
		}
	}
	return sums
}

// bill holds Cost Explorer's sums against the records'.
func (c *count) bill(got map[string]outcrop.Tokens, records []outcrop.UsageRecord) {
	want := map[string]outcrop.Tokens{}
	for i := range records {
		want[records[i].Tags[team]] += records[i].Usage.Total()
	}
	if !maps.Equal(got, want) {
		c.complain("Cost Explorer adds up to %v, the records to %v", got, want)
	}
	c.t.Logf("tokens by team in records and in Cost Explorer: %v", want)
}
