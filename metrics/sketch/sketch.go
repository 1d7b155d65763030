// Package sketch counts values in buckets of bounded relative width, so that
// percentiles of many values can be kept in a few bytes and merged exactly.
package sketch

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
)

// mantissaBits of a float64 are kept in a Key: 128 buckets for each power of
// two. So whole numbers below 256 have buckets of their own, and any other
// value is found again within RelativeError.
const (
	mantissaBits = 7
	droppedBits  = 52 - mantissaBits
)

// RelativeError bounds how far Key.Value is from a value that was added.
const RelativeError = 1.0 / (1 << mantissaBits)

// A Key names a bucket. Keys are ordered as the values in them are, and depend
// on the bits of the value alone: every machine finds the same ones.
type Key int32

// KeyOf is the bucket of v, which is finite.
func KeyOf(v float64) Key {
	k := Key(math.Float64bits(math.Abs(v)) >> droppedBits)
	if v < 0 {
		return -k
	}
	return k
}

// Value stands for what is in the bucket: its middle for wide buckets, and for
// those no wider than one its edge, which is the whole number that fell in it.
func (k Key) Value() float64 {
	if k < 0 {
		return -(-k).Value()
	}
	low := math.Float64frombits(uint64(k) << droppedBits)
	width := math.Float64frombits(uint64(k+1)<<droppedBits) - low
	if width <= 1 {
		return low
	}
	return low + math.Floor(width/2)
}

// A Bucket says how many values fell into it.
type Bucket struct {
	Key Key
	N   uint64
}

// A Sketch is a set of Buckets in ascending order. Its zero value is empty.
type Sketch struct{ buckets []Bucket }

// Add counts n values v.
func (s *Sketch) Add(v float64, n uint64) { s.add(KeyOf(v), n) }

func (s *Sketch) add(k Key, n uint64) {
	i, found := slices.BinarySearchFunc(s.buckets, k, func(b Bucket, k Key) int { return int(b.Key) - int(k) })
	if found {
		s.buckets[i].N += n
		return
	}
	s.buckets = slices.Insert(s.buckets, i, Bucket{k, n})
}

// Merge adds everything that is in o. The order of merging does not matter.
func (s *Sketch) Merge(o *Sketch) {
	switch {
	case len(o.buckets) == 0:
		return
	case len(s.buckets) == 0:
		s.buckets = slices.Clone(o.buckets)
		return
	case len(o.buckets) <= 2:
		for _, b := range o.buckets {
			s.add(b.Key, b.N)
		}
		return
	}
	both := make([]Bucket, 0, len(s.buckets)+len(o.buckets))
	a, b := s.buckets, o.buckets
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].Key < b[0].Key:
			both, a = append(both, a[0]), a[1:]
		case a[0].Key > b[0].Key:
			both, b = append(both, b[0]), b[1:]
		default:
			both, a, b = append(both, Bucket{a[0].Key, a[0].N + b[0].N}), a[1:], b[1:]
		}
	}
	s.buckets = append(append(both, a...), b...)
}

// Buckets in ascending order; not to be changed.
func (s *Sketch) Buckets() []Bucket { return s.buckets }

// Count of values added.
func (s *Sketch) Count() (n uint64) {
	for _, b := range s.buckets {
		n += b.N
	}
	return n
}

// Append writes s: how many buckets, then for each the distance from the key
// before (the first as zigzag) and the count.
func (s *Sketch) Append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(s.buckets)))
	for i, bucket := range s.buckets {
		if i == 0 {
			b = binary.AppendVarint(b, int64(bucket.Key))
		} else {
			b = binary.AppendUvarint(b, uint64(bucket.Key-s.buckets[i-1].Key))
		}
		b = binary.AppendUvarint(b, bucket.N)
	}
	return b
}

// ErrDamaged says that bytes are no sketch.
var ErrDamaged = errors.New("sketch: damaged")

// maxBuckets is more than there are keys of either sign.
const maxBuckets = 1 << 20

// Read reads what Append wrote and returns what follows it.
func Read(b []byte) (s Sketch, rest []byte, err error) {
	n, b, err := uvarint(b)
	if err != nil || n > maxBuckets || n > uint64(len(b)) {
		return Sketch{}, nil, ErrDamaged
	}
	s.buckets = make([]Bucket, n)
	for i := range s.buckets {
		var step int64
		if step, b, err = s.step(i, b); err != nil {
			return Sketch{}, nil, err
		}
		s.buckets[i].Key = Key(step)
		if s.buckets[i].N, b, err = uvarint(b); err != nil {
			return Sketch{}, nil, err
		}
	}
	return s, b, nil
}

func (s *Sketch) step(i int, b []byte) (key int64, rest []byte, err error) {
	if i == 0 {
		first, n := binary.Varint(b)
		if n <= 0 || first < -math.MaxInt32 || first > math.MaxInt32 {
			return 0, nil, ErrDamaged
		}
		return first, b[n:], nil
	}
	gap, rest, err := uvarint(b)
	key = int64(s.buckets[i-1].Key) + int64(gap)
	if err != nil || gap == 0 || gap > math.MaxInt32 || key > math.MaxInt32 {
		return 0, nil, ErrDamaged
	}
	return key, rest, nil
}

func uvarint(b []byte) (uint64, []byte, error) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, ErrDamaged
	}
	return v, b[n:], nil
}
