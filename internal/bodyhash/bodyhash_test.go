package bodyhash

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// both hashes as two goroutines do that meet.
func both(a, b []byte) (sumA, sumB [sha256.Size]byte) {
	s := &seat{text: b, state: start, done: make(chan struct{})}
	sumA = s.takeAlong(a)
	return sumA, finish(&s.state, b, s.blocks)
}

// Property: two texts hashed at once have the hashes that each has alone,
// whatever their lengths and wherever in memory they begin.
func TestBothAreWhatEachIs(t *testing.T) {
	needTwins(t)
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawText(t, "a"), drawText(t, "b")
		gotA, gotB := both(a, b)
		if gotA != sha256.Sum256(a) || gotB != sha256.Sum256(b) {
			t.Fatalf("%d and %d bytes: %x, %x", len(a), len(b), gotA, gotB)
		}
	})
}

func drawText(t *rapid.T, label string) []byte {
	lengths := rapid.OneOf(rapid.IntRange(1, 300), rapid.IntRange(1, 20<<10))
	seed, from := rapid.Uint64().Draw(t, label), rapid.IntRange(0, 15).Draw(t, label+" begins at")
	text := make([]byte, from+lengths.Draw(t, label+" is long"))
	random := rand.New(rand.NewPCG(seed, 0))
	for i := range text {
		text[i] = byte(random.Uint32())
	}
	return text[from:]
}

func FuzzBoth(f *testing.F) {
	f.Add([]byte("a"), []byte("abc"))
	f.Add(bytes.Repeat([]byte{0xff}, 64), bytes.Repeat([]byte{0}, 129))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		needTwins(t)
		if len(a) == 0 || len(b) == 0 {
			return // no large bodies
		}
		gotA, gotB := both(a, b)
		if gotA != sha256.Sum256(a) || gotB != sha256.Sum256(b) {
			t.Errorf("%d and %d bytes: %x, %x", len(a), len(b), gotA, gotB)
		}
	})
}

// Else every hash would be computed twice.
func TestADigestSavesItselfAsExpected(t *testing.T) {
	saved, err := sha256.New().(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil || len(saved) != savedBytes || string(saved[:4]) != "sha\x03" {
		t.Errorf("saved as %q, %v", saved, err)
	}
}

// Property: however many hash at one time, each gets the hash of its own body.
func TestEveryoneGetsTheirOwn(t *testing.T) {
	var all sync.WaitGroup
	for who := range byte(8) {
		all.Go(func() {
			for range 100 {
				body := bytes.Repeat([]byte{who}, large-100+rand.IntN(large))
				if Sum(body) != sha256.Sum256(body) {
					t.Errorf("%d: a wrong hash of %d bytes", who, len(body))
				}
			}
		})
	}
	all.Wait()
}

// A body waits only on a busy server, and not long when none follows.
func TestWaiting(t *testing.T) {
	needTwins(t)
	synctest.Test(t, func(t *testing.T) {
		body := make([]byte, large)
		takes := func(want time.Duration) {
			t.Helper()
			began := time.Now()
			if Sum(body) != sha256.Sum256(body) {
				t.Error("a wrong hash")
			}
			if d := time.Since(began); d != want {
				t.Errorf("it takes %v, not %v", d, want)
			}
		}
		for range 3 {
			takes(0)
			time.Sleep(busyWithin)
		}
		takes(0)
		takes(patience)
		var pair sync.WaitGroup
		for range 2 {
			pair.Go(func() { takes(0) })
		}
		pair.Wait()
	})
}

func needTwins(t testing.TB) {
	if !twins {
		t.Skip("this processor hashes one text at a time")
	}
}

// Each iteration hashes two bodies of a megabyte.
func BenchmarkTwoBodies(b *testing.B) {
	one, two := make([]byte, 1<<20), make([]byte, 1<<20)
	b.Run("one after the other", func(b *testing.B) {
		b.SetBytes(2 << 20)
		for b.Loop() {
			sha256.Sum256(one)
			sha256.Sum256(two)
		}
	})
	b.Run("at once", func(b *testing.B) {
		needTwins(b)
		b.SetBytes(2 << 20)
		for b.Loop() {
			both(one, two)
		}
	})
}
