package awsapi

import (
	"errors"
	"net/http"

	"outcrop"
	"outcrop/awsapi/wire"
	"outcrop/sigv4"
)

// A Streamed service reads and writes its own wire, with bodies that are too
// large to be read at the door: S3. It asks for permission itself. It returns
// an error only while it has written nothing, and the door renders that error.
type Streamed interface {
	// Operation names what r asks for, empty when it is nothing there is, and
	// says what the audit may tell of it.
	Operation(r *http.Request) (name string, parameters map[string]any)
	Serve(w http.ResponseWriter, r *Request) error
}

// ServeStreamed registers a Streamed service under the name in its credential
// scope. Only signed requests reach it.
func (m *Mux) ServeStreamed(scope string, s Streamed) {
	none := &wire.Service{Name: scope, ID: scope}
	svc := newService(scope, nil)
	svc.key, svc.streamed = dispatchKey{scope: scope}, s
	svc.model = func() *wire.Service { return none }
	m.services = append(m.services, svc)
}

// stream authenticates by the request's head and leaves the body to the
// service, which reads it through the request's Payload.
func (c *call) stream(sig credentials) error {
	s := c.service.streamed
	c.op = &wire.Operation{Service: c.service.model()}
	c.op.Name, c.in = s.Operation(c.r)
	who, payload, err := c.mux.authenticateHead(c, sig)
	c.who, c.admitted = who, err == nil
	if errors.Is(err, sigv4.ErrExpired) {
		return tooLate(sig.signature, err)
	}
	if err != nil {
		return err
	}
	who.Origin = originOf(c.r)
	c.who = who
	r := &Request{HTTP: c.r, Operation: c.op, ID: c.id, Caller: who, Payload: payload, Received: c.received}
	err = s.Serve(c.w, r)
	c.status = http.StatusOK
	return err
}

// tooLate is S3's refusal of a signature that is true and too old.
func tooLate(s *sigv4.Signature, cause error) error {
	e := outcrop.Errorf(outcrop.Denied, "The difference between the request time and the current time is too large.").Because(cause)
	e.Code, e.Auth = "RequestTimeTooSkewed", true
	if s.Presigned {
		e.Code, e.Message = "AccessDenied", "Request has expired"
	}
	return e
}

func (m *Mux) authenticateHead(c *call, sig credentials) (who outcrop.Caller, payload *sigv4.Payload, err error) {
	if sig.signature == nil {
		return who, nil, missingToken()
	}
	identify := func() (outcrop.Caller, error) {
		key, err := m.keys.SecretForSession(c.r.Context(), sig.signature.AccessKey, sig.signature.SecurityToken)
		if err != nil {
			return outcrop.Caller{}, err
		}
		if payload, err = m.verifier.VerifyHead(sig.signature, c.r, key.Secret, c.received); err != nil {
			return outcrop.Caller{Account: key.Caller.Account}, err
		}
		who := key.Caller
		who.Region = outcrop.Region(sig.signature.Region)
		return who, nil
	}
	who, err = m.guarded(c.r, sig, c.service, identify)
	return who, payload, err
}
