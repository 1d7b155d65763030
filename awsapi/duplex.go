package awsapi

import (
	"net/http"
	"strings"
	"time"

	"outcrop"
	"outcrop/sigv4"
)

// Duplex is Raw for an operation in which both sides send events while they
// like: its body is left unread, and its frames are verified through the
// request's Events. Its URI ends in suffix.
func Duplex(name, suffix string, fn func(http.ResponseWriter, *Request) error) Handler {
	return Handler{name: name, asks: AsksItself, raw: fn, duplex: suffix}
}

// duplex finds the operation for which the body must not be read.
func (s *service) duplex(r *http.Request) bool {
	for _, suffix := range s.duplexes {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, suffix) {
			return true
		}
	}
	return false
}

// converse is serve for such an operation.
func (c *call) converse(sig credentials) error {
	control := http.NewResponseController(c.w)
	control.EnableFullDuplex()                     // over HTTP/2 it is
	defer control.SetReadDeadline(time.Unix(1, 0)) // what is not read by now never will be
	events, err := c.head(sig)
	if err != nil {
		return err
	}
	op, labels, err := c.service.route(c.r, nil)
	if err != nil {
		return err
	}
	c.op = op
	c.request = Request{HTTP: c.r, Operation: op, ID: c.id, Caller: c.who, Labels: labels, Events: events, Received: c.received}
	return c.raw(c.service.handlers[op.Name])
}

// head authenticates by the request's head.
func (c *call) head(sig credentials) (events *sigv4.Events, err error) {
	switch {
	case sig.absent():
		return nil, missingToken()
	case sig.signature == nil:
		e := outcrop.Errorf(outcrop.Denied, "Amazon Bedrock API keys cannot be used for this operation. Sign the request and its events with an access key.")
		e.Auth = true
		return nil, e
	}
	who, err := c.mux.guarded(c.r, sig, c.service, func() (who outcrop.Caller, err error) {
		who, events, err = c.mux.identifyEvents(c.r, sig.signature, c.received)
		return who, err
	})
	c.who, c.admitted = who, err == nil
	c.who.Origin = originOf(c.r)
	return events, err
}

func (m *Mux) identifyEvents(r *http.Request, sig *sigv4.Signature, now time.Time) (outcrop.Caller, *sigv4.Events, error) {
	key, err := m.keys.SecretForSession(r.Context(), sig.AccessKey, sig.SecurityToken)
	if err != nil {
		return outcrop.Caller{}, nil, err
	}
	events, err := m.verifier.VerifyEvents(sig, r, key.Secret, now)
	if err != nil {
		return outcrop.Caller{Account: key.Caller.Account}, nil, err
	}
	who, err := m.scoped(key.Caller, sig.Region)
	return who, events, err
}

// scoped is a caller in the Region that was signed for.
func (m *Mux) scoped(who outcrop.Caller, region outcrop.Region) (outcrop.Caller, error) {
	who.Region = region
	if m.regions(region) {
		return who, nil
	}
	e := outcrop.Errorf(outcrop.Denied, "Credential should be scoped to a valid region, not '%s'.", region)
	e.Code, e.Auth = "InvalidSignatureException", true
	return outcrop.Caller{}, e
}
