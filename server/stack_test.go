package server

import (
	"net/http"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"testing"
)

// mostStack is the stack that a call may need. Stacks double: one byte more
// than eight kilobytes, less what Go keeps free at its end, costs eight more
// for every call that is under way and every connection that has had one.
// What makes it so is a large value in the frame of a function that the rest of
// the call runs in: copy it in a function of its own.
const mostStack = 8 << 10

func TestACallFitsASmallStack(t *testing.T) {
	if raced {
		t.Skip("frames are larger under the race detector")
	}
	s, up := startSpring(t)
	whole := s.callsTo(t, "converse")
	t.Run("whole", func(t *testing.T) {
		fitsStack(t, func(end <-chan struct{}) (begun <-chan struct{}) {
			done := make(chan struct{})
			go func() {
				whole(&deaf{header: http.Header{}})
				close(done)
				<-end
			}()
			return done
		})
	})
	// A stream whose client does not read. It has a connection of its own.
	up.says("application/vnd.amazon.eventstream", streamOf(10)...)
	stream := s.callsTo(t, "converse-stream")
	t.Run("open stream", func(t *testing.T) {
		fitsStack(t, func(end <-chan struct{}) (begun <-chan struct{}) {
			w := &stuck{deaf: deaf{header: http.Header{}}, begun: make(chan struct{}), end: end}
			go stream(w)
			return w.begun
		})
	})
}

// A stuck writer takes nothing until the end.
type stuck struct {
	deaf
	once  sync.Once
	begun chan struct{}
	end   <-chan struct{}
}

func (s *stuck) Write(b []byte) (int, error) {
	s.once.Do(func() { close(s.begun) })
	<-s.end
	return len(b), nil
}

// fitsStack begins call many times, each in a goroutine of its own that keeps
// its stack until all have been counted.
func fitsStack(t *testing.T, call func(end <-chan struct{}) (begun <-chan struct{})) {
	t.Helper()
	const goroutines = 100
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // it makes stacks smaller
	end := make(chan struct{})
	defer close(end)
	<-call(end) // looks things up
	runtime.GC()
	before := stacks()
	for range goroutines {
		<-call(end)
	}
	got := (stacks() - before) / goroutines
	if t.Logf("%d bytes of stack", got); got > mostStack+mostStack/2 { // what else the server does meanwhile is in it
		t.Errorf("%d bytes of stack, %d are agreed", got, mostStack)
	}
}

func stacks() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
