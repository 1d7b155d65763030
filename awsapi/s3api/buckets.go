package s3api

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"

	"outcrop"
	"outcrop/iam"
	"outcrop/objects"
)

// ours are the operations that gofakes3 has not, or not with owners, Regions
// and policies (docs/decisions/0002-dependencies.md).
var ours = map[string]func(*call, http.ResponseWriter) error{
	"CreateBucket": (*call).createBucket, "HeadBucket": (*call).headBucket, "GetBucketLocation": (*call).getBucketLocation,
	"GetBucketPolicy": (*call).getBucketPolicy, "PutBucketPolicy": (*call).putBucketPolicy, "DeleteBucketPolicy": (*call).deleteBucketPolicy,
	"GetBucketPolicyStatus":              document("PolicyStatus", "<IsPublic>FALSE</IsPublic>"), // nobody gets in unsigned
	"GetBucketAccelerateConfiguration":   document("AccelerateConfiguration", ""),
	"GetBucketLogging":                   document("BucketLoggingStatus", ""),
	"GetBucketNotificationConfiguration": document("NotificationConfiguration", ""),
	"GetBucketRequestPayment":            document("RequestPaymentConfiguration", "<Payer>BucketOwner</Payer>"),
}

const namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

// document answers what S3 does of a bucket where nothing was configured.
func document(name, inner string) func(*call, http.ResponseWriter) error {
	text := xml.Header + "<" + name + ` xmlns="` + namespace + `">` + inner + "</" + name + ">"
	return func(_ *call, w http.ResponseWriter) error {
		w.Header().Set("Content-Type", "application/xml")
		io.WriteString(w, text) // a client that is gone is the door's to notice
		return nil
	}
}

func (c *call) createBucket(w http.ResponseWriter) error {
	region, err := c.location()
	if err != nil {
		return err
	}
	err = c.api.folder.CreateBucket(objects.Bucket{Name: c.target.bucket, Account: c.request.Caller.Account, Region: region})
	if codeOf(err) == "BucketAlreadyOwnedByYou" && region == classicRegion && c.bucket.Region == classicRegion {
		err = nil // the oldest Region answers a repeated CreateBucket with success
	}
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/"+c.target.bucket)
	w.WriteHeader(http.StatusOK)
	return nil
}

// classicRegion is the one whose buckets have no LocationConstraint.
const classicRegion = outcrop.Region("us-east-1")

// location reads the Region that a bucket is wanted in.
func (c *call) location() (outcrop.Region, error) {
	text, err := io.ReadAll(c.request.HTTP.Body)
	if err != nil {
		return "", err
	}
	signed := c.request.Caller.Region
	var in struct {
		LocationConstraint outcrop.Region
		Bucket             struct{ Type string }
	}
	if len(text) > 0 {
		if err := xml.Unmarshal(text, &in); err != nil {
			return "", refusal("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
		}
	}
	switch {
	case in.Bucket.Type != "":
		return "", notServed("directory buckets")
	case in.LocationConstraint == "EU":
		return "eu-west-1", nil
	case in.LocationConstraint == "" && signed != classicRegion && len(text) > 0:
		return signed, nil
	case in.LocationConstraint == "":
		return signed, nil
	case in.LocationConstraint == classicRegion:
		return "", refusal("InvalidLocationConstraint", "The specified location-constraint is not valid")
	}
	return in.LocationConstraint, nil
}

func (c *call) headBucket(w http.ResponseWriter) error {
	w.Header().Set("x-amz-bucket-region", string(c.bucket.Region))
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusOK)
	return nil
}

func (c *call) getBucketLocation(w http.ResponseWriter) error {
	region := string(c.bucket.Region)
	if c.bucket.Region == classicRegion {
		region = ""
	}
	return document("LocationConstraint", region)(c, w) // a Region is a word
}

func (c *call) getBucketPolicy(w http.ResponseWriter) error {
	if c.bucket.Policy == "" {
		e := outcrop.Errorf(outcrop.NotFound, "The bucket policy does not exist")
		e.Code, e.Resource = "NoSuchBucketPolicy", c.target.bucket
		return e
	}
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, c.bucket.Policy) // a client that is gone is the door's to notice
	return nil
}

// maxPolicyBytes is S3's.
const maxPolicyBytes = 20 << 10

func (c *call) putBucketPolicy(w http.ResponseWriter) error {
	text, err := io.ReadAll(c.request.HTTP.Body)
	switch {
	case err != nil:
		return err
	case len(text) > maxPolicyBytes:
		return refusal("PolicyTooLarge", "The policy is larger than 20 KB.")
	case !json.Valid(text):
		return refusal("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'")
	}
	if _, err := iam.ParsePolicy(text, iam.ResourcePolicy); err != nil {
		return err
	}
	if err := c.api.folder.SetPolicy(c.target.bucket, string(text)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (c *call) deleteBucketPolicy(w http.ResponseWriter) error {
	if err := c.api.folder.SetPolicy(c.target.bucket, ""); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// mayList asks whether the caller may know which keys there are.
func (c *call) mayList() error {
	op, _ := iam.OperationOf("s3", "ListObjects")
	t, _ := op.ResourceType("bucket")
	return c.ask(c.bucket, iam.Check{Action: op.Action, Resource: t.ARN(c.request.Caller.Region, "", c.target.bucket)})
}
