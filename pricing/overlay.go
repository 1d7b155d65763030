package pricing

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"outcrop"
	"outcrop/internal/overlay"
	"outcrop/internal/strictyaml"
)

// lists are the files of the overlay folder that are price lists: prices.yaml
// and *.prices.yaml. The others are the catalogue's.
var lists = overlay.Kind{
	Name: "price list",
	Mine: func(base string) bool {
		_, ok := listName(base)
		return ok
	},
	MaxFiles: 256, MaxBytes: 4 << 20,
}

// listName is the name a price list gets from its file, without the ending. ok
// is false for other files.
func listName(base string) (name string, ok bool) {
	name, ok = strings.CutSuffix(base, ".prices")
	return name, ok || base == "prices"
}

// A listFile is one price list of the overlay folder
// (docs/formats/price-list.md). It speaks instead of earlier lists where and
// while it has a row.
type listFile struct {
	List   string      `yaml:"list"`   // its name on bills; default the file's name
	Source string      `yaml:"source"` // where its prices are from, for rows that do not say
	Prices []priceItem `yaml:"prices"`
}

type priceItem struct {
	Model string    `yaml:"model"`
	Scope string    `yaml:"scope"`
	From  string    `yaml:"from"`
	Until string    `yaml:"until"`
	Rates rateItem  `yaml:",inline"`
	Long  *longItem `yaml:"long"`
	// Tiers are service tiers that are no fraction of the standard price, by
	// name: flex, priority, batch, reserved, latency-optimized.
	Tiers  map[string]rateItem `yaml:"tiers"`
	Source string              `yaml:"source"`
	Note   string              `yaml:"note"`
}

type longItem struct {
	Over  text     `yaml:"over"`
	Rates rateItem `yaml:",inline"`
}

type rateItem struct {
	Input        text `yaml:"input"`
	Output       text `yaml:"output"`
	CacheRead    text `yaml:"cacheRead"`
	CacheWrite5m text `yaml:"cacheWrite5m"`
	CacheWrite1h text `yaml:"cacheWrite1h"`

	Reasoning     text `yaml:"reasoning"` // default: what output costs
	InputImages   text `yaml:"inputImages"`
	OutputImages  text `yaml:"outputImages"`
	InputAudio    text `yaml:"inputAudio"`
	OutputAudio   text `yaml:"outputAudio"`
	SearchUnits   text `yaml:"searchUnits"`
	ComputeSecond text `yaml:"computeSeconds"` // of own hardware: USD for a second
}

// Load reads the embedded lists and lays those of dir over them, in the order
// of their file names. An empty dir means none.
func Load(dir string) (*Book, error) {
	d, err := readFolder(dir, "")
	if err != nil {
		return nil, err
	}
	return d.book()
}

// readFolder reads everything but the file called except.
func readFolder(dir, except string) (*draft, error) {
	d, err := readEmbedded()
	if err != nil {
		return nil, err
	}
	files, err := lists.Files(dir)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if filepath.Base(file) == except {
			continue
		}
		rows, err := readList(file)
		if err == nil {
			err = d.lay(rows)
		}
		if err != nil {
			return nil, err
		}
	}
	return d, nil
}

func readList(path string) ([]*row, error) {
	content, err := lists.Read(path)
	if err != nil {
		return nil, err
	}
	return parseList(path, content)
}

func parseList(path string, content []byte) ([]*row, error) {
	var f listFile
	if err := strictyaml.Decode(path, content, &f, os.LookupEnv); err != nil {
		return nil, err
	}
	if f.List == "" {
		f.List, _ = listName(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)))
	}
	if strings.ContainsAny(f.List, "#/+ ") || strings.HasPrefix(f.List, "bedrock-") {
		return nil, fmt.Errorf("%s: list %q: a list's name has no #, /, + or space and does not begin with bedrock-", path, f.List)
	}
	rows := make([]*row, 0, len(f.Prices))
	for i, p := range f.Prices {
		r, err := p.spec(f.Source).row(f.List)
		if err != nil {
			return nil, fmt.Errorf("%s: prices[%d]: %w", path, i, err)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func (p *priceItem) spec(source string) *spec {
	s := &spec{model: p.Model, scope: p.Scope, from: p.From, until: p.Until, rates: p.Rates.cells(), source: p.Source, note: p.Note}
	if s.source == "" {
		s.source = source
	}
	if p.Long != nil {
		s.longOver, s.long = string(p.Long.Over), p.Long.Rates.cells()
	}
	s.tiers = make(map[string][outcrop.TokenKinds]string, len(p.Tiers))
	for name, rates := range p.Tiers {
		s.tiers[name] = rates.cells()
	}
	return s
}

func (r *rateItem) cells() [outcrop.TokenKinds]string {
	return [outcrop.TokenKinds]string{string(r.Input), string(r.Output), string(r.CacheRead), string(r.CacheWrite5m), string(r.CacheWrite1h),
		string(r.Reasoning), string(r.InputImages), string(r.OutputImages), string(r.InputAudio), string(r.OutputAudio), string(r.SearchUnits), string(r.ComputeSecond)}
}

// A text is a scalar as it was written: 0.10 stays "0.10" and never passes
// through a binary fraction.
type text string

// UnmarshalYAML takes the scalar's own characters.
func (t *text) UnmarshalYAML(scalar []byte) error {
	*t = text(strings.Trim(strings.TrimSpace(string(scalar)), `"'`))
	return nil
}
