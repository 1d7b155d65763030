package wire

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of a validation message, so that one bad request cannot cause an
// answer many times its size.
const (
	maxValidationMessages = 50   // written out; all are counted
	maxEchoRunes          = 1024 // of a value inside a message
)

// A ValidationError lists the constraints that an input breaks. Its text is
// what AWS's front layer writes (control-plane.md §0).
type ValidationError struct {
	Messages []string // the first 50
	Count    int      // all of them
}

func (e *ValidationError) Error() string {
	noun := "errors"
	if e.Count == 1 {
		noun = "error"
	}
	return fmt.Sprintf("%d validation %s detected: %s", e.Count, noun, strings.Join(e.Messages, "; "))
}

// undocumentedValues are values that the real service knows and its model
// does not list (control-plane.md §2.4). They pass; messages do not name them.
var undocumentedValues = map[string][]string{
	"InferenceType":      {"INFERENCE_PROFILE"},
	"ModelCustomization": {"PREFERENCE_FINE_TUNING"},
	"ModelModality":      {"VIDEO", "SPEECH", "AUDIO"},
}

// Validate checks a tree against the constraints of its shape and returns a
// *ValidationError when it breaks any. Lengths of strings are counted in code
// points, of blobs in bytes.
func Validate(in *Shape, tree map[string]any) error {
	if in == nil {
		return nil
	}
	var v validator
	v.structure(in, tree, "")
	if v.broken.Count == 0 {
		return nil
	}
	return &v.broken
}

type validator struct{ broken ValidationError }

// fail records one broken constraint of a value at a path.
func (v *validator) fail(path string, s *Shape, value any, constraint string) {
	v.broken.Count++
	if len(v.broken.Messages) < maxValidationMessages {
		v.broken.Messages = append(v.broken.Messages,
			"Value "+echo(s, value)+"at '"+path+"' failed to satisfy constraint: "+constraint)
	}
}

func (v *validator) structure(s *Shape, tree map[string]any, path string) {
	if s.EventStream {
		return
	}
	if s.Union {
		v.union(s, tree, path)
	}
	for _, m := range s.Members {
		at := join(path, lowerFirst(m.Name))
		switch value, ok := tree[m.Name]; {
		case ok && value != nil:
			v.value(m.Shape, value, at)
		case m.Required:
			v.fail(at, m.Shape, nil, "Member must not be null")
		}
	}
}

// union demands one member. AWS words this differently from service to
// service; what is common is that it names the choices.
func (v *validator) union(s *Shape, tree map[string]any, path string) {
	var names []string
	set := 0
	for _, m := range s.Members {
		names = append(names, m.Name)
		if tree[m.Name] != nil {
			set++
		}
	}
	if set != 1 {
		v.fail(path, s, nil, "Member must have exactly one of the following keys set: ["+strings.Join(names, ", ")+"]")
	}
}

func (v *validator) value(s *Shape, value any, path string) {
	switch s.Type {
	case Structure:
		if tree, ok := value.(map[string]any); ok {
			v.structure(s, tree, path)
		}
	case List:
		if list, ok := value.([]any); ok {
			v.list(s, list, path)
		}
	case Map:
		if tree, ok := value.(map[string]any); ok {
			v.mapping(s, tree, path)
		}
	default:
		for _, c := range s.checks() {
			if !c.holds(value) {
				v.fail(path, s, value, c.text)
			}
		}
	}
}

func (v *validator) list(s *Shape, list []any, path string) {
	for _, c := range s.sizeChecks() {
		if !c.holds(float64(len(list))) {
			v.fail(path, s, list, c.text)
		}
	}
	if elem := s.Elem.Shape; elem.scalar() {
		if !elem.holdsForAll(slices.Values(list)) {
			v.fail(path, s, list, "Member must satisfy constraint: "+elem.constraints())
		}
		return
	}
	for i, value := range list {
		if value != nil {
			v.value(s.Elem.Shape, value, join(path, strconv.Itoa(i+1)+".member"))
		}
	}
}

// mapping words a broken key or value as AWS does: with all constraints of
// the key or value, at the map's own path.
func (v *validator) mapping(s *Shape, tree map[string]any, path string) {
	for _, c := range s.sizeChecks() {
		if !c.holds(float64(len(tree))) {
			v.fail(path, s, tree, c.text)
		}
	}
	if key := s.Key.Shape; !key.holdsForAll(anyKeys(tree)) {
		v.fail(path, s, tree, "Map keys must satisfy constraint: "+key.constraints())
	}
	if elem := s.Value.Shape; elem.scalar() {
		if !elem.holdsForAll(maps.Values(tree)) {
			v.fail(path, s, tree, "Map value must satisfy constraint: "+elem.constraints())
		}
		return
	}
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		if tree[key] != nil {
			v.value(s.Value.Shape, tree[key], join(path, key+".member"))
		}
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// lowerFirst spells a member as AWS's messages do, whatever the model does:
// TimePeriod is timePeriod.
func lowerFirst(name string) string {
	r, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToLower(r)) + name[size:]
}

func (s *Shape) scalar() bool {
	return s.Type != Structure && s.Type != List && s.Type != Map
}

// echo shows the offending value in quotes and a space behind it, or nothing
// when it is sensitive or has no short text.
func echo(s *Shape, value any) string {
	text, ok := plain(s, value)
	if !ok {
		return ""
	}
	if r := []rune(text); len(r) > maxEchoRunes {
		text = string(r[:maxEchoRunes]) + "..."
	}
	return "'" + text + "' "
}

// plain is a value's text as Java prints it: AWS's messages come from Java.
func plain(s *Shape, value any) (text string, ok bool) {
	if s.Sensitive {
		return "", false
	}
	switch value := value.(type) {
	case string:
		return value, true
	case int64:
		return strconv.FormatInt(value, 10), true
	case float64:
		if value == math.Trunc(value) && math.Abs(value) < 1e7 {
			return strconv.FormatFloat(value, 'f', 1, 64), true
		}
		return floatText(value), true
	case []any:
		return plainList(s.Elem.Shape, value)
	case map[string]any:
		if s.Type == Map {
			return plainMap(s, value)
		}
	}
	return "", false
}

func plainList(elem *Shape, list []any) (string, bool) {
	texts := make([]string, 0, min(len(list), maxEchoRunes))
	for _, value := range list[:min(len(list), maxEchoRunes)] { // what is beyond would be cut anyway
		text, ok := plain(elem, value)
		if !ok {
			return "", false
		}
		texts = append(texts, text)
	}
	return "[" + strings.Join(texts, ", ") + "]", true
}

func plainMap(s *Shape, tree map[string]any) (string, bool) {
	if s.Key.Shape.Sensitive {
		return "", false
	}
	keys := slices.Sorted(maps.Keys(tree))
	texts := make([]string, 0, min(len(keys), maxEchoRunes))
	for _, key := range keys[:min(len(keys), maxEchoRunes)] {
		text, ok := plain(s.Value.Shape, tree[key])
		if !ok {
			return "", false
		}
		texts = append(texts, key+"="+text)
	}
	return "{" + strings.Join(texts, ", ") + "}", true
}
