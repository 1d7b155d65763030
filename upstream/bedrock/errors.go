package bedrock

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"outcrop"
	"outcrop/sigv4"
	"outcrop/upstream"
)

// A refusal is what a Region says in place of an answer, as an HTTP error or
// as an exception in a stream (reference/runtime-metering-billing.md §1.8-1.9).
type refusal struct {
	name     string // such as ThrottlingException; empty when none was given
	status   int    // of HTTP; 0 in a stream
	message  string
	original int    // originalStatusCode
	resource string // resourceName
	retry    time.Duration
}

// kinds are the exceptions whose kind does not depend on anything else.
var kinds = map[string]outcrop.Kind{
	"ValidationException": outcrop.Invalid, "SerializationException": outcrop.Invalid,
	"ResourceNotFoundException": outcrop.NotFound,
	"ThrottlingException":       outcrop.Throttled, "TooManyRequestsException": outcrop.Throttled,
	// It is the operator's account whose quota is used up, which to the
	// caller is a lack of room.
	"ServiceQuotaExceededException": outcrop.Throttled,
	"ServiceUnavailableException":   outcrop.Unavailable, "InternalServerException": outcrop.Unavailable, "InternalFailure": outcrop.Unavailable,
	"ModelErrorException": outcrop.ModelFailed, "ModelStreamErrorException": outcrop.ModelFailed, "UnknownOperationException": outcrop.ModelFailed,
	"ModelTimeoutException": outcrop.ModelTimeout, "ModelNotReadyException": outcrop.ModelNotReady,
}

// ours are the exceptions about the credentials that Outcrop is configured
// with. A caller has no part in them, so they never become its AccessDenied.
var ours = map[string]bool{
	"AccessDeniedException": true, "UnrecognizedClientException": true, "InvalidSignatureException": true, "IncompleteSignatureException": true,
	"MissingAuthenticationTokenException": true, "ExpiredTokenException": true, "RequestExpired": true, "OptInRequired": true,
	"InvalidClientTokenId": true, "SignatureDoesNotMatch": true, "NotAuthorized": true,
}

// kind of a refusal; denied is true when it is about Outcrop's own credentials.
func (f *refusal) kind() (k outcrop.Kind, denied bool) {
	if ours[f.name] {
		return outcrop.ModelFailed, true
	}
	if k, ok := kinds[f.name]; ok {
		if k == outcrop.Invalid && f.status == http.StatusRequestEntityTooLarge {
			k = outcrop.TooLarge
		}
		return k, false
	}
	switch f.status {
	case 400, 422:
		return outcrop.Invalid, false
	case 401, 403:
		return outcrop.ModelFailed, true
	case 408, 504:
		return outcrop.ModelTimeout, false
	case 413:
		return outcrop.TooLarge, false
	case 429:
		return outcrop.Throttled, false
	case 500, 502, 503, 529:
		return outcrop.Unavailable, false
	}
	return outcrop.ModelFailed, false
}

// misnamed are AWS's words for a model that the Region does not have, or not
// on demand (reference/runtime-metering-billing.md §1.9). The caller named what
// this Outcrop knows, so another destination may well answer.
func misnamed(message string) bool {
	return strings.HasPrefix(message, "The provided model identifier is invalid") || strings.Contains(message, "with on-demand throughput isn’t supported")
}

