package pricing

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"outcrop"
)

// A Draft is a price list on its way into the overlay folder: what an import
// has understood, and what it has not.
type Draft struct {
	Name, Source string
	Version      string // of what was read, as it calls itself
	Items        []DraftItem
	Skipped      []string // what was read and not taken, with the reason
}

// A DraftItem is one row of a draft.
type DraftItem struct {
	Model outcrop.ModelID
	Scope string
	From  string
	Until string                                  // when the next row of the model and scope begins; empty is never
	Rates map[string]map[outcrop.TokenKind]string // by tier; USD for the kind's unit
}

// A UsageName is what a usage type of a bill stands for.
type UsageName struct {
	Model  outcrop.ModelID
	Global bool
	Tier   string
	Kind   outcrop.TokenKind
}

// An offer is AWS's public price list file of one service:
// https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonBedrock/current/us-east-1/index.json
type offer struct {
	OfferCode       string `json:"offerCode"`
	Version         string `json:"version"`
	PublicationDate string `json:"publicationDate"`
	Products        map[string]struct {
		Attributes map[string]string `json:"attributes"`
	} `json:"products"`
	Terms struct {
		OnDemand map[string]map[string]offerTerm `json:"OnDemand"`
	} `json:"terms"`
}

type offerTerm struct {
	EffectiveDate   string `json:"effectiveDate"`
	PriceDimensions map[string]struct {
		Unit         string            `json:"unit"`
		BeginRange   string            `json:"beginRange"`
		PricePerUnit map[string]string `json:"pricePerUnit"`
	} `json:"priceDimensions"`
}

// Known answers what a usage type without its Region's code stands for, and
// Named what a model's name does; both come from the catalogue.
type Known struct {
	UsageTypes map[string]UsageName // "NovaLite-input-tokens-flex"
	Models     map[string]outcrop.ModelID
}

// ReadOffer reads AWS's price list file. Prices without a start hold always,
// so that usage before the file was made has a price too; dated keeps the
// file's effective dates instead.
func ReadOffer(name string, content io.Reader, known Known, dated bool) (*Draft, error) {
	var o offer
	if err := json.NewDecoder(content).Decode(&o); err != nil {
		return nil, fmt.Errorf("read price list file: %w", err)
	}
	if len(o.Products) == 0 || len(o.Terms.OnDemand) == 0 {
		return nil, fmt.Errorf("read price list file: no products with on-demand terms in it: is this an offer file such as AmazonBedrock's index.json?")
	}
	d := &Draft{Name: name, Source: "AWS price list " + o.OfferCode, Version: cmp.Or(o.Version, o.PublicationDate)}
	rows := map[string]*DraftItem{}
	for _, sku := range slices.Sorted(maps.Keys(o.Products)) {
		attributes := o.Products[sku].Attributes
		what, ok := known.understand(attributes)
		if !ok {
			d.skip(attributes["usagetype"], "no model of the catalogue, or no token price")
			continue
		}
		if err := d.offer(rows, what, attributes["regionCode"], o.Terms.OnDemand[sku], dated); err != nil {
			d.skip(attributes["usagetype"], err.Error())
		}
	}
	d.Items = follow(rows)
	return d, nil
}

func (d *Draft) skip(what, why string) { d.Skipped = append(d.Skipped, what+": "+why) }

// understand reads a product by its usage type, or by its model's name and
// inference type.
func (k Known) understand(attributes map[string]string) (UsageName, bool) {
	_, rest, _ := strings.Cut(attributes["usagetype"], "-")
	if what, ok := k.UsageTypes[rest]; ok {
		return what, true
	}
	model, ok := k.Models[strings.ToLower(attributes["model"])]
	if !ok {
		return UsageName{}, false
	}
	text := strings.ToLower(cmp.Or(attributes["inferenceType"], attributes["feature"]) + " " + rest)
	what := UsageName{Model: model, Global: strings.Contains(text, "global")}
	for _, tier := range []string{"batch", "flex", "priority", "latency-optimized", "reserved"} {
		if strings.Contains(text, tier) {
			what.Tier = tier
		}
	}
	for _, kind := range []struct {
		kind  outcrop.TokenKind
		words []string
	}{
		{outcrop.CacheReadTokens, []string{"cache", "read"}}, {outcrop.CacheWrite1hTokens, []string{"cache", "write", "1h"}},
		{outcrop.CacheWrite5mTokens, []string{"cache", "write"}}, {outcrop.InputTokens, []string{"input", "token"}}, {outcrop.OutputTokens, []string{"output", "token"}},
		{outcrop.SearchUnits, []string{"search"}}, {outcrop.OutputImages, []string{"image"}},
	} {
		if !slices.ContainsFunc(kind.words, func(w string) bool { return !strings.Contains(text, w) }) {
			what.Kind = kind.kind
			return what, true
		}
	}
	return what, false
}

