package s3api

import (
	"context"
	"io"

	"github.com/rclone/gofakes3"

	"outcrop/objects"
)

// CreateMultipartUpload begins an upload whose parts go to disk.
func (b *backend) CreateMultipartUpload(ctx context.Context, bucket, key string, meta map[string]string) (gofakes3.UploadID, error) {
	id, err := b.api.folder.BeginUpload(bucket, key, header(meta))
	return gofakes3.UploadID(id), tell(ctx, err)
}

// UploadPart keeps one part.
func (b *backend) UploadPart(ctx context.Context, bucket, _ string, id gofakes3.UploadID, number int, length int64, body io.Reader) (string, error) {
	c := callOf(ctx)
	etag, err := b.api.folder.WritePart(ctx, bucket, string(id), number, c.exactly(length, c.confirmed(body)))
	if err != nil {
		return "", tell(ctx, err)
	}
	return `"` + etag + `"`, nil
}

// exactly fails when a part ends early: gofakes3 leaves that to the backend.
func (c *call) exactly(n int64, r io.Reader) io.Reader { return &exact{r, n} }

type exact struct {
	io.Reader
	left int64
}

func (e *exact) Read(p []byte) (int, error) {
	n, err := e.Reader.Read(p)
	if e.left -= int64(n); err == io.EOF && e.left != 0 {
		return n, incomplete()
	}
	return n, err
}

// CompleteMultipartUpload makes an object of the parts.
func (b *backend) CompleteMultipartUpload(ctx context.Context, bucket, _ string, id gofakes3.UploadID, in *gofakes3.CompleteMultipartUploadRequest) (gofakes3.VersionID, string, error) {
	parts := make([]objects.Part, len(in.Parts))
	for i, p := range in.Parts {
		parts[i] = objects.Part{Number: p.PartNumber, ETag: unquote(p.ETag)}
	}
	file, err := b.api.folder.CompleteUpload(ctx, bucket, string(id), parts, conditions(ctx))
	if err != nil {
		return "", "", tell(ctx, err)
	}
	return "", `"` + file.ETag + `"`, nil
}

// AbortMultipartUpload forgets an upload.
func (b *backend) AbortMultipartUpload(ctx context.Context, bucket, _ string, id gofakes3.UploadID) error {
	return tell(ctx, b.api.folder.AbortUpload(bucket, string(id)))
}

// confirmed reads an upload to its true end. A copy has no body of its own.
func (c *call) confirmed(r io.Reader) io.Reader {
	if c.body == nil {
		return r
	}
	return confirmed{r, c.body}
}
