package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"outcrop/internal/jsonlex"
)

// Load reads a service model in botocore's form (service-2.json). Documentation
// may be missing; member order is kept.
func Load(model []byte) (*Service, error) {
	var f modelFile
	if err := json.Unmarshal(model, &f); err != nil {
		return nil, fmt.Errorf("read service model: %w", err)
	}
	l := loader{models: f.Shapes.byName(), shapes: make(map[string]*Shape, len(f.Shapes))}
	svc := f.Metadata.service()
	svc.shapes = l.shapes
	svc.byName = make(map[string]*Operation, len(f.Operations))
	for _, shape := range f.Shapes {
		l.shape(shape.name)
	}
	svc.errors = errorsByCode(l.shapes)
	for _, field := range f.Operations {
		op, err := l.operation(field.raw)
		if err != nil {
			return nil, fmt.Errorf("operation %s: %w", field.name, err)
		}
		op.Service = svc
		svc.Operations = append(svc.Operations, op)
		svc.byName[op.Name] = op
	}
	return svc, l.err
}

// errorsByCode lists exceptions under both names that a client may know. A
// shape's own name wins over another's code.
func errorsByCode(shapes map[string]*Shape) map[string]*Shape {
	byCode := map[string]*Shape{}
	for _, s := range shapes {
		if s.Exception && s.ErrorCode != "" {
			byCode[s.ErrorCode] = s
		}
	}
	for name, s := range shapes {
		if s.Exception {
			byCode[name] = s
		}
	}
	return byCode
}

type modelFile struct {
	Metadata   metadata
	Operations ordered
	Shapes     ordered
}

type metadata struct {
	APIVersion, EndpointPrefix, ServiceID, SigningName string
	Protocol                                           string
	Protocols                                          []string
	JSONVersion, TargetPrefix, XMLNamespace            string
	AWSQueryCompatible                                 *struct{}
}

func (m *metadata) service() *Service {
	s := &Service{
		Name: m.EndpointPrefix, ID: m.ServiceID, SigningName: m.SigningName, APIVersion: m.APIVersion,
		Protocols: m.Protocols, JSONVersion: m.JSONVersion, TargetPrefix: m.TargetPrefix,
		XMLNamespace: m.XMLNamespace, QueryMode: m.AWSQueryCompatible != nil,
	}
	if len(s.Protocols) == 0 {
		s.Protocols = []string{m.Protocol}
	}
	if s.SigningName == "" {
		s.SigningName = s.Name
	}
	return s
}

type modelOperation struct {
	Name string
	HTTP struct {
		Method, RequestURI string
		ResponseCode       int
	}
	Input, Output *modelMember
	Errors        []modelMember
	Idempotent    bool
	Endpoint      struct{ HostPrefix string }
}

type modelMember struct {
	Shape                                       string
	Location, LocationName, QueryName           string
	TimestampFormat, ResultWrapper              string
	XMLNamespace                                xmlNamespace
	XMLAttribute, Flattened, Streaming          bool
	EventPayload, EventHeader                   bool
	IdempotencyToken, JSONValue, HostLabel, Box bool
}

// xmlNamespace is a bare URI in some places and {uri, prefix} in others.
type xmlNamespace struct{ URI, Prefix string }

func (x *xmlNamespace) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		return json.Unmarshal(b, &x.URI)
	}
	type plain xmlNamespace
	return json.Unmarshal(b, (*plain)(x))
}

type modelShape struct {
	Type                                                    Type
	Required                                                []string
	Members                                                 ordered
	Member, Key, Value                                      *modelMember
	Min, Max                                                *float64
	Pattern                                                 string
	Enum                                                    []string
	Sensitive, Union, Exception, EventStream, Event, Sparse bool
	Flattened, Document, Wrapper                            bool
	Payload, TimestampFormat, LocationName                  string
	XMLNamespace                                            xmlNamespace
	Error                                                   struct {
		Code           string
		HTTPStatusCode int
		SenderFault    bool
	}
}

type loader struct {
	models map[string]json.RawMessage
	shapes map[string]*Shape
	err    error
}

func (l *loader) shape(name string) *Shape {
	if s, ok := l.shapes[name]; ok {
		return s
	}
	s := &Shape{Name: name}
	l.shapes[name] = s // before its members: shapes may be recursive
	var m modelShape
	if err := json.Unmarshal(l.models[name], &m); err != nil && l.err == nil {
		l.err = fmt.Errorf("shape %s: %w", name, err)
		return s
	}
	l.fill(s, &m)
	return s
}

