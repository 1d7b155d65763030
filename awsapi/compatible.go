package awsapi

import (
	"encoding/json"
	"net/http"

	"outcrop/awsapi/wire"
)

// A compatible protocol is REST-JSON whose errors can be read by the SDKs of
// another provider too: its own members stand beside AWS's, and the headers are
// AWS's.
type compatible struct {
	wire.RESTJSON
	form string // "openai" or "anthropic"
}

// EncodeError implements wire.Protocol.
func (p compatible) EncodeError(svc *wire.Service, f *wire.Failure, w *wire.Response) {
	p.RESTJSON.EncodeError(svc, f, w)
	if f.Auth {
		w.Status = http.StatusUnauthorized // what their SDKs know a bad key by
	}
	w.Header.Set("x-request-id", f.RequestID)
	w.Header.Set("request-id", f.RequestID)
	w.Body = CompatibleError(p.form, f.Code, f.Message, w.Status)
}

// CompatibleError is an error as the SDKs of another provider read it, with
// AWS's message beside.
func CompatibleError(form, code, message string, status int) []byte {
	told := map[string]any{"message": message}
	if form == "anthropic" {
		told["type"] = "error"
		told["error"] = map[string]any{"type": anthropicType(status), "message": message}
	} else {
		told["error"] = map[string]any{"message": message, "type": openAIType(status), "code": code, "param": nil}
	}
	b, err := json.Marshal(told)
	if err != nil { // strings always marshal
		return []byte(`{"message":"internal error"}`)
	}
	return b
}

func anthropicType(status int) string {
	switch {
	case status == http.StatusUnauthorized:
		return "authentication_error"
	case status == http.StatusForbidden:
		return "permission_error"
	case status == http.StatusNotFound:
		return "not_found_error"
	case status == http.StatusRequestEntityTooLarge:
		return "request_too_large"
	case status == http.StatusTooManyRequests:
		return "rate_limit_error"
	case status == http.StatusServiceUnavailable:
		return "overloaded_error"
	case status >= http.StatusInternalServerError || status == http.StatusFailedDependency:
		return "api_error"
	}
	return "invalid_request_error"
}

func openAIType(status int) string {
	switch {
	case status == http.StatusUnauthorized:
		return "authentication_error"
	case status == http.StatusForbidden:
		return "permission_error"
	case status == http.StatusTooManyRequests:
		return "rate_limit_error"
	case status >= http.StatusInternalServerError || status == http.StatusFailedDependency:
		return "server_error"
	}
	return "invalid_request_error"
}
