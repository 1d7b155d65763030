package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// A row is the figures of one target.
type row struct {
	Target   *target
	Answers  int64 // measured and warming up
	Resident int64 // bytes, the most after a slice

	sum    load
	cpu    time.Duration
	slices []sample
}

// A sample is one slice.
type sample struct {
	perSecond, cpuMicros float64 // requests per second; CPU of one request
	p50, p99             time.Duration
}

// A driver makes load.
type driver func(context.Context, *target, time.Duration) (*load, error)

func saturate(ctx context.Context, t *target, d time.Duration) (*load, error) {
	return closed(ctx, t, t.Path.connections(), d)
}

// measure warms the target up and measures one slice of load.
func (r *row) measure(ctx context.Context, s size, drive driver) error {
	warm, err := drive(ctx, r.Target, s.warm)
	if err != nil {
		return err
	}
	r.Answers += warm.answers
	if err := waitIdle(ctx, r.Target.pid); err != nil {
		return err
	}
	before, err := cpuOf(r.Target.pid)
	if err != nil {
		return err
	}
	l, err := drive(ctx, r.Target, s.slice)
	if err != nil {
		return err
	}
	resident, err := residentOf(r.Target.pid)
	if err != nil {
		return err
	}
	if err := waitIdle(ctx, r.Target.pid); err != nil {
		return err
	}
	after, err := cpuOf(r.Target.pid)
	r.add(l, after-before, resident)
	return errors.Join(err, ctx.Err())
}

func (r *row) add(l *load, cpu time.Duration, resident int64) {
	r.Answers += l.answers
	r.Resident = max(r.Resident, resident)
	r.cpu += cpu
	r.sum.merge(l)
	r.sum.elapsed += l.elapsed
	r.slices = append(r.slices, sampleOf(l, cpu))
}

func sampleOf(l *load, cpu time.Duration) sample {
	return sample{
		perSecond: float64(l.answers) / l.elapsed.Seconds(),
		cpuMicros: float64(cpu.Nanoseconds()) / 1e3 / float64(max(l.answers, 1)),
		p50:       l.latency.quantile(0.5), p99: l.latency.quantile(0.99),
	}
}

func (r *row) total() sample { return sampleOf(&r.sum, r.cpu) }

func (r *row) last() string {
	s := r.slices[len(r.slices)-1]
	return fmt.Sprintf("%s, %s: %.0f/s, p50 %s, p99 %s, %.0f µs of CPU", r.Target.Path.Name, r.Target.Name, s.perSecond, s.p50, s.p99, s.cpuMicros)
}

// spread is the least and the most CPU time of a request over the rounds.
func (r *row) spread() (least, most float64) {
	by := func(a, b sample) int { return int(a.cpuMicros - b.cpuMicros) }
	return slices.MinFunc(r.slices, by).cpuMicros, slices.MaxFunc(r.slices, by).cpuMicros
}

// A report is a whole run.
type report struct {
	Size     string
	Machine  machine
	Started  time.Time
	Rows     []*row // under saturated load
	Rate     []*row // at the fixed rate
	First    []*row // paced streams
	Idle     *idle
	Single   single
	Costs    []cost // of the main path
	Profiled int64  // answers under the profiler
	Records  int64  // in the ledgers, after a clean stop
	Upstream int64  // answers by the mock's own count
}

// answers adds up the answers of some targets.
func (r *report) answers(of func(*target) bool) (sum int64) {
	for _, row := range slices.Concat(r.Rows, r.Rate, r.First) {
		if of(row.Target) {
			sum += row.Answers
		}
	}
	return sum
}

// recorded are the answers that must be in the ledgers.
func (r *report) recorded() int64 {
	n := r.answers(func(t *target) bool { return t.Records })
	if r.Idle != nil {
		n += r.Idle.Answers
	}
	return n
}

// lost is how many answers are missing in the ledgers.
func (r *report) lost() int64 { return r.recorded() - r.Records }

// all are the answers that the upstream must have counted.
func (r *report) all() int64 {
	n := r.answers(func(*target) bool { return true }) + r.Profiled
	if r.Idle != nil {
		n += r.Idle.Answers
	}
	return n
}

// verdict is an error when an answer is missing or counted twice. A target of
// speed that is not met is told, and is no error: machines differ.
func (r *report) verdict() error {
	var errs []error
	if n := r.lost(); n != 0 {
		errs = append(errs, fmt.Errorf("%d answers are missing in the ledgers", n))
	}
	if n := r.all(); n != r.Upstream {
		errs = append(errs, fmt.Errorf("clients read %d answers of the upstream, which counts %d", n, r.Upstream))
	}
	if i := r.Idle; i != nil && i.Failed > 0 {
		errs = append(errs, fmt.Errorf("%d of %d open streams failed, the first with: %w", i.Failed, i.Wanted, i.FirstFailure))
	}
	return errors.Join(errs...)
}

var columns = []string{"path", "target", "requests/s", "p50", "p99", "CPU µs/request", "ratio", "least–most", "CPU µs/frame", "RSS MiB"}

// cells are the table of saturated load: ratios are to the bare proxy.
func (r *report) cells() [][]string {
	var out [][]string
	var base sample
	for _, row := range r.Rows {
		s := row.total()
		if row.Target.Base {
			base = s
		}
		least, most := row.spread()
		frame := ""
		if n := row.Target.Path.Frames; n > 0 {
			frame = fmt.Sprintf("%.1f", s.cpuMicros/float64(n))
		}
		out = append(out, []string{
			row.Target.Path.Name, row.Target.Name, fmt.Sprintf("%.0f", s.perSecond), millis(s.p50), millis(s.p99),
			fmt.Sprintf("%.0f", s.cpuMicros), fmt.Sprintf("%.2f", s.cpuMicros/base.cpuMicros),
			fmt.Sprintf("%.0f–%.0f", least, most), frame, mebi(row.Resident),
		})
	}
	return out
}

func millis(d time.Duration) string { return fmt.Sprintf("%.2f ms", d.Seconds()*1e3) }
func mebi(n int64) string           { return fmt.Sprintf("%.0f", float64(n)/(1<<20)) }

func (r *report) text() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	table := func(head []string, lines [][]string) {
		fmt.Fprintln(w, strings.Join(head, "\t"))
		for _, line := range lines {
			fmt.Fprintln(w, strings.Join(line, "\t"))
		}
		w.Flush()
		fmt.Fprintln(&b)
	}
	table(columns, r.cells())
	table(goalColumns, goalCells(r.goals()))
	for i, c := range r.largest() {
		fmt.Fprintf(&b, "%d. %4.1f %%  %s\n", i+1, 100*c.Share, c.Name)
	}
	fmt.Fprintf(&b, "\n%s\n%s\n", r.counts(), r.where())
	return b.String()
}

// largest are the five largest costs of the main path.
func (r *report) largest() []cost { return r.Costs[:min(5, len(r.Costs))] }

func (r *report) counts() string {
	return fmt.Sprintf("Answers through Outcrop %d, records in the ledgers %d, lost %d. Answers of the upstream %d, by its own count %d.",
		r.recorded(), r.Records, r.lost(), r.all(), r.Upstream)
}

func (r *report) where() string {
	m := r.Machine
	return fmt.Sprintf("%s, %d cores, %s, %s; load average before the run %s; %d connections; %s, size %s.",
		m.CPU, m.Cores, m.System, m.Go, m.Load, connections, r.Started.UTC().Format(time.DateOnly), r.Size)
}
