package server

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/iam"
	"outcrop/objects"
	"outcrop/objects/objectstest"
	"outcrop/sigv4"
)

const testBucket = objectstest.Bucket

func (s *Server) remote(t *testing.T) *objects.Remote {
	t.Helper()
	by := s.admin()
	r, err := objects.NewRemote(t.Context(), objects.RemoteConfig{
		Endpoint: s.Endpoint(), Region: testRegion, AccessKeyID: by.AccessKey, SecretAccessKey: by.Secret, PathStyle: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (s *Server) bucket(t *testing.T, name string, owner outcrop.AccountID) {
	t.Helper()
	if err := s.engines.folder.CreateBucket(objects.Bucket{Name: name, Account: owner, Region: testRegion}); err != nil {
		t.Fatal(err)
	}
}

// The AWS SDK, pointed at the embedded endpoint, keeps the promises of every
// store, over plain HTTP and over TLS.
func TestEndpointKeepsTheStoresPromises(t *testing.T) {
	for _, tls := range []bool{false, true} {
		t.Run(fmt.Sprint("TLS ", tls), func(t *testing.T) {
			s := start(t, Config{TLS: tls})
			if tls {
				t.Setenv("AWS_CA_BUNDLE", filepath.Join(s.config.DataDir, CAFile))
			}
			s.bucket(t, testBucket, testAccount)
			objectstest.Run(t, s.remote(t))
		})
	}
}

// Every operation that the endpoint serves is refused to one whom no policy
// allows anything, by the name of its permission, and nothing happens.
func TestObjectsAreAskedFor(t *testing.T) {
	s := start(t, Config{})
	nobody := s.user(t, "nobody", "")
	s.bucket(t, testBucket, testAccount)
	if err := s.engines.objects.Put(t.Context(), testBucket, "k", "text/plain", strings.NewReader("secret")); err != nil {
		t.Fatal(err)
	}
	const k = "/" + testBucket + "/k"
	const b = "/" + testBucket
	for _, v := range []struct{ method, path, action string }{
		{"GET", "/", "s3:ListAllMyBuckets"}, {"PUT", "/another-bucket", "s3:CreateBucket"}, {"DELETE", b, "s3:DeleteBucket"}, {"GET", b, "s3:ListBucket"},
		{"GET", b + "?list-type=2", "s3:ListBucket"}, {"GET", b + "?location", "s3:GetBucketLocation"}, {"GET", b + "?uploads", "s3:ListBucketMultipartUploads"},
		{"GET", b + "?versions", "s3:ListBucketVersions"}, {"GET", b + "?versioning", "s3:GetBucketVersioning"}, {"PUT", b + "?versioning", "s3:PutBucketVersioning"},
		{"GET", b + "?policy", "s3:GetBucketPolicy"}, {"PUT", b + "?policy", "s3:PutBucketPolicy"}, {"DELETE", b + "?policy", "s3:DeleteBucketPolicy"},
		{"GET", b + "?acl", "s3:GetBucketAcl"}, {"PUT", b + "?acl", "s3:PutBucketAcl"}, {"GET", b + "?encryption", "s3:GetEncryptionConfiguration"},
		{"GET", k, "s3:GetObject"}, {"PUT", k, "s3:PutObject"}, {"DELETE", k, "s3:DeleteObject"}, {"GET", k + "?tagging", "s3:GetObjectTagging"},
		{"PUT", k + "?tagging", "s3:PutObjectTagging"}, {"DELETE", k + "?tagging", "s3:DeleteObjectTagging"}, {"GET", k + "?attributes", "s3:GetObjectAttributes"},
		{"POST", k + "?uploads", "s3:PutObject"}, {"PUT", k + "?uploadId=x&partNumber=1", "s3:PutObject"}, {"POST", k + "?uploadId=x", "s3:PutObject"},
		{"DELETE", k + "?uploadId=x", "s3:AbortMultipartUpload"}, {"GET", k + "?uploadId=x", "s3:ListMultipartUploadParts"}, {"GET", k + "?acl", "s3:GetObjectAcl"},
	} {
		status, answer := send(t, s.signed(t, nobody, "s3", v.method, v.path, nil, ""))
		if status != 403 || !strings.Contains(answer, "<Code>AccessDenied</Code>") || !strings.Contains(answer, "is not authorized to perform: "+v.action+" ") && !strings.Contains(answer, "is not authorized to perform: "+v.action+"<") {
			t.Errorf("%s %s: %d %s, want a refusal of %s", v.method, v.path, status, answer, v.action)
		}
	}
	for _, v := range []struct{ method, path, code string }{
		{"PATCH", b, "MethodNotAllowed"}, {"POST", b, "MethodNotAllowed"}, {"DELETE", b + "?location", "MethodNotAllowed"}, {"PUT", b + "?lifecycle", "MethodNotAllowed"},
		{"PUT", b + "?inventory", "NotImplemented"}, {"GET", k + "?torrent", "NotImplemented"}, {"GET", k + "?versionId=abc", "NotImplemented"},
		{"DELETE", b + "?policy&location", "InvalidRequest"}, {"PUT", k + "?acl&tagging", "InvalidRequest"}, {"PUT", k + "?retention", "NotImplemented"},
	} {
		status, answer := send(t, s.signed(t, s.admin(), "s3", v.method, v.path, nil, ""))
		if status < 400 || !strings.Contains(answer, "<Code>"+v.code+"</Code>") {
			t.Errorf("%s %s: %d %s, want %s", v.method, v.path, status, answer, v.code)
		}
	}
	if status, answer := send(t, s.request(t, "GET", k, nil, "")); status < 400 || strings.Contains(answer, "secret") {
		t.Errorf("unsigned: %d %s", status, answer)
	}
	if _, o, err := s.engines.folder.Get(t.Context(), testBucket, "k"); err != nil || o.Size != 6 {
		t.Errorf("the object is now %+v, %v", o, err)
	}
}

// Keys, copies and prefixes are asked for one by one.
func TestObjectPermissions(t *testing.T) {
	s := start(t, Config{})
	s.bucket(t, testBucket, testAccount)
	for _, key := range []string{"mine/a", "theirs/a", "mine/b"} {
		if err := s.engines.objects.Put(t.Context(), testBucket, key, "text/plain", strings.NewReader(key)); err != nil {
			t.Fatal(err)
		}
	}
	who := s.user(t, "team", `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:DeleteObject"],"Resource":"arn:aws:s3:::`+testBucket+`/mine/*"},
		{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::`+testBucket+`","Condition":{"StringLike":{"s3:prefix":"mine/*"}}}]}`)
	ask := func(method, path string, header http.Header, body string) (int, string) {
		t.Helper()
		return send(t, s.signed(t, who, "s3", method, "/"+testBucket+path, header, body))
	}
	status, answer := ask("POST", "?delete", nil, `<Delete><Object><Key>mine/b</Key></Object><Object><Key>theirs/a</Key></Object></Delete>`)
	var result struct {
		Deleted []struct{ Key string }
		Error   []struct{ Key, Code string }
	}
	if xml.Unmarshal([]byte(answer), &result); status != 200 || len(result.Deleted) != 1 || result.Deleted[0].Key != "mine/b" || len(result.Error) != 1 || result.Error[0].Code != "AccessDenied" {
		t.Errorf("%d %s", status, answer)
	}
	for _, v := range []struct {
		method, path, source string
		status               int
	}{
		{"GET", "/mine/a", "", 200}, {"GET", "/theirs/a", "", 403}, {"GET", "/mine/../theirs/a", "", 403}, {"GET", "?list-type=2&prefix=mine/", "", 200},
		{"GET", "?list-type=2&prefix=theirs/", "", 403}, {"GET", "?list-type=2", "", 403},
		{"PUT", "/mine/c", "/" + testBucket + "/mine/a", 200}, {"PUT", "/mine/c", "/" + testBucket + "/theirs/a", 403}, {"PUT", "/mine/c", testBucket + "/%74heirs/a", 403},
		{"GET", "/mine/none", "", 403}, // whether it exists is not theirs to know
	} {
		header := http.Header{}
		if v.source != "" {
			header.Set("X-Amz-Copy-Source", v.source)
		}
		if status, answer := ask(v.method, v.path, header, ""); status != v.status {
			t.Errorf("%s %s of %s: %d %s, want %d", v.method, v.path, v.source, status, answer, v.status)
		}
	}
}

// Another account's bucket needs the bucket's policy and the caller's own.
func TestBucketsOfOtherAccounts(t *testing.T) {
	s := start(t, Config{})
	s.bucket(t, testBucket, "999999999999")
	get := func() int {
		t.Helper()
		status, _ := send(t, s.signed(t, s.admin(), "s3", "GET", "/"+testBucket+"/k", nil, ""))
		return status
	}
	if err := s.engines.objects.Put(t.Context(), testBucket, "k", "text/plain", strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	if got := get(); got != 403 {
		t.Errorf("without a policy: %d", got)
	}
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + string(testAccount) + `"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::` + testBucket + `/*"}]}`
	if err := s.engines.folder.SetPolicy(testBucket, policy); err != nil {
		t.Fatal(err)
	}
	if got := get(); got != 200 {
		t.Errorf("with a policy: %d", got)
	}
	if err := s.engines.folder.SetPolicy(testBucket, strings.NewReplacer("s3:GetObject", "s3:*", testBucket+"/*", testBucket).Replace(policy)); err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{"GET", "PUT", "DELETE"} { // who may do anything with a bucket is not its owner
		if status, answer := send(t, s.signed(t, s.admin(), "s3", method, "/"+testBucket+"?policy", nil, policy)); status != 405 || !strings.Contains(answer, "MethodNotAllowed") {
			t.Errorf("%s of another account's bucket policy: %d %s", method, status, answer)
		}
	}
	if status, answer := send(t, s.signed(t, s.admin(), "s3", "GET", "/", nil, "")); status != 200 || strings.Contains(answer, testBucket) {
		t.Errorf("another account's bucket is listed: %d %s", status, answer)
	}
	if status, answer := send(t, s.signed(t, s.admin(), "s3", "PUT", "/"+testBucket, nil, "")); status != 409 || !strings.Contains(answer, "BucketAlreadyExists") {
		t.Errorf("%d %s", status, answer)
	}
}

// A body that is not what was signed leaves nothing behind.
func TestBodiesAreVerified(t *testing.T) {
	s := start(t, Config{})
	s.bucket(t, testBucket, testAccount)
	scope := sigv4.Scope{Region: testRegion, Service: "s3"}
	const text = "some text"
	for name, v := range map[string]struct {
		claimed string
		header  map[string]string
		body    string
		code    string
	}{
		"as signed":           {sigv4.PayloadHash([]byte(text)), nil, text, ""},
		"not as signed":       {sigv4.PayloadHash([]byte("other")), nil, text, "XAmzContentSHA256Mismatch"},
		"unsigned":            {sigv4.UnsignedPayload, nil, text, ""},
		"no digest":           {"nonsense", nil, text, "InvalidArgument"},
		"a checksum":          {sigv4.UnsignedPayload, map[string]string{"x-amz-checksum-crc32": "fJpe2Q=="}, text, "BadDigest"},
		"a right checksum":    {sigv4.UnsignedPayload, map[string]string{"x-amz-checksum-sha256": "uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek="}, "hello world", ""},
		"a trailer":           {sigv4.StreamingUnsignedTrailer, map[string]string{"x-amz-decoded-content-length": "11", "x-amz-trailer": "x-amz-checksum-crc32"}, "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n", ""},
		"a wrong trailer":     {sigv4.StreamingUnsignedTrailer, map[string]string{"x-amz-decoded-content-length": "11", "x-amz-trailer": "x-amz-checksum-crc32"}, "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", "BadDigest"},
		"a missing trailer":   {sigv4.StreamingUnsignedTrailer, map[string]string{"x-amz-decoded-content-length": "11", "x-amz-trailer": "x-amz-checksum-crc32"}, "b\r\nhello world\r\n0\r\n\r\n", "BadDigest"},
		"chunks cut short":    {sigv4.StreamingUnsignedTrailer, map[string]string{"x-amz-decoded-content-length": "11"}, "b\r\nhello", "IncompleteBody"},
		"chunks of less":      {sigv4.StreamingUnsignedTrailer, map[string]string{"x-amz-decoded-content-length": "11"}, "5\r\nhello\r\n0\r\n\r\n", "IncompleteBody"},
		"chunks of more":      {sigv4.StreamingUnsignedTrailer, map[string]string{"x-amz-decoded-content-length": "3"}, "5\r\nhello\r\n0\r\n\r\n", "InvalidRequest"},
		"chunks of nonsense":  {sigv4.StreamingUnsignedTrailer, map[string]string{"x-amz-decoded-content-length": "3"}, "zz\r\n", "InvalidRequest"},
		"chunks not signed":   {sigv4.StreamingSigned, map[string]string{"x-amz-decoded-content-length": "5"}, "5;chunk-signature=00\r\nhello\r\n0;chunk-signature=00\r\n\r\n", "SignatureDoesNotMatch"},
		"chunks of no length": {sigv4.StreamingUnsignedTrailer, nil, "0\r\n\r\n", "MissingContentLength"},
		"empty, not signed":   {sigv4.PayloadHash([]byte(text)), nil, "", "XAmzContentSHA256Mismatch"},
	} {
		key := strings.ReplaceAll(name, " ", "-")
		r := s.request(t, "PUT", "/"+testBucket+"/"+key, http.Header{}, v.body)
		for k, value := range v.header {
			r.Header.Set(k, value)
		}
		if err := sigv4.Sign(r, v.claimed, s.admin(), scope, time.Now()); err != nil {
			t.Fatal(err)
		}
		status, answer := send(t, r)
		_, _, err := s.engines.folder.Get(t.Context(), testBucket, key)
		switch {
		case v.code == "" && (status != 200 || err != nil):
			t.Errorf("%s: %d %s, %v", name, status, answer, err)
		case v.code != "" && (!strings.Contains(answer, "<Code>"+v.code+"</Code>") || outcrop.KindOf(err) != outcrop.NotFound):
			t.Errorf("%s: %d %s, want %s; the object: %v", name, status, answer, v.code, err)
		}
	}
}

// A bucket is addressed in the path, in the host, and by a URL signed
// beforehand; a large body passes the door's limit and is not held in memory.
func TestAddressingAndSize(t *testing.T) {
	s := start(t, Config{Objects: ObjectsConfig{Hosts: []string{"outcrop.example"}}})
	s.bucket(t, testBucket, testAccount)
	scope := sigv4.Scope{Region: testRegion, Service: "s3"}
	put := s.request(t, "PUT", "/dir/k%20x", http.Header{}, "by host")
	put.Host = testBucket + ".outcrop.example:1234"
	if err := sigv4.Sign(put, sigv4.PayloadHash([]byte("by host")), s.admin(), scope, time.Now()); err != nil {
		t.Fatal(err)
	}
	if status, answer := send(t, put); status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	get := s.request(t, "GET", "/"+testBucket+"/dir/k%20x", http.Header{}, "")
	if err := sigv4.Presign(get, sigv4.UnsignedPayload, s.admin(), scope, time.Now(), time.Minute); err != nil {
		t.Fatal(err)
	}
	if status, answer := send(t, get); status != 200 || answer != "by host" {
		t.Errorf("signed beforehand: %d %s", status, answer)
	}
	late := s.request(t, "GET", "/"+testBucket+"/dir/k%20x", http.Header{}, "")
	if err := sigv4.Presign(late, sigv4.UnsignedPayload, s.admin(), scope, time.Now().Add(-time.Hour), time.Minute); err != nil {
		t.Fatal(err)
	}
	if status, answer := send(t, late); status != 403 || !strings.Contains(answer, "Request has expired") {
		t.Errorf("expired: %d %s", status, answer)
	}
	for name, old := range map[string]*http.Request{
		"in the query":  s.request(t, "GET", "/"+testBucket+"/dir/k%20x?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=vjbyPxybdZaNmGa%2ByT272YEAiv4%3D&Expires=1141889120", http.Header{}, ""),
		"in the header": s.request(t, "GET", "/"+testBucket+"/dir/k%20x", http.Header{"Authorization": {"AWS AKIAIOSFODNN7EXAMPLE:qgk2+6Sv9/oM7G3qLEjTH1a1l1g="}}, ""),
	} {
		if status, answer := send(t, old); status != 400 || !strings.Contains(answer, "<Code>InvalidRequest</Code>") || !strings.Contains(answer, "use AWS4-HMAC-SHA256. In boto3: Config(signature_version=") {
			t.Errorf("signed as S3 once was, %s: %d %s", name, status, answer)
		}
	}
	const size = 64 << 20
	big := s.request(t, "PUT", "/"+testBucket+"/big", http.Header{}, "")
	big.Body, big.ContentLength = io.NopCloser(io.LimitReader(zeros{}, size)), size
	if err := sigv4.Sign(big, sigv4.UnsignedPayload, s.admin(), scope, time.Now()); err != nil {
		t.Fatal(err)
	}
	if status, answer := send(t, big); status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	if _, o, err := s.engines.folder.Get(t.Context(), testBucket, "big"); err != nil || o.Size != size {
		t.Errorf("%+v, %v", o, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestObjectsConfig(t *testing.T) {
	for text, want := range map[string]string{
		"objects: {default: {endpoint: \"minio:9000\"}}":                `objects.default: endpoint "minio:9000" must begin with http:// or https://`,
		"objects: {buckets: {Bad_Name: {}}}":                            "objects.buckets.Bad_Name: The specified bucket is not valid",
		"objects: {buckets: {good: {accessKeyId: a}}}":                  "objects.buckets.good: accessKeyId and secretAccessKey belong together",
		"objects: {buckets: {good: {endpoint: \"http://minio:9000\"}}}": "",
	} {
		name := filepath.Join(t.TempDir(), "c.yaml")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := ReadConfig(name)
		if err == nil {
			err = c.complete()
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// Every name that the endpoint's table gives an operation is described.
func TestObjectOperationsAreDescribed(t *testing.T) {
	for _, name := range []string{"ListBuckets", "CreateBucket", "ListObjectsV2", "CopyObject", "UploadPartCopy", "DeleteObjects"} {
		if _, ok := iam.OperationOf("s3", name); !ok {
			t.Errorf("%s has no line in iam/operations.txt", name)
		}
	}
}
