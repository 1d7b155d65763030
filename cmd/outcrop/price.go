package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"outcrop"
	"outcrop/catalog"
	"outcrop/cost"
	"outcrop/pricing"
	"outcrop/server"
)

type priceCommand struct {
	List   priceList   `cmd:"" help:"List prices as they hold."`
	Diff   priceDiff   `cmd:"" help:"Compare the price book with a list that is not in it yet, or with the built-in prices."`
	Import priceImport `cmd:"" help:"Put a price list into the overlay folder: AWS's price list file (JSON), CSV, or Outcrop's own YAML. The running server takes it up at once."`
	Rerate priceRerate `cmd:"" help:"Say what past usage would cost at the prices that hold now, and with --apply read it so. What was recorded stays."`
}

// An overlayFlag finds the folder of price lists.
type overlayFlag struct {
	Overlay string `help:"Overlay folder (default: that of --config)." placeholder:"DIR"`
	Config  string `help:"Configuration file of the server." placeholder:"FILE" type:"existingfile"`
}

func (o *overlayFlag) folder() (string, error) {
	if o.Overlay != "" || o.Config == "" {
		return o.Overlay, nil
	}
	c, err := server.ReadConfig(o.Config)
	if err != nil {
		return "", err
	}
	return c.Catalog.Overlay, nil
}

type priceList struct {
	overlayFlag
	Model string `help:"Only models whose id contains this." placeholder:"TEXT"`
	Scope string `help:"Only this scope: in-region, @REGION, a geography such as us, geo, global." placeholder:"SCOPE"`
	At    string `help:"Prices of this day (default: today)." placeholder:"DAY"`
	All   bool   `help:"Also prices of the past and the future."`
	JSON  bool   `help:"Write JSON." name:"json"`
}

// Run lists the book.
func (p *priceList) Run(context.Context) error {
	at, err := dayOr(p.At)
	if err != nil {
		return err
	}
	dir, err := p.folder()
	if err != nil {
		return err
	}
	book, err := pricing.Load(dir)
	if err != nil {
		return err
	}
	var rows []pricing.Entry
	for _, e := range book.Entries() {
		if strings.Contains(string(e.Model), p.Model) && (p.Scope == "" || p.Scope == e.Scope) && (p.All || e.Holds(at)) {
			rows = append(rows, e)
		}
	}
	if p.JSON {
		return writePricesJSON(os.Stdout, rows)
	}
	return writePrices(os.Stdout, rows)
}

func dayOr(text string) (time.Time, error) {
	if text == "" {
		return time.Now().UTC(), nil
	}
	return day("--at", text)
}

// A shownPrice is one price of one row.
type shownPrice struct {
	Model, Scope, Tier, Kind, USD, Per string
	From, Until                        string `json:",omitempty"`
	List, Source, Note                 string `json:",omitempty"`
}

func shownPrices(e *pricing.Entry) (out []shownPrice) {
	add := func(tier string, rates outcrop.PerKind[outcrop.Rate]) {
		for kind, rate := range rates.All() {
			out = append(out, shownPrice{string(e.Model), e.Scope, tier, kind.String(), priceText(kind, rate), pricing.UnitOf(kind), dayText(e.From), dayText(e.Until), e.List, e.Source, e.Note})
		}
	}
	add("standard", e.Rates)
	if e.LongOver > 0 {
		add(fmt.Sprintf("over %d input", e.LongOver), e.LongRates)
	}
	for _, t := range e.Tiers {
		add(t.Tier, t.Rates)
	}
	return out
}

// priceText says free in a word, as price lists do.
func priceText(kind outcrop.TokenKind, rate outcrop.Rate) string {
	if rate == 0 {
		return "free"
	}
	return pricing.FormatRate(kind, rate)
}

func dayText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

func writePricesJSON(w io.Writer, rows []pricing.Entry) error {
	all := []shownPrice{}
	for i := range rows {
		all = append(all, shownPrices(&rows[i])...)
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(all)
}

func writePrices(w io.Writer, rows []pricing.Entry) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "MODEL\tSCOPE\tTIER\tWHAT\tUSD\tPER\tFROM\tUNTIL\tLIST")
	for i := range rows {
		for _, p := range shownPrices(&rows[i]) {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", p.Model, p.Scope, p.Tier, p.Kind, p.USD, p.Per, cmp.Or(p.From, "-"), cmp.Or(p.Until, "-"), p.List)
		}
	}
	if len(rows) == 0 {
		fmt.Fprintln(table, "No prices: usage would be counted, and its cost unknown.")
	}
	return table.Flush()
}

type priceDiff struct {
	overlayFlag
	fileFlags
	At string `help:"Compare the prices of this day (default: today)." placeholder:"DAY"`
}

