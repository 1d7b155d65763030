package wire

import "net/http"

// A Protocol turns HTTP messages into trees and back, for any service whose
// model names it. Implementations hold no state and are safe for concurrent
// use.
type Protocol interface {
	// Decode reads op's input. What the client wrote wrongly comes back as a
	// *Malformed; constraints are not checked here but by Validate.
	Decode(op *Operation, r *Request) (map[string]any, error)
	// Encode writes op's answer: status, headers and body.
	Encode(op *Operation, out map[string]any, w *Response) error
	// EncodeError writes a failure of svc the way its SDKs read it.
	EncodeError(svc *Service, f *Failure, w *Response)
}

// A Request is what a protocol sees of an HTTP request, its body read.
type Request struct {
	Method   string
	Path     string // as received, still percent-encoded
	RawQuery string
	Header   http.Header
	Body     []byte
	Labels   Labels // set by the Router
}

// A Response collects what a protocol writes. Header is never nil.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	lent   *[]byte // where Body is, until Release
}

// A Failure is an error on its way to the client.
type Failure struct {
	Code      string // ValidationException
	Status    int
	Message   string
	Sender    bool           // the client's fault, as query and XML say it
	Fields    map[string]any // further modelled members, such as resourceName
	RequestID string
	Auth      bool // raised before the service: REST-JSON then writes "Message"
}

// Malformed is input that could not be read at all.
type Malformed struct{ Message string }

func (m *Malformed) Error() string { return m.Message }
