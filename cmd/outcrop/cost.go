package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"outcrop/internal/strictyaml"
	"outcrop/report"
)

// A costCommand shows what was spent, as the running server's Cost Explorer
// answers.
type costCommand struct {
	Show     costShow     `cmd:"" default:"withargs" help:"Show cost by a tag, a cost category, a profile or another dimension."`
	Report   costReport   `cmd:"" help:"Write a report as one HTML file."`
	Versions costVersions `cmd:"" help:"List the versions of the cost history: what was recorded, and what was priced or tagged anew."`
	Retag    costRetag    `cmd:"" help:"Read past usage with the tags that profiles have now, or with those that rules give. What was recorded stays."`
}

type costShow struct {
	accessCommand
	By     string `help:"What to add up by: tag:KEY, category:NAME, principal, profile, usage-type, kind, operation, region, account or service." default:"usage-type" placeholder:"WHAT"`
	Last   string `help:"How far back: 48h, 30d, 12w, 6m." default:"30d" placeholder:"SPAN"`
	From   string `help:"First day, instead of --last: 2026-11-01." placeholder:"DAY"`
	To     string `help:"Last day (default: today)." placeholder:"DAY"`
	View   string `help:"Version of the history (default: the latest; see outcrop cost versions)." placeholder:"NAME"`
	Filter string `help:"Only usage that this Cost Explorer expression (JSON) lets through." placeholder:"JSON"`
	Chart  string `help:"Also draw a stacked chart into this SVG file." placeholder:"FILE"`
	JSON   bool   `help:"Write JSON, amounts exact." name:"json" xor:"form"`
	CSV    bool   `help:"Write CSV, amounts exact." name:"csv" xor:"form"`
}

// Run shows one report.
func (s *costShow) Run(ctx context.Context) error {
	q, err := s.question()
	if err != nil {
		return err
	}
	client, err := s.client("")
	if err != nil {
		return err
	}
	if s.View != "" {
		if q.View, err = viewARN(ctx, client, s.View); err != nil {
			return err
		}
	}
	asked := report.Signed{Client: client}
	r, err := report.Ask(ctx, asked, q)
	if err != nil {
		return err
	}
	if advice := report.TagAdvice(ctx, asked, q); advice != "" {
		defer fmt.Fprintln(os.Stderr, advice)
	}
	if s.Chart != "" {
		if err := os.WriteFile(s.Chart, r.SVG(), 0o600); err != nil {
			return err
		}
	}
	switch {
	case s.JSON:
		return r.JSON(os.Stdout)
	case s.CSV:
		return r.CSV(os.Stdout)
	}
	return r.Table(os.Stdout)
}

func (s *costShow) question() (q report.Question, err error) {
	if s.From == "" && s.To == "" {
		q, err = report.ParseSpan(s.Last, time.Now())
	} else {
		q, err = between(s.From, s.To)
	}
	if err == nil && s.Filter != "" {
		if err = json.Unmarshal([]byte(s.Filter), &q.Filter); err != nil {
			err = fmt.Errorf("--filter: not JSON: %w", err)
		}
	}
	q.By = s.By
	return q, err
}

func between(from, to string) (report.Question, error) {
	if from == "" {
		return report.Question{}, errors.New("--to needs --from")
	}
	first, err := day("--from", from)
	if err != nil {
		return report.Question{}, err
	}
	last, err := day("--to", cmp.Or(to, time.Now().UTC().Format(time.DateOnly)))
	if err == nil && last.Before(first) {
		err = fmt.Errorf("--to %s is before --from %s", to, from)
	}
	return report.Between(first, last), err
}

func day(flag, text string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return t, fmt.Errorf("%s %s: want a day such as 2026-11-01", flag, text)
	}
	return t, nil
}

type costReport struct {
	accessCommand
	Weekly bool   `help:"The seven days that end with --to, beside the seven before." default:"true" negatable:""`
	By     string `help:"What to add up by, as in outcrop cost." default:"profile" placeholder:"WHAT"`
	To     string `help:"Last day (default: today)." placeholder:"DAY"`
	Out    string `help:"File to write." default:"cost-report.html" placeholder:"FILE"`
}

