// Package webhook tells HTTP servers of events: signed, and tried again when
// they do not answer.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// How often and how long a notification is tried.
const (
	maxTries    = 5
	firstPause  = time.Second // doubled after each try
	tryFor      = 10 * time.Second
	maxReadBack = 4 << 10 // bytes of an answer, read so that its connection serves again
)

// SignatureHeader carries the HMAC-SHA256 of the body, where a secret is set:
// sha256= and hexadecimal digits.
const SignatureHeader = "X-Outcrop-Signature"

// A Sender sends notifications. It is safe for concurrent use.
type Sender struct {
	secret []byte
	client *http.Client
}

// New makes a Sender. An empty secret signs nothing.
func New(secret string) *Sender {
	return &Sender{secret: []byte(secret), client: &http.Client{
		Timeout:       tryFor,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // a webhook is where it was said to be
	}}
}

// Close ends idle connections.
func (s *Sender) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// Notify posts a JSON body. It returns nil once the server has answered 2xx,
// and gives up at once where trying again cannot help.
func (s *Sender) Notify(ctx context.Context, to string, body []byte) error {
	var last error
	for try, pause := 1, firstPause; ; try, pause = try+1, pause*2 {
		again, err := s.post(ctx, to, body)
		if err == nil {
			return nil
		}
		last = fmt.Errorf("try %d: %w", try, err)
		if !again || try == maxTries {
			return last
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return errors.Join(last, context.Cause(ctx))
		}
	}
}

// post tries once, and says whether to try again.
func (s *Sender) post(ctx context.Context, to string, body []byte) (again bool, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return false, errors.New("the webhook's URL cannot be read")
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "outcrop")
	if len(s.secret) > 0 {
		r.Header.Set(SignatureHeader, Sign(s.secret, body))
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return true, withoutURL(err)
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, maxReadBack) // its end is all that matters
	switch code := answer.StatusCode; {
	case code >= 200 && code < 300:
		return false, nil
	case code == http.StatusTooManyRequests || code == http.StatusRequestTimeout || code >= 500:
		return true, fmt.Errorf("the webhook answered %s", answer.Status)
	default:
		return false, fmt.Errorf("the webhook answered %s", answer.Status)
	}
}

// withoutURL leaves out the URL, which may hold a secret.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// Sign is the signature of a body.
func Sign(secret, body []byte) string {
	h := hmac.New(sha256.New, secret)
	h.Write(body)
	return "sha256=" + hex.EncodeToString(h.Sum(nil))
}
