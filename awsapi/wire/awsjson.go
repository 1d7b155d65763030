package wire

import (
	"bytes"
	"fmt"
	"strings"
)

// AWSJSON is the protocol of most management services: the operation rides in
// X-Amz-Target, everything else in a JSON body (awsJson1_0 and awsJson1_1).
type AWSJSON struct {
	Version string // "1.0" or "1.1"
}

// Target cuts an X-Amz-Target header into the service's target prefix and the
// operation's name.
func Target(header string) (prefix, operation string, ok bool) {
	i := strings.LastIndexByte(header, '.')
	if i < 0 {
		return "", "", false
	}
	return header[:i], header[i+1:], true
}

// Decode reads op's input from the body. An empty body is an empty structure.
func (AWSJSON) Decode(op *Operation, r *Request) (map[string]any, error) {
	if op.Input == nil || len(bytes.TrimSpace(r.Body)) == 0 {
		return map[string]any{}, nil
	}
	v, err := decodeJSON(r.Body, &Member{Shape: op.Input}, false)
	if err != nil {
		return nil, err
	}
	if tree, ok := v.(map[string]any); ok {
		return tree, nil
	}
	return map[string]any{}, nil // the body was null
}

// Encode writes op's answer; without output it is {}.
func (p AWSJSON) Encode(op *Operation, out map[string]any, w *Response) error {
	w.Status = op.Status
	w.Header.Set("Content-Type", p.contentType())
	w.Body = []byte("{}")
	if op.Output == nil {
		return nil
	}
	body, err := encodeJSON(&Member{Shape: op.Output}, out, false, iso3, w)
	if err != nil {
		return fmt.Errorf("encode %s: %w", op.Name, err)
	}
	w.Body = body
	return nil
}

func (p AWSJSON) contentType() string { return "application/x-amz-json-" + p.Version }

// EncodeError names the error in __type: bare in version 1.1, after the
// service's namespace in 1.0 (clients cut at the last #). A service that
// spoke query once repeats its old code in x-amzn-query-error
// (runtime-metering-billing.md §5.4).
func (p AWSJSON) EncodeError(svc *Service, f *Failure, w *Response) {
	w.Status = f.Status
	w.Header.Set("Content-Type", p.contentType())
	shape := svc.Error(f.Code)
	name := f.Code
	if shape != nil {
		name = shape.Name
	}
	if svc.QueryMode {
		w.Header.Set("x-amzn-query-error", queryError(shape, f))
	}
	if p.Version == "1.0" {
		name = svc.namespace(f.Auth) + "#" + name
	}
	e := jsonEncoder{iso: iso3}
	e.failure(shape, f, name)
	w.Body = e.buf
}

// queryError is the value of x-amzn-query-error: the classic code and whose
// fault it was.
func queryError(shape *Shape, f *Failure) string {
	code := f.Code
	if shape != nil && shape.ErrorCode != "" {
		code = shape.ErrorCode
	}
	if f.Sender {
		return code + ";Sender"
	}
	return code + ";Receiver"
}

// namespace is what stands before # in the error types of svc, such as
// com.amazonaws.cloudwatch.v2010_08_01.
func (s *Service) namespace(auth bool) string {
	if auth {
		return "com.amazon.coral.service"
	}
	return "com.amazonaws." + strings.ToLower(strings.ReplaceAll(s.ID, " ", "")) +
		".v" + strings.ReplaceAll(s.APIVersion, "-", "_")
}
