package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A profiled path is one that an Outcrop of its own was driven on alone.
type profiled struct {
	answers, records int64
	syncs            float64 // of the ledger
	costs            []cost
}

func (p *profiled) lost() error {
	if p.answers != p.records {
		return fmt.Errorf("under the profiler: %d answers, %d records", p.answers, p.records)
	}
	return nil
}

// profile drives one path for a while and writes its profiles into dir.
func (w *world) profile(ctx context.Context, p *path, d time.Duration, dir string) (*profiled, error) {
	base := filepath.Join(dir, fileName(p.Name))
	env := []string{"OUTCROP_CPUPROFILE=" + base + ".cpu", "OUTCROP_ALLOCPROFILE=" + base + ".allocs", "OUTCROP_MUTEXPROFILE=" + base + ".mutex"}
	g, err := w.gateway(ctx, "profiled-"+fileName(p.Name), env...)
	if err != nil {
		return nil, err
	}
	defer g.stop()
	l, err := closed(ctx, p.through(g), p.connections(), d)
	if err != nil {
		return nil, err
	}
	if err := waitIdle(ctx, g.PID()); err != nil {
		return nil, err
	}
	waited, err := waitsOf(ctx, g)
	if err := errors.Join(err, g.stop()); err != nil {
		return nil, err
	}
	out := &profiled{answers: l.answers, syncs: waited.count("outcrop_ledger_commit_seconds")}
	if out.records, err = recordsIn(ctx, w.database(g)); err != nil {
		return nil, err
	}
	out.costs, err = costsIn(ctx, w.binary, base+".cpu")
	return out, err
}

// profileAll writes profiles of every path, and says where the time went.
func (w *world) profileAll(ctx context.Context, s size, o options) error {
	dir, err := filepath.Abs(o.profile)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, p := range paths() {
		if !strings.Contains(p.Name, o.only) {
			continue
		}
		got, err := w.profile(ctx, p, s.profiled, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
		fmt.Printf("%s: %d answers, %.1f to a sync of the ledger\n", p.Name, got.answers, float64(got.answers)/got.syncs)
		for _, c := range got.costs {
			fmt.Printf("  %5.1f %%  %s\n", 100*c.Share, c.Name)
		}
	}
	return exec.CommandContext(ctx, "cp", w.binary, filepath.Join(dir, "outcrop")).Run() // pprof wants its symbols
}

func fileName(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" ,/", r) {
			return '-'
		}
		return r
	}, strings.ToLower(s))
}

// A cost is a share of the CPU time.
type cost struct {
	Name  string
	Share float64
}

// kinds name what a stack is about by a function in it: the first kind that
// fits has it, so what is narrow comes first.
var kinds = []struct{ name, in string }{
	{"copying records into SQLite", "outcrop/sqlite."},
	{"garbage collection", "runtime.gcBgMarkWorker|runtime.gcAssistAlloc|runtime.bgsweep|runtime.bgscavenge"},
	{"readers of the ledger: metrics, rollups, budgets", "outcrop/cost.|outcrop/metrics.|outcrop/budget.|outcrop/telemetry"},
	{"the ledger: encoding, writing and syncing segments", "outcrop/ledger."},
	{"signing the call to the upstream", "outcrop/upstream/bedrock.(*Upstream).sign"},
	{"HTTP to the upstream", "outcrop/internal/h1.|net/http.(*persistConn)|net/http.(*Transport)"},
	{"checking the caller's signature", "outcrop/sigv4."},
	{"deciding on the policies", "outcrop/iam.|outcrop/identity."},
	{"choosing the route", "outcrop/routing."},
	{"quotas", "outcrop/quota."},
	{"resolving the profile, pricing", "outcrop/profile.|outcrop/catalog.|outcrop/pricing."},
	{"the upstream's adapter", "outcrop/upstream"},
	{"the gateway: reading, estimating, metering", "outcrop/gateway.|outcrop/converse"},
	{"the AWS door: routing, reading and writing the wire", "outcrop/awsapi|outcrop/server"},
	{"HTTP from the caller: reading requests, writing answers", "outcrop/internal/plainhttp.|net/http.(*conn)|net/http.(*connReader)|net/http.(*response)"},
	{"Go's scheduler and timers", "runtime.mcall|runtime.schedule|runtime.findRunnable|runtime.mstart|runtime.sysmon|runtime.park_m"},
}

// costsIn reads a CPU profile's stacks and adds them up by kind.
func costsIn(ctx context.Context, binary, file string) ([]cost, error) {
	text, err := exec.CommandContext(ctx, "go", "tool", "pprof", "-traces", "-unit", "us", binary, file).Output()
	if err != nil {
		return nil, fmt.Errorf("read profile: %w", err)
	}
	sums, total := map[string]float64{}, 0.0
	var stack []string
	var value float64
	add := func() {
		if len(stack) > 0 {
			sums[kindOf(strings.Join(stack, "\n"))] += value
			total += value
		}
		stack, value = nil, 0
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "-----------+") {
			add()
			continue
		}
		fields := strings.Fields(line)
		if len(fields) == 2 && strings.HasSuffix(fields[0], "us") {
			fmt.Sscanf(fields[0], "%fus", &value)
			fields = fields[1:]
		}
		if len(fields) > 0 && (value > 0 || len(stack) > 0) {
			stack = append(stack, fields[0])
		}
	}
	add()
	var list []cost
	for name, sum := range sums {
		list = append(list, cost{name, sum / total})
	}
	slices.SortFunc(list, func(a, b cost) int { return cmp.Compare(b.Share, a.Share) })
	return list, nil
}

func kindOf(stack string) string {
	for _, k := range kinds {
		for in := range strings.SplitSeq(k.in, "|") {
			if strings.Contains(stack, in) {
				return k.name
			}
		}
	}
	return "everything else"
}
