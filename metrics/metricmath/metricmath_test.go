package metricmath

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// world has m1 = 1,2,3,4 at minutes 0-3, m2 = 10,-,30,40 (no data at minute 1)
// and m0, which has no data.
func world() *Env {
	series := map[string]Series{
		"m0": {Label: "m0", Period: 60},
		"m1": {Label: "m1", Period: 60, T: []int64{0, 60, 120, 180}, V: []float64{1, 2, 3, 4}},
		"m2": {Label: "m2", Period: 60, T: []int64{0, 120, 180}, V: []float64{10, 30, 40}},
	}
	return &Env{
		Lookup: func(id string) (Value, error) {
			s, ok := series[id]
			if !ok {
				return Value{}, errorf("no %s", id)
			}
			return Of(s), nil
		},
		Metrics: func() ([]string, []Series, error) {
			return []string{"m0", "m1", "m2"}, []Series{series["m0"], series["m1"], series["m2"]}, nil
		},
		Search: func(s *Search, stat string, period int64) ([]Series, error) {
			return []Series{series["m2"], series["m1"]}, nil
		},
		End: 240, Period: 60,
	}
}

func show(v Value) string {
	if v.Kind == Number {
		return fmt.Sprint(v.Number)
	}
	var all []string
	for _, s := range v.Series {
		var points []string
		for i, t := range s.T {
			points = append(points, fmt.Sprintf("%d:%.4g", t/60, s.V[i]))
		}
		all = append(all, strings.Join(points, " "))
	}
	if v.Kind == Many {
		return "[" + strings.Join(all, ", ") + "]"
	}
	return all[0]
}

