package main

import (
	"crypto/sha256"
	"io"
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// BenchmarkFloor is the least that a call with a body of a megabyte costs: the
// body comes in from one socket and leaves by another, and its hash, which the
// signature covers, is computed once. It counts the processor's time of the one
// thread that does this.
func BenchmarkFloor(b *testing.B) {
	for name, hash := range map[string]bool{"copied": false, "copied and hashed": true} {
		b.Run(name, func(b *testing.B) {
			in, out := fountain(b), drain(b)
			body := make([]byte, 1<<20)
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			began := threadTime()
			for b.Loop() {
				if _, err := io.ReadFull(in, body); err != nil {
					b.Fatal(err)
				}
				if hash {
					sha256.Sum256(body)
				}
				if _, err := out.Write(body); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(threadTime()-began)/float64(b.N)/1e3, "CPU-µs/op")
		})
	}
}

// threadTime is the processor's time of this thread.
func threadTime() time.Duration {
	const thisThread = 1 // RUSAGE_THREAD
	var u syscall.Rusage
	syscall.Getrusage(thisThread, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// fountain is a connection that always has more to read.
func fountain(b *testing.B) net.Conn {
	ours, theirs := pair(b)
	go func() { // ends with the connection
		piece := make([]byte, 1<<20)
		for err := error(nil); err == nil; {
			_, err = theirs.Write(piece)
		}
	}()
	return ours
}

// drain is a connection whose other end reads all.
func drain(b *testing.B) net.Conn {
	ours, theirs := pair(b)
	go io.Copy(struct{ io.Writer }{io.Discard}, theirs) // ends with the connection
	return ours
}

func pair(b *testing.B) (ours, theirs net.Conn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	if ours, err = net.Dial("tcp", l.Addr().String()); err != nil {
		b.Fatal(err)
	}
	if theirs, err = l.Accept(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { ours.Close(); theirs.Close() })
	return ours, theirs
}
