// Package objectstest holds every objects.Store to the same promises.
package objectstest

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"outcrop"
	"outcrop/objects"
)

// Bucket is what the store under test must have, empty.
const Bucket = "objects-under-test"

// Run holds a store to every promise of objects.Store.
func Run(t *testing.T, s objects.Store) {
	put := func(t *testing.T, key, body string) {
		t.Helper()
		if err := s.Put(t.Context(), Bucket, key, "text/plain", strings.NewReader(body)); err != nil {
			t.Fatal(err)
		}
	}
	read := func(t *testing.T, key string) (string, objects.Object) {
		t.Helper()
		r, o, err := s.Get(t.Context(), Bucket, key)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(text), o
	}
	t.Run("what was put is got, and put again is replaced", func(t *testing.T) {
		put(t, "a/b c+d?é.txt", "one")
		put(t, "a/b c+d?é.txt", "second")
		text, o := read(t, "a/b c+d?é.txt")
		if text != "second" || o.Size != 6 || o.ContentType != "text/plain" || o.ETag != "a9f0e61a137d86aa9db53465e0801612" || o.Modified.IsZero() {
			t.Errorf("got %q, %+v", text, o)
		}
	})
	t.Run("an empty body and a large one", func(t *testing.T) {
		put(t, "empty", "")
		if text, o := read(t, "empty"); text != "" || o.Size != 0 {
			t.Errorf("got %q, %+v", text, o)
		}
		large := bytes.Repeat([]byte("0123456789abcdef"), 20<<20/16)
		if err := s.Put(t.Context(), Bucket, "large", "application/octet-stream", struct{ io.Reader }{bytes.NewReader(large)}); err != nil {
			t.Fatal(err)
		}
		if text, o := read(t, "large"); text != string(large) || o.Size != int64(len(large)) {
			t.Errorf("got %d bytes, %d of them told", len(text), o.Size)
		}
	})
	t.Run("a body that breaks leaves what was there", func(t *testing.T) {
		put(t, "broken", "whole")
		broken := errors.New("broken")
		body := io.MultiReader(strings.NewReader("ha"), errReader{broken})
		if err := s.Put(t.Context(), Bucket, "broken", "text/plain", body); !errors.Is(err, broken) {
			t.Errorf("the error is %v", err)
		}
		if text, _ := read(t, "broken"); text != "whole" {
			t.Errorf("got %q", text)
		}
	})
	t.Run("keys are listed in the order of their bytes", func(t *testing.T) {
		keys := []string{"l/a", "l/a/b", "l/a/b/", "l/a-b", "l/a0", "l/Z", "l/é", "l//x", "l/.", "l/%41", "m"}
		for _, k := range keys {
			put(t, k, k)
		}
		var got, want []string
		for o, err := range s.List(t.Context(), Bucket, "l/") {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, o.Key)
		}
		want = slices.Sorted(slices.Values(keys[:len(keys)-1]))
		if !slices.Equal(got, want) {
			t.Errorf("listed %q, want %q", got, want)
		}
		for _, err := range s.List(t.Context(), Bucket, "nothing/") {
			t.Errorf("something is listed below nothing: %v", err)
		}
	})
	t.Run("deleted is gone, and twice is no error", func(t *testing.T) {
		put(t, "gone", "x")
		for range 2 {
			if err := s.Delete(t.Context(), Bucket, "gone"); err != nil {
				t.Fatal(err)
			}
		}
		missing(t, s, Bucket, "gone", objects.CodeNoSuchKey)
	})
	t.Run("a bucket that is not there", func(t *testing.T) {
		missing(t, s, "no-such-bucket-here", "k", objects.CodeNoSuchBucket)
		err := s.Put(t.Context(), "no-such-bucket-here", "k", "text/plain", strings.NewReader("x"))
		hasCode(t, err, objects.CodeNoSuchBucket)
		for _, err := range s.List(t.Context(), "no-such-bucket-here", "") {
			hasCode(t, err, objects.CodeNoSuchBucket)
		}
	})
}

func missing(t *testing.T, s objects.Store, bucket, key, code string) {
	t.Helper()
	r, _, err := s.Get(t.Context(), bucket, key)
	if err == nil {
		r.Close()
	}
	hasCode(t, err, code)
}

func hasCode(t *testing.T, err error, code string) {
	t.Helper()
	var e *outcrop.Error
	if !errors.As(err, &e) || e.Kind != outcrop.NotFound || e.Code != code {
		t.Errorf("the error is %v, want %s", err, code)
	}
}

type errReader struct{ error }

func (r errReader) Read([]byte) (int, error) { return 0, r.error }
