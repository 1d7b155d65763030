package awsapi

import (
	"net/http"
	"strings"

	"outcrop"
)

// signedOld says that a request is signed in S3's first way, with SHA-1. boto3
// and older command lines still presign so, unless they are told otherwise.
func signedOld(r *http.Request) bool {
	if strings.HasPrefix(first(r.Header, "Authorization"), "AWS ") {
		return true
	}
	if !strings.Contains(r.URL.RawQuery, "AWSAccessKeyId=") {
		return false
	}
	q := r.URL.Query()
	return q.Get("Signature") != "" && q.Get("Expires") != ""
}

// refuseOld has S3's words, and the cure.
func refuseOld() error {
	return outcrop.Errorf(outcrop.Invalid, "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256. "+
		"In boto3: Config(signature_version='s3v4'); for the aws command line: aws configure set default.s3.signature_version s3v4.")
}