// fileFlags say what a price list file is.
type fileFlags struct {
	File   string `arg:"" optional:"" help:"Price list: AWS's offer file (.json), .csv or .yaml. Without it: the built-in prices with those of the overlay folder." type:"existingfile"`
	List   string `help:"Name of the list on bills (default: from the file's name)." placeholder:"NAME"`
	Source string `help:"Where the prices of a CSV file are from." placeholder:"TEXT"`
	Dated  bool   `help:"Let AWS's prices hold from the dates in its file; else they hold always."`
}

// Run writes what differs.
func (p *priceDiff) Run(context.Context) error {
	at, err := dayOr(p.At)
	if err != nil {
		return err
	}
	dir, err := p.folder()
	if err != nil {
		return err
	}
	before, after, err := p.books(dir)
	if err != nil {
		return err
	}
	return writeChanges(os.Stdout, after.Diff(before, at))
}

// books are the book as it is and as it would be.
func (p *priceDiff) books(dir string) (before, after *pricing.Book, err error) {
	if p.File == "" {
		if before, err = pricing.Load(""); err == nil {
			after, err = pricing.Load(dir)
		}
		return before, after, err
	}
	list, err := p.read(dir)
	if err != nil {
		return nil, nil, err
	}
	list.explain(os.Stderr)
	if before, err = pricing.Load(dir); err == nil {
		after, err = pricing.LoadWith(dir, list.file, list.text)
	}
	return before, after, err
}

func writeChanges(w io.Writer, changes []pricing.Change) error {
	if len(changes) == 0 {
		_, err := fmt.Fprintln(w, "No price differs.")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "MODEL\tSCOPE\tTIER\tWHAT\tNOW\tTHEN\tPER")
	for _, c := range changes {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.Model, c.Scope, cmp.Or(c.Tier, "standard"), c.Kind, cmp.Or(c.Old, "no price"), cmp.Or(c.New, "no price"), pricing.UnitOf(c.Kind))
	}
	return table.Flush()
}

// A readFile is a price list on its way into the overlay folder.
type readFile struct {
	file    string // its name there
	text    []byte
	version string
	skipped []string
	rows    int
}

// maxPriceFileBytes bounds what is read: AWS's own file is some tens of MiB.
const maxPriceFileBytes = 512 << 20

// read understands the file by its ending.
func (f *fileFlags) read(dir string) (*readFile, error) {
	content, err := os.Open(f.File)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	base, end := filepath.Base(f.File), filepath.Ext(f.File)
	name := cmp.Or(f.List, strings.TrimSuffix(strings.TrimSuffix(base, end), ".prices"))
	in := io.LimitReader(content, maxPriceFileBytes)
	var d *pricing.Draft
	switch end {
	case ".yaml", ".yml":
		text, err := io.ReadAll(in)
		return &readFile{file: name + ".prices.yaml", text: text}, err
	case ".csv":
		d, err = pricing.ReadCSV(name, cmp.Or(f.Source, base), in)
	case ".json":
		d, err = f.readOffer(dir, name, in)
	default:
		return nil, fmt.Errorf("%s: want a price list that ends in .json, .csv or .yaml", f.File)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.File, err)
	}
	if len(d.Items) == 0 {
		return nil, fmt.Errorf("%s: no price in it for a model of the catalogue (%d products skipped)", f.File, len(d.Skipped))
	}
	return &readFile{file: name + ".prices.yaml", text: d.YAML(), version: d.Version, skipped: d.Skipped, rows: len(d.Items)}, nil
}

func (f *fileFlags) readOffer(dir, name string, in io.Reader) (*pricing.Draft, error) {
	models, err := catalog.Load(dir)
	if err != nil {
		return nil, err
	}
	return pricing.ReadOffer(name, in, knownTo(models), f.Dated)
}

// knownTo makes every usage type that the catalogue's models can have.
func knownTo(models *catalog.Catalog) pricing.Known {
	known := pricing.Known{UsageTypes: map[string]pricing.UsageName{}, Models: map[string]outcrop.ModelID{}}
	seen := map[outcrop.ModelID]bool{}
	for _, region := range models.Regions() {
		for _, m := range models.Models(region.Region) {
			if seen[m.ID] {
				continue
			}
			seen[m.ID] = true
			known.Models[strings.ToLower(m.Name)] = m.ID
			for _, name := range usageNames(m.ID) {
				line := cost.Line{Region: "us-east-1", Model: name.Model, Tier: name.Tier, Kind: name.Kind, Priced: true}
				if name.Global {
					line.Geography = outcrop.GlobalGeography
				}
				_, text, _ := strings.Cut((cost.Settings{}).UsageType(&line), "-")
				known.UsageTypes[text] = name
			}
		}
	}
	return known
}

func usageNames(id outcrop.ModelID) (out []pricing.UsageName) {
	for _, tier := range []string{"", "flex", "priority", "batch", "reserved", cost.LatencyOptimized} {
		for kind := range outcrop.Kinds() {
			out = append(out, pricing.UsageName{Model: id, Tier: tier, Kind: kind}, pricing.UsageName{Model: id, Tier: tier, Kind: kind, Global: true})
		}
	}
	return out
}

