// Package metricmath reads and evaluates CloudWatch's metric math and its
// search expressions.
package metricmath

import "fmt"

// A Series is one metric over time: values at ascending times, in seconds
// since 1970. Times without data are absent.
type Series struct {
	Label  string
	Period int64 // seconds
	T      []int64
	V      []float64
	About  map[string]string // what ${PROP('…')} of a label may ask for; nil for what was computed
}

// A Kind is what a Value is.
type Kind uint8

// The kinds of Value.
const (
	Number Kind = iota
	One         // a time series
	Many        // an array of time series
	Text        // a quoted text
	Word        // a bare word such as DESC
)

var kindNames = [...]string{Number: "a number", One: "a time series", Many: "an array of time series", Text: "a text", Word: "a keyword"}

func (k Kind) String() string { return kindNames[k] }

// A Value is what an expression comes to.
type Value struct {
	Kind   Kind
	Number float64
	Text   string   // of Text and Word
	Series []Series // one for One
}

// Of makes a Value of one Series.
func Of(s Series) Value { return Value{Kind: One, Series: []Series{s}} }

// Env is what an expression is evaluated in.
type Env struct {
	// Lookup finds the result of another query by its id.
	Lookup func(id string) (Value, error)
	// Metrics are the queries that name a metric, in their order, with their ids.
	Metrics func() ([]string, []Series, error)
	// Search finds metrics and reads them. period is 0 when the expression
	// leaves it to its query.
	Search func(s *Search, stat string, period int64) ([]Series, error)

	Start, End int64 // of the data, as the first period begins
	Period     int64 // of series that have none of their own
	Spare      *int  // data points that may still be computed, by all expressions of a question; nil is MaxPoints
}

// An Error is a fault of the expression's author.
type Error struct{ Message string }

func (e *Error) Error() string { return e.Message }

func errorf(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }
