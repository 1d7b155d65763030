package metrics

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"outcrop"
)

// A Stat is what is asked of the samples of a period.
type Stat struct {
	name      string
	kind      statKind
	low, high float64 // percent of the samples, or values
	values    bool    // low and high are values
}

type statKind uint8

const (
	statSum statKind = iota
	statAverage
	statMinimum
	statMaximum
	statSampleCount
	statPercentile
	statTrimmedMean
	statTrimmedCount
	statTrimmedSum
	statWinsorizedMean
	statPercentileRank
)

var plainStats = map[string]statKind{"Sum": statSum, "Average": statAverage, "Minimum": statMinimum, "Maximum": statMaximum, "SampleCount": statSampleCount}

var shortStats = map[string]statKind{"p": statPercentile, "tm": statTrimmedMean, "tc": statTrimmedCount, "ts": statTrimmedSum, "wm": statWinsorizedMean}

var longStats = map[string]statKind{"TM": statTrimmedMean, "TC": statTrimmedCount, "TS": statTrimmedSum, "WM": statWinsorizedMean, "PR": statPercentileRank}

var (
	shortForm = regexp.MustCompile(`\A(p|tm|tc|ts|wm)(\d{1,2}(?:\.\d{0,10})?|100)\z`)
	longForm  = regexp.MustCompile(`\A(TM|TC|TS|WM|PR)\(([^:()]*):([^:()]*)\)\z`)
)

// ParseStat reads Sum, Average, Minimum, Maximum, SampleCount, p99, tm90, tc90,
// ts90, wm90, IQM, and TM(10%:90%), TC, TS, WM and PR likewise.
func ParseStat(text string) (Stat, error) {
	if kind, ok := plainStats[text]; ok {
		return Stat{name: text, kind: kind}, nil
	}
	if text == "IQM" {
		return Stat{name: text, kind: statTrimmedMean, low: 25, high: 75}, nil
	}
	if m := shortForm.FindStringSubmatch(text); m != nil {
		high, err := strconv.ParseFloat(m[2], 64)
		if err == nil {
			return Stat{name: text, kind: shortStats[m[1]], high: high}, nil
		}
	}
	if m := longForm.FindStringSubmatch(text); m != nil {
		if s, ok := rangeStat(m[1], m[2], m[3]); ok {
			s.name = text
			return s, nil
		}
	}
	return Stat{}, outcrop.Errorf(outcrop.Invalid,
		"The value %s is not a valid statistic. Use Sum, Average, Minimum, Maximum, SampleCount, IQM, p99, tm99, tc99, ts99, wm99 or a range such as TM(10%%:90%%).", text)
}

// rangeStat reads the bounds of TM(low:high), either of which may be left out.
func rangeStat(name, low, high string) (s Stat, ok bool) {
	s = Stat{kind: longStats[name]}
	percent := strings.HasSuffix(low, "%") || strings.HasSuffix(high, "%")
	s.values = !percent
	s.low, s.high = math.Inf(-1), math.Inf(1)
	if percent {
		s.low, s.high = 0, 100
	}
	if low == "" && high == "" || percent && s.kind == statPercentileRank {
		return s, false
	}
	for text, into := range map[*float64]string{&s.low: low, &s.high: high} {
		if into == "" {
			continue
		}
		number, isPercent := strings.CutSuffix(into, "%")
		v, err := strconv.ParseFloat(number, 64)
		if err != nil || isPercent != percent || percent && (v < 0 || v > 100) {
			return s, false
		}
		*text = v
	}
	return s, s.low < s.high
}

// String is the statistic as it was written.
func (s Stat) String() string { return s.name }

// Extended says whether the statistic needs to know how samples are spread.
func (s Stat) Extended() bool { return s.kind >= statPercentile }

// Of is the statistic of p. ok is false where it has none: p is empty, or the
// samples came added up and nobody knows how they are spread.
func (s Stat) Of(p *Point) (v float64, ok bool) {
	if p == nil || p.Count == 0 {
		return 0, false
	}
	switch s.kind {
	case statSum:
		return p.Sum, true
	case statAverage:
		return p.Sum / float64(p.Count), true
	case statMinimum:
		return p.Min, true
	case statMaximum:
		return p.Max, true
	case statSampleCount:
		return float64(p.Count), true
	}
	if !p.whole() {
		return 0, false
	}
	if s.kind == statPercentile {
		return p.percentile(s.high), true
	}
	return s.spread(p)
}

// percentile is the sample that p percent of all samples do not exceed (nearest
// rank), within sketch.RelativeError.
func (p *Point) percentile(percent float64) float64 {
	const less = 1 - 1e-15 // than a float may be too large by, which would be the next rank
	rank := uint64(math.Ceil(percent * float64(p.Count) / 100 * less))
	seen := uint64(0)
	for _, b := range p.Sketch.Buckets() {
		if seen += b.N; seen >= max(rank, 1) {
			return p.clamp(b.Key.Value())
		}
	}
	return p.Max
}

func (p *Point) clamp(v float64) float64 { return math.Min(math.Max(v, p.Min), p.Max) }

// spread computes the statistics of a range: samples count by the part of them
// that lies in it.
func (s Stat) spread(p *Point) (float64, bool) {
	var count, sum, seen float64
	total := float64(p.Count)
	for _, b := range p.Sketch.Buckets() {
		n, v := float64(b.N), p.clamp(b.Key.Value())
		in := n
		if s.values {
			if v <= s.low || v > s.high {
				in = 0
			}
		} else {
			in = math.Max(0, math.Min(seen+n, s.high/100*total)-math.Max(seen, s.low/100*total))
		}
		seen, count, sum = seen+n, count+in, sum+in*v
	}
	switch s.kind {
	case statTrimmedCount:
		return count, true
	case statTrimmedSum:
		return sum, true
	case statPercentileRank:
		return 100 * count / total, true
	case statWinsorizedMean:
		return s.winsorized(p, sum, count), true
	}
	return sum / count, count > 0
}

// winsorized counts what lies outside the range as its nearer edge.
func (s Stat) winsorized(p *Point, sum, count float64) float64 {
	total := float64(p.Count)
	if !s.values {
		below, above := s.low/100*total, (1-s.high/100)*total
		return (sum + below*p.percentile(s.low) + above*p.percentile(s.high)) / (count + below + above)
	}
	for _, b := range p.Sketch.Buckets() {
		switch v := p.clamp(b.Key.Value()); {
		case v <= s.low:
			sum += s.low * float64(b.N)
		case v > s.high:
			sum += s.high * float64(b.N)
		}
	}
	return sum / total
}
