// Package sdkhttp lets clients of the Go SDK speak to a server that answers
// faster than AWS can.
package sdkhttp

import (
	"io"
	"net/http"
)

// Patient is next for the Go SDK's clients. smithy-go closes a request's body
// as soon as the answer's head is there. net/http may then still be about to
// look whether the body has ended; it asks by WriteTo, which a closed body of
// smithy-go answers with io.EOF as though it had failed, and net/http closes
// the connection under the answer: "use of closed network connection". A body
// without WriteTo is asked by Read, where io.EOF means its end.
func Patient(next http.RoundTripper) http.RoundTripper { return patient{next} }

type patient struct{ next http.RoundTripper }

func (p patient) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, ok := r.Body.(io.WriterTo); ok {
		copied := *r
		copied.Body = struct{ io.ReadCloser }{r.Body}
		r = &copied
	}
	return p.next.RoundTrip(r)
}
