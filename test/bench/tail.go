package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"outcrop/ledger"
)

// tailSlice is how long each is measured before it is the next one's turn.
const tailSlice = 2 * time.Second

// tail takes the slowest answers at the fixed rate apart: the disk alone, the
// upstream, the proxy and Outcrop in turns, and what Outcrop's own metrics say
// it waited for meanwhile.
func (w *world) tail(ctx context.Context, d time.Duration) (err error) {
	if w.quiet, err = w.gateway(ctx, "quiet"); err != nil {
		return err
	}
	before, err := waitsOf(ctx, w.quiet)
	if err != nil {
		return err
	}
	var disk histogram
	targets := w.unsaturated(paths()[0])
	sums := make([]load, len(targets))
	for began := time.Now(); time.Since(began) < d; {
		if err := bareSyncs(ctx, filepath.Join(w.dir, "bare"), &disk); err != nil {
			return err
		}
		for i, t := range targets {
			l, err := rate(ctx, t, tailSlice)
			if err != nil {
				return err
			}
			sums[i].merge(l)
		}
	}
	fmt.Println(tailOf("write and sync, nothing else", &disk))
	for i, t := range targets {
		fmt.Println(tailOf(t.Name, &sums[i].latency))
	}
	after, err := waitsOf(ctx, w.quiet)
	fmt.Print(after.since(before))
	return err
}

func tailOf(name string, h *histogram) string {
	return fmt.Sprintf("%-30s %6d  p50 %8s  p90 %8s  p99 %8s  p99.9 %8s", name, h.count, h.quantile(.5), h.quantile(.9), h.quantile(.99), h.quantile(.999))
}

// bareSyncs writes and syncs at the fixed rate what a record takes, as the
// ledger does, for a slice.
func bareSyncs(ctx context.Context, dir string, h *histogram) (err error) {
	const size, record = 16 << 20, 600
	files, err := ledger.OpenFolder(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.Close(), os.RemoveAll(dir)) }()
	f, err := files.Create("bare", size, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	b, began := make([]byte, record), time.Now()
	for i := range int(tailSlice.Seconds() * ratePerSecond) {
		due := began.Add(time.Duration(i) * time.Second / ratePerSecond)
		start := due // one that waited for a stalled one was due all the same
		if wait := time.Until(due); wait > 0 {
			if err := pause(ctx, wait); err != nil {
				return err
			}
			start = time.Now()
		}
		if _, err := f.WriteAt(b, int64(i*record)); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		h.add(time.Since(start))
	}
	return nil
}

// waits are what a process's metrics say it waited for: by name, how many took
// no longer than each bound.
type waits map[string][]bucket

type bucket struct{ most, n float64 }

// waitedFor are the histograms of a wait, and what they are of.
var waitedFor = []struct{ name, of string }{
	{"outcrop_ledger_commit_seconds", "ledger: write and sync"},
	{"outcrop_store_write_seconds", "store: commit"},
	{"go_sched_latencies_seconds", "goroutines: from ready to run"},
	{"go_sched_pauses_total_gc_seconds", "collector: all stopped"},
}

func waitsOf(ctx context.Context, g *gateway) (waits, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, g.Endpoint+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	text, err := whole(r)
	found := waits{}
	for line := range strings.Lines(string(text)) {
		name, rest, ok := strings.Cut(line, `_bucket{le="`)
		bound, n, ok2 := strings.Cut(strings.TrimSpace(rest), `"} `)
		if !ok || !ok2 {
			continue
		}
		most, err1 := strconv.ParseFloat(bound, 64) // +Inf too
		count, err2 := strconv.ParseFloat(n, 64)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		found[name] = append(found[name], bucket{most, count})
	}
	return found, err
}

// count is how many waits of a kind there were.
func (w waits) count(name string) float64 {
	list := w[name]
	if len(list) == 0 {
		return 0
	}
	return list[len(list)-1].n
}

// since says what was waited for after before.
func (w waits) since(before waits) string {
	var text strings.Builder
	for _, of := range waitedFor {
		now, then := w[of.name], before[of.name]
		if len(now) == 0 || len(now) != len(then) {
			continue
		}
		for i := range now {
			now[i].n -= then[i].n
		}
		fmt.Fprintf(&text, "%-30s %6.0f  p50 ≤%7s  p90 ≤%7s  p99 ≤%7s  p99.9 ≤%7s\n", of.of, w.count(of.name),
			boundOf(now, .5), boundOf(now, .9), boundOf(now, .99), boundOf(now, .999))
	}
	return text.String()
}

// boundOf is the bound that a share of q is not above.
func boundOf(buckets []bucket, q float64) time.Duration {
	all := buckets[len(buckets)-1].n
	for _, b := range buckets {
		if b.n >= q*all {
			return time.Duration(b.most * float64(time.Second)).Round(time.Microsecond)
		}
	}
	return 0
}
