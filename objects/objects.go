// Package objects keeps named bodies in buckets: in a folder of our own, which
// the embedded S3 endpoint serves, or in any store that speaks S3.
package objects

import (
	"context"
	"io"
	"iter"
	"time"

	"outcrop"
)

// A Store is where deliveries and exports are written and read again. It is
// safe for concurrent use. What is missing is an error of kind NotFound.
type Store interface {
	// Put writes an object, in place of one of the same key. The object is
	// there whole, or not at all, and on disk when Put returns nil.
	Put(ctx context.Context, bucket, key, contentType string, body io.Reader) error
	// Get reads an object. Close the reader.
	Get(ctx context.Context, bucket, key string) (io.ReadCloser, Object, error)
	// List yields the objects whose keys begin with prefix, in the order of
	// their keys' bytes. An error ends the sequence.
	List(ctx context.Context, bucket, prefix string) iter.Seq2[Object, error]
	// Delete takes an object away; one that is not there is no error.
	Delete(ctx context.Context, bucket, key string) error
}

// An Object is what is known of an object without its body.
type Object struct {
	Key         string
	Size        int64
	ETag        string // without quotes
	Modified    time.Time
	ContentType string // empty in a List
}

// The AWS codes of what is missing or wrong.
const (
	CodeNoSuchBucket = "NoSuchBucket"
	CodeNoSuchKey    = "NoSuchKey"
)

// NoSuchBucket is the error about a bucket that does not exist.
func NoSuchBucket(bucket string) *outcrop.Error {
	e := outcrop.Errorf(outcrop.NotFound, "The specified bucket does not exist: %s", bucket)
	e.Code, e.Resource = CodeNoSuchBucket, bucket
	return e
}

// NoSuchKey is the error about an object that does not exist.
func NoSuchKey(key string) *outcrop.Error {
	e := outcrop.Errorf(outcrop.NotFound, "The specified key does not exist: %s", key)
	e.Code, e.Resource = CodeNoSuchKey, key
	return e
}
