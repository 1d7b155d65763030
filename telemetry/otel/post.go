package otel

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

const (
	maxAnswer = 64 << 10 // bytes
	maxTold   = 300      // bytes of what a collector says
	minSecret = 4        // bytes; what is shorter is none
)

// A failure is why a batch was not taken, and whether and when to try again.
type failure struct {
	error
	again bool
	after time.Duration
}

func (f *failure) Unwrap() error { return f.error }

// A body is what is sent, however often.
type body struct {
	text   []byte
	zipped bool
}

var zippers = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // it knows the level
	return w
}}

func (c *client) body(text []byte) body {
	if !c.zip(text) {
		return body{text: text}
	}
	w := zippers.Get().(*gzip.Writer)
	defer zippers.Put(w)
	var b bytes.Buffer
	w.Reset(&b)
	_, _ = w.Write(text) // memory takes what it is given
	_ = w.Close()
	return body{b.Bytes(), true}
}

// newHTTP makes a client of one server, which is where it was said to be.
func newHTTP(private *tls.Config) *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: sendFor, KeepAlive: 30 * time.Second}).DialContext,
			TLSClientConfig:     private,
			TLSHandshakeTimeout: sendFor,
			ForceAttemptHTTP2:   true,
			DisableCompression:  true, // answers are short
			MaxIdleConns:        2,
			IdleConnTimeout:     90 * time.Second,

			MaxResponseHeaderBytes: maxAnswer,
		},
	}
}

// post tries once.
func (c *client) post(ctx context.Context, sent body) *failure {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.to.String(), bytes.NewReader(sent.text))
	if err != nil {
		return &failure{error: withoutURL(err)}
	}
	r.Header = c.header.Clone()
	r.Header.Set("Content-Type", "application/x-protobuf")
	if sent.zipped {
		r.Header.Set("Content-Encoding", "gzip")
	}
	answer, err := c.http.Do(r)
	if err != nil {
		var untrusted *tls.CertificateVerificationError
		return &failure{error: withoutURL(err), again: !errors.As(err, &untrusted)}
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if answer.StatusCode/100 == 2 {
		return c.taken(answer, text, err)
	}
	told := c.tell(statusMessage(mediaType(answer), text))
	return &failure{error: fmt.Errorf("answered %d %s%s", answer.StatusCode, http.StatusText(answer.StatusCode), told), again: passing(answer.StatusCode), after: retryAfter(answer.Header)}
}

// taken looks at the answer to a batch that was taken: it may not be wholly so.
func (c *client) taken(answer *http.Response, text []byte, err error) *failure {
	if err == nil && len(text) == maxAnswer {
		err = fmt.Errorf("it is %d KiB long or longer", maxAnswer>>10)
	}
	var part rejection
	if err == nil {
		part, err = readAnswer(mediaType(answer), text)
	}
	switch {
	case err != nil:
		return &failure{error: fmt.Errorf("the answer cannot be read: %w", err)} // the spans are there: not again
	case part != rejection{}:
		part.message = c.tell(part.message)
		return &failure{error: &part}
	}
	return nil
}

// passing tells whether OTLP has a client try again after a status.
func passing(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// retryAfter is how long a server wants to be left alone: seconds or a date.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

func mediaType(answer *http.Response) string {
	kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	return kind
}

// tell makes what a collector says fit for a log: on one line, short, and
// without what only it and we should know.
func (c *client) tell(said string) string {
	for _, secret := range c.secrets {
		if len(secret) >= minSecret {
			said = strings.ReplaceAll(said, secret, "...")
		}
	}
	said = strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(said, "")))
	if said == "" {
		return ""
	}
	return ": " + strings.ToValidUTF8(said[:min(len(said), maxTold)], "")
}

// withoutURL leaves out the URL, which may hold a secret.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
