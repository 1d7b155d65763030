package identity

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"outcrop"
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

// issuerClient speaks TLS 1.2 or later and follows no redirect: what an issuer
// points at, other than by its configuration, was not trusted by anybody.
func issuerClient(roots *x509.CertPool) *http.Client {
	return &http.Client{
		Timeout:       issuerTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           maxIssuerConnections,
			IdleConnTimeout:        time.Minute,
			MaxResponseHeaderBytes: maxIssuerHeaderBytes,
		},
	}
}

// Close lets idle connections to issuers go. It never fails.
func (o *OIDC) Close() error {
	o.client.CloseIdleConnections()
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

func (o *OIDC) issuer(iss string) *issuer {
	o.mu.Lock()
	defer o.mu.Unlock()
	i := o.issuers[iss]
	if i == nil {
		for other := range o.issuers {
			if len(o.issuers) < maxIssuers {
				break
			}
			delete(o.issuers, other)
		}
		i = &issuer{url: iss, turn: make(chan struct{}, 1)}
		i.turn <- struct{}{}
		o.issuers[iss] = i
	}
	return i
}

// keys are the issuer's, from memory while they are fresh and enough does with
// them. Callers that arrive during a fetch wait for it and share its result.
func (i *issuer) keys(ctx context.Context, o *OIDC, enough func([]issuerKey) bool) ([]issuerKey, error) {
	select {
	case <-i.turn:
		defer func() { i.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	now := o.now()
	age := now.Sub(i.fetched)
	fresh := i.found != nil && age < issuerKeyAge && enough(i.found)
	if !fresh && (i.tried.IsZero() || now.Sub(i.tried) >= issuerRetry) {
		i.fetch(ctx, o, now)
	}
	if i.found != nil && now.Sub(i.fetched) < issuerKeyStale {
		return i.found, nil
	}
	return nil, i.failure
}

// fetch asks the issuer. It goes on when the caller leaves, as others may be
// waiting for the result; issuerTimeout ends it.
func (i *issuer) fetch(ctx context.Context, o *OIDC, now time.Time) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), issuerTimeout)
	defer cancel()
	i.tried = now
	found, err := o.fetchKeys(ctx, i.url)
	if i.failure = err; err == nil {
		i.found, i.fetched = found, now
	}
}

func (o *OIDC) fetchKeys(ctx context.Context, iss string) ([]issuerKey, error) {
	b, err := o.get(ctx, strings.TrimSuffix(iss, "/")+configurationPath, maxConfigurationBytes)
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
	if b, err = o.get(ctx, configuration.Keys, maxKeySetBytes); err != nil {
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
	if err != nil || isLoopback(u.Hostname()) && !isLoopback(from.Hostname()) {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && from.Scheme == "http" && isLoopback(u.Hostname())
}

// get reads a small document. An issuer that does not answer is an error of
// communication, which clients try again; one that answers wrongly is not.
func (o *OIDC) get(ctx context.Context, address string, limit int64) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, noVerificationKey(err)
	}
	r.Header.Set("Accept", "application/json")
	answer, err := o.client.Do(r)
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
	return coded(outcrop.Invalid, "InvalidIdentityToken", "%s", text)
}

func notAJWT() *outcrop.Error {
	return invalidIdentityToken("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
}

func missingClaim(name string) *outcrop.Error {
	return invalidIdentityToken("Missing a required claim: " + name)
}

func noSuchProvider(iss string) *outcrop.Error {
	const maxShownBytes = 255
	return invalidIdentityToken("No OpenIDConnect provider found in your account for " + iss[:min(len(iss), maxShownBytes)])
}

func noVerificationKey(cause error) *outcrop.Error {
	return invalidIdentityToken("Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements").Because(cause)
}

func communicationError(cause error) *outcrop.Error {
	return coded(outcrop.Invalid, "IDPCommunicationError", "The identity provider that was asked to verify the incoming identity token could not be reached.").Because(cause)
}

func expiredToken(now time.Time, exp int64) *outcrop.Error {
	return coded(outcrop.Invalid, "ExpiredTokenException", "Token expired: current date/time %d must be before the expiration date/time %d", now.Unix(), exp)
}
