package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// forgetProgram gives back the pages of the program that only its start
// needed. Nothing is lost: they are as they are in the file, and come from
// there again.
func forgetProgram() error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return err
	}
	defer f.Close()
	var errs []error
	for _, m := range unwritten(f, program) {
		// Nor shall they come back by two megabytes at a time; a kernel that
		// does not do that does not know the advice.
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, m.from, m.to-m.from, syscall.MADV_NOHUGEPAGE)
		if _, _, e := syscall.Syscall(syscall.SYS_MADVISE, m.from, m.to-m.from, syscall.MADV_DONTNEED); e != 0 {
			errs = append(errs, fmt.Errorf("give back pages of the program: %w", e))
		}
	}
	return errors.Join(errs...)
}

// A mapping is a stretch of addresses.
type mapping struct{ from, to uintptr }

// unwritten reads proc(5)'s smaps for where file is mapped, cannot be written
// to, and was not: pages that the dynamic linker has filled in, before it made
// them read-only, are not the file's any more.
func unwritten(smaps io.Reader, file string) (list []mapping) {
	var m mapping
	fits := false
	for lines := bufio.NewScanner(smaps); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) == 6 && strings.Contains(fields[0], "-"):
			fits = fields[5] == file && strings.HasPrefix(fields[1], "r") && !strings.Contains(fields[1], "w")
			from, to, _ := strings.Cut(fields[0], "-")
			a, err1 := strconv.ParseUint(from, 16, 64)
			b, err2 := strconv.ParseUint(to, 16, 64)
			m, fits = mapping{uintptr(a), uintptr(b)}, fits && errors.Join(err1, err2) == nil
		case len(fields) == 3 && fields[0] == "Anonymous:":
			if fits && fields[1] == "0" {
				list = append(list, m)
			}
			fits = false
		}
	}
	return list
}
