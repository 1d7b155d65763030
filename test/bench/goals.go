package main

import (
	"fmt"
	"time"
)

// A goal is a target that the product has set itself, and what came of it.
type goal struct {
	What, Aim, Got string
	Over           float64 // what was got by what was aimed at: up to 1 is met
}

func (g goal) met() string {
	switch {
	case g.Over < 0:
		return "not judged"
	case g.Over <= 1:
		return fmt.Sprintf("met, by %.0f %%", 100*(1-g.Over))
	case g.Over < 10:
		return fmt.Sprintf("not met, by %.0f %%", 100*(g.Over-1))
	}
	return "not met"
}

var goalColumns = []string{"what", "target", "measured", "verdict"}

func goalCells(goals []goal) (out [][]string) {
	for _, g := range goals {
		out = append(out, []string{g.What, g.Aim, g.Got, g.met()})
	}
	return out
}

// goals are every target with what this run measured of it.
func (r *report) goals() []goal {
	list := r.saturated()
	if r.Idle == nil { // only some paths were wanted
		return append(list, r.lostGoal())
	}
	list = append(list, r.latencies()...)
	s := r.Single
	return append(list,
		r.bytes("RSS at 500/s", s.AtRate, 60*megabyte),
		r.bytes(fmt.Sprintf("RSS per open idle stream, %d open", r.Idle.Open), int64(r.Idle.perStream()), 40*kilobyte),
		r.Idle.failures(),
		within(fmt.Sprintf("ListInferenceProfiles, 1,000 out of %d, p50", s.Profiles), s.Page, 10*time.Millisecond),
		within("start to first answered call, empty folder", s.Start, 300*time.Millisecond),
		r.bytes("stripped binary", s.Binary, 60*megabyte),
		r.lostGoal(),
	)
}

func (r *report) lostGoal() goal {
	return goal{"records lost in all of the above", "0", fmt.Sprint(r.lost()), zero(r.lost())}
}

// saturated are the ratios of CPU time to the bare proxy's.
func (r *report) saturated() (list []goal) {
	var base float64
	for _, row := range r.Rows {
		cpu := row.total().cpuMicros
		if row.Target.Base {
			base = cpu
		}
		if row.Target.Records {
			what := ": CPU per request"
			if row.Target.Path.Frames > 0 {
				what = ": CPU per frame"
			}
			list = append(list, ratio(row.Target.Path.Name+what, cpu/base, row.Target.Path.Most))
		}
	}
	return list
}

func (r *report) latencies() []goal {
	const proxy, own = "httputil", "Outcrop"
	ours, theirs := addedBy(r.Rate, own, latencyOf), addedBy(r.Rate, proxy, latencyOf)
	first, bare := addedBy(r.First, own, firstOf), addedBy(r.First, proxy, firstOf)
	return []goal{
		compared("added p50 at 500/s", ours.p50, theirs.p50, 1.0),
		compared("added p99 at 500/s", ours.p99, theirs.p99, 1.5),
		compared("added time to first token, paced stream, p50", first.p50, bare.p50, 1.1),
	}
}

// notJudged is the Over of what this run cannot tell.
const notJudged = -1

const wantedStreams = 10_000

// failures are judged when as many streams were open as are aimed at, or when
// fewer are too many already.
func (i *idle) failures() goal {
	g := goal{fmt.Sprintf("failures, %d streams open, %d of them over HTTP/2", i.Open, i.Shared), "0 of 10,000", fmt.Sprint(i.Failed), zero(int64(i.Failed))}
	if i.Failed == 0 && i.Wanted < wantedStreams {
		g.Over = notJudged
	}
	return g
}

func ratio(what string, got, most float64) goal {
	return goal{what, fmt.Sprintf("≤ %.1f ×", most), fmt.Sprintf("%.2f ×", got), got / most}
}

// compared is a time by the bare proxy's.
func compared(what string, got, base time.Duration, most float64) goal {
	both := fmt.Sprintf("(%s to %s)", got.Round(time.Microsecond), base.Round(time.Microsecond))
	if base <= 0 { // the upstream itself had worse luck: the machine was too busy to tell
		return goal{what, fmt.Sprintf("≤ %.1f ×", most), both, notJudged}
	}
	g := ratio(what, float64(got)/float64(base), most)
	g.Got += " " + both
	return g
}

func within(what string, got, most time.Duration) goal {
	return goal{what, "≤ " + most.String(), got.Round(100 * time.Microsecond).String(), float64(got) / float64(most)}
}

func (r *report) bytes(what string, got, most int64) goal {
	return goal{what, "≤ " + size64(most), size64(got), float64(got) / float64(most)}
}

// The targets count in thousands of bytes, and in thousands of these.
const kilobyte, megabyte = 1_000, 1_000_000

func size64(n int64) string {
	if n < megabyte {
		return fmt.Sprintf("%.1f KB", float64(n)/kilobyte)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/megabyte)
}

// zero is met by nothing but 0.
func zero(n int64) float64 {
	if n == 0 {
		return 0
	}
	return 1000
}
