package awsapi

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"outcrop"
	"outcrop/awsapi/wire"
)

// A rendering is the AWS code and HTTP status of a kind of failure.
type rendering struct {
	code   string
	status int
}

// queryCodes are the names that the query services (STS, IAM) have for what
// the JSON services call otherwise.
var queryCodes = map[string]rendering{
	"ValidationException":                 {"ValidationError", 400},
	"AccessDeniedException":               {"AccessDenied", 403},
	"ResourceNotFoundException":           {"NoSuchEntity", 404},
	"ThrottlingException":                 {"Throttling", 400},
	"InternalServerException":             {"InternalFailure", 500},
	"ServiceUnavailableException":         {"ServiceUnavailable", 503},
	"UnknownOperationException":           {"InvalidAction", 400},
	"UnrecognizedClientException":         {"InvalidClientTokenId", 403},
	"InvalidSignatureException":           {"SignatureDoesNotMatch", 403},
	"IncompleteSignatureException":        {"IncompleteSignature", 400},
	"MissingAuthenticationTokenException": {"MissingAuthenticationToken", 403},
	"MalformedQueryString":                {"MalformedQueryString", 400},
	"ExpiredTokenException":               {"ExpiredToken", 403},
}

// serviceCodes are names that single services have of their own, by signing
// name.
var serviceCodes = map[string]map[string]string{
	"logs": {"ValidationException": "InvalidParameterException"},
}

// CodeOf is the AWS error code that a Bedrock service gives err.
func CodeOf(err error) string { return failureOf(err).Code }

// StatusOf is the HTTP status that a Bedrock service gives err.
func StatusOf(err error) int { return failureOf(err).Status }

// MessageOf is what the client may read of err: an error that is no
// outcrop.Error is our own fault and stays in the log.
func MessageOf(err error) string { return failureOf(err).Message }

func failureOf(err error) *wire.Failure {
	var malformed *wire.Malformed
	var constraint *wire.ValidationError
	var e *outcrop.Error
	switch {
	case errors.As(err, &malformed):
		return &wire.Failure{Code: "SerializationException", Status: 400, Message: malformed.Message, Sender: true}
	case errors.As(err, &constraint):
		return &wire.Failure{Code: "ValidationException", Status: 400, Message: constraint.Error(), Sender: true}
	case errors.As(err, &e):
		return known(e)
	}
	k := outcrop.Internal
	return &wire.Failure{Code: k.Code(), Status: k.Status(), Message: "The server encountered an internal error while processing the request."}
}

func known(e *outcrop.Error) *wire.Failure {
	status := e.Kind.Status()
	f := &wire.Failure{Code: cmp.Or(e.Code, e.Kind.Code()), Status: status, Message: e.Message, Auth: e.Auth, Sender: status < 500, Fields: map[string]any{}}
	if e.Code == "IncompleteSignatureException" {
		f.Status = 400
	}
	if e.Resource != "" {
		f.Fields["resourceName"] = e.Resource
	}
	if e.Status != 0 {
		f.Fields["originalStatusCode"] = int64(e.Status)
	}
	return f
}

// fail renders err for the service and protocol of the call, and logs what is
// our own fault.
func (c *call) fail(err error) {
	f := failureOf(err)
	f.RequestID = string(c.id)
	svc := &wire.Service{}
	if c.service != nil {
		svc = c.service.model()
	}
	switch c.protocol.(type) {
	case nil:
		c.protocol = wire.RESTJSON{}
	case wire.Query:
		// What the service itself calls so keeps its name: STS has an
		// ExpiredTokenException for web identities beside the door's ExpiredToken.
		if r, ok := queryCodes[f.Code]; ok && (f.Auth || svc.Error(f.Code) == nil) {
			f.Code, f.Status = r.code, r.status
		}
	case wire.AWSJSON, wire.RPCv2CBOR:
		if svc.QueryMode && f.Code == "ValidationException" {
			f.Code = queryCodes[f.Code].code // a service that spoke query once keeps its code
		}
		if f.Sender { // the JSON services answer every client fault with 400
			f.Status = http.StatusBadRequest
		}
	}
	if code, ok := serviceCodes[svc.SigningName][f.Code]; ok && !f.Auth {
		f.Code = code
	}
	c.logFailure(f, err)
	c.failure = f
	answer := wire.Response{Status: f.Status, Header: c.w.Header()}
	setRetryAfter(answer.Header, err)
	c.protocol.EncodeError(svc, f, &answer)
	c.write(&answer)
}

func (c *call) logFailure(f *wire.Failure, err error) {
	level := c.mux.log.Debug
	switch {
	case errors.Is(err, context.Canceled): // the client went away
	case f.Status >= 500:
		level = c.mux.log.Error
	case outcrop.KindOf(err) == outcrop.ModelFailed: // an upstream refused us: its operator has to know why
		level = c.mux.log.Warn
	}
	level("request failed", "request", c.id, "method", c.r.Method, "path", c.r.URL.Path, "code", f.Code, "err", err)
}

// setRetryAfter tells when a throttled call may come again. Recent SDKs read
// x-amz-retry-after in milliseconds, others Retry-After in seconds.
func setRetryAfter(h http.Header, err error) {
	var e *outcrop.Error
	if !errors.As(err, &e) || e.RetryAfter <= 0 {
		return
	}
	h.Set("Retry-After", strconv.FormatInt(int64((e.RetryAfter+time.Second-1)/time.Second), 10))
	h.Set("x-amz-retry-after", strconv.FormatInt(e.RetryAfter.Milliseconds(), 10))
}