// offer takes the prices of a product: all of them, or none when any cannot be
// taken.
func (d *Draft) offer(rows map[string]*DraftItem, what UsageName, region string, terms map[string]offerTerm, dated bool) error {
	if region == "" {
		return fmt.Errorf("no regionCode")
	}
	scope := "@" + region
	if what.Global {
		scope = "global"
	}
	prices := map[string]string{} // by first day
	for _, term := range terms {
		for _, p := range term.PriceDimensions {
			if p.BeginRange != "0" && p.BeginRange != "" {
				return fmt.Errorf("a price that begins at %s units", p.BeginRange)
			}
			price, err := perUnit(what.Kind, p.Unit, p.PricePerUnit["USD"])
			if err != nil {
				return err
			}
			from := ""
			if dated {
				from, _, _ = strings.Cut(term.EffectiveDate, "T")
			}
			if have, ok := prices[from]; ok && have != price {
				return fmt.Errorf("two prices in %s at once: it may change; import it with its dates", scope)
			}
			prices[from] = price
		}
	}
	for _, from := range slices.Sorted(maps.Keys(prices)) {
		if err := put(rows, DraftItem{Model: what.Model, Scope: scope, From: from}, what.Tier, what.Kind, prices[from]); err != nil {
			return err
		}
	}
	return nil
}

func put(rows map[string]*DraftItem, at DraftItem, tier string, kind outcrop.TokenKind, price string) error {
	key := string(at.Model) + "\x00" + at.Scope + "\x00" + at.From
	row := rows[key]
	if row == nil {
		row = &at
		row.Rates = map[string]map[outcrop.TokenKind]string{}
		rows[key] = row
	}
	if row.Rates[tier] == nil {
		row.Rates[tier] = map[outcrop.TokenKind]string{}
	}
	if have, ok := row.Rates[tier][kind]; ok && have != price {
		return fmt.Errorf("two prices in %s: %s and %s", at.Scope, have, price)
	}
	row.Rates[tier][kind] = price
	return nil
}

// follow has the rows of a model and scope follow one another: each keeps those
// prices of the one before that it does not change, and holds until the next.
func follow(rows map[string]*DraftItem) (items []DraftItem) {
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		item := *rows[key]
		if n := len(items); n > 0 && items[n-1].Model == item.Model && items[n-1].Scope == item.Scope {
			items[n-1].Until = item.From
			item.inherit(&items[n-1])
		}
		items = append(items, item)
	}
	return items
}

func (item *DraftItem) inherit(before *DraftItem) {
	for tier, rates := range before.Rates {
		all := maps.Clone(rates)
		maps.Copy(all, item.Rates[tier])
		item.Rates[tier] = all
	}
}

// usdForm is how an amount is written. What has more digits or a larger exponent
// is damage, and would take ages to add up.
var usdForm = regexp.MustCompile(`\A[0-9]{0,30}(\.[0-9]{0,30})?([eE][+-]?[0-9]{1,2})?\z`)

// perUnit turns a price for AWS's unit into one for the kind's, exactly.
func perUnit(kind outcrop.TokenKind, unit, usd string) (string, error) {
	price, ok := new(big.Rat), usdForm.MatchString(usd)
	if ok {
		_, ok = price.SetString(usd)
	}
	if !ok {
		return "", fmt.Errorf("price %.80q is no amount in USD", usd)
	}
	per := map[string]int64{"1K tokens": 1000, "1k tokens": 1000, "1M tokens": 1, "1m tokens": 1, "Units": 1000, "Tokens": 1_000_000, "tokens": 1_000_000}
	if UnitOf(kind) == "1M tokens" {
		times, ok := per[unit]
		if !ok {
			return "", fmt.Errorf("unit %q is none of tokens", unit)
		}
		price.Mul(price, new(big.Rat).SetInt64(times))
	}
	text := price.FloatString(decimals(kind))
	if exact, _ := new(big.Rat).SetString(text); exact.Cmp(price) != 0 {
		return "", fmt.Errorf("price %s for %s is finer than a pico-dollar", usd, unit)
	}
	if price.Sign() == 0 {
		return "free", nil
	}
	return strings.TrimSuffix(strings.TrimRight(text, "0"), "."), nil
}

