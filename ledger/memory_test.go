package ledger

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"outcrop"
)

// uuid is the nth of ids that look like the real ones.
func uuid(n int) outcrop.InvocationID {
	return outcrop.InvocationID(fmt.Sprintf("019%05x-%04x-7abc-8def-%012x", n&0xfffff, n>>4&0xffff, n))
}

func TestMemoryHoldsTheLastIDs(t *testing.T) {
	var m memory
	const all = 3 * memoryIDs
	for n := range all {
		m.add(uuid(n))
	}
	for n := all - memoryIDs; n < all; n++ {
		if !m.has(uuid(n)) {
			t.Fatalf("forgot %d of %d", n, all)
		}
	}
	if m.has(uuid(0)) {
		t.Error("remembers what is long ago: it has no bound")
	}
}

// Property: two ids have one fingerprint only if they are one id.
func TestFingerprintsTellIDsApart(t *testing.T) {
	ids := rapid.OneOf(rapid.Map(rapid.IntRange(0, 300), uuid), rapid.Map(rapid.String(), func(s string) outcrop.InvocationID { return outcrop.InvocationID(s) }),
		rapid.Map(rapid.IntRange(0, 300), func(n int) outcrop.InvocationID { return outcrop.InvocationID(strings.ToUpper(string(uuid(n)))) }),
		rapid.Map(rapid.IntRange(0, 300), func(n int) outcrop.InvocationID { return outcrop.InvocationID("g" + string(uuid(n))[1:]) }))
	rapid.Check(t, func(t *rapid.T) {
		a, b := ids.Draw(t, "a"), ids.Draw(t, "b")
		if (fingerprintOf(a) == fingerprintOf(b)) != (a == b) {
			t.Fatalf("%q and %q: fingerprints %x and %x", a, b, fingerprintOf(a), fingerprintOf(b))
		}
	})
}

// A soak showed the memory of settled ids to be most of what grew.
func TestMemoryIsSmall(t *testing.T) {
	var m memory
	before := heap()
	for n := range 4 * memoryIDs {
		m.add(uuid(n))
	}
	full := heap() - before
	for n := range 4 * memoryIDs {
		m.add(uuid(5*memoryIDs + n))
	}
	if grown := heap() - before; full > 3<<20 || grown > full+1<<16 {
		t.Errorf("%d KiB when it is full, %d KiB later; want at most 3 MiB, and no more later", full>>10, grown>>10)
	}
	runtime.KeepAlive(&m)
}

func heap() int64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}

func BenchmarkMemory(b *testing.B) {
	b.ReportAllocs()
	var m memory
	ids := make([]outcrop.InvocationID, 4*memoryIDs)
	for n := range ids {
		ids[n] = uuid(n)
	}
	for n := 0; b.Loop(); n++ {
		m.add(ids[n%len(ids)])
	}
}
