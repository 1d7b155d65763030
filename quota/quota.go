// Package quota counts requests and tokens per minute, as Bedrock counts them:
// pure buckets, told what time it is.
package quota

import (
	"sync/atomic"
	"time"
)

// A Bucket holds room for a limited amount that comes back continuously. Its
// state is one instant, the one at which it will be full again, so that taking,
// giving back and looking take no lock. The zero value is full.
//
// What is taken is measured in time: the time in which the bucket makes up for
// it. That keeps what is open right while the limit changes.
type Bucket struct {
	full  atomic.Int64 // Unix nanoseconds; in the past when the bucket is full
	empty atomic.Int64 // when something was last taken from a full bucket: all from before has come back
}

// A Span is an amount as the time in which a bucket makes up for it.
type Span = time.Duration

// maxSpan bounds one amount, so that sums of them stay far from overflowing.
const maxSpan = 365 * 24 * time.Hour

// Take takes span out of a bucket that holds window, or says how long to wait
// until there is room. An amount larger than the whole bucket fits only into a
// full one: it would never fit otherwise.
func (b *Bucket) Take(now time.Time, span Span, window time.Duration) (wait time.Duration, ok bool) {
	at := now.UnixNano()
	for {
		full := b.full.Load()
		from := max(full, at)
		if over := from - at + int64(span) - int64(window); over > 0 && (span <= window || full > at) {
			if span > window {
				over = full - at
			}
			return time.Duration(over), false
		}
		if !b.full.CompareAndSwap(full, from+int64(span)) {
			continue
		}
		if full <= at {
			raise(&b.empty, at)
		}
		return 0, true
	}
}

// Settle replaces what was taken at an instant by what it really came to. What
// was too much comes back, unless time has brought it back already; what was
// too little is owed.
func (b *Bucket) Settle(now, taken time.Time, span, really Span) {
	change := int64(really - span)
	switch {
	case change == 0:
		return
	case change < 0 && b.empty.Load() > taken.UnixNano():
		return // the bucket has been full since: nothing is left to give back
	case change > 0:
		at := now.UnixNano()
		for {
			full := b.full.Load()
			if b.full.CompareAndSwap(full, max(full, at)+change) {
				return
			}
		}
	}
	b.full.Add(change)
}

// Left is the part of window that is there now, from 0 to 1.
func (b *Bucket) Left(now time.Time, window time.Duration) float64 {
	used := time.Duration(b.full.Load() - now.UnixNano())
	return 1 - min(max(float64(used)/float64(window), 0), 1)
}

func raise(v *atomic.Int64, to int64) {
	for {
		have := v.Load()
		if have >= to || v.CompareAndSwap(have, to) {
			return
		}
	}
}
