package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU time in /proc: USER_HZ is 100 on every Linux.
const tick = 10 * time.Millisecond

// cpuOf is the CPU time that a process has used, user and system.
func cpuOf(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("the benchmark reads CPU time from Linux's /proc: %w", err)
	}
	// The name of the command stands in brackets and may hold anything.
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	const utime, stime = 11, 12 // fields 14 and 15 of proc(5), which counts from 1
	user, err1 := strconv.ParseInt(fields[utime], 10, 64)
	system, err2 := strconv.ParseInt(fields[stime], 10, 64)
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("read CPU time of process %d", pid)
	}
	return time.Duration(user+system) * tick, nil
}

// residentOf is the memory that a process holds, in bytes.
func residentOf(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b))
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// Work that a process puts off (Outcrop copies its log into the store) belongs
// to the load that caused it: a slice is over when the process is idle.
const (
	idleEvery = 200 * time.Millisecond
	idleShare = 0.02 // of one core
	idleWait  = 30 * time.Second
)

func waitIdle(ctx context.Context, pid int) error {
	before, err := cpuOf(pid)
	for end := time.Now().Add(idleWait); err == nil && time.Now().Before(end); {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(idleEvery):
		}
		var now time.Duration
		if now, err = cpuOf(pid); float64(now-before) <= max(idleShare*float64(idleEvery), float64(tick)) {
			return err
		}
		before = now
	}
	return err
}

// A machine is where figures were measured.
type machine struct {
	CPU, System, Go, Load string
	Cores                 int
}

func thisMachine() machine {
	m := machine{CPU: "unknown CPU", Go: runtime.Version(), Cores: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH}
	for line := range strings.Lines(readText("/proc/cpuinfo")) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			m.CPU = strings.TrimSpace(value)
			break
		}
	}
	if release := strings.TrimSpace(readText("/proc/sys/kernel/osrelease")); release != "" {
		kernel, _, _ := strings.Cut(release, "-")
		m.System += ", Linux " + kernel
	}
	m.Load, _, _ = strings.Cut(readText("/proc/loadavg"), " ")
	return m
}

func readText(name string) string {
	b, err := os.ReadFile(name)
	if err != nil {
		return "" // a machine without it is described by less
	}
	return string(b)
}
