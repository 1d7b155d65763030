package awsapi

import (
	"bytes"
	"encoding/xml"
	"net/http"

	"outcrop/awsapi/wire"
)

// s3XML renders S3's errors. What S3 answers otherwise is written by s3api.
type s3XML struct{}

func (s3XML) Decode(*wire.Operation, *wire.Request) (map[string]any, error) { return nil, nil }

func (s3XML) Encode(*wire.Operation, map[string]any, *wire.Response) error { return nil }

// s3Codes are the names that S3 has for what other services call otherwise.
var s3Codes = map[string]string{
	"ValidationException":                 "InvalidRequest",
	"AccessDeniedException":               "AccessDenied",
	"ThrottlingException":                 "SlowDown",
	"ServiceUnavailableException":         "ServiceUnavailable",
	"InternalServerException":             "InternalError",
	"UnknownOperationException":           "NotImplemented",
	"UnrecognizedClientException":         "InvalidAccessKeyId",
	"InvalidClientTokenId":                "InvalidAccessKeyId",
	"InvalidSignatureException":           "SignatureDoesNotMatch",
	"IncompleteSignatureException":        "AuthorizationHeaderMalformed",
	"MissingAuthenticationTokenException": "AccessDenied",
	"ExpiredTokenException":               "ExpiredToken",
	"MalformedQueryString":                "InvalidArgument",
	"MalformedPolicyDocument":             "MalformedPolicy",
	"ServiceQuotaExceededException":       "TooManyBuckets",
}

// s3Statuses are the HTTP statuses of S3's codes that are not 400.
var s3Statuses = map[string]int{
	"NotModified": 304, "AccessDenied": 403, "InvalidAccessKeyId": 403, "SignatureDoesNotMatch": 403, "RequestTimeTooSkewed": 403,
	"AllAccessDisabled": 403, "NoSuchBucket": 404, "NoSuchKey": 404, "NoSuchUpload": 404, "NoSuchVersion": 404, "NoSuchBucketPolicy": 404,
	"NoSuchCORSConfiguration": 404, "NoSuchLifecycleConfiguration": 404, "NoSuchPublicAccessBlockConfiguration": 404, "NoSuchTagSet": 404,
	"NoSuchWebsiteConfiguration": 404, "ObjectLockConfigurationNotFoundError": 404, "OwnershipControlsNotFoundError": 404,
	"ReplicationConfigurationNotFoundError": 404, "ServerSideEncryptionConfigurationNotFoundError": 404, "NotFound": 404,
	"MethodNotAllowed": 405, "BucketAlreadyExists": 409, "BucketAlreadyOwnedByYou": 409, "BucketNotEmpty": 409, "InvalidBucketState": 409,
	"OperationAborted": 409, "MissingContentLength": 411, "PreconditionFailed": 412, "InvalidRange": 416, "InternalError": 500,
	"NotImplemented": 501, "SlowDown": 503, "ServiceUnavailable": 503,
}

// EncodeError writes S3's <Error>, which stands alone.
func (s3XML) EncodeError(_ *wire.Service, f *wire.Failure, w *wire.Response) {
	if code, ok := s3Codes[f.Code]; ok {
		f.Code = code
	}
	f.Status = http.StatusBadRequest
	if status, ok := s3Statuses[f.Code]; ok {
		f.Status = status
	}
	w.Status = f.Status
	if f.Status == http.StatusNotModified {
		return
	}
	resource, _ := f.Fields["resourceName"].(string)
	w.Header.Set("Content-Type", "application/xml")
	w.Header.Set("x-amz-request-id", f.RequestID)
	var b bytes.Buffer
	b.WriteString(xml.Header)
	err := xml.NewEncoder(&b).Encode(struct {
		XMLName   xml.Name `xml:"Error"`
		Code      string
		Message   string
		Resource  string `xml:",omitempty"`
		RequestID string `xml:"RequestId"`
	}{Code: f.Code, Message: f.Message, Resource: resource, RequestID: f.RequestID})
	if err == nil { // of strings it cannot be otherwise
		w.Body = b.Bytes()
	}
}
