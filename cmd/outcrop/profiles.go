package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/metrics"
	"runtime/pprof"
	"strings"
	"syscall"
)

// Where nobody asked for a profile of the heap, nothing is noted for one.
func init() {
	if os.Getenv("OUTCROP_ALLOCPROFILE") == "" && os.Getenv("OUTCROP_HEAPPROFILE") == "" {
		runtime.MemProfileRate = 0
	}
}

// profileRun writes profiles of everything until stop to the files that
// OUTCROP_CPUPROFILE, OUTCROP_ALLOCPROFILE and OUTCROP_MUTEXPROFILE name, if
// any. With OUTCROP_HEAPPROFILE set, each SIGUSR1 writes what lives on the heap
// into the next of FILE.1, FILE.2 ... (docs/performance.md).
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
	stopHeap := profileHeap(os.Getenv("OUTCROP_HEAPPROFILE"))
	return func() error {
		stopHeap()
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

// profileHeap writes a profile of the heap, and beside it what the runtime
// tells of its memory, each time it is asked to.
func profileHeap(file string) (stop func()) {
	if file == "" {
		return func() {}
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	go func() {
		for n := 1; ; n++ {
			if _, ok := <-asked; !ok {
				return
			}
			name := fmt.Sprintf("%s.%d", file, n)
			if err := errors.Join(writeMemory(name+".txt"), writeProfile("heap", name)); err != nil {
				fmt.Fprintln(os.Stderr, "outcrop:", err)
			}
		}
	}()
	return func() {
		signal.Stop(asked)
		close(asked)
	}
}

// writeMemory writes the runtime's own figures of its memory.
func writeMemory(file string) error {
	f, err := profileFile("figures of memory", file)
	if err != nil {
		return err
	}
	for _, d := range metrics.All() {
		if !strings.HasPrefix(d.Name, "/memory/") && !strings.HasPrefix(d.Name, "/gc/") && !strings.HasPrefix(d.Name, "/sched/goroutines") {
			continue
		}
		s := []metrics.Sample{{Name: d.Name}}
		if metrics.Read(s); s[0].Value.Kind() == metrics.KindUint64 {
			fmt.Fprintf(f, "%12d %s\n", s[0].Value.Uint64(), d.Name)
		}
	}
	return f.Close()
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
