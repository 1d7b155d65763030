package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/pprof"
)

// profileCPU writes a CPU profile of everything until stop to the file that
// OUTCROP_CPUPROFILE names, if any (docs/performance.md).
func profileCPU() (stop func() error, err error) {
	name := os.Getenv("OUTCROP_CPUPROFILE")
	if name == "" {
		return func() error { return nil }, nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("OUTCROP_CPUPROFILE: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}
