package objects_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"outcrop"
	"outcrop/objects"
	"outcrop/objects/objectstest"
)

func folder(t testing.TB) (*objects.Folder, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "s3")
	f, err := objects.OpenFolder(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.CreateBucket(objects.Bucket{Name: objectstest.Bucket, Account: "123456789012", Region: "us-east-1"}); err != nil {
		t.Fatal(err)
	}
	return f, dir
}

func TestFolderKeepsTheStoresPromises(t *testing.T) {
	f, _ := folder(t)
	objectstest.Run(t, f)
}

// Property: a page is what S3's documentation says of the sorted keys, however
// they nest, and the pages together are the whole list.
func TestPagesAreTheSortedKeys(t *testing.T) {
	f, _ := folder(t)
	objects.Hasty(f)
	name := 0
	rapid.Check(t, func(t *rapid.T) {
		name++
		bucket := fmt.Sprint("bucket-", name)
		if err := f.CreateBucket(objects.Bucket{Name: bucket}); err != nil {
			t.Fatal(err)
		}
		keys := map[string]bool{}
		for _, k := range rapid.SliceOfN(rapid.StringMatching(`[ab/.%é-]{1,6}`), 0, 12).Draw(t, "keys") {
			keys[k] = true
			if _, err := f.Write(t.Context(), bucket, k, nil, strings.NewReader(k), nil); err != nil {
				t.Fatal(err)
			}
			if rapid.IntRange(0, 4).Draw(t, "delete") == 0 {
				delete(keys, k)
				if err := f.Delete(t.Context(), bucket, k); err != nil {
					t.Fatal(err)
				}
			}
		}
		prefix := rapid.StringMatching(`[ab/]{0,2}`).Draw(t, "prefix")
		delimiter := rapid.SampledFrom([]string{"", "/", "a", "//"}).Draw(t, "delimiter")
		limit := rapid.IntRange(1, 4).Draw(t, "limit")
		var got []string
		for after := ""; ; {
			p, err := f.Page(bucket, prefix, delimiter, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			page := slices.Clone(p.Prefixes)
			for _, o := range p.Objects {
				page = append(page, o.Key)
			}
			got = append(got, slices.Sorted(slices.Values(page))...)
			if !p.More {
				break
			}
			if len(page) != limit {
				t.Fatalf("a page of %d where %d were asked for, and more to come", len(page), limit)
			}
			after = p.Last
		}
		if want := expected(keys, prefix, delimiter); !slices.Equal(got, want) {
			t.Fatalf("keys %q prefix %q delimiter %q: %q, want %q", slices.Sorted(maps.Keys(keys)), prefix, delimiter, got, want)
		}
	})
}

func expected(keys map[string]bool, prefix, delimiter string) []string {
	told := map[string]bool{}
	for k := range keys {
		rest, ok := strings.CutPrefix(k, prefix)
		if !ok {
			continue
		}
		if i := strings.Index(rest, delimiter); delimiter != "" && i >= 0 {
			k = prefix + rest[:i+len(delimiter)]
		}
		told[k] = true
	}
	return slices.Sorted(maps.Keys(told))
}

// Promise: of writers, readers and deleters of one key at once, each reader
// sees one whole body, and nothing stays behind on disk.
func TestOneKeyAtOnce(t *testing.T) {
	f, dir := folder(t)
	bodies := []string{strings.Repeat("a", 100_000), strings.Repeat("b", 50_000), "c"}
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			for range 20 {
				switch i % 3 {
				case 0:
					if err := f.Put(t.Context(), objectstest.Bucket, "deep/in/it", "x/y", strings.NewReader(bodies[i%4%3])); err != nil {
						t.Error(err)
					}
				case 1:
					if err := f.Delete(t.Context(), objectstest.Bucket, "deep/in/it"); err != nil {
						t.Error(err)
					}
				default:
					r, o, err := f.Get(t.Context(), objectstest.Bucket, "deep/in/it")
					if outcrop.KindOf(err) == outcrop.NotFound && err != nil {
						continue
					}
					if err != nil {
						t.Error(err)
						continue
					}
					text, err := io.ReadAll(r)
					if r.Close(); err != nil || int64(len(text)) != o.Size || !slices.Contains(bodies, string(text)) {
						t.Errorf("read %d bytes of %d: %v", len(text), o.Size, err)
					}
				}
			}
		})
	}
	all.Wait()
	if err := f.Delete(t.Context(), objectstest.Bucket, "deep/in/it"); err != nil {
		t.Fatal(err)
	}
	filepath.WalkDir(filepath.Join(dir, objectstest.Bucket), func(name string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != "bucket.json" {
			t.Errorf("%s stays behind", name)
		}
		return err
	})
	if err := f.DeleteBucket(objectstest.Bucket); err != nil {
		t.Error(err)
	}
}

