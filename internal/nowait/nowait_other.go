//go:build !linux

package nowait

import "syscall"

// Elsewhere the system's library makes the call, which must be announced.

func read(fd uintptr, p []byte) (int, error) { return syscall.Read(int(fd), p) }

func write(fd uintptr, p []byte) (int, error) { return syscall.Write(int(fd), p) }
