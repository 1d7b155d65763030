package pricingapi

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"outcrop"
	"outcrop/catalog"
	"outcrop/cost"
	"outcrop/pricing"
)

// AWS's codes of on-demand terms and of what is paid by the hour or the unit.
const (
	onDemand      = "JRTCKXETXF"
	perQuantity   = "6YS6EN2CT7"
	productFamily = "Amazon Bedrock"
)

// attributeNames are the attributes that products have, in order.
var attributeNames = []string{
	"feature", "inferenceType", "location", "locationType", "model", "modelId", "operation", "priceName", "provider", "regionCode",
	"serviceTier", "servicecode", "servicename", "usagetype",
}

// A product is one usage type in one Region and its price.
type product struct {
	attributes map[string]string
	sku        string
	unit       string
	usd        string // for unit
	at         time.Time
}

// products lists everything that has a price. It is worked out again when the
// prices or the catalogue have changed, and now and then, because prices are
// dated.
func (a *API) products() []product {
	a.mu.Lock()
	defer a.mu.Unlock()
	book, models, now := a.Prices(), a.Catalog(), a.Now()
	if a.book == book && a.catalog == models && now.Sub(a.at) < refreshEvery {
		return a.made
	}
	m := &maker{book: book, models: models, settings: a.Settings(), now: now, seen: map[string]bool{}}
	for _, region := range models.Regions() {
		m.region(region)
	}
	slices.SortFunc(m.products, func(a, b product) int {
		return cmp.Or(cmp.Compare(a.attributes["usagetype"], b.attributes["usagetype"]), cmp.Compare(a.sku, b.sku))
	})
	a.made, a.book, a.catalog, a.at = m.products, book, models, now
	return a.made
}

type maker struct {
	book     *pricing.Book
	models   *catalog.Catalog
	settings cost.Settings
	now      time.Time
	seen     map[string]bool // SKUs
	products []product
}

// region lists its own models first: a geography's profile has the same usage
// type, and is a product of its own only where it costs something else.
func (m *maker) region(r catalog.RegionInfo) {
	for _, model := range m.models.Models(r.Region) {
		if model.OnDemand() {
			m.model(r, model, "")
		}
	}
	for _, p := range m.models.SystemProfiles(r.Region) {
		if model, ok := m.models.AnyModel(p.Model); ok {
			m.model(r, model, p.Geography)
		}
	}
}

func (m *maker) model(r catalog.RegionInfo, model *outcrop.FoundationModel, g outcrop.Geography) {
	q := pricing.Query{Model: model.ID, Geography: g, Region: r.Region, At: m.now}
	for _, tier := range m.book.Tiers(q) {
		q.Tier = tier.Tier
		quote := m.book.Quote(q)
		for kind, rate := range tier.Rates.All() {
			m.add(r, model, &cost.Line{Region: r.Region, Model: model.ID, Geography: g, Tier: tier.Tier, Kind: kind, Rate: rate, Priced: true, Price: quote.Price})
		}
	}
}

func (m *maker) add(r catalog.RegionInfo, model *outcrop.FoundationModel, l *cost.Line) {
	p := product{unit: m.settings.Unit(l), usd: perUnit(l), at: m.now}
	sum := sha256.Sum256([]byte(m.settings.UsageType(l) + "\x00" + string(l.Region) + "\x00" + p.usd))
	if p.sku = base32.StdEncoding.EncodeToString(sum[:10]); m.seen[p.sku] {
		return
	}
	m.seen[p.sku] = true
	code, _ := m.settings.Value(l, cost.DimServiceCode)
	name, _ := m.settings.Value(l, cost.DimService)
	p.attributes = map[string]string{
		"feature": "On-demand Inference", "inferenceType": inferenceType(l), "location": r.Name, "locationType": "AWS Region", "model": model.Name,
		"modelId": string(model.ID), "operation": "", "priceName": l.Price, "provider": model.Provider, "regionCode": string(l.Region),
		"serviceTier": cmp.Or(l.Tier, "standard"), "servicecode": code, "servicename": name, "usagetype": m.settings.UsageType(l),
	}
	m.products = append(m.products, p)
}

// inferenceType is what AWS's price list calls the kind: "Input tokens", "Input
// tokens batch", "Output tokens cross-region-global".
func inferenceType(l *cost.Line) string {
	words := []string{strings.ReplaceAll(l.Kind.String(), "-", " ")}
	if l.Tier != "" {
		words = append(words, l.Tier)
	}
	if l.Geography.Class() == outcrop.GlobalClass {
		words = append(words, "cross-region-global")
	}
	text := strings.Join(words, " ")
	return strings.ToUpper(text[:1]) + text[1:]
}

// perUnit is the price of a line's unit in USD: of a thousand tokens, a second,
// a picture or a search.
func perUnit(l *cost.Line) string {
	n := outcrop.Tokens(1)
	if cost.Thousandths(l.Kind, 1) == 1 {
		n = 1000
	}
	text := l.Rate.For(n).String()
	whole, frac, _ := strings.Cut(text, ".")
	return whole + "." + frac + strings.Repeat("0", max(0, 10-len(frac)))
}

// text is the product in the form of AWS's price list: JSON in a string.
func (p *product) text() (string, error) {
	term := p.sku + "." + onDemand
	rate := term + "." + perQuantity
	date := p.at.UTC().Format("2006-01-02T00:00:00Z")
	out, err := json.Marshal(map[string]any{
		"product":     map[string]any{"productFamily": productFamily, "attributes": p.attributes, "sku": p.sku},
		"serviceCode": serviceCode,
		"terms": map[string]any{"OnDemand": map[string]any{term: map[string]any{
			"priceDimensions": map[string]any{rate: map[string]any{
				"unit": p.unit, "beginRange": "0", "endRange": "Inf", "rateCode": rate, "appliesTo": []string{},
				"description": "$" + p.usd + " per " + p.unit + " for " + p.attributes["usagetype"], "pricePerUnit": map[string]string{"USD": p.usd},
			}},
			"sku": p.sku, "effectiveDate": date, "offerTermCode": onDemand, "termAttributes": map[string]string{},
		}}},
		"version": p.at.UTC().Format("20060102150405"), "publicationDate": date,
	})
	return string(out), err
}
