package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
)

type routeCommand struct {
	Explain routeExplainCommand `cmd:"" help:"Show where a call of a profile would be tried now, in which order and why."`
}

type routeExplainCommand struct {
	accessCommand
	Profile string `arg:"" help:"Inference profile or model: id or ARN."`
	Whole   bool   `help:"Explain a call that is answered whole, not in a stream: its latency is another."`
	JSON    bool   `help:"Write the explanation as JSON." name:"json"`
}

// A routeShown is a route as the server tells it.
type routeShown struct {
	ModelID      string `json:"ModelId"`
	ProfileArn   string `json:",omitempty"`
	SourceRegion string
	Retries      int64
	Steps        []stepShown
	Unserved     []string
}

type stepShown struct {
	Order                           int64 `json:",omitempty"`
	Region, Upstream, UpstreamModel string
	Source                          bool
	Health                          string
	HeadroomPercent                 int64
	LatencyMicros                   int64 `json:",omitempty"`
	InFlight, Weight                int64
	InputPrice, OutputPrice         string `json:",omitempty"`
	Reason                          string
}

// Run explains.
func (r *routeExplainCommand) Run(ctx context.Context) error {
	client, err := r.client(r.Profile)
	if err != nil {
		return err
	}
	var out routeShown
	if err := client.Admin(ctx, "ExplainRoute", map[string]any{"ModelId": r.Profile, "Streaming": !r.Whole}, &out); err != nil {
		return err
	}
	if r.JSON {
		return writeJSON(out)
	}
	return out.write()
}

func (r *routeShown) write() error {
	fmt.Printf("A call of %s from %s would be tried in this order:\n\n", cmp.Or(r.ProfileArn, r.ModelID), r.SourceRegion)
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ORDER\tREGION\tUPSTREAM\tMODEL THERE\tHEALTH\tHEADROOM\tLATENCY\tIN FLIGHT\t$/M IN\t$/M OUT\tWHY")
	for _, s := range r.Steps {
		order := "-"
		if s.Order > 0 {
			order = fmt.Sprint(s.Order)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d %%\t%s\t%d\t%s\t%s\t%s\n", order, s.Region, s.Upstream, s.UpstreamModel, s.Health, s.HeadroomPercent,
			latency(s.LatencyMicros), s.InFlight, cmp.Or(s.InputPrice, "no price"), cmp.Or(s.OutputPrice, "no price"), s.Reason)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(r.Steps) == 0 {
		fmt.Println("(nowhere: no configured upstream serves the model in a Region of the profile)")
	}
	if len(r.Unserved) > 0 {
		fmt.Printf("\nNo upstream serves it in %s.\n", strings.Join(r.Unserved, ", "))
	}
	fmt.Printf("\nRetries left in the budget: %d.\n", r.Retries)
	return nil
}
