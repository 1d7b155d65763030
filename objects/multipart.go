package objects

import (
	"cmp"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"outcrop"
)

// A Part is a piece of a multipart upload, as its client names it.
type Part struct {
	Number int
	ETag   string // without quotes
}

// An upload is kept on disk beside its parts.
type upload struct {
	Key    string            `json:"key"`
	Header map[string]string `json:"header"`
}

const uploadFile = "upload.json"

// BeginUpload starts a multipart upload and names it.
func (f *Folder) BeginUpload(bucket, key string, header map[string]string) (id string, err error) {
	if err := checkKey(key); err != nil {
		return "", err
	}
	if _, err := f.Bucket(bucket); err != nil {
		return "", err
	}
	id = newID()
	dir := f.uploadDir(bucket, id)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("begin upload: %w", err)
	}
	text, err := json.Marshal(upload{key, header})
	if err != nil {
		return "", err
	}
	return id, f.writeFile(filepath.Join(dir, uploadFile), text)
}

func (f *Folder) uploadDir(bucket, id string) string {
	return filepath.Join(f.dir, bucket, uploadsDir, id)
}

func (f *Folder) upload(bucket, id string) (u upload, err error) {
	if !isUpload(id) || CheckBucket(bucket) != nil {
		return u, noSuchUpload()
	}
	text, err := os.ReadFile(filepath.Join(f.uploadDir(bucket, id), uploadFile))
	if errors.Is(err, fs.ErrNotExist) {
		return u, noSuchUpload()
	}
	if err != nil {
		return u, fmt.Errorf("read upload: %w", err)
	}
	return u, json.Unmarshal(text, &u)
}

func noSuchUpload() error {
	e := outcrop.Errorf(outcrop.NotFound, "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.")
	e.Code = "NoSuchUpload"
	return e
}

// WritePart keeps one part, in place of one of the same number, and returns
// its ETag. Its file's name tells number and ETag.
func (f *Folder) WritePart(ctx context.Context, bucket, id string, number int, body io.Reader) (etag string, err error) {
	if _, err := f.upload(bucket, id); err != nil {
		return "", err
	}
	dir := f.uploadDir(bucket, id)
	tmp := filepath.Join(dir, newID()+".tmp")
	out, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("write part: %w", err)
	}
	sum := md5.New()
	_, err = io.Copy(io.MultiWriter(out, sum), contextReader{ctx, body})
	err = errors.Join(err, out.Close())
	etag = hex.EncodeToString(sum.Sum(nil))
	if err == nil {
		defer f.lock(bucket, id)()
		err = f.placePart(dir, number, etag, tmp)
	}
	if err != nil {
		os.Remove(tmp)
		return "", err
	}
	return etag, nil
}

func (f *Folder) placePart(dir string, number int, etag, tmp string) error {
	old, err := filepath.Glob(filepath.Join(dir, strconv.Itoa(number)+"-*"))
	if err != nil {
		return err
	}
	for _, name := range old {
		os.Remove(name)
	}
	return os.Rename(tmp, filepath.Join(dir, partName(number, etag)))
}

func partName(number int, etag string) string { return strconv.Itoa(number) + "-" + etag }

// minPartBytes is the least that every part but the last has on AWS.
const minPartBytes = 5 << 20

// CompleteUpload makes one object of the parts, in the order given, and
// forgets the upload.
func (f *Folder) CompleteUpload(ctx context.Context, bucket, id string, parts []Part, check Check) (File, error) {
	u, err := f.upload(bucket, id)
	if err != nil {
		return File{}, err
	}
	sizes, err := f.checkParts(bucket, id, parts)
	if err != nil {
		return File{}, err
	}
	sum := md5.New()
	for _, p := range parts {
		digest, _ := hex.DecodeString(p.ETag) // it is a file's name: checkParts found it
		sum.Write(digest)
	}
	body := &partsReader{dir: f.uploadDir(bucket, id), parts: parts}
	defer body.close()
	file, err := f.writeBody(ctx, bucket, body, md5.New())
	if err != nil {
		return File{}, err
	}
	file.ETag, file.Header, file.PartSizes = hex.EncodeToString(sum.Sum(nil))+"-"+strconv.Itoa(len(parts)), u.Header, sizes
	if err := f.commit(bucket, u.Key, file, check); err != nil {
		return File{}, err
	}
	return file, f.AbortUpload(bucket, id)
}

func (f *Folder) checkParts(bucket, id string, parts []Part) ([]int64, error) {
	refuse := func(code, text string) error {
		e := outcrop.Errorf(outcrop.Invalid, "%s", text)
		e.Code = code
		return e
	}
	if len(parts) == 0 {
		return nil, refuse("MalformedXML", "You must specify at least one part")
	}
	if !slices.IsSortedFunc(parts, func(a, b Part) int { return cmp.Or(cmp.Compare(a.Number, b.Number), -1) }) {
		return nil, refuse("InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.")
	}
	sizes := make([]int64, len(parts))
	for i, p := range parts {
		info, err := os.Stat(filepath.Join(f.uploadDir(bucket, id), partName(p.Number, filepath.Base(p.ETag))))
		if err != nil {
			return nil, refuse("InvalidPart", "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.")
		}
		if sizes[i] = info.Size(); sizes[i] < minPartBytes && i < len(parts)-1 {
			return nil, refuse("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
		}
	}
	return sizes, nil
}

// AbortUpload forgets an upload and its parts.
func (f *Folder) AbortUpload(bucket, id string) error {
	if !isUpload(id) || CheckBucket(bucket) != nil {
		return noSuchUpload()
	}
	return os.RemoveAll(f.uploadDir(bucket, id))
}

// A partsReader reads the parts one after the other, with one file open.
type partsReader struct {
	dir   string
	parts []Part
	file  *os.File
}

func (r *partsReader) Read(p []byte) (int, error) {
	for {
		if r.file == nil {
			if len(r.parts) == 0 {
				return 0, io.EOF
			}
			file, err := os.Open(filepath.Join(r.dir, partName(r.parts[0].Number, r.parts[0].ETag)))
			if err != nil {
				return 0, err
			}
			r.file, r.parts = file, r.parts[1:]
		}
		n, err := r.file.Read(p)
		if err == io.EOF {
			r.close()
			err = nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func (r *partsReader) close() {
	if r.file != nil {
		r.file.Close()
		r.file = nil
	}
}
