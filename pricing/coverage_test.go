package pricing

import (
	"os"
	"slices"
	"strings"
	"testing"

	"outcrop"
	"outcrop/internal/tsv"
)

// catalogTable walks a table of the catalogue; pricing does not import its
// package, but the two must fit.
func catalogTable(t *testing.T, name string, add func(tsv.Row)) {
	t.Helper()
	text, err := os.ReadFile("../catalog/data/" + name + ".tsv")
	if err != nil {
		t.Fatal(err)
	}
	if err := tsv.Read(name, string(text), func(r tsv.Row) error { add(r); return nil }); err != nil {
		t.Fatal(err)
	}
}

func pricedModels(b *Book) map[outcrop.ModelID]bool {
	priced := map[outcrop.ModelID]bool{}
	for k := range b.rows {
		priced[k.model] = true
	}
	return priced
}

// A model that has any price has one wherever it can be invoked, outside
// GovCloud, whose prices are known for some models only.
func TestPricedModelsArePricedWhereverTheyRun(t *testing.T) {
	b := book(t)
	priced := pricedModels(b)
	quotes := 0
	ask := func(id outcrop.ModelID, g outcrop.Geography, r outcrop.Region) {
		q := b.Quote(Query{Model: id, Geography: g, Region: r, At: noon})
		if !priced[id] {
			if q.Price != "" || q.Rates.Known() {
				t.Errorf("%s has no row and quotes %s", id, q.Price)
			}
			return
		}
		quotes++
		if q.Price == "" || !q.Rates.Known() {
			t.Errorf("%s %s in %s has no price", g, id, r)
		}
	}
	catalogTable(t, "models", func(row tsv.Row) {
		if slices.Contains(row.List("inferenceTypes"), "ON_DEMAND") {
			for _, r := range slices.Concat(row.List("regions"), row.List("formerRegions")) {
				ask(outcrop.ModelID(row.Get("model")), "", outcrop.Region(r))
			}
		}
	})
	catalogTable(t, "sources", func(row tsv.Row) {
		geo, model, _ := strings.Cut(row.Get("profile"), ".")
		if geo != "us-gov" {
			ask(outcrop.ModelID(model), outcrop.Geography(geo), outcrop.Region(row.Get("region")))
		}
	})
	if quotes < 1400 {
		t.Errorf("only %d quotes asked for", quotes)
	}
}

// Rows name models, Regions and geographies that exist.
func TestRowsNameWhatExists(t *testing.T) {
	models, regions, geographies := map[string]bool{}, map[string]bool{}, map[string]bool{}
	catalogTable(t, "models", func(r tsv.Row) { models[r.Get("model")] = true })
	catalogTable(t, "regions", func(r tsv.Row) { regions[r.Get("region")] = true })
	catalogTable(t, "profiles", func(r tsv.Row) { geo, _, _ := strings.Cut(r.Get("profile"), "."); geographies[geo] = true })
	for k, rows := range book(t).rows {
		if !models[string(k.model)] {
			t.Errorf("%s: no such model", rows[0].price)
		}
		if k.kind == oneRegion && !regions[k.scope] || k.kind == oneGeography && !geographies[k.scope] {
			t.Errorf("%s: no such scope", rows[0].price)
		}
	}
}

// Token prices are known for these; the others of reference/control-plane.md
// §2.4 are priced by image, second or query, or not at all.
func TestModelsWithoutATokenPrice(t *testing.T) {
	priced, unpriced := pricedModels(book(t)), []string{}
	catalogTable(t, "models", func(r tsv.Row) {
		id := outcrop.ModelID(r.Get("model"))
		onDemand := len(r.List("inferenceTypes")) > 0 && r.Get("inferenceTypes") != "PROVISIONED"
		if onDemand && !priced[id] && r.Get("provider") != "Stability AI" {
			unpriced = append(unpriced, string(id))
		}
	})
	want := []string{
		"amazon.nova-2-sonic-v1:0", "amazon.nova-canvas-v1:0", "amazon.nova-reel-v1:0", "amazon.nova-reel-v1:1", "amazon.nova-sonic-v1:0",
		"amazon.rerank-v1:0", "amazon.titan-image-generator-v2:0", "amazon.titan-tg1-large", "anthropic.claude-fable-5-1", "cohere.rerank-v3-5:0",
		"google.gemma-4-26b-a4b", "google.gemma-4-31b", "google.gemma-4-e2b", "luma.ray-v2:0", "twelvelabs.marengo-embed-3-0-v1:0",
		"writer.palmyra-vision-7b", "zai.glm-4.6",
	}
	if !slices.Equal(unpriced, want) {
		t.Errorf("without a price:\n got %v\nwant %v", unpriced, want)
	}
}
