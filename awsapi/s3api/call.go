package s3api

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/iam"
	"outcrop/identity"
	"outcrop/objects"
)

// Limits of a body. The first is S3's for one upload.
const (
	maxUploadBytes   = 5 << 30
	maxDocumentBytes = 4 << 20 // of everything that is no object's body
)

// A call is one request, let in or about to be.
type call struct {
	api     *API
	target  target
	request *awsapi.Request
	bucket  objects.Bucket // zero when there is none
	trailer http.Header
	body    *body  // of an upload
	etag    string // of the object that is read
	err     error  // what the backend told gofakes3, which has no name for it
}

type callKey struct{}

// callOf is the call that gofakes3 asks the backend for.
func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// authorize asks for the operation's permission on what it names.
func (c *call) authorize() error {
	op, ok := iam.OperationOf("s3", c.target.operation)
	if !ok {
		return outcrop.Errorf(outcrop.Denied, "Outcrop does not know which permission s3:%s needs, and refuses it.", c.target.operation)
	}
	if c.target.operation == "DeleteObjects" {
		return nil // for each key in the body, when it is read
	}
	check := iam.Check{Action: op.Action, Context: c.conditions()}
	if t, ok := op.ResourceType("object"); ok {
		check.Resource = t.ARN(c.request.Caller.Region, "", c.target.bucket, c.target.key)
	} else if t, ok := op.ResourceType("bucket"); ok {
		check.Resource = t.ARN(c.request.Caller.Region, "", c.target.bucket)
	}
	on := c.bucket
	if c.target.operation == "CreateBucket" {
		on = objects.Bucket{} // who owns one of that name is no reason to be refused
	}
	if err := c.ask(on, check); err != nil {
		return err
	}
	if c.ownersAlone() {
		return refusal("MethodNotAllowed", "The specified method is not allowed against this resource.")
	}
	if source := c.request.HTTP.Header.Get("X-Amz-Copy-Source"); source != "" {
		return c.mayRead(source)
	}
	return nil
}

// ownersAlone says that a request is about the policy of another account's
// bucket. S3 leaves that to the owner's account, whatever the policy says: else
// whom it lets do anything could keep the owner out.
func (c *call) ownersAlone() bool {
	switch c.target.operation {
	case "GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy":
		return c.bucket.Account != "" && c.bucket.Account != c.request.Caller.Account
	}
	return false
}

func (c *call) ask(on objects.Bucket, check iam.Check) error {
	return c.api.policy.AuthorizeOn(c.request.Context(), c.request.Caller, identity.Resource{Account: on.Account, Policy: on.Policy}, check)
}

// may asks for an action on one key of the call's bucket.
func (c *call) may(operation, key string) error {
	op, _ := iam.OperationOf("s3", operation)
	t, _ := op.ResourceType("object")
	return c.ask(c.bucket, iam.Check{Action: op.Action, Resource: t.ARN(c.request.Caller.Region, "", c.target.bucket, key)})
}

// conditions are the keys that policies on lists ask for.
func (c *call) conditions() (x iam.Context) {
	query := c.request.HTTP.URL.Query()
	for _, name := range []string{"prefix", "delimiter", "max-keys"} {
		if query.Has(name) && c.target.key == "" {
			x.Set("s3:"+name, query.Get(name))
		}
	}
	return x
}

// mayRead asks for the source of a copy. It is read as gofakes3 reads it.
func (c *call) mayRead(source string) error {
	name, key, _ := strings.Cut(strings.TrimPrefix(source, "/"), "/")
	key, version, _ := strings.Cut(key, "?")
	key, err := url.QueryUnescape(key)
	if err != nil || key == "" {
		return refusal("InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
	}
	if v, ok := strings.CutPrefix(version, "versionId="); ok && v != "null" {
		return notServed("versions of objects")
	}
	bucket, err := c.api.folder.Bucket(name)
	if err != nil && !isNotFound(err) {
		return err
	}
	op, _ := iam.OperationOf("s3", "GetObject")
	t, _ := op.ResourceType("object")
	if denied := c.ask(bucket, iam.Check{Action: op.Action, Resource: t.ARN(c.request.Caller.Region, "", name, key)}); denied != nil {
		return denied
	}
	return err
}

// serve does what was let in.
func (c *call) serve(w http.ResponseWriter) error {
	w.Header().Set("x-amz-request-id", string(c.request.ID))
	if err := c.openBody(); err != nil {
		return err
	}
	if own, ok := ours[c.target.operation]; ok {
		return own(c, w)
	}
	return c.delegate(w)
}

// openBody readies the body: an upload's to be read through, any other at once.
func (c *call) openBody() error {
	r, p := c.request.HTTP, c.request.Payload
	limit := int64(maxDocumentBytes)
	upload := c.target.operation == "PutObject" || c.target.operation == "UploadPart"
	if upload {
		limit = maxUploadBytes
	}
	if p.Length() > limit {
		return refusal("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size of %d bytes.", limit)
	}
	c.body = newBody(p.Body(r.Body, c.trailer), p.Length(), limit, r.Header, c.trailer)
	if upload {
		return nil
	}
	text, err := io.ReadAll(c.body)
	if err != nil {
		return err
	}
	c.body = nil
	r.Body = io.NopCloser(bytes.NewReader(text))
	return nil
}

// delegate leaves the call to gofakes3: with the path in the one form that both
// read alike, and the body as plain as it was before it was signed.
func (c *call) delegate(w http.ResponseWriter) error {
	r := c.request.HTTP.Clone(context.WithValue(c.request.Context(), callKey{}, c))
	r.Host, r.URL.Path, r.URL.RawPath = "", "/", ""
	if c.target.bucket != "" {
		r.URL.Path = "/" + c.target.bucket + "/" + c.target.key
	}
	plainETags(r.Header)
	r.Header.Del("X-Amz-Content-Sha256")
	r.Header.Del("X-Amz-Decoded-Content-Length")
	r.Body = c.request.HTTP.Body
	if c.body != nil {
		r.Body = io.NopCloser(c.body)
		if n := c.request.Payload.Length(); n >= 0 {
			r.ContentLength = n
		}
	}
	if r.ContentLength >= 0 { // net/http keeps it out of the headers, where gofakes3 looks
		r.Header.Set("Content-Length", strconv.FormatInt(r.ContentLength, 10))
	}
	answer := &answer{w: w, header: http.Header{}, etag: &c.etag}
	c.api.fake.ServeHTTP(answer, r)
	return answer.failure(c)
}

// partCount ends the ETag of an object that was uploaded in parts. gofakes3
// does not know it where it answers conditions.
var partCount = regexp.MustCompile(`-[0-9]+"`)

func plainETags(h http.Header) {
	for _, name := range []string{"If-Match", "If-None-Match", "X-Amz-Copy-Source-If-Match", "X-Amz-Copy-Source-If-None-Match"} {
		if v := h.Get(name); v != "" {
			h.Set(name, partCount.ReplaceAllString(v, `"`))
		}
	}
}