// ReadCSV reads a table with a header: model, scope and at least one price
// column of a price list; from, tier and note may be there too.
func ReadCSV(name, source string, content io.Reader) (*Draft, error) {
	table := csv.NewReader(content)
	table.Comment, table.TrimLeadingSpace = '#', true
	header, err := table.Read()
	if err != nil {
		return nil, fmt.Errorf("read CSV: %w", err)
	}
	kinds, err := csvColumns(header)
	if err != nil {
		return nil, err
	}
	d, rows := &Draft{Name: name, Source: source}, map[string]*DraftItem{}
	for {
		cells, err := table.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read CSV: %w", err)
		}
		line, _ := table.FieldPos(0)
		if err := csvRow(rows, header, kinds, cells); err != nil {
			return nil, fmt.Errorf("read CSV: line %d: %w", line, err)
		}
	}
	d.Items = follow(rows)
	return d, nil
}

func csvColumns(header []string) (kinds map[int]outcrop.TokenKind, err error) {
	kinds = map[int]outcrop.TokenKind{}
	for i, name := range header {
		kind := slices.Index(rateColumns[:], name)
		switch {
		case kind >= 0:
			kinds[i] = outcrop.TokenKind(kind)
		case !slices.Contains([]string{"model", "scope", "from", "tier", "note"}, name):
			return nil, fmt.Errorf("read CSV: unknown column %q. There are: model, scope, from, tier, note, %s", name, strings.Join(rateColumns[:], ", "))
		}
	}
	if !slices.Contains(header, "model") || len(kinds) == 0 {
		return nil, fmt.Errorf("read CSV: the header needs model and at least one of %s", strings.Join(rateColumns[:], ", "))
	}
	return kinds, nil
}

func csvRow(rows map[string]*DraftItem, header []string, kinds map[int]outcrop.TokenKind, cells []string) error {
	cell := func(name string) string {
		if i := slices.Index(header, name); i >= 0 {
			return cells[i]
		}
		return ""
	}
	at := DraftItem{Model: outcrop.ModelID(cell("model")), Scope: cmp.Or(cell("scope"), "in-region"), From: cell("from")}
	tier := cell("tier")
	if standardName(tier) == "" {
		tier = ""
	}
	for i, kind := range kinds {
		if cells[i] == "" {
			continue
		}
		if err := put(rows, at, tier, kind, cells[i]); err != nil {
			return err
		}
	}
	return nil
}

// YAML writes the draft as a price list of the overlay folder.
func (d *Draft) YAML() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "list: %s\nsource: %s\nprices:\n", d.Name, quoted(strings.TrimSpace(d.Source+" "+d.Version)))
	for _, item := range d.Items {
		fmt.Fprintf(&b, "  - model: %s\n    scope: %s\n", quoted(string(item.Model)), quoted(item.Scope))
		if item.From != "" {
			fmt.Fprintf(&b, "    from: %s\n", item.From)
		}
		if item.Until != "" {
			fmt.Fprintf(&b, "    until: %s\n", item.Until)
		}
		writeRates(&b, "    ", item.Rates[""])
		tiers := slices.DeleteFunc(slices.Sorted(maps.Keys(item.Rates)), func(t string) bool { return t == "" })
		if len(tiers) > 0 {
			b.WriteString("    tiers:\n")
		}
		for _, tier := range tiers {
			fmt.Fprintf(&b, "      %s:\n", tier)
			writeRates(&b, "        ", item.Rates[tier])
		}
	}
	return b.Bytes()
}

func writeRates(b *bytes.Buffer, indent string, rates map[outcrop.TokenKind]string) {
	for _, kind := range slices.Sorted(maps.Keys(rates)) {
		fmt.Fprintf(b, "%s%s: %q\n", indent, rateColumns[kind], rates[kind])
	}
}

// quoted is text as a YAML scalar that is read as it stands.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// LoadWith is Load with one more list, which is not in the folder yet: as the
// book would be with it.
func LoadWith(dir, file string, content []byte) (*Book, error) {
	d, err := readFolder(dir, file)
	if err != nil {
		return nil, err
	}
	rows, err := parseList(file, content)
	if err == nil {
		err = d.lay(rows)
	}
	if err != nil {
		return nil, err
	}
	return d.book()
}