func TestExpressions(t *testing.T) {
	for text, want := range map[string]string{
		"m1":                              "0:1 1:2 2:3 3:4",
		"m1 + 1":                          "0:2 1:3 2:4 3:5",
		"m1+m2":                           "0:11 2:33 3:44",
		"100 * m1 / m2":                   "0:10 2:10 3:10",
		"m1 / (m1 - 2)":                   "0:-1 2:3 3:2", // by zero: no data
		"-m1^2":                           "0:-1 1:-4 2:-9 3:-16",
		"2^3^2":                           "512",
		"1 + 2 * 3 - 4 / 2":               "5",
		"SUM(m1)":                         "10",
		"AVG(m1)":                         "2.5",
		"SUM([m1, m2])":                   "0:11 1:2 2:33 3:44",
		"SUM(METRICS())":                  "0:11 1:2 2:33 3:44",
		`SUM(METRICS("m2"))`:              "0:10 2:30 3:40",
		"AVG(METRICS())":                  "0:5.5 1:2 2:16.5 3:22",
		"MAX([m1,m2])":                    "0:10 1:2 2:30 3:40",
		"MIN([m1,m2])":                    "0:1 1:2 2:3 3:4",
		"m1 / SUM(m1)":                    "0:0.1 1:0.2 2:0.3 3:0.4",
		"METRICS() * 2":                   "[, 0:2 1:4 2:6 3:8, 0:20 2:60 3:80]",
		"METRICS() + m1":                  "[, 0:2 1:4 2:6 3:8, 0:11 2:33 3:44]",
		"RATE(m1)":                        "1:0.01667 2:0.01667 3:0.01667",
		"DIFF(m2)":                        "2:20 3:10",
		"DIFF_TIME(m2)":                   "2:120 3:60",
		"RUNNING_SUM(m1)":                 "0:1 1:3 2:6 3:10",
		"FILL(m2, 0)":                     "0:10 1:0 2:30 3:40",
		"FILL(m2, REPEAT)":                "0:10 1:10 2:30 3:40",
		"FILL(m2, LINEAR)":                "0:10 1:20 2:30 3:40",
		"FILL(m2, m1)":                    "0:10 1:2 2:30 3:40",
		"FILL(m0, 7)":                     "0:7 1:7 2:7 3:7",
		"FILL(METRICS(), 0)":              "[0:0 1:0 2:0 3:0, 0:1 1:2 2:3 3:4, 0:10 1:0 2:30 3:40]",
		"IF(m1 > 2, m1, 0)":               "0:0 1:0 2:3 3:4",
		"IF(m1 > 2, m1)":                  "2:3 3:4",
		"IF(m1>1 AND m1<4, 1, 0)":         "0:0 1:1 2:1 3:0",
		"IF(m1==1 || m1==4, 1, 0)":        "0:1 1:0 2:0 3:1",
		"IF(1, m1, m2)":                   "0:1 1:2 2:3 3:4",
		"m1 >= 3":                         "0:0 1:0 2:1 3:1",
		"m2 / PERIOD(m2)":                 "0:0.1667 2:0.5 3:0.6667",
		"TIME_SERIES(5)":                  "0:5 1:5 2:5 3:5",
		"TIME_SERIES(AVG(m1))":            "0:2.5 1:2.5 2:2.5 3:2.5",
		"SORT(METRICS(), SUM, DESC)":      "[0:10 2:30 3:40, 0:1 1:2 2:3 3:4, ]",
		"SORT(METRICS(), MAX, ASC, 1)":    "[0:1 1:2 2:3 3:4]",
		"SLICE(METRICS(), 1, 2)":          "[0:1 1:2 2:3 3:4]",
		"SLICE(METRICS(), 2)":             "0:10 2:30 3:40",
		"FIRST(SORT(METRICS(),SUM,DESC))": "0:10 2:30 3:40",
		"LAST(METRICS())":                 "0:10 2:30 3:40",
		"METRIC_COUNT(METRICS())":         "3",
		"DATAPOINT_COUNT(m2)":             "3",
		"REMOVE_EMPTY(METRICS())":         "[0:1 1:2 2:3 3:4, 0:10 2:30 3:40]",
		"ABS(-m1)":                        "0:1 1:2 2:3 3:4",
		"CEIL(m1/2)":                      "0:1 1:1 2:2 3:2",
		"FLOOR(m1/2)":                     "0:0 1:1 2:1 3:2",
		"LOG10(m2)":                       "0:1 2:1.477 3:1.602",
		"LOG(m1 - 1)":                     "1:0 2:0.6931 3:1.099", // of zero: no data
		"STDDEV(m1)":                      "1.118033988749895",
		"MINUTE(m1)":                      "0:0 1:1 2:2 3:3",
		"DAY(m1)":                         "0:4 1:4 2:4 3:4", // 1970 began on a Thursday
		"YEAR(m1)":                        "0:1970 1:1970 2:1970 3:1970",
		"EPOCH(m2)":                       "0:0 2:120 3:180",
		"SEARCH('{AWS/Bedrock,ModelId} x', 'Sum', 60)":     "[0:10 2:30 3:40, 0:1 1:2 2:3 3:4]",
		"SUM(SEARCH('MetricName=\"Invocations\"', 'Sum'))": "0:11 1:2 2:33 3:44",
		"1e3 + .5": "1000.5",
		"!m1":      "0:0 1:0 2:0 3:0",
	} {
		e, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		v, err := e.Eval(world())
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := show(v); got != want {
			t.Errorf("%s\n = %s\nwant %s", text, got, want)
		}
	}
}

func TestFaultsAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "unexpected the end",
		"m1 +":                           "unexpected the end",
		"m1 m2":                          "unexpected 'm2' at position 4",
		"SUM(m1":                         "',' is missing before the end",
		"NOSUCH(m1)":                     "there is no function NOSUCH",
		"ANOMALY_DETECTION_BAND(m1)":     "does not serve the function ANOMALY_DETECTION_BAND",
		"SUM()":                          "SUM takes 1 argument",
		"SUM(m1, m2)":                    "SUM takes 1 argument",
		"m9":                             "no m9",
		"'text":                          "no closing quote",
		"m1 $ m2":                        "unexpected character",
		"METRICS() + METRICS()":          "cannot combine two arrays",
		"m1 + 'x'":                       "cannot be used with a text",
		"1/0":                            "has no result",
		"[1]":                            "an array holds time series",
		"FILL(m1, SIDEWAYS)":             "fill with a number",
		"SORT(m1, SIDEWAYS)":             "sort by AVG",
		"SEARCH('a=(', 'Sum')":           "SEARCH: ",
		strings.Repeat("(", 900) + "1":   "nested too deeply",
		strings.Repeat("-", 900) + "1":   "nested too deeply",
		strings.Repeat("1+", 1100) + "1": "longer than",
	} {
		e, err := Parse(text)
		if err == nil {
			_, err = e.Eval(world())
		}
		var fault *Error
		if !errors.As(err, &fault) || !strings.Contains(fault.Message, want) {
			t.Errorf("%.40s: %v, want %q", text, err, want)
		}
	}
}

