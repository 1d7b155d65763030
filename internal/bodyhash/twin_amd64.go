//go:build !purego

package bodyhash

// compress continues two hashes by so many blocks of either text.
//
//go:noescape
func compress(a, b *[8]uint32, textA, textB *byte, blocks int)

func cpuid(leaf, sub uint32) (a, b, c, d uint32)

// capable says whether this processor has what compress uses.
func capable() bool {
	const ssse3, sse41, sha = 1 << 9, 1 << 19, 1 << 29
	if most, _, _, _ := cpuid(0, 0); most < 7 {
		return false
	}
	_, _, c, _ := cpuid(1, 0)
	_, b, _, _ := cpuid(7, 0)
	return c&ssse3 != 0 && c&sse41 != 0 && b&sha != 0
}
