package objects

import (
	"context"
	"io"
	"iter"
)

// Stores is a Store that keeps some buckets elsewhere.
type Stores struct {
	Default Store
	Buckets map[string]Store // by bucket
}

// Of is the store that keeps a bucket.
func (s Stores) Of(bucket string) Store {
	if at, ok := s.Buckets[bucket]; ok {
		return at
	}
	return s.Default
}

// Put writes an object.
func (s Stores) Put(ctx context.Context, bucket, key, contentType string, body io.Reader) error {
	return s.Of(bucket).Put(ctx, bucket, key, contentType, body)
}

// Get reads an object.
func (s Stores) Get(ctx context.Context, bucket, key string) (io.ReadCloser, Object, error) {
	return s.Of(bucket).Get(ctx, bucket, key)
}

// List yields the objects whose keys begin with prefix.
func (s Stores) List(ctx context.Context, bucket, prefix string) iter.Seq2[Object, error] {
	return s.Of(bucket).List(ctx, bucket, prefix)
}

// Delete takes an object away.
func (s Stores) Delete(ctx context.Context, bucket, key string) error {
	return s.Of(bucket).Delete(ctx, bucket, key)
}
