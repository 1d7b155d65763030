package librechat

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// A node is a value of a YAML file with the line it stands on. Methods of nil
// find nothing, so that paths need no checks on the way.
type node struct {
	kind  kind
	text  string // of a scalar
	line  int
	keys  []entry // of a mapping
	items []*node // of a list
}

type entry struct {
	name  string
	line  int
	value *node
}

type kind uint8

// The kinds of node. A number is one that is not in quotes.
const (
	null kind = iota
	text
	number
	boolean
	mapping
	list
)

var kindWords = [...]string{null: "empty", text: "a string", number: "a number", boolean: "a boolean", mapping: "a mapping", list: "a list"}

func (k kind) String() string { return kindWords[k] }

// get follows a path of keys; nil when there is nothing.
func (n *node) get(path ...string) *node {
	for _, name := range path {
		if n == nil {
			return nil
		}
		var found *node
		for _, e := range n.keys {
			if e.name == name {
				found = e.value
			}
		}
		n = found
	}
	return n
}

// entries of a mapping.
func (n *node) entries() []entry {
	if n == nil {
		return nil
	}
	return n.keys
}

// strings of a list.
func (n *node) strings() []*node {
	if n == nil {
		return nil
	}
	return n.items
}

// value is a scalar's text, empty for nothing.
func (n *node) value() string {
	if n == nil {
		return ""
	}
	return n.text
}

func (n *node) at() int {
	if n == nil {
		return 0
	}
	return n.line
}

// A yamlFault is why a file is not read.
type yamlFault struct {
	line    int
	message string
}

func (f *yamlFault) Error() string { return f.message }

// parseYAML reads the first document of a file. The parser in use panics on
// some input.
func parseYAML(data []byte) (root *node, err error) {
	defer func() {
		if p := recover(); p != nil {
			root, err = nil, &yamlFault{1, fmt.Sprint("it cannot be parsed: ", p)}
		}
	}()
	file, err := parser.ParseBytes(data, parser.ParseComments)
	if err != nil {
		var known yaml.Error
		fault := &yamlFault{1, err.Error()}
		if errors.As(err, &known) && known.GetToken() != nil {
			fault = &yamlFault{known.GetToken().Position.Line, known.GetMessage()}
		}
		return nil, fault
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return &node{kind: mapping, line: 1}, nil
	}
	return convert(file.Docs[0].Body, map[string]*node{})
}

// convert copies a parsed node. Anchors are known by name from their place on.
func convert(n ast.Node, anchors map[string]*node) (*node, error) {
	switch v := n.(type) {
	case nil, *ast.NullNode:
		return &node{line: lineOf(n)}, nil
	case *ast.MappingNode:
		return convertMapping(v.Values, lineOf(n), anchors)
	case *ast.MappingValueNode:
		return convertMapping([]*ast.MappingValueNode{v}, lineOf(n), anchors)
	case *ast.SequenceNode:
		made := &node{kind: list, line: lineOf(n)}
		for _, item := range v.Values {
			one, err := convert(item, anchors)
			if err != nil {
				return nil, err
			}
			made.items = append(made.items, one)
		}
		return made, nil
	case *ast.AnchorNode:
		made, err := convert(v.Value, anchors)
		if err == nil && v.Name != nil {
			anchors[v.Name.GetToken().Value] = made
		}
		return made, err
	case *ast.AliasNode:
		if found := anchors[v.Value.GetToken().Value]; found != nil {
			return found, nil
		}
		return nil, &yamlFault{lineOf(n), "the alias *" + v.Value.GetToken().Value + " has no anchor"}
	case *ast.TagNode:
		return convert(v.Value, anchors)
	case *ast.LiteralNode:
		return &node{kind: text, text: v.Value.Value, line: lineOf(n)}, nil
	case *ast.StringNode:
		return &node{kind: text, text: v.Value, line: lineOf(n)}, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return &node{kind: number, text: n.GetToken().Value, line: lineOf(n)}, nil
	case *ast.BoolNode:
		return &node{kind: boolean, text: n.GetToken().Value, line: lineOf(n)}, nil
	}
	return &node{kind: text, text: n.String(), line: lineOf(n)}, nil
}

func convertMapping(values []*ast.MappingValueNode, line int, anchors map[string]*node) (*node, error) {
	made := &node{kind: mapping, line: line}
	for _, v := range values {
		if _, merge := v.Key.(*ast.MergeKeyNode); merge {
			from, err := convert(v.Value, anchors)
			if err != nil {
				return nil, err
			}
			made.keys = append(from.entries(), made.keys...)
			continue
		}
		name := v.Key.GetToken().Value
		at := v.Key.GetToken().Position.Line
		for _, e := range made.keys {
			if e.name == name {
				return nil, &yamlFault{at, fmt.Sprintf("the key %s occurs twice (line %d)", name, e.line)}
			}
		}
		value, err := convert(v.Value, anchors)
		if err != nil {
			return nil, err
		}
		made.keys = append(made.keys, entry{name, at, value})
	}
	return made, nil
}

func lineOf(n ast.Node) int {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 1
	}
	return n.GetToken().Position.Line
}

// firstLine of a message that may show the source below it.
func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}
