package s3api

import (
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"outcrop/objects"
)

// A target is what a request addresses and what it wants of it.
type target struct {
	bucket, key string
	operation   string // AWS's name
	sub         string // the sub-resource in the query, empty for none
}

// regional are the hosts of S3 in a Region.
var regional = regexp.MustCompile(`\As3[.-][a-z0-9-]+\.amazonaws\.com\z`)

// target reads a request's line and Host. It is strict: what is let in by the
// name found here is what gofakes3 will do, and nothing else.
func (a *API) target(r *http.Request) (t target, err error) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	if bucket := a.hostBucket(r.Host); bucket != "" {
		t.bucket, t.key = bucket, path
	} else {
		t.bucket, t.key, _ = strings.Cut(path, "/")
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return t, refusal("InvalidArgument", "The query string cannot be read.")
	}
	if t.sub, err = subresource(query); err != nil {
		return t, err
	}
	if v := query.Get("versionId"); v != "" && v != "null" {
		return t, notServed("versions of objects")
	}
	t.operation, err = t.name(r, query)
	return t, err
}

// hostBucket is the bucket that a Host like BUCKET.s3.amazonaws.com names.
func (a *API) hostBucket(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(host)
	for i := range len(host) {
		if host[i] != '.' {
			continue
		}
		if base := host[i+1:]; slices.Contains(a.hosts, base) || regional.MatchString(base) {
			if slices.Contains(a.hosts, host) || objects.CheckBucket(host[:i]) != nil {
				return ""
			}
			return host[:i]
		}
	}
	return ""
}

// subresources are the query parameters that ask for something else than the
// bucket or object itself.
var subresources = strings.Fields(`accelerate abac acl analytics attributes cors delete encryption intelligent-tiering inventory
	legal-hold lifecycle location logging metadataConfiguration metadataTable metrics notification object-lock ownershipControls policy
	policyStatus publicAccessBlock renameObject replication requestPayment restore retention select session tagging torrent uploadId uploads
	versioning versions website`)

func subresource(query url.Values) (string, error) {
	found := ""
	for _, s := range subresources {
		if !query.Has(s) {
			continue
		}
		if found != "" {
			return "", refusal("InvalidRequest", "Conflicting query string parameters: %s, %s", found, s)
		}
		found = s
	}
	return found, nil
}

// name is the operation, from the method and what it is used on.
func (t target) name(r *http.Request, query url.Values) (string, error) {
	on := bucketOperations
	switch {
	case t.bucket == "" && r.Method == http.MethodGet && t.sub == "":
		return "ListBuckets", nil
	case t.bucket == "":
		return "", refusal("MethodNotAllowed", "The specified method is not allowed against this resource.")
	case t.key != "":
		on = objectOperations
	}
	name, ok := on[r.Method+" "+t.sub]
	switch {
	case !ok && t.sub != "" && !on.has(t.sub):
		return "", notServed("the sub-resource " + t.sub)
	case !ok:
		return "", refusal("MethodNotAllowed", "The specified method is not allowed against this resource.")
	case t.sub == "uploadId" && query.Get("uploadId") == "":
		return "", refusal("NoSuchUpload", "The specified upload does not exist.")
	case name == "ListObjects" && query.Get("list-type") == "2":
		return "ListObjectsV2", nil
	case name == "PutObject" && r.Header.Get("X-Amz-Copy-Source") != "":
		return "CopyObject", nil
	case name == "UploadPart" && r.Header.Get("X-Amz-Copy-Source") != "":
		return "UploadPartCopy", nil
	}
	return name, nil
}

// operations are by method and sub-resource.
type operations map[string]string

func (o operations) has(sub string) bool {
	for k := range o {
		if strings.HasSuffix(k, " "+sub) {
			return true
		}
	}
	return false
}

var bucketOperations = operations{
	"PUT ": "CreateBucket", "HEAD ": "HeadBucket", "DELETE ": "DeleteBucket", "GET ": "ListObjects", "POST delete": "DeleteObjects",
	"GET uploads": "ListMultipartUploads", "GET versions": "ListObjectVersions", "GET location": "GetBucketLocation",
	"GET versioning": "GetBucketVersioning", "PUT versioning": "PutBucketVersioning",
	"GET policy": "GetBucketPolicy", "PUT policy": "PutBucketPolicy", "DELETE policy": "DeleteBucketPolicy", "GET policyStatus": "GetBucketPolicyStatus",
	"GET acl": "GetBucketAcl", "PUT acl": "PutBucketAcl",
	"GET cors": "GetBucketCors", "GET encryption": "GetBucketEncryption", "GET lifecycle": "GetBucketLifecycleConfiguration",
	"GET object-lock": "GetObjectLockConfiguration", "GET ownershipControls": "GetBucketOwnershipControls",
	"GET publicAccessBlock": "GetPublicAccessBlock", "GET replication": "GetBucketReplication", "GET tagging": "GetBucketTagging",
	"GET website": "GetBucketWebsite", "GET accelerate": "GetBucketAccelerateConfiguration", "GET logging": "GetBucketLogging",
	"GET notification": "GetBucketNotificationConfiguration", "GET requestPayment": "GetBucketRequestPayment",
}

var objectOperations = operations{
	"GET ": "GetObject", "HEAD ": "HeadObject", "PUT ": "PutObject", "DELETE ": "DeleteObject",
	"GET tagging": "GetObjectTagging", "PUT tagging": "PutObjectTagging", "DELETE tagging": "DeleteObjectTagging",
	"GET attributes": "GetObjectAttributes", "GET acl": "GetObjectAcl",
	"POST uploads": "CreateMultipartUpload", "PUT uploadId": "UploadPart", "GET uploadId": "ListParts",
	"POST uploadId": "CompleteMultipartUpload", "DELETE uploadId": "AbortMultipartUpload",
}
