package pricing

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"sync"

	"outcrop"
	"outcrop/internal/tsv"
)

//go:embed data/*.tsv
var data embed.FS

var embedded = sync.OnceValues(func() (*Book, error) {
	d, err := readEmbedded()
	if err != nil {
		return nil, err
	}
	return d.book()
})

// Embedded is the book this binary was built with. It is read at first use.
func Embedded() (*Book, error) { return embedded() }

// A draft is a Book while rows are laid over one another.
type draft struct {
	tiers []tier
	rows  map[key][]*row
}

func readEmbedded() (*draft, error) {
	d := &draft{rows: make(map[key][]*row, 512)}
	if err := readTable("data/tiers.tsv", d.addTier); err != nil {
		return nil, err
	}
	lists, err := fs.Glob(data, "data/bedrock-*.tsv") // in order of their dates
	if err != nil {
		return nil, fmt.Errorf("find price lists: %w", err)
	}
	for _, file := range lists {
		var rows []*row
		list := strings.TrimSuffix(path.Base(file), ".tsv")
		err := readTable(file, func(cells tsv.Row) error {
			r, err := readRow(list, cells)
			rows = append(rows, r)
			return err
		})
		if err == nil {
			err = d.lay(rows)
		}
		if err != nil {
			return nil, err
		}
	}
	return d, nil
}

func readTable(file string, add func(tsv.Row) error) error {
	text, err := data.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read embedded table: %w", err)
	}
	return tsv.Read(path.Base(file), string(text), add)
}

func (d *draft) addTier(cells tsv.Row) error {
	times, err := strconv.ParseUint(cells.Get("times"), 10, 32)
	if err != nil {
		return fmt.Errorf("read tier: %w", err)
	}
	over, err := strconv.ParseUint(cells.Get("over"), 10, 32)
	if err != nil || over == 0 {
		return fmt.Errorf("read tier: a fraction over %q", cells.Get("over"))
	}
	d.tiers = append(d.tiers, tier{cells.Get("tier"), cells.Get("models"), times, over})
	return nil
}

// A spec is a row as a file says it: text, nothing checked.
type spec struct {
	model, scope, from, until string
	rates                     [outcrop.TokenKinds]string
	longOver                  string
	long                      [outcrop.TokenKinds]string
	tiers                     map[string][outcrop.TokenKinds]string // that cost no fraction of the standard price
	source, note              string
}

// rateColumns are the columns of rates by TokenKind.
var rateColumns = [outcrop.TokenKinds]string{"input", "output", "cacheRead", "cacheWrite5m", "cacheWrite1h",
	"reasoning", "inputImages", "outputImages", "inputAudio", "outputAudio", "searchUnits", "computeSeconds"}

func readRow(list string, cells tsv.Row) (*row, error) {
	s := spec{model: cells.Get("model"), scope: cells.Get("scope"), from: cells.Get("from"), until: cells.Get("until"),
		longOver: cells.Get("longOver"), source: cells.Get("source"), note: cells.Get("note")}
	for k, column := range rateColumns {
		s.rates[k] = cells.Get(column)
		s.long[k] = cells.Get("long" + strings.ToUpper(column[:1]) + column[1:])
	}
	return s.row(list)
}

// decimals is how many digits after the point a price of the kind may have, so
// that it is a whole number of pico-dollars: tokens are priced by the million,
// compute by the second, pictures and searches each.
func decimals(k outcrop.TokenKind) int {
	switch k {
	case outcrop.InputImages, outcrop.OutputImages, outcrop.SearchUnits:
		return 12
	case outcrop.ComputeMillis:
		return 9
	}
	return 6
}

// parseRate reads a price in USD for the unit of a kind.
func parseRate(k outcrop.TokenKind, text string) (outcrop.Rate, error) {
	n := decimals(k)
	if n == 6 {
		return outcrop.ParseRate(text)
	}
	whole, frac, _ := strings.Cut(text, ".")
	if len(frac) > n {
		return 0, fmt.Errorf("price %q: at most %d decimals", text, n)
	}
	frac += strings.Repeat("0", n-len(frac))
	return outcrop.ParseRate(whole + frac[:n-6] + "." + frac[n-6:])
}

