package awsapi

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"outcrop"
	"outcrop/identity"
	"outcrop/sigv4"
)

// credentials are what a request shows of its sender, unverified.
type credentials struct {
	signature *sigv4.Signature // header or presigned form
	bearer    string           // Bedrock API key
}

func (c credentials) service() string {
	if c.signature == nil {
		return ""
	}
	return c.signature.Service
}

// absent says that a request shows no credentials at all.
func (c credentials) absent() bool { return c.signature == nil && c.bearer == "" }

// signatureOf has room for a signature.
func signatureOf(r *http.Request, room *sigv4.Signature) (credentials, error) {
	if token, ok := bearerToken(r); ok {
		return credentials{bearer: token}, nil
	}
	found, err := room.Parse(r)
	switch {
	case found:
		return credentials{signature: room}, err
	case err == nil && signedOld(r):
		err = refuseOld()
	}
	return credentials{}, err
}

// bearerToken finds a Bedrock API key where SDKs put it: in Authorization, or
// in x-api-key on the Anthropic-compatible paths.
func bearerToken(r *http.Request) (string, bool) {
	const scheme = "Bearer "
	if a := first(r.Header, "Authorization"); len(a) > len(scheme) && strings.EqualFold(a[:len(scheme)], scheme) {
		return strings.TrimSpace(a[len(scheme):]), true
	}
	if strings.HasPrefix(r.URL.Path, "/anthropic/") || strings.HasPrefix(r.URL.Path, messagesPath) {
		if key := r.Header.Get("x-api-key"); key != "" {
			return key, true
		}
	}
	return "", false
}

// authenticate turns credentials into a Caller or refuses. Nobody passes
// without a valid signature or key, and whoever guesses is slowed down.
func (m *Mux) authenticate(r *http.Request, c credentials, body []byte, now time.Time, svc *service) (outcrop.Caller, error) {
	if c.absent() { // who shows nothing guesses nothing
		return outcrop.Caller{}, missingToken()
	}
	return m.guarded(r, c, svc, func() (outcrop.Caller, error) { return m.identify(r, c, body, now, svc) })
}

// guarded slows down who guesses, and notes when a key was used.
func (m *Mux) guarded(r *http.Request, c credentials, svc *service, identify func() (outcrop.Caller, error)) (outcrop.Caller, error) {
	key, addr := c.guessable(), originOf(r).IP
	if err := m.guard.Allow(key, addr); err != nil {
		return outcrop.Caller{}, err
	}
	who, err := identify()
	switch {
	case err == nil:
		m.guard.Succeeded(key, addr)
		m.keys.Touch(who.AccessKey, svc.key.scope, who.Region)
	case outcrop.KindOf(err) == outcrop.Denied && !expired(err):
		m.guard.Failed(key, addr)
	}
	return who, err
}

// guessable names the secret that a wrong guess would be at.
func (c credentials) guessable() string {
	switch {
	case c.bearer != "":
		return identity.GuardKey(c.bearer)
	case c.signature != nil:
		return c.signature.AccessKey
	}
	return ""
}

func (m *Mux) identify(r *http.Request, c credentials, body []byte, now time.Time, svc *service) (outcrop.Caller, error) {
	switch {
	case c.bearer == "":
		return m.verify(r, c.signature, body, now, svc)
	case svc.key.scope != "bedrock":
		return outcrop.Caller{}, missingToken()
	}
	who, err := m.keys.APIKey(r.Context(), c.bearer)
	if who.Region == "" {
		who.Region = m.fallback
	}
	if err == nil && !m.regions(who.Region) { // a short-term key, signed for nowhere
		return outcrop.Caller{}, refusedKey()
	}
	return who, err
}

func refusedKey() error {
	e := outcrop.Errorf(outcrop.Denied, "Authentication failed: Please make sure your API Key is valid.")
	e.Auth = true
	return e
}

func (m *Mux) verify(r *http.Request, sig *sigv4.Signature, body []byte, now time.Time, svc *service) (outcrop.Caller, error) {
	key, err := m.keys.SecretForSession(r.Context(), sig.AccessKey, sig.SecurityToken)
	if err != nil {
		return outcrop.Caller{}, err
	}
	if err := m.verifier.Verify(sig, r, body, key.Secret, now); err != nil {
		return outcrop.Caller{Account: key.Caller.Account}, err // nobody; but the audit tells whose key was tried
	}
	if svc.key.scope == "bedrock" {
		return m.scoped(key.Caller, sig.Region)
	}
	who := key.Caller
	who.Region = sig.Region
	return who, nil
}

func missingToken() error {
	e := outcrop.Errorf(outcrop.Denied, "Missing Authentication Token")
	e.Code, e.Auth = "MissingAuthenticationTokenException", true
	return e
}

// expired says that a refusal is about time: a wrong clock and a session that
// is over are no guesses.
func expired(err error) bool {
	return errors.Is(err, sigv4.ErrExpired) || errors.Is(err, identity.ErrSessionExpired)
}
