package metrics

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"outcrop/metrics/metricmath"
)

// nameApart labels what a search found by what differs: the values of
// dimensions, the metric's name, or both.
func nameApart(series []metricmath.Series, asks []Ask) {
	names, dims := map[string]bool{}, map[Dimensions]bool{}
	for i := range asks {
		names[asks[i].Name], dims[asks[i].Dimensions] = true, true
	}
	for i := range asks {
		var parts []string
		if len(dims) > 1 || len(names) == 1 {
			for _, d := range asks[i].Dimensions.List() {
				parts = append(parts, d.Value)
			}
		}
		if len(names) > 1 || len(parts) == 0 {
			parts = append(parts, asks[i].Name)
		}
		series[i].Label = strings.Join(slices.Compact(parts), " ")
	}
}

// label is what a result is called: what the query says, with its dynamic parts
// filled in, or by default the metric, or the id of an expression.
func label(d *DataQuery, kind metricmath.Kind, s *metricmath.Series) string {
	usual := cmp.Or(s.Label, d.ID)
	if d.Ask == nil && kind == metricmath.One {
		usual = d.ID
	}
	if d.Label == "" {
		return usual
	}
	filled := dynamicPart.ReplaceAllStringFunc(d.Label, func(part string) string {
		m := dynamicPart.FindStringSubmatch(part)
		if m[2] != "" {
			return s.About[m[2]]
		}
		return dynamic(m[1], usual, s)
	})
	if kind == metricmath.Many && filled == d.Label { // one text for many: AWS adds what tells them apart
		return d.Label + " " + s.Label
	}
	return filled
}

// dynamicPart is ${PROP('Dim.ModelId')} or ${MAX} and its like.
var dynamicPart = regexp.MustCompile(`\$\{(?:([A-Z_]+)|PROP\(['"]([^'"]*)['"]\))\}`)

func dynamic(name, usual string, s *metricmath.Series) string {
	at, isTime := strings.CutSuffix(name, "_TIME")
	switch name {
	case "LABEL":
		return usual
	case "DATAPOINT_COUNT":
		return strconv.Itoa(len(s.V))
	case "SUM":
		return number(sumOf(s.V), len(s.V))
	case "AVG":
		return number(sumOf(s.V)/float64(max(len(s.V), 1)), len(s.V))
	}
	i, ok := place(at, s.V)
	switch {
	case !ok:
		return "${" + name + "}"
	case i < 0:
		return "--"
	case isTime:
		return time.Unix(s.T[i], 0).UTC().Format(time.RFC3339)
	}
	return number(s.V[i], len(s.V))
}

// place is where the least, greatest, first or last value is; -1 without data.
func place(name string, v []float64) (i int, ok bool) {
	if len(v) == 0 {
		return -1, slices.Contains([]string{"MIN", "MAX", "FIRST", "LAST"}, name)
	}
	switch name {
	case "MIN":
		return slices.Index(v, slices.Min(v)), true
	case "MAX":
		return slices.Index(v, slices.Max(v)), true
	case "FIRST":
		return 0, true
	case "LAST":
		return len(v) - 1, true
	}
	return 0, false
}

func sumOf(v []float64) (s float64) {
	for _, f := range v {
		s += f
	}
	return s
}

func number(v float64, n int) string {
	if n == 0 {
		return "--"
	}
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.3f", v), "0"), ".")
}
