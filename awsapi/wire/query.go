package wire

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Query is the protocol of STS, IAM and other old services: a form in, XML out
// (awsQuery).
type Query struct{}

// Limits of a form.
const (
	maxQueryParams = 20_000
	maxQueryDepth  = 40
)

// Decode reads op's input from the form in the body, or in the query of a GET.
func (Query) Decode(op *Operation, r *Request) (map[string]any, error) {
	text := r.RawQuery
	if r.Method == "POST" {
		text = string(r.Body)
	}
	form, err := url.ParseQuery(text)
	if err != nil {
		return nil, &Malformed{Message: "The form of the request is not readable: " + err.Error()}
	}
	if len(form) > maxQueryParams {
		return nil, &Malformed{Message: "The request has more than " + strconv.Itoa(maxQueryParams) + " parameters."}
	}
	if op.Input == nil {
		return map[string]any{}, nil
	}
	root := new(param)
	for name, values := range form {
		if err := root.put(name, values[0]); err != nil {
			return nil, err
		}
	}
	return root.structure(op.Input)
}

// A param is one node of a form whose names are paths: Tags.member.1.Key.
type param struct {
	text     *string
	children map[string]*param
}

func (p *param) put(name, value string) error {
	for depth := 0; name != ""; depth++ {
		if depth == maxQueryDepth {
			return &Malformed{Message: "A parameter of the request is nested too deeply."}
		}
		var step string
		step, name, _ = strings.Cut(name, ".")
		if p.children == nil {
			p.children = map[string]*param{}
		}
		if p.children[step] == nil {
			p.children[step] = new(param)
		}
		p = p.children[step]
	}
	p.text = &value
	return nil
}

func (p *param) structure(s *Shape) (map[string]any, error) {
	tree := make(map[string]any, len(p.children))
	for _, m := range s.Members {
		child := p.children[m.WireName()]
		if child == nil {
			continue
		}
		v, err := child.value(m)
		if err != nil {
			return nil, err
		}
		put(tree, m.Name, v)
	}
	return tree, nil
}

// value reads what p holds for m; nil when that is nothing.
func (p *param) value(m *Member) (any, error) {
	switch m.Shape.Type {
	case Structure:
		return p.structure(m.Shape)
	case List:
		return p.list(m)
	case Map:
		return p.mapping(m)
	}
	if p.text == nil {
		return nil, nil
	}
	return decodeText(m, *p.text, ISO8601)
}

func (p *param) list(m *Member) (any, error) {
	elem := m.Shape.Elem
	if !m.flattened() {
		if p.text != nil && len(p.children) == 0 {
			return []any{}, nil // "List=" is the empty list
		}
		name := elem.WireName()
		if name == "" {
			name = "member"
		}
		if p = p.children[name]; p == nil {
			return nil, nil
		}
	}
	list := []any{}
	for _, child := range p.numbered() {
		v, err := child.value(elem)
		if err != nil {
			return nil, err
		}
		if v != nil {
			list = append(list, v)
		}
	}
	return list, nil
}

func (p *param) mapping(m *Member) (any, error) {
	if !m.flattened() {
		if p = p.children["entry"]; p == nil {
			return nil, nil
		}
	}
	keyName, valueName := m.Shape.entryNames()
	tree := map[string]any{}
	for _, entry := range p.numbered() {
		key, value := entry.children[keyName], entry.children[valueName]
		if key == nil || key.text == nil || value == nil {
			continue
		}
		v, err := value.value(m.Shape.Value)
		if err != nil {
			return nil, err
		}
		put(tree, *key.text, v)
	}
	return tree, nil
}

// numbered are the children whose names are numbers, in their order.
func (p *param) numbered() []*param {
	type at struct {
		n     int
		child *param
	}
	var found []at
	for name, child := range p.children {
		if n, err := strconv.Atoi(name); err == nil && n > 0 {
			found = append(found, at{n, child})
		}
	}
	slices.SortFunc(found, func(a, b at) int { return a.n - b.n })
	children := make([]*param, len(found))
	for i, f := range found {
		children[i] = f.child
	}
	return children
}

func (m *Member) flattened() bool { return m.Flattened || m.Shape.Flattened }

// entryNames are what a map's keys and values are called.
func (s *Shape) entryNames() (key, value string) {
	key, value = "key", "value"
	if s.Key.LocationName != "" {
		key = s.Key.LocationName
	}
	if s.Value.LocationName != "" {
		value = s.Value.LocationName
	}
	return key, value
}

// Encode writes <OpResponse><OpResult>…</OpResult><ResponseMetadata>….
func (Query) Encode(op *Operation, out map[string]any, w *Response) error {
	w.Status = op.Status
	w.Header.Set("Content-Type", "text/xml")
	x := xmlWriter{}
	x.open(op.Name+"Response", namespaceOf(op.Service.XMLNamespace))
	if op.Output != nil {
		wrapper := cmp.Or(op.OutputWrapper, op.Name+"Result")
		x.open(wrapper, "")
		if err := x.structure(op.Output, out); err != nil {
			return err
		}
		x.close(wrapper)
	}
	x.open("ResponseMetadata", "")
	x.element("RequestId", w.Header.Get("x-amzn-RequestId"))
	x.close("ResponseMetadata")
	x.close(op.Name + "Response")
	w.Body = x.b
	return nil
}

func namespaceOf(uri string) string {
	if uri == "" {
		return ""
	}
	return ` xmlns="` + uri + `"`
}

// EncodeError writes <ErrorResponse><Error>….
func (Query) EncodeError(svc *Service, f *Failure, w *Response) {
	w.Status = f.Status
	w.Header.Set("Content-Type", "text/xml")
	shape := svc.Error(f.Code)
	code, who := f.Code, "Receiver"
	if shape != nil && shape.ErrorCode != "" {
		code = shape.ErrorCode
	}
	if f.Sender {
		who = "Sender"
	}
	x := xmlWriter{}
	x.open("ErrorResponse", namespaceOf(svc.XMLNamespace))
	x.open("Error", "")
	x.element("Type", who)
	x.element("Code", code)
	if f.Message != "" {
		x.element("Message", f.Message)
	}
	if shape != nil {
		x.furtherMembers(shape, f.Fields)
	}
	x.close("Error")
	x.element("RequestId", f.RequestID)
	x.close("ErrorResponse")
	w.Body = x.b
}
