package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// memory says what Outcrop holds, where, at the fixed rate and with idle
// streams. Profiles of its heap go into folder profiles, if one is named.
func (w *world) memory(ctx context.Context, s size, d time.Duration, profiles string) (err error) {
	env, err := heapsInto(profiles, "memory.heap")
	if err != nil {
		return err
	}
	if w.quiet, err = w.gateway(ctx, "quiet", env...); err != nil {
		return err
	}
	g := w.quiet
	tell := func(when string) error {
		h, err := heldBy(g.PID())
		fmt.Printf("%s: %s\n", when, h)
		if profiles != "" {
			_ = syscall.Kill(g.PID(), syscall.SIGUSR1) // a process that is gone fails below
		}
		return err
	}
	if err := tell("set up"); err != nil {
		return err
	}
	before, err := cpuOf(g.PID())
	if err != nil {
		return err
	}
	l, err := rate(ctx, paths()[0].through(g), d)
	if err != nil {
		return err
	}
	err = tell(fmt.Sprintf("at %d/s", ratePerSecond))
	after, err2 := cpuOf(g.PID())
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	fmt.Printf("%d answers, p50 %s, p99 %s, CPU %s a request\n", l.answers, l.latency.quantile(0.5), l.latency.quantile(0.99), (after-before)/time.Duration(l.answers))
	i, err := w.openStreams(ctx, g, s.streams, func() error { return errors.Join(tell("with idle streams"), pause(ctx, time.Second)) })
	if err != nil {
		return err
	}
	fmt.Printf("%d idle streams: %.1f KiB each\n", i.Open, i.perStream()/1024)
	return i.FirstFailure
}

// heapsInto is the environment of a process that writes its heap into folder
// dir when it is told to.
func heapsInto(dir, name string) ([]string, error) {
	if dir == "" {
		return nil, nil
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	return []string{"OUTCROP_HEAPPROFILE=" + filepath.Join(dir, name)}, os.MkdirAll(dir, 0o755)
}

// Held is what a process has in memory, in bytes: pages of its own, and of
// the files that it has mapped, which is mostly the program itself.
type held struct{ own, files int64 }

func (h held) String() string {
	return fmt.Sprintf("RSS %s, of which its own %s, files %s", size64(h.own+h.files), size64(h.own), size64(h.files))
}

func heldBy(pid int) (h held, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		kib, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
		switch name {
		case "RssAnon":
			h.own = kib << 10
		case "RssFile", "RssShmem":
			h.files += kib << 10
		}
	}
	return h, err
}
