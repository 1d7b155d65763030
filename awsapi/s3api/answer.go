package s3api

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strings"

	"outcrop"
)

// maxErrorBytes bounds the document of an error.
const maxErrorBytes = 64 << 10

// An answer passes gofakes3's on, but for its errors: those are rendered by the
// door, with the request's own id and under the audit's eyes.
type answer struct {
	w      http.ResponseWriter
	header http.Header
	status int
	failed bytes.Buffer
	etag   *string // of the object, where gofakes3 leaves out how many parts it had
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status != 0 {
		return
	}
	a.status = status
	if status >= 400 {
		return
	}
	to := a.w.Header()
	if a.header.Get("ETag") != "" && *a.etag != "" {
		a.header.Set("ETag", *a.etag)
	}
	for name, values := range a.header {
		switch {
		case strings.HasPrefix(name, "Access-Control-"): // gofakes3 would open the endpoint to every web page
		case strings.EqualFold(name, "x-amz-request-id"), strings.EqualFold(name, "x-amz-id-2"):
		default:
			to[name] = values
		}
	}
	a.w.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 { // gofakes3's encoder writes before it says what it writes
		if a.header.Get("Content-Type") == "" && bytes.HasPrefix(p, []byte("<?xml")) {
			a.header.Set("Content-Type", "application/xml")
		}
		a.WriteHeader(http.StatusOK)
	}
	if a.status < 400 {
		return a.w.Write(p)
	}
	if a.failed.Len() < maxErrorBytes {
		a.failed.Write(p)
	}
	return len(p), nil
}

// ReadFrom lets an object's file go to the connection without a detour.
func (a *answer) ReadFrom(r io.Reader) (int64, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if a.status < 400 {
		return io.Copy(a.w, r)
	}
	return io.Copy(&a.failed, io.LimitReader(r, maxErrorBytes))
}

// failure is the error that gofakes3 wrote, or nil.
func (a *answer) failure(c *call) error {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if a.status < 400 {
		return nil
	}
	if c.err != nil {
		return c.err
	}
	var e struct{ Code, Message, Resource string }
	if xml.Unmarshal(a.failed.Bytes(), &e) != nil || e.Code == "" { // HEAD's errors have no document
		return headFailure(a.status)
	}
	if e.Message == "" {
		e.Message = wordsFor(e.Code)
	}
	failed := outcrop.Errorf(outcrop.Invalid, "%s", e.Message)
	failed.Code, failed.Resource = e.Code, e.Resource
	if a.status >= 500 && a.status != http.StatusNotImplemented {
		return errors.New("gofakes3: " + e.Code + ": " + e.Message)
	}
	return failed
}

func headFailure(status int) error {
	switch status {
	case http.StatusNotFound:
		return refusal("NotFound", "Not Found")
	case http.StatusPreconditionFailed:
		return refusal("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	case http.StatusRequestedRangeNotSatisfiable:
		return refusal("InvalidRange", "The requested range is not satisfiable")
	}
	return refusal("InvalidRequest", "%s", http.StatusText(status))
}

// wordsFor are what gofakes3 leaves out, and SDKs read without asking whether
// it is there.
func wordsFor(code string) string {
	switch {
	case code == "PreconditionFailed":
		return "At least one of the pre-conditions you specified did not hold"
	case strings.HasPrefix(code, "NoSuch"), strings.Contains(code, "NotFound"):
		return "The requested configuration does not exist on this bucket."
	case code == "InvalidRange":
		return "The requested range is not satisfiable"
	}
	return "The request was refused: " + code + "."
}
