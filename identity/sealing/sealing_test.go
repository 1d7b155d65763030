package sealing_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"outcrop/identity/sealing"
)

const purpose sealing.Purpose = "test secrets v1"

func wantPrivate(t *testing.T, file string) {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("%s has mode %o, want 600", file, mode)
	}
}

func TestSealer(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	s, err := sealing.NewSealer(dir)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "envelope-keys.json")
	wantPrivate(t, file)
	sealed, err := s.Seal(purpose, "AKIA1", "secret")
	if err != nil || strings.Contains(string(sealed), "secret") {
		t.Fatal(sealed, err)
	}
	if twice, err := s.Seal(purpose, "AKIA1", "secret"); err != nil || twice == sealed {
		t.Error("the same secret seals alike", err)
	}
	again, err := sealing.NewSealer(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open(purpose, "AKIA1", sealed); err != nil || got != "secret" {
		t.Error(got, err)
	}
	for name, open := range map[string]func() (string, error){
		"another owner":   func() (string, error) { return s.Open(purpose, "AKIA2", sealed) },
		"another purpose": func() (string, error) { return s.Open("other", "AKIA1", sealed) },
		"cut short":       func() (string, error) { return s.Open(purpose, "AKIA1", sealed[:20]) },
		"not sealed":      func() (string, error) { return s.Open(purpose, "AKIA1", "secret") },
		"nothing":         func() (string, error) { return s.Open(purpose, "AKIA1", "") },
	} {
		if got, err := open(); err == nil || got != "" || strings.Contains(err.Error(), "secret\"") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if err := s.Rotate(); err != nil {
		t.Fatal(err)
	}
	wantPrivate(t, file)
	if got, err := s.Open(purpose, "AKIA1", sealed); err != nil || got != "secret" {
		t.Error("after rotation:", got, err)
	}
}

// Property: what is sealed opens to itself, and no altered byte opens.
func TestSealedProperty(t *testing.T) {
	s, err := sealing.NewSealer(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		owner, secret := rapid.String().Draw(t, "owner"), rapid.String().Draw(t, "secret")
		sealed, err := s.Seal(purpose, owner, secret)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Open(purpose, owner, sealed); err != nil || got != secret {
			t.Fatal(got, err)
		}
		b := []byte(sealed)
		i := rapid.IntRange(0, len(b)-2).Draw(t, "i") // the last character may hold unused bits
		b[i] = "AB"[b2i(b[i] == 'A')]
		if _, err := s.Open(purpose, owner, sealing.Sealed(b)); err == nil {
			t.Fatalf("altered at %d and opened", i)
		}
	})
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestDamagedEnvelopeFile(t *testing.T) {
	const key = "c2VjcmV0c2VjcmV0c2VjcmV0"
	for _, content := range []string{"", "{", `{"current":"a","keys":[]}`, `{"current":"a","keys":[{"id":"a","key":"` + key + `"}]}`, `{"current":"a","keys":[{"id":"a","key":"` + key + `!"}]}`, strings.Repeat(" ", 1<<20+1)} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "envelope-keys.json"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := sealing.NewSealer(dir)
		if err == nil || strings.Contains(err.Error(), key) {
			t.Errorf("%.40q: %v", content, err)
		}
	}
}
