package iam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Limits on what is read at all, whatever the quota of its kind.
const (
	MaxPolicyBytes = 131072 // longest policyDocument of the IAM service model
	maxPolicyDepth = 8      // a condition's value list is the sixth level
)

var (
	errNotJSON   = errors.New("not JSON")
	errDuplicate = errors.New("a member occurs twice")
	errDeep      = errors.New("nested too deeply")
)

// A node is a JSON value. encoding/json's own maps would hide a member that
// occurs twice, and with it which of the two holds.
type node struct {
	kind    nodeKind
	text    string // of a string, number or boolean
	items   []node // of a list
	members []member
}

type member struct {
	name  string
	value node
}

type nodeKind uint8

const (
	nullNode nodeKind = iota
	stringNode
	numberNode
	boolNode
	listNode
	objectNode
)

// readDocument reads one JSON object and nothing after it.
func readDocument(doc []byte) (node, error) {
	if len(doc) > MaxPolicyBytes {
		return node{}, fmt.Errorf("longer than %d bytes", MaxPolicyBytes)
	}
	if !json.Valid(doc) {
		return node{}, errNotJSON
	}
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber()
	n, err := readNode(dec, maxPolicyDepth)
	if err == nil && n.kind != objectNode {
		err = errNotJSON
	}
	return n, err
}

func readNode(dec *json.Decoder, depth int) (node, error) {
	if depth == 0 {
		return node{}, errDeep
	}
	token, err := dec.Token()
	if err != nil {
		return node{}, fmt.Errorf("read JSON: %w", noEOF(err))
	}
	switch v := token.(type) {
	case json.Delim:
		if v == '{' {
			return readObject(dec, depth)
		}
		return readList(dec, depth)
	case string:
		return node{kind: stringNode, text: v}, nil
	case json.Number:
		return node{kind: numberNode, text: v.String()}, nil
	case bool:
		return node{kind: boolNode, text: fmt.Sprint(v)}, nil
	}
	return node{}, nil
}

func readObject(dec *json.Decoder, depth int) (node, error) {
	n := node{kind: objectNode}
	seen := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return node{}, errNotJSON
		}
		if seen[name] {
			return node{}, errDuplicate
		}
		seen[name] = true
		value, err := readNode(dec, depth-1)
		if err != nil {
			return node{}, err
		}
		n.members = append(n.members, member{name, value})
	}
	_, err := dec.Token()
	return n, err
}

func readList(dec *json.Decoder, depth int) (node, error) {
	n := node{kind: listNode}
	for dec.More() {
		item, err := readNode(dec, depth-1)
		if err != nil {
			return node{}, err
		}
		n.items = append(n.items, item)
	}
	_, err := dec.Token()
	return n, err
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// list is n's items, or n alone: every element of a policy may be a single
// value or a list of them.
func (n node) list() []node {
	if n.kind == listNode {
		return n.items
	}
	return []node{n}
}

// strings of a string or a list of strings.
func (n node) strings() ([]string, bool) {
	items := n.list()
	all := make([]string, len(items))
	for i, item := range items {
		if item.kind != stringNode {
			return nil, false
		}
		all[i] = item.text
	}
	return all, true
}

// scalars are strings, numbers and booleans, as text: AWS takes
// {"Bool": {"aws:SecureTransport": false}}.
func (n node) scalars() ([]string, bool) {
	items := n.list()
	all := make([]string, len(items))
	for i, item := range items {
		if item.kind != stringNode && item.kind != numberNode && item.kind != boolNode {
			return nil, false
		}
		all[i] = item.text
	}
	return all, true
}
