package main

import (
	"math/bits"
	"time"
)

// A histogram counts durations in buckets that are 3 % wide, from a
// microsecond to over an hour.
type histogram struct {
	buckets [32 * subBuckets]int64
	count   int64
}

const subBuckets = 32

func (h *histogram) add(d time.Duration) {
	h.buckets[bucketOf(d)]++
	h.count++
}

func (h *histogram) merge(o *histogram) {
	for i, n := range o.buckets {
		h.buckets[i] += n
	}
	h.count += o.count
}

// quantile is the duration that a share of q of all are not above, to 3 %.
func (h *histogram) quantile(q float64) time.Duration {
	rank := int64(q * float64(h.count))
	for i, n := range h.buckets {
		if rank -= n; rank < 0 {
			return upperOf(i)
		}
	}
	return 0
}

// bucketOf keeps the five bits behind the leading one.
func bucketOf(d time.Duration) int {
	us := uint64(max(d.Microseconds(), 0))
	if us < subBuckets {
		return int(us)
	}
	shift := bits.Len64(us) - 6
	return min((shift+1)*subBuckets+int(us>>shift)-subBuckets, 32*subBuckets-1)
}

// upperOf is the longest duration in bucket i, in whole microseconds.
func upperOf(i int) time.Duration {
	if i < subBuckets {
		return time.Duration(i) * time.Microsecond
	}
	shift, sub := i/subBuckets-1, i%subBuckets
	return time.Duration(((subBuckets+sub+1)<<shift)-1) * time.Microsecond
}
