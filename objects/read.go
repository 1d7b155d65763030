package objects

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"outcrop"
)

// Stat is what is kept of an object.
func (f *Folder) Stat(bucket, key string) (*File, error) {
	if _, err := f.Bucket(bucket); err != nil {
		return nil, err
	}
	return f.stat(bucket, key)
}

func (f *Folder) stat(bucket, key string) (*File, error) {
	if checkKey(key) != nil {
		return nil, NoSuchKey(key)
	}
	text, err := os.ReadFile(f.keyFile(bucket, key))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir) {
		return nil, NoSuchKey(key)
	}
	file := new(File)
	if err == nil {
		err = json.Unmarshal(text, file)
	}
	if err == nil && !isUpload(file.Body) {
		err = errors.New("its body has no name")
	}
	if err != nil {
		return nil, fmt.Errorf("read object %s/%s: %w", bucket, key, err)
	}
	return file, nil
}

// Open opens an object's body. Close it.
func (f *Folder) Open(bucket, key string) (*os.File, *File, error) {
	for {
		file, err := f.Stat(bucket, key)
		if err != nil {
			return nil, nil, err
		}
		body, err := os.Open(f.bodyFile(bucket, file.Body))
		if !errors.Is(err, fs.ErrNotExist) {
			return body, file, err
		}
		if now, err := f.stat(bucket, key); err != nil || now.Body == file.Body { // else it was replaced between the two
			return nil, nil, errors.Join(fmt.Errorf("the body of %s/%s is missing on disk", bucket, key), err)
		}
	}
}

// Get reads an object.
func (f *Folder) Get(_ context.Context, bucket, key string) (io.ReadCloser, Object, error) {
	body, file, err := f.Open(bucket, key)
	if err != nil {
		return nil, Object{}, err
	}
	o := file.object(key)
	o.ContentType = file.Header[headerType]
	return body, o, nil
}

func (f *File) object(key string) Object {
	return Object{Key: key, Size: f.Size, ETag: f.ETag, Modified: f.Modified}
}

// A Page is some of a bucket's keys, in order.
type Page struct {
	Objects  []Object
	Prefixes []string // what keys with the delimiter begin with, each once
	Last     string   // the last key or prefix of this page
	More     bool
}

// Page lists at most limit keys that begin with prefix and come after the key
// or prefix after. With a delimiter, keys that go on behind it are told as one
// prefix.
func (f *Folder) Page(bucket, prefix, delimiter, after string, limit int) (Page, error) {
	if _, err := f.Bucket(bucket); err != nil {
		return Page{}, err
	}
	return f.page(bucket, prefix, delimiter, after, limit)
}

func (f *Folder) page(bucket, prefix, delimiter, after string, limit int) (p Page, err error) {
	w := walk{top: filepath.Join(f.dir, bucket, keysDir), prefix: prefix, after: after, whole: delimiter == "/"}
	w.yield = func(key string, folder bool) (bool, error) {
		if delimiter != "" {
			if i := strings.Index(key[len(prefix):], delimiter); i >= 0 {
				key, folder = key[:len(prefix)+i+len(delimiter)], true
			}
		}
		if key <= after || folder && (key == p.Last || strings.HasPrefix(after, key)) {
			return true, nil
		}
		if len(p.Objects)+len(p.Prefixes) == limit {
			p.More = true
			return false, nil
		}
		if folder {
			p.Prefixes = append(p.Prefixes, key)
		} else {
			file, err := f.stat(bucket, key)
			if outcrop.KindOf(err) == outcrop.NotFound && err != nil {
				return true, nil // deleted meanwhile
			}
			if err != nil {
				return false, err
			}
			p.Objects = append(p.Objects, file.object(key))
		}
		p.Last = key
		return true, nil
	}
	_, err = w.folder("")
	return p, err
}

// List yields the objects whose keys begin with prefix.
func (f *Folder) List(ctx context.Context, bucket, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for after := ""; ; {
			page, err := f.Page(bucket, prefix, "", after, listPage)
			if err = errors.Join(err, ctx.Err()); err != nil {
				yield(Object{}, err)
				return
			}
			for _, o := range page.Objects {
				if !yield(o, nil) {
					return
				}
			}
			if !page.More {
				return
			}
			after = page.Last
		}
	}
}

const listPage = 1000
