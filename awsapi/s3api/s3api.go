// Package s3api is the embedded S3 endpoint: gofakes3 behind Outcrop's own
// signatures and permissions, over a folder.
package s3api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/rclone/gofakes3"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/iam"
	"outcrop/identity"
	"outcrop/objects"
)

// A Policy decides what a caller may do with what an account owns
// (package identity).
type Policy interface {
	AuthorizeOn(ctx context.Context, who outcrop.Caller, on identity.Resource, checks ...iam.Check) error
}

// Config of an API.
type Config struct {
	Folder *objects.Folder
	Policy Policy
	Hosts  []string // names the server is reached by: BUCKET.HOST addresses a bucket. localhost and AWS's own are always known
	Now    func() time.Time
}

// An API serves S3.
type API struct {
	folder *objects.Folder
	policy Policy
	hosts  []string
	now    func() time.Time
	fake   http.Handler // gofakes3, for whom every request has been let in
}

// New makes an API.
func New(c Config) *API {
	a := &API{folder: c.Folder, policy: c.Policy, hosts: append([]string{"localhost", "s3.amazonaws.com"}, c.Hosts...), now: c.Now}
	a.fake = gofakes3.New(&backend{a}, gofakes3.WithTimeSkewLimit(0), gofakes3.WithoutVersioning(),
		gofakes3.WithTimeSource(clock{c.Now}), gofakes3.WithUploadOwner(func(context.Context) string { return "" })).Server()
	return a
}

// clock is gofakes3's view of ours.
type clock struct{ now func() time.Time }

func (c clock) Now() time.Time                  { return c.now() }
func (c clock) Since(t time.Time) time.Duration { return c.now().Sub(t) }

// Operation names what r asks for.
func (a *API) Operation(r *http.Request) (string, map[string]any) {
	t, err := a.target(r)
	if err != nil {
		return "", nil
	}
	in := map[string]any{}
	if t.bucket != "" {
		in["bucketName"] = t.bucket
	}
	if t.key != "" {
		in["key"] = t.key
	}
	return t.operation, in
}

// Serve answers one request: what is asked, may they, then do it.
func (a *API) Serve(w http.ResponseWriter, r *awsapi.Request) error {
	t, err := a.target(r.HTTP)
	if err != nil {
		return err
	}
	bucket, err := a.bucketOf(t)
	if err != nil && outcrop.KindOf(err) != outcrop.NotFound {
		return err
	}
	c := &call{api: a, target: t, request: r, bucket: bucket, trailer: http.Header{}}
	if err := c.authorize(); err != nil {
		return err
	}
	if err != nil && t.operation != "CreateBucket" {
		return err // no such bucket
	}
	return c.serve(w)
}

func (a *API) bucketOf(t target) (objects.Bucket, error) {
	if t.bucket == "" {
		return objects.Bucket{}, nil
	}
	return a.folder.Bucket(t.bucket)
}

// refusal is an error by S3's name for it.
func refusal(code, format string, args ...any) error {
	e := outcrop.Errorf(outcrop.Invalid, format, args...)
	e.Code = code
	return e
}

func notServed(what string) error {
	return refusal("NotImplemented", "Outcrop's S3 endpoint does not serve %s.", what)
}

// isNotFound says whether err is about something that is not there.
func isNotFound(err error) bool { return err != nil && outcrop.KindOf(err) == outcrop.NotFound }

// codeOf is the AWS code that err carries, if any.
func codeOf(err error) string {
	var e *outcrop.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// etag of a header or document is quoted, ours are not.
func unquote(etag string) string { return strings.Trim(etag, `"`) }
