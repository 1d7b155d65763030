package outcrop

import (
	"errors"
	"fmt"
	"time"
)

// A Kind is a sort of failure. The AWS error code and HTTP status that each
// service gives it are looked up at the door (package awsapi).
type Kind uint8

// The kinds of failure. Internal is the zero value: an error of no known kind
// is our own fault.
const (
	Internal      Kind = iota // InternalServerException 500
	Invalid                   // ValidationException 400
	NotFound                  // ResourceNotFoundException 404
	Conflict                  // ConflictException 400
	Denied                    // AccessDeniedException 403
	Throttled                 // ThrottlingException 429
	TooManyTags               // TooManyTagsException 400, with the resource's name
	QuotaExceeded             // ServiceQuotaExceededException 400
	Unavailable               // ServiceUnavailableException 503
	ModelFailed               // ModelErrorException 424: the upstream refused or broke
	ModelTimeout              // ModelTimeoutException 408
	ModelNotReady             // ModelNotReadyException 429
	StreamFailed              // ModelStreamErrorException 424: broke after the first event
	TooLarge                  // ValidationException 413: a body over the limit
	Unimplemented             // UnknownOperationException 404: modelled by AWS, not served here
	Clash                     // EntityAlreadyExists 409: what is there forbids it; IAM's, under several codes
)

// renderings are the names and HTTP statuses that Bedrock's error tables give
// the kinds (reference/control-plane.md §0: Conflict is 400 there, not 409).
var renderings = [...]struct {
	code   string
	status int
}{
	Internal:      {"InternalServerException", 500},
	Invalid:       {"ValidationException", 400},
	NotFound:      {"ResourceNotFoundException", 404},
	Conflict:      {"ConflictException", 400},
	Denied:        {"AccessDeniedException", 403},
	Throttled:     {"ThrottlingException", 429},
	TooManyTags:   {"TooManyTagsException", 400},
	QuotaExceeded: {"ServiceQuotaExceededException", 400},
	Unavailable:   {"ServiceUnavailableException", 503},
	ModelFailed:   {"ModelErrorException", 424},
	ModelTimeout:  {"ModelTimeoutException", 408},
	ModelNotReady: {"ModelNotReadyException", 429},
	StreamFailed:  {"ModelStreamErrorException", 424},
	TooLarge:      {"ValidationException", 413},
	Unimplemented: {"UnknownOperationException", 404},
	Clash:         {"EntityAlreadyExists", 409},
}

// Code is Bedrock's error code for the kind.
func (k Kind) Code() string { return renderings[k].code }

// Status is the HTTP status that Bedrock answers with for the kind.
func (k Kind) Status() int { return renderings[k].status }

// An Error is a failure whose kind is known. Its message is meant for the
// client: it names the cure and holds no secret.
type Error struct {
	Kind       Kind
	Message    string
	Code       string        // overrides the AWS code that Kind would get; usually empty
	Resource   string        // resourceName of TooManyTags and ModelFailed
	Status     int           // originalStatusCode of ModelFailed and StreamFailed
	RetryAfter time.Duration // for Throttled and Unavailable; 0 when unknown
	Auth       bool          // refused by the layer before the service (body member "Message")
	Cause      error         // logged, never shown to the client
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Message + ": " + e.Cause.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Cause }

// Errorf makes an Error whose message the client reads. Use Because for a
// cause that only the log may show.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Because adds a cause that is logged and not shown.
func (e *Error) Because(cause error) *Error {
	e.Cause = cause
	return e
}

// KindOf finds the kind of err, Internal when it has none.
func KindOf(err error) Kind {
	if err == nil {
		return Internal
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}
