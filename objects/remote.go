package objects

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"outcrop"
)

// partBytes is how much of a body is held in memory on its way: what is larger
// goes in parts of this size.
const partBytes = 8 << 20

// RemoteConfig says where a store is that speaks S3. Its zero value is AWS with
// the SDK's default chain of credentials.
type RemoteConfig struct {
	Endpoint        string // http://host:port; empty is AWS's own
	Region          outcrop.Region
	Profile         string // of the shared configuration
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
	PathStyle       bool // address buckets in the path, as most stores but AWS want
}

// A Remote is a store that speaks S3.
type Remote struct{ client *s3.Client }

// NewRemote makes a Remote. It calls nobody yet.
func NewRemote(ctx context.Context, c RemoteConfig) (*Remote, error) {
	options := []func(*config.LoadOptions) error{config.WithRegion(string(c.Region))}
	if c.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(c.Profile))
	}
	if c.AccessKeyID != "" {
		options = append(options, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken)))
	}
	loaded, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("read credentials of the object store: %w", err)
	}
	return &Remote{s3.NewFromConfig(loaded, func(o *s3.Options) {
		o.UsePathStyle = c.PathStyle
		o.BaseEndpoint = nil // the environment's is for AWS's own clients; it may well be us
		if c.Endpoint != "" {
			o.BaseEndpoint = aws.String(c.Endpoint)
			o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired // stores that are not AWS stumble over more
			o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		}
	})}, nil
}

// Put writes an object: at once when it is small, else in parts.
func (r *Remote) Put(ctx context.Context, bucket, key, contentType string, body io.Reader) error {
	first := make([]byte, 0, 64<<10)
	first, more, err := fill(first, body)
	if err != nil {
		return err
	}
	if !more {
		_, err := r.client.PutObject(ctx, &s3.PutObjectInput{
			Bucket: &bucket, Key: &key, ContentType: typeOrNone(contentType), Body: bytes.NewReader(first), ContentLength: aws.Int64(int64(len(first))),
		})
		return remoteError(err, bucket, key)
	}
	return r.putParts(ctx, bucket, key, contentType, first, body)
}

func typeOrNone(t string) *string {
	if t == "" {
		return nil
	}
	return &t
}

// fill reads up to a part's size. more says that the body may go on.
func fill(b []byte, body io.Reader) (_ []byte, more bool, err error) {
	buf := bytes.NewBuffer(b[:0])
	n, err := io.CopyN(buf, body, partBytes)
	if errors.Is(err, io.EOF) {
		return buf.Bytes(), false, nil
	}
	return buf.Bytes(), n == partBytes, err
}

func (r *Remote) putParts(ctx context.Context, bucket, key, contentType string, part []byte, body io.Reader) error {
	begun, err := r.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: &key, ContentType: typeOrNone(contentType)})
	if err != nil {
		return remoteError(err, bucket, key)
	}
	done, err := r.sendParts(ctx, bucket, key, begun.UploadId, part, body)
	if err == nil {
		_, err = r.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
			Bucket: &bucket, Key: &key, UploadId: begun.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: done},
		})
	}
	if err == nil {
		return nil
	}
	_, abort := r.client.AbortMultipartUpload(context.WithoutCancel(ctx), &s3.AbortMultipartUploadInput{Bucket: &bucket, Key: &key, UploadId: begun.UploadId})
	return errors.Join(remoteError(err, bucket, key), abort)
}

func (r *Remote) sendParts(ctx context.Context, bucket, key string, id *string, part []byte, body io.Reader) (done []types.CompletedPart, err error) {
	for number, more := int32(1), true; len(part) > 0; number++ {
		sent, err := r.client.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: &bucket, Key: &key, UploadId: id, PartNumber: &number, Body: bytes.NewReader(part), ContentLength: aws.Int64(int64(len(part))),
		})
		if err != nil {
			return nil, err
		}
		done = append(done, types.CompletedPart{PartNumber: aws.Int32(number), ETag: sent.ETag})
		if !more {
			return done, nil
		}
		if part, more, err = fill(part, body); err != nil {
			return nil, err
		}
	}
	return done, nil
}

// Get reads an object.
func (r *Remote) Get(ctx context.Context, bucket, key string) (io.ReadCloser, Object, error) {
	out, err := r.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return nil, Object{}, remoteError(err, bucket, key)
	}
	return out.Body, Object{
		Key: key, Size: aws.ToInt64(out.ContentLength), ETag: strings.Trim(aws.ToString(out.ETag), `"`),
		Modified: aws.ToTime(out.LastModified), ContentType: aws.ToString(out.ContentType),
	}, nil
}

// List yields the objects whose keys begin with prefix.
func (r *Remote) List(ctx context.Context, bucket, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		pages := s3.NewListObjectsV2Paginator(r.client, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(Object{}, remoteError(err, bucket, prefix))
				return
			}
			for _, o := range page.Contents {
				if !yield(Object{
					Key: aws.ToString(o.Key), Size: aws.ToInt64(o.Size), ETag: strings.Trim(aws.ToString(o.ETag), `"`), Modified: aws.ToTime(o.LastModified),
				}, nil) {
					return
				}
			}
		}
	}
}

// Delete takes an object away.
func (r *Remote) Delete(ctx context.Context, bucket, key string) error {
	_, err := r.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: &key})
	return remoteError(err, bucket, key)
}

// remoteError puts a store's own words into ours.
func remoteError(err error, bucket, key string) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	switch api.ErrorCode() {
	case CodeNoSuchBucket:
		return NoSuchBucket(bucket).Because(err)
	case CodeNoSuchKey:
		return NoSuchKey(key).Because(err)
	case "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken":
		return outcrop.Errorf(outcrop.Denied, "The object store refuses %s: %s", bucket, api.ErrorMessage()).Because(err)
	}
	return err
}