func (l *loader) fill(s *Shape, m *modelShape) {
	s.Type = m.Type
	switch m.Type {
	case "char", "character":
		s.Type = String
	case "byte", "short":
		s.Type = Integer
	case "bigdecimal":
		s.Type = Double
	case "biginteger":
		s.Type = Long
	}
	if m.Document {
		s.Type, s.Document = Doc, true
	}
	s.Pattern, s.Enum, s.Sensitive = m.Pattern, m.Enum, m.Sensitive
	s.Union, s.Exception, s.EventStream, s.Event = m.Union, m.Exception, m.EventStream, m.Event
	s.Sparse, s.Flattened, s.Wrapper, s.Payload = m.Sparse, m.Flattened, m.Wrapper, m.Payload
	s.TimestampFormat, s.LocationName = m.TimestampFormat, m.LocationName
	s.XMLNamespace, s.XMLPrefix = m.XMLNamespace.URI, m.XMLNamespace.Prefix
	s.ErrorCode, s.ErrorStatus, s.SenderFault = m.Error.Code, m.Error.HTTPStatusCode, m.Error.SenderFault
	if m.Min != nil {
		s.HasMin, s.Min = true, *m.Min
	}
	if m.Max != nil {
		s.HasMax, s.Max = true, *m.Max
	}
	s.Elem, s.Key, s.Value = l.member("", m.Member), l.member("", m.Key), l.member("", m.Value)
	for _, field := range m.Members {
		var mm modelMember
		if err := json.Unmarshal(field.raw, &mm); err != nil && l.err == nil {
			l.err = fmt.Errorf("member %s.%s: %w", s.Name, field.name, err)
		}
		member := l.member(field.name, &mm)
		member.Required = slices.Contains(m.Required, field.name)
		s.Members = append(s.Members, member)
	}
}

func (l *loader) member(name string, m *modelMember) *Member {
	if m == nil {
		return nil
	}
	return &Member{
		Name: name, Shape: l.shape(m.Shape), Location: Location(m.Location), LocationName: m.LocationName,
		QueryName: m.QueryName, TimestampFormat: m.TimestampFormat, XMLAttribute: m.XMLAttribute,
		XMLNamespace: m.XMLNamespace.URI, XMLPrefix: m.XMLNamespace.Prefix, Flattened: m.Flattened,
		Streaming: m.Streaming, EventPayload: m.EventPayload, EventHeader: m.EventHeader,
		IdempotencyToken: m.IdempotencyToken, JSONValue: m.JSONValue, HostLabel: m.HostLabel, Box: m.Box,
	}
}

func (l *loader) operation(raw json.RawMessage) (*Operation, error) {
	var m modelOperation
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, err
	}
	op := &Operation{
		Name: m.Name, Method: m.HTTP.Method, URI: m.HTTP.RequestURI, Status: m.HTTP.ResponseCode,
		Idempotent: m.Idempotent, HostPrefix: m.Endpoint.HostPrefix,
	}
	if op.Status == 0 {
		op.Status = 200
	}
	if m.Input != nil {
		op.Input = l.shape(m.Input.Shape)
	}
	if m.Output != nil {
		op.Output, op.OutputWrapper = l.shape(m.Output.Shape), m.Output.ResultWrapper
	}
	for _, e := range m.Errors {
		op.Errors = append(op.Errors, l.shape(e.Shape))
	}
	return op, nil
}

// ordered is a JSON object that remembers the order of its members.
type ordered []orderedField

type orderedField struct {
	name string
	raw  json.RawMessage
}

// byName indexes an object that is looked into often.
func (o ordered) byName() map[string]json.RawMessage {
	index := make(map[string]json.RawMessage, len(o))
	for _, f := range o {
		index[f.name] = f.raw
	}
	return index
}

// UnmarshalJSON cuts b, which encoding/json has checked, into its members.
func (o *ordered) UnmarshalJSON(b []byte) error {
	var l jsonlex.Lexer
	l.Reset(bytes.Clone(b)) // b is lent for the call only
	if l.Null() {
		return l.Done()
	}
	for l.Object(); l.Member(); {
		*o = append(*o, orderedField{name: strings.Clone(l.Name()), raw: l.Raw()}) // a name lives on, and would keep all of b
	}
	return l.Done()
}
