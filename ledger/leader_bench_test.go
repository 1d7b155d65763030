//go:build unix

package ledger_test

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"outcrop"
	"outcrop/ledger"
	"outcrop/ledger/ledgertest"
)

// BenchmarkOneByOne settles 500 records a second, in turns by callers that
// write them themselves and by such that have the writer do it, and says what
// half of them wait at most, and what of the processor's time they take.
func BenchmarkOneByOne(b *testing.B) {
	l, err := ledger.Start(b.TempDir(), discard{}, ledger.Options{DrainEvery: time.Hour, DrainAfter: 1 << 30})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	impatient, cancel := context.WithCancel(b.Context())
	defer cancel()
	var took, worked [2][]time.Duration
	for n := 0; b.Loop(); n++ {
		time.Sleep(2 * time.Millisecond)
		ctx := []context.Context{context.WithoutCancel(impatient), impatient}[n%2]
		r := ledgertest.Record(0)
		r.Invocation = outcrop.InvocationID(fmt.Sprintf("%036d", n))
		began, before := time.Now(), processor()
		if err := l.Open(ctx, r); err != nil {
			b.Fatal(err)
		}
		if err := l.Settle(ctx, r); err != nil {
			b.Fatal(err)
		}
		took[n%2], worked[n%2] = append(took[n%2], time.Since(began)), append(worked[n%2], processor()-before)
	}
	for i, who := range []string{"self", "writer"} {
		b.ReportMetric(float64(half(took[i]).Microseconds()), who+"-µs")
		b.ReportMetric(float64(half(worked[i]).Microseconds()), who+"-cpu-µs")
	}
}

func half(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}

// processor is what the process has taken of the processor's time.
func processor() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // of itself: cannot fail
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
