package objects

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"outcrop"
)

// A File is all that is kept of an object but its body.
type File struct {
	Size      int64             `json:"size"`
	ETag      string            `json:"etag"`
	Modified  time.Time         `json:"modified"`
	Header    map[string]string `json:"header,omitempty"`    // Content-Type, X-Amz-Meta-* and their like
	PartSizes []int64           `json:"partSizes,omitempty"` // of a multipart upload
	Body      string            `json:"body"`                // names the body's file
}

// A Check looks at the object that is about to be replaced, nil for none, and
// may forbid it.
type Check func(old *File) error

// headerType is the header of an object that says what its body is.
const headerType = "Content-Type"

// Put writes an object in place of one of the same key.
func (f *Folder) Put(ctx context.Context, bucket, key, contentType string, body io.Reader) error {
	_, err := f.Write(ctx, bucket, key, map[string]string{headerType: contentType}, body, nil)
	return err
}

// Write is Put with all that S3 keeps of an object. The check may be nil. An
// error of body leaves the old object in place.
func (f *Folder) Write(ctx context.Context, bucket, key string, header map[string]string, body io.Reader, check Check) (File, error) {
	if err := checkKey(key); err != nil {
		return File{}, err
	}
	if _, err := f.Bucket(bucket); err != nil {
		return File{}, err
	}
	sum := md5.New()
	file, err := f.writeBody(ctx, bucket, body, sum)
	if err != nil {
		return File{}, err
	}
	file.ETag, file.Header = hex.EncodeToString(sum.Sum(nil)), header
	return file, f.commit(bucket, key, file, check)
}

// writeBody puts a body on disk, under a name of its own.
func (f *Folder) writeBody(ctx context.Context, bucket string, body io.Reader, sum hash.Hash) (File, error) {
	id := newID()
	name := f.bodyFile(bucket, id)
	out, err := create(name)
	if err != nil {
		return File{}, fmt.Errorf("write object: %w", err)
	}
	n, err := io.Copy(io.MultiWriter(out, sum), contextReader{ctx, body})
	err = errors.Join(err, f.sync(out), out.Close())
	if err == nil {
		err = f.syncDir(filepath.Dir(name))
	}
	if err != nil {
		os.Remove(name)
		return File{}, err
	}
	return File{Size: n, Body: id, Modified: f.now().UTC()}, nil
}

// create makes a file and the folders it stands in, of which a sweep may take
// one away in between.
func create(name string) (out *os.File, err error) {
	for range 10 {
		if err = os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return nil, err
		}
		out, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if !errors.Is(err, fs.ErrNotExist) {
			return out, err
		}
	}
	return nil, err
}

// commit makes file the object of its key and drops what it replaces.
func (f *Folder) commit(bucket, key string, file File, check Check) (err error) {
	f.bmu.RLock()
	defer f.bmu.RUnlock()
	defer f.lock(bucket, key)()
	defer func() {
		if err != nil {
			os.Remove(f.bodyFile(bucket, file.Body))
		}
	}()
	if _, err := f.bucket(bucket); err != nil { // deleted while the body came
		return err
	}
	old, err := f.stat(bucket, key)
	if err != nil && outcrop.KindOf(err) != outcrop.NotFound {
		return err
	}
	if check != nil {
		if err := check(old); err != nil {
			return err
		}
	}
	if err := f.save(bucket, key, file); err != nil {
		return err
	}
	if old != nil && old.Body != file.Body {
		os.Remove(f.bodyFile(bucket, old.Body)) // who reads it has it open
	}
	return nil
}

func (f *Folder) save(bucket, key string, file File) error {
	text, err := json.Marshal(file)
	if err != nil {
		return err
	}
	name := f.keyFile(bucket, key)
	for range 10 {
		if err = os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			break
		}
		if err = f.writeFile(name, text); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("write object: %w", err)
	}
	return nil
}

// SetHeader changes one header of an object; an empty value takes it away.
func (f *Folder) SetHeader(bucket, key, name, value string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	f.bmu.RLock()
	defer f.bmu.RUnlock()
	defer f.lock(bucket, key)()
	file, err := f.stat(bucket, key)
	if err != nil {
		return err
	}
	if file.Header == nil {
		file.Header = map[string]string{}
	}
	if file.Header[name] = value; value == "" {
		delete(file.Header, name)
	}
	return f.save(bucket, key, *file)
}

// Delete takes an object away; one that is not there is no error.
func (f *Folder) Delete(_ context.Context, bucket, key string) error {
	f.bmu.RLock()
	defer f.bmu.RUnlock()
	if _, err := f.bucket(bucket); err != nil {
		return err
	}
	if checkKey(key) != nil {
		return nil // it cannot be there
	}
	defer f.lock(bucket, key)()
	old, err := f.stat(bucket, key)
	if outcrop.KindOf(err) == outcrop.NotFound && err != nil {
		return nil
	}
	if err != nil {
		return err
	}
	if err := os.Remove(f.keyFile(bucket, key)); err != nil {
		return fmt.Errorf("delete object: %w", err)
	}
	os.Remove(f.bodyFile(bucket, old.Body))
	f.sweep(bucket, key)
	return nil
}

// A contextReader ends with its context: a client that is gone must not hold a
// file open.
type contextReader struct {
	ctx context.Context
	io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.Reader.Read(p)
}
