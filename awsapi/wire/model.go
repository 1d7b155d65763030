// Package wire turns AWS requests and answers into plain trees and back,
// driven by the service models: one codec per protocol, one validator for all.
//
// A tree is what a protocol decodes to and encodes from, whatever the service:
//
//	structure, union  map[string]any (by member name)
//	list              []any, or Structs in an answer
//	map               map[string]any
//	string, enum      string
//	integer, long     int64
//	float, double     float64
//	boolean           bool
//	blob              []byte
//	timestamp         time.Time
//	document          Document (its JSON text)
//
// An absent member is absent from the map; there are no nils but the null
// elements of sparse lists and maps.
package wire

import (
	"encoding/json"
	"slices"
	"sync"
)

// A Type is a shape's type.
type Type string

// The types of the service models.
const (
	Structure Type = "structure" // also unions and exceptions
	List      Type = "list"
	Map       Type = "map"
	String    Type = "string"
	Integer   Type = "integer"
	Long      Type = "long"
	Float     Type = "float"
	Double    Type = "double"
	Boolean   Type = "boolean"
	Blob      Type = "blob"
	Timestamp Type = "timestamp"
	Doc       Type = "document"
)

// A Document is free-form JSON carried as its text.
type Document json.RawMessage

// A Location is the part of an HTTP message that a member is bound to.
type Location string

// The locations. InBody is the default.
const (
	InBody       Location = ""
	InURI        Location = "uri"
	InQuery      Location = "querystring"
	InHeader     Location = "header"
	InHeaders    Location = "headers" // every header with the prefix LocationName
	InStatusCode Location = "statusCode"
)

// A Service is one AWS service as its model describes it.
type Service struct {
	Name         string // endpointPrefix, such as "bedrock-runtime"
	ID           string // serviceId, such as "Bedrock Runtime"
	SigningName  string // name in the SigV4 credential scope
	APIVersion   string
	Protocols    []string // in order of preference: rest-json, json, query, smithy-rpc-v2-cbor, rest-xml
	JSONVersion  string   // "1.0" or "1.1"
	TargetPrefix string   // before the dot of X-Amz-Target
	XMLNamespace string
	QueryMode    bool // awsQueryCompatible: old error codes ride in x-amzn-query-error
	Operations   []*Operation
	byName       map[string]*Operation
	shapes       map[string]*Shape
	errors       map[string]*Shape // by code and by name
}

// Operation finds an operation by its name, or returns nil.
func (s *Service) Operation(name string) *Operation { return s.byName[name] }

// Shape finds a shape by its name, or returns nil.
func (s *Service) Shape(name string) *Shape { return s.shapes[name] }

// Error finds a modelled error by its code on the wire or by its shape's
// name, or returns nil.
func (s *Service) Error(code string) *Shape { return s.errors[code] }

// An Operation is one row of a service's routing table.
type Operation struct {
	Service       *Service
	Name          string
	Method        string
	URI           string // template such as /model/{modelId}/converse, with query if it has one
	Status        int    // success status, 200 unless modelled
	Input, Output *Shape // nil when there is none
	OutputWrapper string // query: resultWrapper, such as GetCallerIdentityResult
	Errors        []*Shape
	Idempotent    bool
	HostPrefix    string
}

// A Shape is a type with its constraints and its traits on the wire.
type Shape struct {
	Name    string
	Type    Type
	Members []*Member // of a structure, in the model's order
	Elem    *Member   // of a list
	Key     *Member   // of a map
	Value   *Member   // of a map

	HasMin, HasMax bool // length of strings, blobs, lists and maps; value of numbers
	Min, Max       float64
	Pattern        string // without anchors; a full match is meant
	Enum           []string
	Sensitive      bool // its value stays out of error messages

	Union, Exception, EventStream, Event, Sparse, Flattened, Document bool

	Payload         string // member that is the whole body
	TimestampFormat string // iso8601, rfc822 or unixTimestamp; empty is the protocol's own
	LocationName    string // XML element name
	XMLNamespace    string
	XMLPrefix       string
	Wrapper         bool

	ErrorCode   string // wire code when it differs from Name
	ErrorStatus int    // HTTP status of an exception, 0 when not modelled
	SenderFault bool

	once sync.Once
	made []check // constraints, ready to run
}

// Member finds a member by name, or returns nil.
func (s *Shape) Member(name string) *Member {
	for _, m := range s.Members {
		if m.Name == name {
			return m
		}
	}
	return nil
}

// bodyMember finds the member that a REST body calls name, or returns nil.
func (s *Shape) bodyMember(name string) *Member {
	for _, m := range s.Members {
		if m.Location == InBody && m.WireName() == name {
			return m
		}
	}
	return nil
}

// hasBody says whether any member travels in a REST body.
func (s *Shape) hasBody() bool {
	return slices.ContainsFunc(s.Members, func(m *Member) bool { return m.Location == InBody })
}

// A Member is a shape in its place: in a structure, list or map.
type Member struct {
	Name             string // empty for list elements, map keys and values
	Shape            *Shape
	Required         bool
	Location         Location
	LocationName     string // name on the wire when it differs from Name
	QueryName        string // ec2/query spelling
	TimestampFormat  string // overrides the shape's
	XMLAttribute     bool
	XMLNamespace     string
	XMLPrefix        string
	Flattened        bool
	Streaming        bool
	EventPayload     bool
	EventHeader      bool
	IdempotencyToken bool
	JSONValue        bool
	HostLabel        bool
	Box              bool
}

// WireName is the member's name in a body, header, query or path.
func (m *Member) WireName() string {
	if m.LocationName != "" {
		return m.LocationName
	}
	return m.Name
}
