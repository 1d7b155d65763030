// Package strictyaml reads YAML that people write: an unknown key, a wrong
// type or an unset ${VAR} is an error that names file, line, column and the
// nearest known key.
package strictyaml

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"outcrop/internal/slip"
)

// An Error is a mistake in a file, and where it stands.
type Error struct {
	File         string
	Line, Column int
	Message      string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// Decode reads data, called file in errors, into the struct that into points
// to. Its keys are the yaml tags of that struct, or the lower-cased field
// names. Values may hold ${NAME} and ${NAME:-default}, looked up with getenv.
// An empty file changes nothing.
func Decode(file string, data []byte, into any, getenv func(string) (string, bool)) error {
	data, shifts := quoteFlowKeys(data)
	err := decode(file, data, into, getenv)
	var e *Error
	if errors.As(err, &e) {
		e.Column = original(e.Line, e.Column, shifts)
	}
	return err
}

// decode is Decode but for what quoting moved. The parser panics on some input
// that is no YAML anybody writes (fuzzing found a tag before a list); a file
// must not be able to end the program, so that is an error like others.
func decode(file string, data []byte, into any, getenv func(string) (string, bool)) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &Error{File: file, Line: 1, Column: 1, Message: "this is no YAML that can be read"}
		}
	}()
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		return explain(file, err, into)
	}
	for _, doc := range tree.Docs {
		if doc.Body == nil {
			continue
		}
		x := expander{file: file, getenv: getenv}
		ast.Walk(&x, doc.Body)
		if x.err != nil {
			return x.err
		}
		if err := yaml.NodeToValue(doc.Body, into, yaml.Strict()); err != nil {
			return explain(file, err, into)
		}
	}
	return nil
}

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}`)

// An expander puts the environment's values in place of ${NAME}.
type expander struct {
	file   string
	getenv func(string) (string, bool)
	err    error
}

// Visit implements ast.Visitor.
func (x *expander) Visit(n ast.Node) ast.Visitor {
	if tag, ok := n.(*ast.TagNode); ok && x.err == nil {
		x.err = locate(x.file, tag.Start, "tags such as "+tag.Start.Value+" are not understood here: leave it out, or put the value in quotes")
	}
	s, ok := n.(*ast.StringNode)
	if ok && x.err == nil && strings.Contains(s.Value, "${") {
		s.Value = variable.ReplaceAllStringFunc(s.Value, func(ref string) string { return x.lookup(ref, s.Token) })
	}
	return x
}

func (x *expander) lookup(ref string, at *token.Token) string {
	part := variable.FindStringSubmatch(ref)
	if v, ok := x.getenv(part[1]); ok {
		return v
	}
	if part[2] == "" && x.err == nil {
		x.err = locate(x.file, at, fmt.Sprintf("the environment variable %s is not set: set it, or write ${%s:-default}", part[1], part[1]))
	}
	return part[3]
}

func locate(file string, at *token.Token, message string) *Error {
	e := &Error{File: file, Line: 1, Column: 1, Message: message}
	if at != nil && at.Position != nil {
		e.Line, e.Column = at.Position.Line, at.Position.Column
	}
	return e
}

// explain puts the parser's error in our form and, for an unknown key, names
// the nearest known one.
func explain(file string, err error, into any) error {
	var y yaml.Error
	if !errors.As(err, &y) {
		return fmt.Errorf("%s: %w", file, err)
	}
	message := y.GetMessage()
	var unknown *yaml.UnknownFieldError
	if errors.As(err, &unknown) {
		message = suggest(unknown.GetToken().Value, keys(reflect.TypeOf(into), map[reflect.Type]bool{}))
	}
	var wrong *yaml.TypeError
	if errors.As(err, &wrong) {
		message = misfit(wrong)
	}
	return locate(file, y.GetToken(), message)
}

func suggest(key string, known []string) string {
	best := slip.Nearest(key, known)
	if best == "" {
		return fmt.Sprintf("unknown key %q", key) + like(key, known)
	}
	return fmt.Sprintf("unknown key %q; did you mean %q?", key, best)
}

// like names the keys that share a word with what was written.
func like(key string, known []string) string {
	var some []string
	for _, word := range strings.FieldsFunc(strings.ToLower(key), func(r rune) bool { return r == '_' || r == '-' }) {
		for _, k := range known {
			if len(word) > 2 && strings.Contains(strings.ToLower(k), word) && !slices.Contains(some, k) {
				some = append(some, k)
			}
		}
	}
	if len(some) == 0 || len(some) > maxLike {
		return ""
	}
	return "; there is " + strings.Join(some, ", ")
}

// maxLike are as many names as still help.
const maxLike = 6

// keys are all the names that t and the types inside it know.
func keys(t reflect.Type, seen map[reflect.Type]bool) []string {
	if t == nil || seen[t] {
		return nil
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Array:
		return keys(t.Elem(), seen)
	case reflect.Struct:
	default:
		return nil
	}
	var names []string
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		names = append(names, name)
		names = append(names, keys(f.Type, seen)...)
	}
	return names
}