func TestSearches(t *testing.T) {
	all := []Candidate{
		{"AWS/Bedrock", "Invocations", nil},
		{"AWS/Bedrock", "Invocations", [][2]string{{"ModelId", "amazon.nova-lite-v1:0"}}},
		{"AWS/Bedrock", "InputTokenCount", [][2]string{{"ModelId", "amazon.nova-lite-v1:0"}}},
		{"AWS/Bedrock", "Invocations", [][2]string{{"ModelId", "bmcqrhwso453"}}},
		{"AWS/Bedrock", "Invocations", [][2]string{{"ModelId", "bmcqrhwso453"}, {"ResolvedServiceTier", "default"}, {"ServiceTier", "default"}}},
		{"Mine", "Invocations", [][2]string{{"ModelId", "x"}}},
	}
	for text, want := range map[string][]int{
		`{AWS/Bedrock,ModelId} MetricName="Invocations"`:                                                           {1, 3},
		`{"AWS/Bedrock","ModelId"} MetricName="Invocations" "ModelId"="bmcqrhwso453"`:                              {3},
		`{"AWS/Bedrock","ModelId"} MetricName="Invocations" "ModelId"=("bmcqrhwso453" OR "amazon.nova-lite-v1:0")`: {1, 3},
		`Namespace="AWS/Bedrock" MetricName="Invocations" "ModelId"="bmcqrhwso453"`:                                {3, 4},
		`{AWS/Bedrock}`:                                                    {0},
		`{AWS/Bedrock, ModelId} nova`:                                      {1, 2},
		`{AWS/Bedrock,ModelId} Token`:                                      {2},
		`{AWS/Bedrock,ModelId} NOT nova`:                                   {3},
		`{AWS/Bedrock,ModelId} (nova OR bmcqrhwso453) invocations`:         {1, 3},
		`{AWS/Bedrock,ModelId} MetricName=InputTokenCount OR bmcqrhwso453`: {2, 3},
		`{AWS/Bedrock,ModelId} nova AND MetricName="InputTokenCount"`:      {2},
		`MetricName="Invocations" NOT Namespace="AWS/Bedrock"`:             {5},
		`"x"`:                 {5},
		`ServiceTier=default`: {4},
		`nothing`:             nil,
	} {
		s, err := ParseSearch(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got []int
		for i := range all {
			if s.Match(&all[i]) {
				got = append(got, i)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s finds %v, want %v", text, got, want)
		}
	}
	for _, text := range []string{"", "{", "{}", "{a", "{a,}", "a=", "a=(", "(a", "()", `"a`, "a)", `a=("b" OR)`, strings.Repeat("(", 300)} {
		if _, err := ParseSearch(text); err == nil {
			t.Errorf("%.20s was read", text)
		}
	}
}

func FuzzExpression(f *testing.F) {
	for _, text := range []string{
		"m1", "SUM(METRICS())/100", "IF(m1>2,FILL(m2,REPEAT),0)", "SORT(SEARCH('{AWS/Bedrock,ModelId} MetricName=\"x\"','p99',60),MAX,DESC,10)",
		"-m1^2^-m2", "[m1,[m2]]", "TIME_SERIES(1e308*10)", "RATE(m1)&&!m2||m0", "SLICE(METRICS('m'),-1,9e99)",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Parse(text)
		if err != nil {
			return
		}
		v, err := e.Eval(world())
		if err != nil {
			return
		}
		for _, s := range v.Series {
			if len(s.T) != len(s.V) || !slices.IsSorted(s.T) || slices.ContainsFunc(s.V, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }) {
				t.Fatalf("%q comes to %v", text, s)
			}
		}
	})
}

func FuzzSearch(f *testing.F) {
	for _, text := range []string{`{AWS/Bedrock,ModelId} MetricName="Invocations" ModelId=("a" OR "b")`, `a AND NOT (b OR "c\"")`, `x=(NOT a b)`} {
		f.Add(text)
	}
	c := &Candidate{"AWS/Bedrock", "Invocations", [][2]string{{"ModelId", "amazon.nova-lite-v1:0"}}}
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := ParseSearch(text); err == nil {
			s.Match(c)
		}
	})
}
