package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"outcrop"
	"outcrop/usage"
)

type usageCommand struct {
	Tail   usageTailCommand   `cmd:"" help:"Show the newest usage records, and follow new ones."`
	Query  usageQueryCommand  `cmd:"" help:"Find usage records, or add them up by groups."`
	Export usageExportCommand `cmd:"" help:"Write usage records to a file: CSV, Parquet or JSON lines."`
}

type usageTailCommand struct {
	usageFilter
	Number int  `help:"How many to show at first." short:"n" default:"10" placeholder:"N"`
	Follow bool `help:"Go on with new records as they come." short:"f" negatable:"" default:"true"`
	JSON   bool `help:"Write them as JSON, one a line." name:"json"`
}

// followEvery is how often new records are looked for.
const followEvery = 500 * time.Millisecond

// Run shows records until it is interrupted.
func (t *usageTailCommand) Run(ctx context.Context) error {
	if t.Number < 0 || t.Number > usage.MaxPageRows {
		return fmt.Errorf("--number %d is not between 0 and %d", t.Number, usage.MaxPageRows)
	}
	from, err := t.open(ctx)
	if err != nil {
		return err
	}
	defer from.Close()
	show := showLine
	if t.JSON {
		show = showJSON
	}
	page, err := from.tail(ctx, t.Number)
	for {
		if err != nil {
			return unlessInterrupted(ctx, err)
		}
		for i := range page.rows {
			if err := show(os.Stdout, &page.rows[i]); err != nil {
				return err
			}
		}
		if page.next >= page.last {
			if !t.Follow || t.Stopped {
				return nil
			}
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(followEvery):
			}
		}
		page, err = from.page(ctx, page.next)
	}
}

func unlessInterrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func showJSON(w io.Writer, r *usage.Row) error { return json.NewEncoder(w).Encode(r) }

// showLine is a record as a person follows it.
func showLine(w io.Writer, r *usage.Row) error {
	u := r.Usage()
	cost := "no price"
	if r.Cost != nil {
		cost = "$" + *r.Cost
	}
	took := ""
	if r.Duration != nil {
		took = (time.Duration(*r.Duration) * time.Millisecond).String()
	}
	marks := ""
	for _, m := range []struct {
		is   bool
		name string
	}{{u.Estimated, "estimated"}, {r.HungUp, "hung up"}, {r.Recovered, "recovered"}, {r.Attempts > 1, strconv.Itoa(r.Attempts) + " attempts"}} {
		if m.is {
			marks += " (" + m.name + ")"
		}
	}
	_, err := fmt.Fprintf(w, "%s %d %s %s %s in=%s out=%s %s %s %s%s%s\n", r.Started.Local().Format(time.RFC3339), r.Status, r.Operation,
		cmp.Or(lastPart(r.Profile), r.Model), lastPart(r.Principal), known(&u, u.Input()), known(&u, u.Output()), cost, took,
		r.Invocation, suffix(" ", r.Error), marks)
	return err
}

func known(u *outcrop.Usage, n outcrop.Tokens) string {
	if !u.Known() {
		return "?"
	}
	return strconv.FormatUint(uint64(n), 10)
}

func suffix(space, text string) string {
	if text == "" {
		return ""
	}
	return space + text
}

