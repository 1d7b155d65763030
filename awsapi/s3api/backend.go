package s3api

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"

	"github.com/rclone/gofakes3"

	"outcrop"
	"outcrop/objects"
)

// A backend is the folder as gofakes3 sees it. Who may do what has been decided
// before, but for the keys of DeleteObjects.
type backend struct{ api *API }

// tell gives gofakes3 an error by its code, and keeps it for the door.
func tell(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if c := callOf(ctx); c != nil {
		c.err = err
	}
	if code := codeOf(err); code != "" {
		return gofakes3.ErrorMessage(gofakes3.ErrorCode(code), err.Error())
	}
	return err
}

func (b *backend) ListBuckets(ctx context.Context) ([]gofakes3.BucketInfo, error) {
	all, err := b.api.folder.Buckets()
	if err != nil {
		return nil, tell(ctx, err)
	}
	var own []gofakes3.BucketInfo
	for _, x := range all {
		if x.Account == callOf(ctx).request.Caller.Account {
			own = append(own, gofakes3.BucketInfo{Name: x.Name, CreationDate: gofakes3.NewContentTime(x.Created)})
		}
	}
	return own, nil
}

func (b *backend) BucketExists(ctx context.Context, name string) (bool, error) {
	_, err := b.api.folder.Bucket(name)
	if isNotFound(err) {
		return false, nil
	}
	return err == nil, tell(ctx, err)
}

// CreateBucket is never asked for: buckets are made by us, who know their owner.
func (b *backend) CreateBucket(context.Context, string) error { return gofakes3.ErrNotImplemented }

func (b *backend) DeleteBucket(ctx context.Context, name string) error {
	return tell(ctx, b.api.folder.DeleteBucket(name))
}

func (b *backend) ListBucket(ctx context.Context, name string, prefix *gofakes3.Prefix, page gofakes3.ListBucketPage) (*gofakes3.ObjectList, error) {
	if prefix == nil {
		prefix = &gofakes3.Prefix{}
	}
	limit := int(page.MaxKeys)
	if limit <= 0 {
		limit = gofakes3.DefaultMaxBucketKeys
	}
	found, err := b.api.folder.Page(name, prefix.Prefix, prefix.Delimiter, page.Marker, limit)
	if err != nil {
		return nil, tell(ctx, err)
	}
	list := gofakes3.NewObjectList()
	for _, o := range found.Objects {
		list.Add(&gofakes3.Content{Key: o.Key, LastModified: gofakes3.NewContentTime(o.Modified), ETag: `"` + o.ETag + `"`, Size: o.Size, StorageClass: gofakes3.StorageStandard})
	}
	for _, p := range found.Prefixes {
		list.AddPrefix(p)
	}
	if found.More {
		list.IsTruncated, list.NextMarker = true, found.Last
	}
	return list, nil
}

func (b *backend) GetObject(ctx context.Context, bucket, key string, span *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	body, file, err := b.api.folder.Open(bucket, key)
	if err != nil {
		return nil, tell(ctx, b.hidden(ctx, err))
	}
	o := object(ctx, key, file)
	o.Contents = body
	if o.Range, err = span.Range(file.Size); err == nil && o.Range != nil {
		_, err = body.Seek(o.Range.Start, io.SeekStart)
		o.Contents = section{io.LimitReader(body, o.Range.Length), body}
	}
	if err != nil {
		body.Close()
		return nil, err // a range that is none: gofakes3's own error
	}
	return o, nil
}

// section is a part of a file, which is closed with it.
type section struct {
	io.Reader
	io.Closer
}

func (b *backend) HeadObject(ctx context.Context, bucket, key string) (*gofakes3.Object, error) {
	file, err := b.api.folder.Stat(bucket, key)
	if err != nil {
		return nil, tell(ctx, b.hidden(ctx, err))
	}
	o := object(ctx, key, file)
	o.Contents = http.NoBody
	return o, nil
}

// hidden keeps from a caller who may not list the bucket that a key is missing,
// as S3 does.
func (b *backend) hidden(ctx context.Context, err error) error {
	c := callOf(ctx)
	if !isNotFound(err) || c.target.operation != "GetObject" && c.target.operation != "HeadObject" {
		return err
	}
	if denied := c.mayList(); denied != nil {
		return denied
	}
	return err
}

