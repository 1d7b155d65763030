package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

type upstreamCommand struct {
	List   upstreamListCommand   `cmd:"" help:"List the upstreams with their state, health and load."`
	Drain  upstreamDrainCommand  `cmd:"" help:"Send no new calls to an upstream, over restarts too; calls under way go on."`
	Enable upstreamEnableCommand `cmd:"" help:"Send calls to a drained upstream again."`
}

// An upstreamShown is an upstream as the server tells it.
type upstreamShown struct {
	Name, Kind, State string
	Check             string `json:",omitempty"`
	InFlight, Weight  int64
	HeadroomPercent   int64
	Regions, Models   []string
	Lanes             []laneShown
}

type laneShown struct {
	Region          string
	ModelID         string `json:"ModelId"`
	Health          string
	EjectedFor      int64 `json:"EjectedForMillis"`
	FullFor         int64 `json:"FullForMillis"`
	FirstByte       int64 `json:"FirstByteMicros,omitempty"`
	Whole           int64 `json:"WholeMicros,omitempty"`
	InFlight        int64
	Calls, Failures int64
}

type upstreamListCommand struct {
	accessCommand
	JSON bool `help:"Write the list as JSON." name:"json"`
}

// Run lists the upstreams, and below them the lanes that have been used.
func (u *upstreamListCommand) Run(ctx context.Context) error {
	client, err := u.client("")
	if err != nil {
		return err
	}
	var out struct{ Upstreams []upstreamShown }
	if err := client.Admin(ctx, "ListUpstreams", map[string]any{}, &out); err != nil {
		return err
	}
	if u.JSON {
		return writeJSON(out.Upstreams)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "UPSTREAM\tKIND\tSTATE\tCHECK\tIN FLIGHT\tHEADROOM\tWEIGHT\tREGIONS")
	for _, one := range out.Upstreams {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%d %%\t%d\t%s\n", one.Name, one.Kind, one.State, cmp.Or(one.Check, "-"), one.InFlight, one.HeadroomPercent, one.Weight, cmp.Or(strings.Join(one.Regions, " "), "all"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return writeLanes(out.Upstreams)
}

func writeLanes(upstreams []upstreamShown) error {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	head := false
	for _, one := range upstreams {
		for _, l := range one.Lanes {
			if !head {
				head = true
				fmt.Fprintln(table, "\nUPSTREAM\tREGION\tMODEL\tHEALTH\tFIRST BYTE\tWHOLE\tIN FLIGHT\tCALLS\tFAILED")
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\n", one.Name, l.Region, l.ModelID, l.health(), latency(l.FirstByte), latency(l.Whole), l.InFlight, l.Calls, l.Failures)
		}
	}
	return table.Flush()
}

func (l *laneShown) health() string {
	switch {
	case l.Health == "ejected":
		return fmt.Sprintf("ejected for %s", (time.Duration(l.EjectedFor) * time.Millisecond).Round(100*time.Millisecond))
	case l.FullFor > 0:
		return fmt.Sprintf("throttles for %s", (time.Duration(l.FullFor) * time.Millisecond).Round(100*time.Millisecond))
	}
	return l.Health
}

// latency of microseconds, to three figures.
func latency(micros int64) string {
	d := time.Duration(micros) * time.Microsecond
	switch {
	case d == 0:
		return "-"
	case d < 10*time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(time.Millisecond).String()
}

type upstreamDrainCommand struct {
	accessCommand
	Name string `arg:"" help:"Name of the upstream in the configuration."`
}

// Run drains one upstream.
func (u *upstreamDrainCommand) Run(ctx context.Context) error {
	one, err := u.turn(ctx, "DrainUpstream", u.Name)
	if err != nil {
		return err
	}
	fmt.Printf("%s gets no new calls; %d are under way. Enable it again with: outcrop upstream enable %s\n", one.Name, one.InFlight, one.Name)
	return nil
}

type upstreamEnableCommand struct {
	accessCommand
	Name string `arg:"" help:"Name of the upstream in the configuration."`
}

// Run enables one upstream.
func (u *upstreamEnableCommand) Run(ctx context.Context) error {
	one, err := u.turn(ctx, "EnableUpstream", u.Name)
	if err != nil {
		return err
	}
	fmt.Printf("%s gets calls again.\n", one.Name)
	return nil
}

func (a *accessCommand) turn(ctx context.Context, operation, name string) (*upstreamShown, error) {
	client, err := a.client("")
	if err != nil {
		return nil, err
	}
	var out struct{ Upstream upstreamShown }
	return &out.Upstream, client.Admin(ctx, operation, map[string]any{"Name": name}, &out)
}
