package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func rowsOf(t *testing.T, id, prices string) []string {
	t.Helper()
	var m model
	if err := json.Unmarshal([]byte(`{"modelId":"`+id+`","prices":[`+prices+`]}`), &m); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range priceRows(m) {
		out = append(out, r.scope+" "+strings.TrimRight(strings.Join(r.cells(), ","), ",")+" "+r.source)
	}
	return out
}

const (
	litellm = `,"source":"LiteLLM table","date":"2026-08-01"}`
	modelsd = `,"source":"models.dev providers","date":"2026-07-02"}`
	card    = `,"source":"AWS Bedrock User Guide model card","date":"2026-10"}`
)

func TestPriceRows(t *testing.T) {
	for _, c := range []struct {
		name, id, prices string
		want             []string
	}{
		{"the nearer source wins, in any order", "x.y",
			`{"scope":"in-region","input":0.049999999999999996,"output":1` + modelsd + `,{"scope":"in-region (default Region price)","input":0.09,"output":1.0` + litellm,
			[]string{"in-region 0.09,1 litellm-2026-08-01"}},
		{"the lesser completes one that agrees", "x.y",
			`{"scope":"in-region","input":1,"output":2` + litellm + `,{"scope":"in-region","input":1,"output":2,"cacheRead":0.25` + modelsd,
			[]string{"in-region 1,2,0.25 litellm-2026-08-01"}},
		{"binary fractions become decimals again", "x.y", `{"scope":"us.","input":0.049999999999999996,"output":0.09999999999999999` + modelsd,
			[]string{"us 0.05,0.1 models-dev-2026-07-02"}},
		{"nothing is not a price", "x.y", `{"scope":"in-region","input":0.1,"output":0.0` + litellm, []string{"in-region 0.1 litellm-2026-08-01"}},
		{"priced by image", "x.y", `{"scope":"in-region","input":null,"output":null,"perImage":0.04` + litellm, nil},
		{"a tenth more in a geography", "anthropic.claude-opus-4-5-20251101-v1:0",
			`{"scope":"global.","input":5,"output":25` + litellm + `,{"scope":"eu.","input":5,"output":25` + litellm,
			[]string{"eu 5.5,27.5 litellm-2026-08-01", "geo 5.5,27.5 litellm-2026-08-01", "global 5,25 litellm-2026-08-01", "in-region 5.5,27.5 litellm-2026-08-01"}},
		{"long requests", "openai.gpt-5.6-luna", `{"scope":"global","input":0.2,"output":1.2,"cacheWrite30m":0.25,"longContext":{"thresholdInputTokens":272000}` + card,
			[]string{"geo 0.22,1.32,,0.275,,272000,0.44,1.98,,0.55 model-card-2026-10", "global 0.2,1.2,,0.25,,272000,0.4,1.8,,0.5 model-card-2026-10",
				"in-region 0.22,1.32,,0.275,,272000,0.44,1.98,,0.55 model-card-2026-10"}},
		{"a slip of unit", "twelvelabs.marengo-embed-2-7-v1:0", `{"scope":"us.","input":70.0,"output":0.0` + litellm, []string{"us 0.07 litellm-2026-08-01"}},
		{"another model's price", "anthropic.claude-3-5-haiku-20241022-v1:0", `{"scope":"eu.","input":0.25,"output":1.25` + litellm, nil},
		{"Nova caches", "amazon.nova-lite-v1:0", `{"scope":"eu.","input":0.078,"output":0.312` + litellm, []string{"eu 0.078,0.312,0.0195,free litellm-2026-08-01"}},
		{"a Region", "x.y", `{"scope":"in-region","region":"eu-west-2","input":0.78,"output":1.86` + litellm, []string{"@eu-west-2 0.78,1.86 litellm-2026-08-01"}},
	} {
		if got := rowsOf(t, c.id, c.prices); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}

func TestDescriptionsThatFollowTheTemplateAreLeftOut(t *testing.T) {
	f := profileFile{Profiles: []profile{{ProfileID: "us.a.b", ModelID: "a.b", Name: "US A B", Geo: "us", Sources: map[string]source{
		"r-1": {Destinations: []string{"r-1", "r-2", "r-3"}, Description: "Routes requests to A B in r-1, r-2 and r-3."},
		"r-2": {Destinations: []string{"r-1", "r-2"}, Description: "Routes requests to A B in r-2 and r-1."},
	}}}}
	for i, want := range []string{"-", "Routes requests to A B in r-2 and r-1."} {
		if got := sourceTable(f).rows[i][7]; got != want {
			t.Errorf("row %d: description %q, want %q", i, got, want)
		}
	}
	if got := profileTable(f).rows[0][3]; got != "A B" {
		t.Errorf("label %q", got)
	}
}