// error of a refusal. The Region's words are kept, but for those about
// Outcrop's own credentials and addresses: they name the operator's accounts
// and users, so only the log has them.
func (u *Upstream) error(a outcrop.Attempt, f *refusal) error {
	kind, denied := f.kind()
	region, said := a.Destination.Region, u.host.Harmless(f.message)
	switch {
	case denied:
		return u.host.Failed(a, f.status, "Bedrock in %s refused the credentials that Outcrop is configured with. Tell the operator.", region).
			Because(fmt.Errorf("%s (%d): %s", u.host.Harmless(f.name), f.status, said))
	case kind == outcrop.Invalid && misnamed(f.message):
		return u.host.Failed(a, f.status, "Bedrock in %s does not offer the model %s under the name it was called by. Tell the operator.", region, a.Destination.Model).Because(errors.New(said))
	case f.name == "UnknownOperationException" || kind == outcrop.ModelFailed && f.name == "":
		return u.host.Failed(a, f.status, "The address of Bedrock in %s does not answer as Bedrock does. Tell the operator.", region).Because(errors.New(said))
	case kind == outcrop.ModelFailed:
		e := u.host.Failed(a, cmp.Or(f.original, f.status), "%s", said)
		if f.resource != "" {
			e.Resource = u.host.Harmless(f.resource)
		}
		return e
	}
	e := outcrop.Errorf(kind, "%s", said)
	if kind == outcrop.Throttled || kind == outcrop.Unavailable {
		e.RetryAfter = f.retry
	}
	return e
}

// noAnswer is the error of a 200 that holds something else: AWS's front has
// been seen to report an unknown operation so.
func (u *Upstream) noAnswer(a outcrop.Attempt, text []byte) error {
	var body struct {
		errorBody
		Output errorBody
	}
	json.Unmarshal(text, &body) // what is no error body leaves it empty
	if name := exceptionName(cmp.Or(body.Output.Type, body.Type)); name != "" {
		return u.error(a, &refusal{name: name, status: http.StatusOK, message: cmp.Or(body.Message, body.Output.Message)})
	}
	return u.host.Failed(a, http.StatusOK, "The model's server answered with something that is no answer. Tell the operator.")
}

// errorBody is the JSON of a refusal. Member names are matched without regard
// to case: the layer before the service writes Message.
type errorBody struct {
	Type               string `json:"__type"`
	Message            string `json:"message"`
	OriginalStatusCode int    `json:"originalStatusCode"`
	OriginalMessage    string `json:"originalMessage"`
	ResourceName       string `json:"resourceName"`
}

// exceptionName takes a name out of the forms that AWS writes:
// Name:http://…, com.amazon.coral.service#Name, throttlingException.
func exceptionName(text string) string {
	text, _, _ = strings.Cut(text, ":")
	if i := strings.LastIndexByte(text, '#'); i >= 0 {
		text = text[i+1:]
	}
	if text != "" && 'a' <= text[0] && text[0] <= 'z' {
		text = string(text[0]-'a'+'A') + text[1:]
	}
	return text
}

// refused makes an error of a response whose status is not 200.
func (u *Upstream) refused(r *http.Request, p *upstream.Post, res *http.Response, text []byte) error {
	f := refusalOf(text)
	f.status, f.retry = res.StatusCode, upstream.RetryAfter(res.Header, time.Now())
	if name := exceptionName(res.Header.Get("X-Amzn-Errortype")); name != "" {
		f.name = name
	}
	if token := r.Header.Get("X-Amz-Security-Token"); token != "" { // AWS quotes it when a signature is wrong
		f.message = strings.ReplaceAll(f.message, token, "[hidden]")
	}
	if _, denied := f.kind(); denied {
		if s, err := sigv4.Parse(r); err == nil && s != nil {
			u.keys.refused(s.AccessKey)
		}
	}
	return u.error(p.Attempt, f)
}

func refusalOf(text []byte) *refusal {
	var body errorBody
	json.Unmarshal(text, &body) // what is no JSON has no message
	message := body.Message
	if message == "" {
		message = body.OriginalMessage
	}
	return &refusal{name: exceptionName(body.Type), message: message, original: body.OriginalStatusCode, resource: body.ResourceName}
}

// afterFirst is upstream.AfterFirst, but for one more word that Bedrock's own
// streams may say in the middle.
func afterFirst(err error) error {
	if outcrop.KindOf(err) == outcrop.Invalid {
		return err
	}
	return upstream.AfterFirst(err)
}
