package oidc

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"outcrop"
	"outcrop/internal/loopback"
)

// Limits of asking an issuer.
const (
	issuerTimeout         = 5 * time.Second // for configuration and keys together
	maxConfigurationBytes = 64 << 10
	maxKeySetBytes        = 256 << 10
	maxIssuerHeaderBytes  = 32 << 10
	maxIssuerConnections  = 4 // idle, over all issuers
	configurationPath     = "/.well-known/openid-configuration"
)

// Client makes the client to ask issuers with. It speaks TLS 1.2 or later,
// answers within 5 seconds or fails, and follows no redirect: what an issuer
// points at, other than by its configuration, was not trusted by anybody.
func Client() *http.Client {
	return &http.Client{
		Timeout:       issuerTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           maxIssuerConnections,
			IdleConnTimeout:        time.Minute,
			MaxResponseHeaderBytes: maxIssuerHeaderBytes,
		},
	}
}

// Close lets idle connections of the client go. It never fails.
func (v *Verifier) Close() error {
	v.client.CloseIdleConnections()
	return nil
}

// An issuer is what is known of one. Its fields belong to whoever holds turn.
type issuer struct {
	url     string
	turn    chan struct{} // holds one token while nobody fetches
	found   []issuerKey   // nil before the first success
	fetched time.Time     // when found was fetched
	tried   time.Time     // when the issuer was last asked
	failure error         // of that time
}

func (v *Verifier) issuer(iss string) *issuer {
	v.mu.Lock()
	defer v.mu.Unlock()
	i := v.issuers[iss]
	if i == nil {
		for other := range v.issuers {
			if len(v.issuers) < maxIssuers {
				break
			}
			delete(v.issuers, other)
		}
		i = &issuer{url: iss, turn: make(chan struct{}, 1)}
		i.turn <- struct{}{}
		v.issuers[iss] = i
	}
	return i
}

// keys are the issuer's, from memory while they are fresh and enough does with
// them. Callers that arrive during a fetch wait for it and share its result.
func (i *issuer) keys(ctx context.Context, v *Verifier, enough func([]issuerKey) bool) ([]issuerKey, error) {
	select {
	case <-i.turn:
		defer func() { i.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	now := v.now()
	age := now.Sub(i.fetched)
	fresh := i.found != nil && age < issuerKeyAge && enough(i.found)
	if !fresh && (i.tried.IsZero() || now.Sub(i.tried) >= issuerRetry) {
		i.fetch(ctx, v, now)
	}
	if i.found != nil && now.Sub(i.fetched) < issuerKeyStale {
		return i.found, nil
	}
	return nil, i.failure
}

// fetch asks the issuer. It goes on when the caller leaves, as others may be
// waiting for the result; issuerTimeout ends it.
func (i *issuer) fetch(ctx context.Context, v *Verifier, now time.Time) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), issuerTimeout)
	defer cancel()
	i.tried = now
	found, err := v.fetchKeys(ctx, i.url)
	if i.failure = err; err == nil {
		i.found, i.fetched = found, now
	}
}

func (v *Verifier) fetchKeys(ctx context.Context, iss string) ([]issuerKey, error) {
	b, err := v.get(ctx, strings.TrimSuffix(iss, "/")+configurationPath, maxConfigurationBytes)
	if err != nil {
		return nil, err
	}
	var configuration struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if json.Unmarshal(b, &configuration) != nil {
		return nil, noVerificationKey(errors.New("configuration of the issuer is not JSON of the right form"))
	}
	if configuration.Issuer != iss {
		return nil, noVerificationKey(errors.New("configuration is of another issuer"))
	}
	if !mayFetchKeys(iss, configuration.Keys) {
		return nil, noVerificationKey(errors.New("jwks_uri of the issuer is no URL to fetch keys from"))
	}
	if b, err = v.get(ctx, configuration.Keys, maxKeySetBytes); err != nil {
		return nil, err
	}
	keys, err := parseKeySet(b)
	if err != nil {
		return nil, noVerificationKey(err)
	}
	return keys, nil
}

// mayFetchKeys says whether an issuer may have its keys at address: anywhere
// over TLS, and on this machine only when the issuer itself is there.
func mayFetchKeys(iss, address string) bool {
	const maxAddressBytes = 2048
	u, err := url.Parse(address)
	if err != nil || len(address) > maxAddressBytes || u.Host == "" || u.User != nil || u.Opaque != "" {
		return false
	}
	from, err := url.Parse(iss)
	if err != nil || loopback.Host(u.Hostname()) && !loopback.Host(from.Hostname()) {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && from.Scheme == "http" && loopback.Host(u.Hostname())
}

// get reads a small document. An issuer that does not answer is an error of
// communication, which clients try again; one that answers wrongly is not.
func (v *Verifier) get(ctx context.Context, address string, limit int64) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, noVerificationKey(err)
	}
	r.Header.Set("Accept", "application/json")
	answer, err := v.client.Do(r)
	if err != nil {
		return nil, communicationError(err)
	}
	defer answer.Body.Close()
	switch {
	case answer.StatusCode >= 500:
		return nil, communicationError(fmt.Errorf("issuer answered %s", answer.Status))
	case answer.StatusCode != http.StatusOK:
		return nil, noVerificationKey(fmt.Errorf("issuer answered %s", answer.Status))
	}
	b, err := io.ReadAll(io.LimitReader(answer.Body, limit+1))
	if err != nil {
		return nil, communicationError(err)
	}
	if int64(len(b)) > limit {
		return nil, noVerificationKey(fmt.Errorf("issuer answered more than %d bytes", limit))
	}
	return b, nil
}

// Words of STS about web identity tokens.

func invalidIdentityToken(text string) *outcrop.Error {
	return coded("InvalidIdentityToken", "%s", text)
}

func notAJWT() *outcrop.Error {
	return invalidIdentityToken("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
}

func missingClaim(name string) *outcrop.Error {
	return invalidIdentityToken("Missing a required claim: " + name)
}

// NoProvider refuses a token of an issuer that nobody relies on: Invalid, with
// the code InvalidIdentityToken.
func NoProvider(iss string) *outcrop.Error {
	const maxShownBytes = 255
	return invalidIdentityToken("No OpenIDConnect provider found in your account for " + iss[:min(len(iss), maxShownBytes)])
}

func noVerificationKey(cause error) *outcrop.Error {
	return invalidIdentityToken("Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements").Because(cause)
}

func communicationError(cause error) *outcrop.Error {
	return coded("IDPCommunicationError", "The identity provider that was asked to verify the incoming identity token could not be reached.").Because(cause)
}

func expiredToken(now time.Time, exp int64) *outcrop.Error {
	return coded("ExpiredTokenException", "Token expired: current date/time %d must be before the expiration date/time %d", now.Unix(), exp)
}

func coded(code, format string, args ...any) *outcrop.Error {
	e := outcrop.Errorf(outcrop.Invalid, format, args...)
	e.Code = code
	return e
}