// FormatRate writes a price in USD for the unit of a kind, as price lists have
// it: for a million tokens, a second, a picture or a search.
func FormatRate(k outcrop.TokenKind, r outcrop.Rate) string {
	n := decimals(k)
	digits := strconv.FormatUint(uint64(r), 10)
	if len(digits) <= n {
		digits = strings.Repeat("0", n-len(digits)+1) + digits
	}
	text := strings.TrimRight(digits[:len(digits)-n]+"."+digits[len(digits)-n:], "0")
	return strings.TrimSuffix(text, ".")
}

// UnitOf is what a price of the kind is for.
func UnitOf(k outcrop.TokenKind) string {
	switch k {
	case outcrop.InputImages, outcrop.OutputImages:
		return "image"
	case outcrop.SearchUnits:
		return "search"
	case outcrop.ComputeMillis:
		return "second"
	}
	return "1M tokens"
}

func (s *spec) row(list string) (*row, error) {
	r := &row{list: list, source: s.source, note: s.note}
	r.model = outcrop.ModelID(s.model)
	r.scope, r.kind = parseScope(s.scope)
	if s.model == "" {
		return nil, fmt.Errorf("a price without a model")
	}
	if s.source == "" {
		return nil, fmt.Errorf("the price of %s has no source", s.model)
	}
	var err error
	if r.from, err = tsv.Time(s.from); err != nil {
		return nil, fmt.Errorf("%s: from: %w", s.model, err)
	}
	if r.until, err = tsv.Time(s.until); err != nil {
		return nil, fmt.Errorf("%s: until: %w", s.model, err)
	}
	if !r.until.IsZero() && !r.from.Before(r.until) {
		return nil, fmt.Errorf("%s: from %s is not before until %s", s.model, s.from, s.until)
	}
	r.price = r.name()
	return r, s.fill(r)
}

func (s *spec) fill(r *row) (err error) {
	if r.rates, err = parseRates(s.rates); err != nil {
		return fmt.Errorf("%s: %w", s.model, err)
	}
	r.own = make(map[string]outcrop.PerKind[outcrop.Rate], len(s.tiers))
	for tier, cells := range s.tiers {
		if r.own[tier], err = parseRates(cells); err != nil {
			return fmt.Errorf("%s: tiers: %s: %w", s.model, tier, err)
		}
	}
	if !r.rates.Known() && len(r.own) == 0 {
		return fmt.Errorf("%s: a price list row without any price", s.model)
	}
	if r.longRates, err = parseRates(s.long); err != nil {
		return fmt.Errorf("%s: long: %w", s.model, err)
	}
	if s.longOver != "" {
		over, err := strconv.ParseUint(s.longOver, 10, 63)
		if err != nil || over == 0 {
			return fmt.Errorf("%s: long: over %q is not a count of tokens", s.model, s.longOver)
		}
		r.longOver = outcrop.Tokens(over)
	}
	if r.longRates.Known() != (r.longOver > 0) {
		return fmt.Errorf("%s: a long-context price needs both a threshold and rates", s.model)
	}
	return nil
}

// parseRates reads decimal text. A price of nothing has to be said in a word,
// so that a table's 0.0 is never taken for a gift.
func parseRates(cells [outcrop.TokenKinds]string) (rates outcrop.PerKind[outcrop.Rate], err error) {
	for kind := range outcrop.Kinds() {
		cell := cells[kind]
		switch cell {
		case "":
			continue
		case "free":
			rates.Set(kind, 0)
			continue
		}
		rate, err := parseRate(kind, cell)
		if err != nil {
			return rates, fmt.Errorf("%s: %w", rateColumns[kind], err)
		}
		if rate == 0 {
			return rates, fmt.Errorf("%s: a price of %s: write free, or leave it out when unknown", rateColumns[kind], cell)
		}
		rates.Set(kind, rate)
	}
	return rates, nil
}