func lastPart(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

type usageQueryCommand struct {
	usageFilter
	GroupBy []string `help:"Add up by these, comma-separated: day, hour, account, principal, profile, model, operation, region, servedIn, upstream, tier, status, error or tag:KEY." placeholder:"KEY"`
	Totals  bool     `help:"Add everything up."`
	Limit   int      `help:"Show at most this many records." default:"100" placeholder:"N"`
	JSON    bool     `help:"Write JSON." name:"json"`
}

// Run lists, or adds up.
func (q *usageQueryCommand) Run(ctx context.Context) error {
	for _, key := range q.GroupBy {
		if err := usage.CheckGroup(key); err != nil {
			return err
		}
	}
	from, err := q.open(ctx)
	if err != nil {
		return err
	}
	defer from.Close()
	if len(q.GroupBy) == 0 && !q.Totals {
		return q.list(ctx, from)
	}
	totals := usage.NewTotals(q.GroupBy)
	if err := walk(ctx, from, totals.Add); err != nil {
		return err
	}
	if q.JSON {
		return writeJSON(totalsOf(q.GroupBy, totals))
	}
	return writeTotals(os.Stdout, q.GroupBy, totals)
}

var errEnough = errors.New("enough")

func (q *usageQueryCommand) list(ctx context.Context, from usageSource) error {
	show, shown := showLine, 0
	if q.JSON {
		show = showJSON
	}
	err := walk(ctx, from, func(r *usage.Row) error {
		if shown == q.Limit {
			return errEnough
		}
		shown++
		return show(os.Stdout, r)
	})
	if errors.Is(err, errEnough) {
		fmt.Fprintf(os.Stderr, "There are more: raise --limit, add them up with --group-by, or write them to a file with outcrop usage export.\n")
		return nil
	}
	return err
}

func totalsOf(keys []string, t *usage.Totals) any {
	one := func(x *usage.Total) map[string]any {
		m := map[string]any{"invocations": x.Invocations, "errors": x.Errors, "estimated": x.Estimated, "unpriced": x.Unpriced, "costUSD": x.Cost()}
		tokens := map[string]uint64{}
		for kind, n := range x.Tokens.All() {
			tokens[kind.String()] = uint64(n)
		}
		m["tokens"] = tokens
		if x.Group != nil {
			group := map[string]string{}
			for i, key := range keys {
				group[key] = x.Group[i]
			}
			m["group"] = group
		}
		return m
	}
	groups := []any{}
	for _, g := range t.Groups() {
		groups = append(groups, one(g))
	}
	return map[string]any{"groups": groups, "total": one(t.All())}
}

func writeTotals(w io.Writer, keys []string, t *usage.Totals) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	head := strings.ToUpper(strings.Join(keys, "\t"))
	fmt.Fprintf(table, "%sCALLS\tERRORS\tINPUT\tOUTPUT\tCACHE READ\tCACHE WRITE\tCOST USD\tNO PRICE\n", join(head))
	row := func(name string, x *usage.Total) {
		write := x.Tokens.Of(outcrop.CacheWrite5mTokens) + x.Tokens.Of(outcrop.CacheWrite1hTokens)
		fmt.Fprintf(table, "%s%d\t%d\t%d\t%d\t%d\t%d\t%s\t%d\n", name, x.Invocations, x.Errors,
			x.Tokens.Of(outcrop.InputTokens)+x.Tokens.Of(outcrop.InputAudioTokens), x.Tokens.Output(), x.Tokens.Of(outcrop.CacheReadTokens), write, x.Cost(), x.Unpriced)
	}
	for _, g := range t.Groups() {
		values := slices.Clone(g.Group)
		for i := range values {
			values[i] = cmp.Or(values[i], "-")
		}
		row(join(strings.Join(values, "\t")), g)
	}
	if len(keys) > 0 {
		row("TOTAL"+strings.Repeat("\t", len(keys)), t.All())
	} else {
		row("", t.All())
	}
	return table.Flush()
}

func join(cells string) string {
	if cells == "" {
		return ""
	}
	return cells + "\t"
}

type usageExportCommand struct {
	usageFilter
	Output string `help:"File to write; - is standard output." short:"o" required:"" placeholder:"FILE"`
	Format string `help:"csv, parquet or json (default: by the file's name)." placeholder:"FORMAT"`
}

// Run writes a file beside the one named and puts it in its place at the end,
// so that a file that is there is whole.
func (x *usageExportCommand) Run(ctx context.Context) (err error) {
	format := cmp.Or(x.Format, strings.TrimPrefix(filepath.Ext(x.Output), "."))
	if format == "jsonl" || format == "ndjson" {
		format = "json"
	}
	if !slices.Contains(usage.Formats, format) {
		return fmt.Errorf("format %q is none: name one with --format (%s), or end the file's name in it", format, strings.Join(usage.Formats, ", "))
	}
	from, err := x.open(ctx)
	if err != nil {
		return err
	}
	defer from.Close()
	if x.Output == "-" {
		_, err := exportRows(ctx, from, format, os.Stdout)
		return err
	}
	out, err := os.CreateTemp(filepath.Dir(x.Output), "."+filepath.Base(x.Output)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreMissing(os.Remove(out.Name())))
		}
	}()
	rows, err := exportRows(ctx, from, format, out)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return err
	}
	if err := os.Rename(out.Name(), x.Output); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d records in %s.\n", rows, x.Output)
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func exportRows(ctx context.Context, from usageSource, format string, w io.Writer) (rows int, err error) {
	file, err := usage.OpenFile(format, w)
	if err != nil {
		return 0, err
	}
	err = walk(ctx, from, func(r *usage.Row) error {
		rows++
		return file.Write(r)
	})
	return rows, errors.Join(err, file.Close())
}

// walk takes every record to yield, showing on a terminal how far it is.
func walk(ctx context.Context, from usageSource, yield func(*usage.Row) error) error {
	bar := progress(-1)
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		bar = nil
	}
	for next := uint64(0); ; {
		page, err := from.page(ctx, next)
		if err != nil {
			return err
		}
		for i := range page.rows {
			if err := yield(&page.rows[i]); err != nil {
				return err
			}
		}
		next = page.next
		if bar != nil {
			bar.ChangeMax64(int64(max(page.last, 1)))
			_ = bar.Set64(int64(next)) // a bar that cannot be drawn is no failure
		}
		if next >= page.last {
			if bar != nil {
				_ = bar.Finish()
			}
			return nil
		}
	}
}
