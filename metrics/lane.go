package metrics

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"outcrop"
)

// A Dimension tells samples of one metric apart.
type Dimension struct{ Name, Value string }

// Dimensions are a set of them as one comparable text, in order of name. The
// zero value is no dimension.
type Dimensions string

const (
	valueMark = "\x1f" // between name and value
	endMark   = "\x1e" // after each
)

// NewDimensions makes a set; the caller's list is not changed.
func NewDimensions(list ...Dimension) Dimensions {
	sorted := slices.SortedFunc(slices.Values(list), func(a, b Dimension) int { return cmp.Compare(a.Name, b.Name) })
	var b strings.Builder
	for _, d := range sorted {
		b.WriteString(d.Name + valueMark + d.Value + endMark)
	}
	return Dimensions(b.String())
}

// List is the set in order of name.
func (d Dimensions) List() []Dimension {
	var list []Dimension
	for part := range strings.SplitSeq(strings.TrimSuffix(string(d), endMark), endMark) {
		if name, value, ok := strings.Cut(part, valueMark); ok {
			list = append(list, Dimension{name, value})
		}
	}
	return list
}

// Value of the named dimension.
func (d Dimensions) Value(name string) (string, bool) {
	for _, x := range d.List() {
		if x.Name == name {
			return x.Value, true
		}
	}
	return "", false
}

// A Lane is what metrics of one origin share: account, Region, namespace and
// dimensions.
type Lane struct {
	Account    outcrop.AccountID
	Region     outcrop.Region
	Namespace  string
	Dimensions Dimensions
}

// A Step is a resolution in which samples are kept.
type Step uint8

// AWS's steps of retention.
const (
	Minute Step = iota
	FiveMinutes
	Hour
	Steps // how many there are
)

const day = 24 * time.Hour

var stepFacts = [Steps]struct {
	seconds int64
	keep    time.Duration
}{{60, 15 * day}, {300, 63 * day}, {3600, 455 * day}}

// Seconds of one period.
func (s Step) Seconds() int64 { return stepFacts[s].seconds }

// Keep is how long its periods are kept.
func (s Step) Keep() time.Duration { return stepFacts[s].keep }

// Day is the unit in which Stores pack and retention ends, in seconds: what is
// kept of one minute of a day is kept of all.
const Day = int64(day / time.Second)

// kept says whether a period that begins at start is kept at now.
func (s Step) kept(start, now int64) bool {
	return floor(start, Day)+Day > now-int64(s.Keep()/time.Second)
}

// Home is where a period of s that begins at start belongs at now: in the
// shortest Step that still keeps it. ok is false when none does.
func (s Step) Home(start, now int64) (home Step, begins int64, ok bool) {
	for ; s < Steps; s++ {
		if s.kept(start, now) {
			return s, floor(start, s.Seconds()), true
		}
	}
	return 0, 0, false
}

// floor is the largest multiple of unit that is not after at.
func floor(at, unit int64) int64 {
	if r := at % unit; r < 0 {
		return at - r - unit
	} else {
		return at - r
	}
}

// stepFor is the coarsest Step whose periods fill periods of the given length
// from base on.
func stepFor(base, period int64) Step {
	for s := Hour; s > Minute; s-- {
		if base%s.Seconds() == 0 && period%s.Seconds() == 0 {
			return s
		}
	}
	return Minute
}
