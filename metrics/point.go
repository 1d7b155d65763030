package metrics

import (
	"math"

	"outcrop/metrics/sketch"
)

// A Point is what is known of a metric's samples in one period. Sums of whole
// numbers are exact up to 2^53, in whatever order they are added.
type Point struct {
	Count         uint64
	Sum, Min, Max float64
	Sketch        sketch.Sketch // empty for samples that came already added up
}

// Add counts one sample.
func (p *Point) Add(v float64) { p.AddTimes(v, 1) }

// AddTimes counts n samples of v.
func (p *Point) AddTimes(v float64, n uint64) {
	if n == 0 {
		return
	}
	p.extent(v, v, n)
	p.Sum += v * float64(n)
	p.Sketch.Add(v, n)
}

// Merge counts the samples of o.
func (p *Point) Merge(o *Point) {
	if o.Count == 0 {
		return
	}
	p.extent(o.Min, o.Max, o.Count)
	p.Sum += o.Sum
	p.Sketch.Merge(&o.Sketch)
}

func (p *Point) extent(low, high float64, n uint64) {
	if p.Count == 0 {
		p.Min, p.Max = low, high
	}
	p.Min, p.Max = math.Min(p.Min, low), math.Max(p.Max, high)
	p.Count += n
}

// whole says whether the sketch has every sample, so that percentiles hold.
func (p *Point) whole() bool { return p.Sketch.Count() == p.Count }
