package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"outcrop/ledger"
	"outcrop/server"
)

type ledgerCommand struct {
	Check   ledgerCheckCommand   `cmd:"" help:"Say what is damaged or torn, and how many records are in it; change nothing. Exit status 1 when something is damaged."`
	Salvage ledgerSalvageCommand `cmd:"" help:"Give up the records that cannot be read: each damaged file is kept as NAME.damaged."`
}

type ledgerFolder struct {
	Data   string `help:"Data folder of the stopped server (default ./outcrop-data)." placeholder:"DIR"`
	Config string `help:"Its configuration file." placeholder:"FILE"`
}

// find checks the ledger and tells about each segment.
func (f *ledgerFolder) find(out io.Writer) (c *server.Config, lost, damaged int, err error) {
	if c, err = server.ReadConfig(f.Config); err != nil {
		return nil, 0, 0, err
	}
	override(&c.DataDir, f.Data)
	found, err := server.CheckLedger(*c)
	if err != nil {
		return nil, 0, 0, err
	}
	for i := range found {
		n, stretches := tellSegment(out, &found[i])
		lost, damaged = lost+n, damaged+stretches
	}
	return c, lost, damaged, nil
}

// tellSegment prints what was found and counts what is lost and not given up yet.
func tellSegment(out io.Writer, f *ledger.Finding) (lost, damaged int) {
	fmt.Fprintf(out, "%s: %d records", f.Segment, f.Records)
	if f.Records > 0 {
		fmt.Fprintf(out, ", %d to %d", f.First, f.Last)
	}
	fmt.Fprintln(out)
	for i := range f.Damage {
		d := &f.Damage[i]
		fmt.Fprintf(out, "  bytes %d to %d: %s\n", d.From, d.To, tellDamage(d))
		if !d.GivenUp {
			lost, damaged = lost+d.Lost, damaged+1
		}
	}
	if f.Torn > 0 {
		fmt.Fprintf(out, "  a torn end of %d bytes, which nobody was told of; the next start writes over it\n", f.Torn)
	}
	return lost, damaged
}

func tellDamage(d *ledger.Damage) string {
	switch {
	case d.Unknown:
		return "damaged, and the header with it: nothing there can be read, and nothing tells how many records it had (those that the store has are safe)"
	case d.From == 0 && d.Lost == 0:
		return "the header is damaged; a salvage makes it anew and keeps the records behind it"
	case d.From == 0:
		return fmt.Sprintf("damaged, and the header with it, %d records", d.Lost)
	case d.GivenUp:
		return fmt.Sprintf("given up earlier, %d records", d.Lost)
	default:
		return fmt.Sprintf("damaged, %d records", d.Lost)
	}
}

type ledgerCheckCommand struct{ ledgerFolder }

// Run says what is damaged.
func (l *ledgerCheckCommand) Run(context.Context) error {
	_, lost, damaged, err := l.find(os.Stdout)
	switch {
	case err != nil:
		return err
	case damaged > 0:
		fmt.Printf("%d damaged places with %d records. Put back good copies of the files, or give these records up with: outcrop ledger salvage\n", damaged, lost)
		return exitCode(1)
	}
	fmt.Println("The ledger is whole.")
	return nil
}

type ledgerSalvageCommand struct{ ledgerFolder }

// Run gives up what is damaged.
func (l *ledgerSalvageCommand) Run(ctx context.Context) error {
	c, lost, damaged, err := l.find(os.Stdout)
	if err != nil {
		return err
	}
	if damaged == 0 {
		fmt.Println("The ledger is whole: there is nothing to salvage.")
		return nil
	}
	if err := server.SalvageLedger(ctx, *c, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))); err != nil {
		return err
	}
	fmt.Printf("%d records were given up, all others are kept; each damaged file is beside its mended one as NAME.damaged.\n", lost)
	return nil
}
