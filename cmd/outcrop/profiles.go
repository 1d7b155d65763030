package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
)

// profileRun writes profiles of everything until stop to the files that
// OUTCROP_CPUPROFILE, OUTCROP_ALLOCPROFILE and OUTCROP_MUTEXPROFILE name, if
// any (docs/performance.md).
func profileRun() (stop func() error, err error) {
	stopCPU, err := profileCPU()
	if err != nil {
		return nil, err
	}
	mutexes := os.Getenv("OUTCROP_MUTEXPROFILE")
	if mutexes != "" {
		const oneIn = 5 // waits that are looked at
		runtime.SetMutexProfileFraction(oneIn)
	}
	return func() error {
		return errors.Join(stopCPU(), writeProfile("mutex", mutexes), writeProfile("allocs", os.Getenv("OUTCROP_ALLOCPROFILE")))
	}, nil
}

func profileCPU() (stop func() error, err error) {
	f, err := profileFile("OUTCROP_CPUPROFILE", os.Getenv("OUTCROP_CPUPROFILE"))
	if f == nil {
		return func() error { return nil }, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

// writeProfile writes what the runtime has gathered under a name.
func writeProfile(name, file string) error {
	f, err := profileFile("profile of "+name, file)
	if f == nil {
		return err
	}
	return errors.Join(pprof.Lookup(name).WriteTo(f, 0), f.Close())
}

// profileFile makes a file, nil when its name is empty.
func profileFile(what, name string) (*os.File, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return f, nil
}