// maxSkippedShown bounds the list of what was not understood.
const maxSkippedShown = 10

func (r *readFile) explain(w io.Writer) {
	if len(r.skipped) == 0 {
		return
	}
	fmt.Fprintf(w, "%d rows read; %d products skipped:\n", r.rows, len(r.skipped))
	for i, text := range r.skipped {
		if i == maxSkippedShown {
			fmt.Fprintf(w, "  ... and %d more\n", len(r.skipped)-i)
			break
		}
		fmt.Fprintln(w, " ", text)
	}
}

type priceImport struct {
	overlayFlag
	fileFlags
	DryRun bool `help:"Show what would change, and write nothing." name:"dry-run"`
}

// Run checks the list as the server would, shows what changes, and writes it.
func (p *priceImport) Run(context.Context) error {
	if p.File == "" {
		return fmt.Errorf("name the price list to import")
	}
	dir, err := p.folder()
	if err != nil {
		return err
	}
	if dir == "" && !p.DryRun {
		return fmt.Errorf("no overlay folder to import into: set catalog.overlay in the configuration, or name it with --overlay")
	}
	list, err := p.read(dir)
	if err != nil {
		return err
	}
	list.explain(os.Stderr)
	before, err := pricing.Load(dir)
	if err != nil {
		return err
	}
	after, err := pricing.LoadWith(dir, list.file, list.text)
	if err != nil {
		return err
	}
	if err := writeChanges(os.Stdout, after.Diff(before, time.Now())); err != nil || p.DryRun {
		return err
	}
	path := filepath.Join(dir, list.file)
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, list.text) {
		fmt.Printf("\n%s holds this list already.\n", path)
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := replaceFile(path, string(list.text)); err != nil {
		return err
	}
	fmt.Printf("\nWritten to %s. New calls have these prices; to read past usage with them: outcrop price rerate.\n", path)
	return nil
}

type priceRerate struct {
	accessCommand
	From  string `help:"First day." required:"" placeholder:"DAY"`
	To    string `help:"Last day (default: today)." placeholder:"DAY"`
	Apply bool   `help:"Read the period with the new prices from now on, as a new version of the history."`
	Name  string `help:"Name of the version (default: rerate and the time)." placeholder:"NAME"`
	JSON  bool   `help:"Write JSON." name:"json"`
}

// A rerated is the server's answer.
type rerated struct {
	Changes []struct {
		ModelId, Region, UsageType, Unit, Quantity, OldPrice, NewPrice, OldRate, NewRate, OldCost, NewCost string
	}
	OldCost, NewCost, UnpricedBefore, UnpricedAfter, VersionName string
}

// Run shows what changes and, when asked to, applies it.
func (p *priceRerate) Run(ctx context.Context) error {
	q, err := between(p.From, p.To)
	if err != nil {
		return err
	}
	client, err := p.client("")
	if err != nil {
		return err
	}
	in := map[string]any{"TimePeriod": map[string]string{"Start": q.Start.Format(time.DateOnly), "End": q.End.Format(time.DateOnly)}, "Apply": p.Apply}
	if p.Name != "" {
		in["VersionName"] = p.Name
	}
	var out rerated
	if err := client.Admin(ctx, "RerateUsage", in, &out); err != nil {
		return err
	}
	if p.JSON {
		w := json.NewEncoder(os.Stdout)
		w.SetIndent("", "  ")
		return w.Encode(out)
	}
	return out.write(os.Stdout, p.Apply)
}

func (r *rerated) write(w io.Writer, applied bool) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(r.Changes) > 0 {
		fmt.Fprintln(table, "USAGE TYPE\tQUANTITY\tPRICE WAS\tIS\tPER\tCOST WAS\tIS")
	}
	for _, c := range r.Changes {
		oldCost := c.OldCost
		if c.OldRate == "" {
			oldCost = "unknown"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.UsageType, c.Quantity, cmp.Or(c.OldRate, "no price"), cmp.Or(c.NewRate, "no price"), c.Unit, oldCost, c.NewCost)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nThe period cost USD %s and would cost USD %s.", r.OldCost, r.NewCost)
	if r.UnpricedBefore != "0" || r.UnpricedAfter != "0" {
		fmt.Fprintf(w, " Tokens without a price: %s, then %s.", r.UnpricedBefore, r.UnpricedAfter)
	}
	switch {
	case applied:
		fmt.Fprintf(w, "\nIt is read as version %s from now on. As it was: outcrop cost --view original, or the version before (outcrop cost versions).\n", r.VersionName)
	case len(r.Changes) > 0:
		fmt.Fprintf(w, "\nNothing was changed. To read the period so: the same with --apply.\n")
	default:
		fmt.Fprintln(w, " Nothing differs.")
	}
	return nil
}
