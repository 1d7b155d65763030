package objects

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"outcrop"
)

// A Folder keeps buckets on disk (docs/formats/objects.md). An object is a
// small file under its key, which says what there is to know and names the file
// of its body: replacing that file is what makes a write whole or not at all.
type Folder struct {
	dir string
	now func() time.Time
	mu  [64]sync.Mutex // by key: a check and the write that follows it are one
	bmu sync.RWMutex   // write-locked while buckets come, go and change

	hasty bool // tests only: nothing is synced to disk
}

// The parts of a bucket's folder.
const (
	bucketFile = "bucket.json"
	keysDir    = "keys"
	bodiesDir  = "bodies"
	uploadsDir = "uploads"
)

// OpenFolder opens or makes the folder. Multipart uploads that the last process
// left unfinished are gone: their clients start again.
func OpenFolder(dir string, now func() time.Time) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make objects folder: %w", err)
	}
	f := &Folder{dir: dir, now: now}
	buckets, err := f.Buckets()
	if err != nil {
		return nil, err
	}
	for _, b := range buckets {
		if err := os.RemoveAll(filepath.Join(dir, b.Name, uploadsDir)); err != nil {
			return nil, fmt.Errorf("clear unfinished uploads: %w", err)
		}
	}
	return f, nil
}

// A Bucket holds objects. Its name is unique among all accounts, as on AWS.
type Bucket struct {
	Name    string            `json:"name"`
	Account outcrop.AccountID `json:"account"`
	Region  outcrop.Region    `json:"region"`
	Created time.Time         `json:"created"`
	Policy  string            `json:"policy,omitempty"` // resource policy, empty for none
}

// CreateBucket makes a bucket. One of its name is an error of kind Clash.
func (f *Folder) CreateBucket(b Bucket) error {
	if err := CheckBucket(b.Name); err != nil {
		return err
	}
	f.bmu.Lock()
	defer f.bmu.Unlock()
	if old, err := f.bucket(b.Name); err == nil {
		return f.taken(old, b.Account)
	}
	b.Created = f.now().UTC()
	for _, part := range []string{keysDir, bodiesDir} {
		if err := os.MkdirAll(filepath.Join(f.dir, b.Name, part), 0o700); err != nil {
			return fmt.Errorf("make bucket: %w", err)
		}
	}
	return f.saveBucket(b)
}

func (f *Folder) taken(old Bucket, by outcrop.AccountID) error {
	e := outcrop.Errorf(outcrop.Clash, "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.")
	e.Code, e.Resource = "BucketAlreadyExists", old.Name
	if old.Account == by {
		e.Code, e.Message = "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it."
	}
	return e
}

func (f *Folder) saveBucket(b Bucket) error {
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return f.writeFile(filepath.Join(f.dir, b.Name, bucketFile), text)
}

// Bucket finds a bucket.
func (f *Folder) Bucket(name string) (Bucket, error) {
	f.bmu.RLock()
	defer f.bmu.RUnlock()
	return f.bucket(name)
}

func (f *Folder) bucket(name string) (b Bucket, err error) {
	if CheckBucket(name) != nil {
		return b, NoSuchBucket(name)
	}
	text, err := os.ReadFile(filepath.Join(f.dir, name, bucketFile))
	if errors.Is(err, fs.ErrNotExist) {
		return b, NoSuchBucket(name)
	}
	if err == nil {
		err = json.Unmarshal(text, &b)
	}
	if err != nil {
		return b, fmt.Errorf("read bucket %s: %w", name, err)
	}
	return b, nil
}

// Buckets lists all buckets by name.
func (f *Folder) Buckets() ([]Bucket, error) {
	f.bmu.RLock()
	defer f.bmu.RUnlock()
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, fmt.Errorf("list buckets: %w", err)
	}
	var all []Bucket
	for _, e := range entries {
		b, err := f.bucket(e.Name())
		if outcrop.KindOf(err) == outcrop.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, nil
}

// SetPolicy keeps a bucket's resource policy; an empty one is none.
func (f *Folder) SetPolicy(bucket, policy string) error {
	f.bmu.Lock()
	defer f.bmu.Unlock()
	b, err := f.bucket(bucket)
	if err != nil {
		return err
	}
	b.Policy = policy
	return f.saveBucket(b)
}

// DeleteBucket takes an empty bucket away.
func (f *Folder) DeleteBucket(name string) error {
	f.bmu.Lock() // no object is written meanwhile
	defer f.bmu.Unlock()
	if _, err := f.bucket(name); err != nil {
		return err
	}
	page, err := f.page(name, "", "", "", 1)
	if err != nil {
		return err
	}
	if len(page.Objects) > 0 {
		e := outcrop.Errorf(outcrop.Clash, "The bucket you tried to delete is not empty")
		e.Code, e.Resource = "BucketNotEmpty", name
		return e
	}
	if err := os.Remove(filepath.Join(f.dir, name, bucketFile)); err != nil {
		return fmt.Errorf("delete bucket: %w", err)
	}
	return os.RemoveAll(filepath.Join(f.dir, name))
}

// lock makes a check of a key and the write that follows it one.
func (f *Folder) lock(bucket, key string) (unlock func()) {
	var h uint32 = 2166136261 // FNV-1a
	for _, c := range []byte(bucket + "/" + key) {
		h = (h ^ uint32(c)) * 16777619
	}
	m := &f.mu[h%uint32(len(f.mu))]
	m.Lock()
	return m.Unlock
}

func (f *Folder) keyFile(bucket, key string) string {
	return filepath.Join(f.dir, bucket, keysDir, filepath.FromSlash(keyPath(key)))
}

func (f *Folder) bodyFile(bucket, id string) string {
	return filepath.Join(f.dir, bucket, bodiesDir, id[:2], id)
}

// newID names a body or an upload.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	return hex.EncodeToString(b[:])
}

// writeFile replaces a file durably.
func (f *Folder) writeFile(name string, text []byte) error {
	tmp := name + "." + newID()[:8] + ".tmp"
	out, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	err = errors.Join(err, f.sync(out), out.Close())
	if err == nil {
		err = os.Rename(tmp, name)
	}
	if err != nil {
		os.Remove(tmp)
		return err
	}
	return f.syncDir(filepath.Dir(name))
}

func (f *Folder) sync(file *os.File) error {
	if f.hasty {
		return nil
	}
	return file.Sync()
}

func (f *Folder) syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.sync(d), d.Close())
}

// sweep takes away the folders that a deleted key leaves empty.
func (f *Folder) sweep(bucket, key string) {
	top := filepath.Join(f.dir, bucket, keysDir)
	for dir := filepath.Dir(f.keyFile(bucket, key)); dir != top && strings.HasPrefix(dir, top); dir = filepath.Dir(dir) {
		if os.Remove(dir) != nil { // not empty
			return
		}
	}
}

// isUpload says whether id can be the name of an upload's folder.
func isUpload(id string) bool {
	return len(id) == 32 && !slices.ContainsFunc([]byte(id), func(c byte) bool {
		return (c < '0' || c > '9') && (c < 'a' || c > 'f')
	})
}
