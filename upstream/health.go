package upstream

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Check asks whether a server is alive, with the host's own headers. A server
// that answers is, whatever it thinks of the question, unless it says itself
// that it is in trouble. missing says that there is nothing at the address to
// ask.
func (h *Host) Check(ctx context.Context, at *url.URL, limit time.Duration) (missing bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	request := (&http.Request{Method: http.MethodGet, URL: at, Host: at.Host, Header: h.header.Clone()}).WithContext(ctx)
	if request.Header == nil {
		request.Header = http.Header{}
	}
	request.Header.Del("Content-Type")
	response, err := h.rt.RoundTrip(request)
	if err != nil {
		return false, fmt.Errorf("no answer: %s", h.Harmless(err.Error()))
	}
	defer response.Body.Close()
	io.CopyN(io.Discard, response.Body, maxErrorBytes) // so that the connection can be used again
	switch code := response.StatusCode; {
	case code == http.StatusNotFound || code == http.StatusMethodNotAllowed || code == http.StatusNotImplemented:
		return true, nil
	case code >= 500:
		return false, fmt.Errorf("status %d", code)
	}
	return false, nil
}