func TestBuckets(t *testing.T) {
	f, dir := folder(t)
	code := func(err error) string {
		var e *outcrop.Error
		errors.As(err, &e)
		if e == nil {
			return ""
		}
		return e.Code
	}
	for _, bad := range []string{"", "ab", "Upper", "..", "a..b", "192.168.0.1", "-ab", "a_b", strings.Repeat("a", 64), "a/b"} {
		if got := code(f.CreateBucket(objects.Bucket{Name: bad})); got != "InvalidBucketName" {
			t.Errorf("bucket %q: %q", bad, got)
		}
		if _, err := f.Bucket(bad); code(err) != objects.CodeNoSuchBucket {
			t.Errorf("bucket %q: %v", bad, err)
		}
	}
	if got := code(f.CreateBucket(objects.Bucket{Name: objectstest.Bucket, Account: "123456789012"})); got != "BucketAlreadyOwnedByYou" {
		t.Error(got)
	}
	if got := code(f.CreateBucket(objects.Bucket{Name: objectstest.Bucket, Account: "210987654321"})); got != "BucketAlreadyExists" {
		t.Error(got)
	}
	if err := f.Put(t.Context(), objectstest.Bucket, "k", "", strings.NewReader("")); err != nil {
		t.Fatal(err)
	}
	if got := code(f.DeleteBucket(objectstest.Bucket)); got != "BucketNotEmpty" {
		t.Error(got)
	}
	if err := f.SetPolicy(objectstest.Bucket, "{}"); err != nil {
		t.Fatal(err)
	}
	again, err := objects.OpenFolder(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := again.Bucket(objectstest.Bucket); err != nil || b.Policy != "{}" || b.Account != "123456789012" || b.Region != "us-east-1" || b.Created.IsZero() {
		t.Errorf("after a restart: %+v, %v", b, err)
	}
	filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if info, _ := d.Info(); info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s can be read by others: %v", name, info.Mode())
		}
		return err
	})
}

// Divergence: S3 counts a key's bytes, a file system those of each part.
func TestKeysThatCannotBeWritten(t *testing.T) {
	f, _ := folder(t)
	for key, ok := range map[string]bool{
		strings.Repeat("a", 240): true, strings.Repeat("a", 241): false, strings.Repeat("a/", 512): true, strings.Repeat("a/", 513): false,
		strings.Repeat("%", 80): true, strings.Repeat("%", 81): false, "": false, "\xff": false,
	} {
		err := f.Put(t.Context(), objectstest.Bucket, key, "x/y", strings.NewReader("x"))
		if (err == nil) != ok || err != nil && outcrop.KindOf(err) != outcrop.Invalid {
			t.Errorf("%.20q of %d bytes: %v", key, len(key), err)
		}
	}
}

func TestMultipart(t *testing.T) {
	f, _ := folder(t)
	id, err := f.BeginUpload(objectstest.Bucket, "big", map[string]string{"Content-Type": "x/y"})
	if err != nil {
		t.Fatal(err)
	}
	part := func(n int, body string) objects.Part {
		t.Helper()
		etag, err := f.WritePart(t.Context(), objectstest.Bucket, id, n, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		return objects.Part{Number: n, ETag: etag}
	}
	first := strings.Repeat("1", 5<<20)
	old := part(7, "old")
	small := part(3, "small")
	three, seven := part(3, first), part(7, "end")
	for _, v := range []struct {
		parts []objects.Part
		code  string
	}{
		{nil, "MalformedXML"},
		{[]objects.Part{seven, three}, "InvalidPartOrder"},
		{[]objects.Part{three, old}, "InvalidPart"},
		{[]objects.Part{small}, "InvalidPart"},
		{[]objects.Part{{Number: 3, ETag: "../../../bucket.json"}}, "InvalidPart"},
		{[]objects.Part{{Number: 9, ETag: seven.ETag}}, "InvalidPart"},
	} {
		_, err := f.CompleteUpload(t.Context(), objectstest.Bucket, id, v.parts, nil)
		var e *outcrop.Error
		if !errors.As(err, &e) || e.Code != v.code {
			t.Errorf("%v: %v, want %s", v.parts, err, v.code)
		}
	}
	file, err := f.CompleteUpload(t.Context(), objectstest.Bucket, id, []objects.Part{three, seven}, nil)
	if err != nil || !strings.HasSuffix(file.ETag, "-2") || !slices.Equal(file.PartSizes, []int64{5 << 20, 3}) {
		t.Fatalf("%+v, %v", file, err)
	}
	r, o, err := f.Get(t.Context(), objectstest.Bucket, "big")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if text, _ := io.ReadAll(r); string(text) != first+"end" || o.ContentType != "x/y" {
		t.Errorf("%d bytes of %s", len(text), o.ContentType)
	}
	if _, err := f.WritePart(t.Context(), objectstest.Bucket, id, 1, strings.NewReader("x")); outcrop.KindOf(err) != outcrop.NotFound {
		t.Errorf("a part after the end: %v", err)
	}
}
