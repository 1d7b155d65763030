package ledger

import (
	"crypto/sha256"
	"encoding/hex"

	"outcrop"
)

// A memory holds at least the last memoryIDs ids added to it. What it has
// forgotten, the store knows.
type memory struct {
	young, old map[fingerprint]struct{}
}

const memoryIDs = 1 << 15

// A fingerprint stands for an id: a UUID's own bits, or a hash of anything
// else. It holds no pointer, so the garbage collector passes a memory by.
type fingerprint [16]byte

func fingerprintOf(id outcrop.InvocationID) (f fingerprint) {
	if len(id) == 36 && id[8] == '-' && id[13] == '-' && id[18] == '-' && id[23] == '-' {
		digits := append(make([]byte, 0, 32), id[:8]...)
		digits = append(append(append(append(digits, id[9:13]...), id[14:18]...), id[19:23]...), id[24:]...)
		if lower(digits) {
			if _, err := hex.Decode(f[:], digits); err == nil {
				return f
			}
		}
	}
	sum := sha256.Sum256([]byte(id))
	return fingerprint(sum[:16])
}

// lower says whether there are no capitals: they are another id's.
func lower(digits []byte) bool {
	for _, c := range digits {
		if 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}

func (m *memory) has(id outcrop.InvocationID) bool {
	f := fingerprintOf(id)
	_, young := m.young[f]
	_, old := m.old[f]
	return young || old
}

// add remembers id. The map that held the oldest ids is used again, so that a
// memory stops growing once it is full.
func (m *memory) add(id outcrop.InvocationID) {
	if len(m.young) >= memoryIDs {
		m.old, m.young = m.young, m.old
		clear(m.young)
	}
	if m.young == nil {
		m.young = map[fingerprint]struct{}{}
	}
	m.young[fingerprintOf(id)] = struct{}{}
}
