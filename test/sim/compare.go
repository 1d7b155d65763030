package sim

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// Compare plays a scenario under each policy with the same clients. told hears
// how much is done, 0 to 1; it may be nil.
func Compare(ctx context.Context, s *Scenario, policies []Policy, seed uint64, told func(float64)) ([]*Result, error) {
	var all []*Result
	for i, p := range policies {
		w := New(s, p, seed)
		r, err := w.Play(ctx, func(share float64) { report(told, (float64(i)+share)/float64(len(policies))) })
		if err != nil {
			return nil, err
		}
		if wrong := w.Wrong(); len(wrong) > 0 {
			return nil, fmt.Errorf("policy %s, seed %d: %s", p.Name, seed, wrong[0])
		}
		all = append(all, r)
	}
	report(told, 1)
	return all, nil
}

func report(told func(float64), share float64) {
	if told != nil {
		told(share)
	}
}

// A Point of a sweep is all policies under one load.
type Point struct {
	Load    float64 // calls a second
	Results []*Result
}

// Sweep compares the policies under loads around the scenario's rate.
func Sweep(ctx context.Context, s *Scenario, policies []Policy, factors []float64, seed uint64, told func(float64)) ([]Point, error) {
	var points []Point
	for i, f := range factors {
		loaded := *s
		loaded.Clients.Rate *= f
		if err := loaded.Complete(); err != nil {
			return nil, err
		}
		results, err := Compare(ctx, &loaded, policies, seed, func(share float64) { report(told, (float64(i)+share)/float64(len(factors))) })
		if err != nil {
			return nil, err
		}
		points = append(points, Point{loaded.Clients.Rate, results})
	}
	return points, nil
}

// WriteTable writes one line for each result.
func WriteTable(w io.Writer, results []*Result) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "POLICY\tCALLS\tTHROTTLED\tFAILED\tBROKEN\tRETRIES\tP50\tP99\tCACHE HITS\t$ PER 1000\t")
	for _, r := range results {
		fmt.Fprintf(table, "%s\t%d\t%.2f %%\t%.2f %%\t%.2f %%\t%.2f %%\t%s\t%s\t%.1f %%\t%.2f\t\n",
			r.Policy, r.Calls, r.Percent(r.Throttled), r.Percent(r.Failed), r.Percent(r.Broken), r.Percent(r.Retries),
			r.FirstByte(50).Round(time.Millisecond), r.FirstByte(99).Round(time.Millisecond), r.HitPercent(), r.CostPerThousand())
	}
	return table.Flush()
}
