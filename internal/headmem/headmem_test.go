package headmem

import (
	"maps"
	"net/http"
	"slices"
	"testing"
	"unsafe"
)

// Property: no text of a credential is shared between two heads: it was not
// compared with what another caller sent.
func TestCredentialsAreNotLookedForInOthers(t *testing.T) {
	for _, name := range []string{"authorization", "x-amz-security-token", "x-api-key", "api-key", "cookie", "X-Amz-Date", "accept"} {
		var m Memory
		text := func() *byte {
			m.Begin(1)
			f, ok := m.Read(name + ": Bearer abcdefgh")
			if !ok {
				t.Fatalf("%s is no field", name)
			}
			return unsafe.StringData(f.Value)
		}
		before, secret := text(), credentials[http.CanonicalHeaderKey(name)]
		if shared := text() == before; shared == secret {
			t.Errorf("%s: shared with the head before: %t", name, shared)
		}
	}
}

// Nor is it compared with what another field of a later head says in its place.
func TestNothingIsLookedForInACredential(t *testing.T) {
	for _, name := range []string{"authorization", "X-Amz-Security-Token", "cookie"} {
		var m Memory
		m.Begin(1)
		f, _ := m.Read(name + ": Bearer abcdefgh")
		secret := unsafe.StringData(f.Value)
		m.Begin(1)
		if f, _ = m.Read("x-guess: Bearer abcdefgh"); unsafe.StringData(f.Value) == secret {
			t.Errorf("a guess was compared with the %s of the head before", name)
		}
	}
}

// Property: whatever heads are read one after another, each is its own, and the
// line may be written over when it was read.
func FuzzMemory(f *testing.F) {
	f.Add("a: b", "A: b", "a:c")
	f.Add("", ":", "a")
	f.Add("authorization: x", "cookie:", "x-y: \x00")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		var used Memory
		for _, lines := range [][]string{{a, b, c}, {c, a}, {b, b, b}, {a}, {a, b, c}} {
			var fresh Memory
			header, want := used.Begin(len(lines)), fresh.Begin(len(lines))
			for _, line := range lines {
				text := []byte(line)
				got, ok := used.Read(unsafe.String(unsafe.SliceData(text), len(text)))
				for i := range text {
					text[i] = '!'
				}
				meant, valid := fresh.Read(line)
				if ok != valid || ok && (got.Key != meant.Key || got.Value != meant.Value) {
					t.Fatalf("%q is %+v, %t in used memory, %+v, %t in new", line, got, ok, meant, valid)
				}
				if ok {
					used.Add(got)
					fresh.Add(meant)
				}
			}
			if !maps.EqualFunc(header, want, slices.Equal) {
				t.Fatalf("%q is %v in used memory, %v in new", lines, header, want)
			}
		}
	})
}

func TestALargeMemoryIsNotKept(t *testing.T) {
	var m Memory
	m.Begin(1)
	if m.Read("a: b"); !m.Small() {
		t.Error("one field is too much")
	}
	if m.Read("b: " + string(make([]byte, maxBytes))); m.Small() {
		t.Error("a long head is kept")
	}
	m.Begin(1)
	for range maxFields {
		m.Read("a: b")
	}
	if m.Read("a: b"); m.Small() {
		t.Error("many fields are kept")
	}
}