func object(ctx context.Context, key string, file *objects.File) *gofakes3.Object {
	if c := callOf(ctx); c.target.key == key { // not the source of a copy
		c.etag = `"` + file.ETag + `"`
	}
	sum, _, _ := strings.Cut(file.ETag, "-")
	digest, _ := hex.DecodeString(sum) // ours: always hex
	meta := maps.Clone(file.Header)
	if meta == nil {
		meta = map[string]string{}
	}
	meta["Last-Modified"] = file.Modified.UTC().Format(http.TimeFormat)
	return &gofakes3.Object{Name: key, Metadata: meta, Size: file.Size, Hash: digest, PartSizes: file.PartSizes}
}

func (b *backend) PutObject(ctx context.Context, bucket, key string, meta map[string]string, input io.Reader, _ int64) (r gofakes3.PutObjectResult, err error) {
	c := callOf(ctx)
	file, err := b.api.folder.Write(ctx, bucket, key, header(meta), c.confirmed(input), conditions(ctx))
	if err != nil {
		return r, tell(ctx, err)
	}
	if err := b.keepTrailer(c, bucket, key); err != nil {
		return r, tell(ctx, err)
	}
	r.ETag = `"` + file.ETag + `"`
	return r, nil
}

// keepTrailer keeps a checksum that came behind the body.
func (b *backend) keepTrailer(c *call, bucket, key string) error {
	for name, values := range c.trailer {
		if strings.HasPrefix(name, checksumPrefix) && len(values) > 0 {
			return b.api.folder.SetHeader(bucket, key, name, values[0])
		}
	}
	return nil
}

// conditions are If-Match and If-None-Match, asked of what is replaced.
func conditions(ctx context.Context) objects.Check {
	if !gofakes3.HasWriteConditions(ctx) {
		return nil
	}
	return func(old *objects.File) error {
		etag := ""
		if old != nil {
			etag = `"` + old.ETag + `"`
		}
		err := gofakes3.CheckWriteConditions(ctx, old != nil, etag)
		var coded interface{ ErrorCode() gofakes3.ErrorCode }
		if errors.As(err, &coded) {
			e := outcrop.Errorf(outcrop.Invalid, "%s", err)
			e.Code = string(coded.ErrorCode())
			return e
		}
		return err
	}
}

// header is what is kept of an object's metadata.
func header(meta map[string]string) map[string]string {
	kept := maps.Clone(meta)
	delete(kept, "Last-Modified") // the folder's own
	return kept
}

func (b *backend) CopyObject(ctx context.Context, srcBucket, srcKey, bucket, key string, meta map[string]string) (r gofakes3.CopyObjectResult, err error) {
	body, _, err := b.api.folder.Open(srcBucket, srcKey)
	if err != nil {
		return r, tell(ctx, err)
	}
	defer body.Close()
	file, err := b.api.folder.Write(ctx, bucket, key, header(meta), body, nil)
	if err != nil {
		return r, tell(ctx, err)
	}
	return gofakes3.CopyObjectResult{ETag: `"` + file.ETag + `"`, LastModified: gofakes3.NewContentTime(file.Modified)}, nil
}

func (b *backend) DeleteObject(ctx context.Context, bucket, key string) (gofakes3.ObjectDeleteResult, error) {
	return gofakes3.ObjectDeleteResult{}, tell(ctx, b.api.folder.Delete(ctx, bucket, key))
}

// DeleteMulti asks for each key, and tells for each how it went.
func (b *backend) DeleteMulti(ctx context.Context, bucket string, keys ...string) (r gofakes3.MultiDeleteResult, err error) {
	c := callOf(ctx)
	for _, key := range keys {
		err := c.may("DeleteObjects", key)
		if err == nil {
			err = b.api.folder.Delete(ctx, bucket, key)
		}
		switch {
		case err == nil:
			r.Deleted = append(r.Deleted, gofakes3.ObjectID{Key: key})
		case outcrop.KindOf(err) == outcrop.Denied:
			r.Error = append(r.Error, gofakes3.ErrorResult{Key: key, Code: "AccessDenied", Message: err.Error()})
		default:
			r.Error = append(r.Error, gofakes3.ErrorResult{Key: key, Code: "InternalError", Message: "We encountered an internal error. Please try again."})
		}
	}
	return r, nil
}

// SetObjectTagging changes the tags of an object.
func (b *backend) SetObjectTagging(ctx context.Context, bucket, key, tags string) error {
	return tell(ctx, b.api.folder.SetHeader(bucket, key, gofakes3.TaggingMetadataKey, tags))
}