// Run writes the report.
func (c *costReport) Run(ctx context.Context) error {
	if !c.Weekly {
		return errors.New("a report is weekly; for other spans use outcrop cost --last SPAN --chart FILE")
	}
	last, err := day("--to", cmp.Or(c.To, time.Now().UTC().Format(time.DateOnly)))
	if err != nil {
		return err
	}
	client, err := c.client("")
	if err != nil {
		return err
	}
	page, err := report.MakePage(ctx, report.Signed{Client: client}, c.By, last.AddDate(0, 0, 1), time.Now())
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := page.HTML(&b); err != nil {
		return err
	}
	if err := os.WriteFile(c.Out, b.Bytes(), 0o600); err != nil {
		return err
	}
	path, _ := filepath.Abs(c.Out)
	fmt.Printf("%s: USD %s from %s to %s, by %s.\n", path, report.Dollars(page.This.Total), page.This.Start.Format(time.DateOnly), page.Last().Format(time.DateOnly), page.This.Title)
	return nil
}

// An admin answers Outcrop's own operations; *access.Client does.
type admin interface {
	Admin(ctx context.Context, operation string, in map[string]any, out any) error
}

// A costVersion as the server lists it.
type costVersion struct {
	Name, Kind, Start, End, CreatedAt, BillingViewArn string
}

func viewARN(ctx context.Context, server admin, name string) (string, error) {
	var out struct{ Versions []costVersion }
	if err := server.Admin(ctx, "ListCostVersions", map[string]any{}, &out); err != nil {
		return "", err
	}
	for _, v := range out.Versions {
		if v.Name == name {
			return v.BillingViewArn, nil
		}
	}
	return "", fmt.Errorf("there is no version %q of the history; outcrop cost versions lists them", name)
}

type costVersions struct {
	accessCommand
}

// Run lists the versions, oldest first; the last is what is shown.
func (c *costVersions) Run(ctx context.Context) error {
	client, err := c.client("")
	if err != nil {
		return err
	}
	var out struct{ Versions []costVersion }
	if err := client.Admin(ctx, "ListCostVersions", map[string]any{}, &out); err != nil {
		return err
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tKIND\tFROM\tTO\tMADE")
	for _, v := range out.Versions {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", v.Name, v.Kind, cmp.Or(v.Start, "-"), cmp.Or(v.End, "-"), cmp.Or(v.CreatedAt, "-"))
	}
	return table.Flush()
}

type costRetag struct {
	accessCommand
	From  string `help:"First day of the month to begin with, at most twelve months back: 2026-10-01." required:"" placeholder:"DAY"`
	Name  string `help:"Name of the version (default: backfill and the time)." placeholder:"NAME"`
	Rules string `help:"YAML file of rules: a list of filter (a Cost Explorer expression) and set (tags). Without it usage gets the tags its profile has now." placeholder:"FILE" type:"existingfile"`
}

// A retagRule is one rule of the file.
type retagRule struct {
	Filter any               `yaml:"filter"`
	Set    map[string]string `yaml:"set"`
}

// Run makes the version.
func (c *costRetag) Run(ctx context.Context) error {
	in := map[string]any{"BackfillFrom": c.From}
	if c.Name != "" {
		in["VersionName"] = c.Name
	}
	if c.Rules != "" {
		rules, err := readRules(c.Rules)
		if err != nil {
			return err
		}
		in["Rules"] = rules
	}
	client, err := c.client("")
	if err != nil {
		return err
	}
	var out struct{ VersionName, BillingViewArn string }
	if err := client.Admin(ctx, "RetagUsage", in, &out); err != nil {
		return err
	}
	fmt.Printf("Usage since %s is read as version %s from now on. What was recorded: outcrop cost --view original.\n", c.From, out.VersionName)
	return nil
}

func readRules(path string) ([]map[string]any, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct {
		Rules []retagRule `yaml:"rules"`
	}
	if err := strictyaml.Decode(path, text, &file, os.LookupEnv); err != nil {
		return nil, err
	}
	if len(file.Rules) == 0 {
		return nil, fmt.Errorf("%s: no rules in it", path)
	}
	rules := make([]map[string]any, len(file.Rules))
	for i, r := range file.Rules {
		if rules[i] = map[string]any{"Set": r.Set}; r.Filter != nil {
			rules[i]["Filter"] = r.Filter
		}
	}
	return rules, nil
}
