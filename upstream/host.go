// Package upstream is what the upstreams at HTTP servers share: the exchange
// with a server, its bounds in time and size, and the errors it ends in.
package upstream

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"outcrop/internal/h1"
	"outcrop/internal/memo"
	"outcrop/sigv4"
)

// Bounds of what a server may send.
const (
	MaxAnswerBytes = 32 << 20
	MaxEventBytes  = 4 << 20
	MaxStreamBytes = 256 << 20
	MaxStreamTime  = time.Hour // from beginning to end

	maxErrorBytes  = 64 << 10
	maxHeaderBytes = 64 << 10
	maxErrorRunes  = 1000 // of the server's own words, shown to the client
)

// HostOptions are what an upstream knows of its server.
type HostOptions struct {
	RoundTripper http.RoundTripper     // nil stands for a transport of the host's own, tuned for many calls to one server
	Header       http.Header           // of every request; not written to again
	Secrets      []string              // never shown, whoever says them
	Failure      func([]byte) *Failure // reads an error's body; nil when it is none

	// Sign finishes a request, whose context is the call's; its error ends the
	// call. The room is for a signature, and holds as long as the request. Nil for servers whose Header says enough.
	Sign func(*http.Request, *Post, *sigv4.Room) error
	// Refused makes an error of a response whose status is not 200, in place
	// of Failure and the usual kinds of statuses. May be nil.
	Refused func(*http.Request, *Post, *http.Response, []byte) error

	Limits Limits         // of the host's own transport; complete
	Roots  *x509.CertPool // trusted by the host's own transport; nil for the system's
}

// A Host is one server. It is safe for concurrent use, and never tries twice.
type Host struct {
	rt      http.RoundTripper
	own     *h1.Transport // made by NewHost, closed by Close
	header  http.Header
	secrets []string
	failure func([]byte) *Failure
	sign    func(*http.Request, *Post, *sigv4.Room) error
	refuse  func(*http.Request, *Post, *http.Response, []byte) error
	targets memo.Memo[string, place]
}

// NewHost makes a Host. It does not call the server.
func NewHost(o HostOptions) *Host {
	h := &Host{rt: o.RoundTripper, header: o.Header, secrets: o.Secrets, failure: o.Failure, sign: o.Sign, refuse: o.Refused}
	if h.rt == nil {
		h.own = h1.Over(transport(&o))
		h.rt = h.own
	}
	return h
}

// Close drops idle connections. Calls under way go on.
func (h *Host) Close() error {
	if h.own != nil {
		h.own.CloseIdleConnections()
	}
	return nil
}

// transport keeps connections for reuse and speaks HTTP/1.1 only: HTTP/2 would
// put every stream of a busy server on one connection.
func transport(o *HostOptions) *http.Transport {
	dialer := net.Dialer{Timeout: o.Limits.ConnectTimeout, KeepAlive: 30 * time.Second}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    o.Limits.ConnectTimeout,
		TLSClientConfig:        &tls.Config{RootCAs: o.Roots},
		MaxIdleConns:           o.Limits.MaxIdleConns,
		MaxIdleConnsPerHost:    o.Limits.MaxIdleConns,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: maxHeaderBytes,
		DisableCompression:     true, // a compressed stream arrives late
		Protocols:              &protocols,
	}
}

var (
	headerName  = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$") // RFC 9110 §5.6.2
	headerValue = regexp.MustCompile(`^[^\x00-\x08\x0a-\x1f\x7f]*$`)
)

// Sendable says whether a header can be sent.
func Sendable(name, value string) bool {
	return headerName.MatchString(name) && headerValue.MatchString(value)
}

// ParseBase reads the base URL of an upstream of a kind. Its errors do not
// show the URL, which may hold a secret.
func ParseBase(kind, text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the base URL of an %s upstream cannot be read", kind)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("the base URL of an %s upstream must begin with http:// or https:// and name a host", kind)
	case u.User != nil:
		return nil, fmt.Errorf("the base URL of an %s upstream must not hold a password; use apiKey or headers", kind)
	}
	u.Fragment = ""
	return u, nil
}
