package wire

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A check is one constraint of a shape: what must hold of a value, and the
// words for it when it does not.
type check struct {
	text  string
	holds func(value any) bool
}

// checks are the constraints of a scalar shape, in the order in which AWS
// lists them. They are made once, when first needed.
func (s *Shape) checks() []check {
	s.once.Do(func() { s.made = s.makeChecks() })
	return s.made
}

func (s *Shape) makeChecks() []check {
	switch s.Type {
	case String:
		return slices.Concat(s.boundChecks("length", stringLength), s.patternCheck(), s.enumCheck())
	case Blob:
		return s.boundChecks("length", blobLength)
	case Integer, Long, Float, Double:
		return s.boundChecks("value", number)
	}
	return nil
}

// sizeChecks are those of a list or map; they are given the count.
func (s *Shape) sizeChecks() []check {
	s.once.Do(func() { s.made = s.boundChecks("length", number) })
	return s.made
}

// boundChecks compare what measure reads with the shape's bounds. A value
// that cannot be measured passes: its type was the decoder's business.
func (s *Shape) boundChecks(what string, measure func(any) (float64, bool)) (checks []check) {
	if s.HasMax {
		checks = append(checks, check{
			fmt.Sprintf("Member must have %s less than or equal to %s", what, bound(s.Max)),
			func(v any) bool { n, ok := measure(v); return !ok || n <= s.Max },
		})
	}
	if s.HasMin {
		checks = append(checks, check{
			fmt.Sprintf("Member must have %s greater than or equal to %s", what, bound(s.Min)),
			func(v any) bool { n, ok := measure(v); return !ok || n >= s.Min },
		})
	}
	return checks
}

func bound(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func stringLength(v any) (float64, bool) {
	s, ok := v.(string)
	return float64(utf8.RuneCountInString(s)), ok
}

func blobLength(v any) (float64, bool) {
	b, ok := v.([]byte)
	return float64(len(b)), ok
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, !math.IsNaN(v)
	}
	return 0, false
}

func (s *Shape) patternCheck() []check {
	if s.Pattern == "" {
		return nil
	}
	re, err := compilePattern(s.Pattern)
	if err != nil {
		return nil // uncheckedPatterns in the tests pins which these are
	}
	return []check{{
		"Member must satisfy regular expression pattern: " + s.Pattern,
		func(v any) bool { text, ok := v.(string); return !ok || re.MatchString(text) },
	}}
}

func (s *Shape) enumCheck() []check {
	if len(s.Enum) == 0 {
		return nil
	}
	known := make(map[string]bool, len(s.Enum))
	for _, name := range slices.Concat(s.Enum, undocumentedValues[s.Name]) {
		known[name] = true
	}
	return []check{{
		"Member must satisfy enum value set: [" + strings.Join(s.Enum, ", ") + "]",
		func(v any) bool { text, ok := v.(string); return !ok || known[text] },
	}}
}

// constraints is the bracketed list of all constraints of a scalar shape.
func (s *Shape) constraints() string {
	var texts []string
	for _, c := range s.checks() {
		texts = append(texts, c.text)
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

func (s *Shape) holdsForAll(values iter.Seq[any]) bool {
	checks := s.checks()
	if len(checks) == 0 {
		return true
	}
	for v := range values {
		for _, c := range checks {
			if v != nil && !c.holds(v) {
				return false
			}
		}
	}
	return true
}

func anyKeys(tree map[string]any) iter.Seq[any] {
	return func(yield func(any) bool) {
		for key := range tree {
			if !yield(key) {
				return
			}
		}
	}
}
