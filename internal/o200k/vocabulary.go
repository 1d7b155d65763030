package o200k

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"sync"

	"github.com/cespare/xxhash/v2"
)

//go:generate go run ../../tools/vocabulary -out vocabulary.gz

// The tokens in the order of their ranks, each behind its length in a byte.
//
//go:embed vocabulary.gz
var packed []byte

// A vocabulary finds the rank of a token. It has no pointer per token, so that
// the garbage collector does not look at 200,000 of them.
type vocabulary struct {
	text  string   // as packed
	slots []uint32 // 1 + where a token's length stands in text; 0 for none
	ranks []uint32 // by slot
}

const (
	none     = ^uint32(0) // the rank of what is no token
	slotBits = 19         // for a vocabulary of 200,000: two of five are in use
)

var loaded = sync.OnceValue(func() *vocabulary {
	v, err := load(packed)
	if err != nil {
		panic(fmt.Sprintf("o200k: %v", err)) // a part of the program is broken
	}
	return v
})

func load(packed []byte) (*vocabulary, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	v := &vocabulary{text: string(text), slots: make([]uint32, 1<<slotBits), ranks: make([]uint32, 1<<slotBits)}
	for at, rank := 0, uint32(0); at < len(v.text); rank++ {
		end := at + 1 + int(v.text[at])
		if end > len(v.text) {
			return nil, fmt.Errorf("token %d ends behind the end", rank)
		}
		slot, _ := v.find(v.text[at+1 : end])
		v.slots[slot], v.ranks[slot] = uint32(at)+1, rank
		at = end
	}
	return v, nil
}

// find returns the slot that token is in, or would be.
func (v *vocabulary) find(token string) (slot uint32, found bool) {
	const mask = 1<<slotBits - 1
	for slot = uint32(xxhash.Sum64String(token)) & mask; ; slot = (slot + 1) & mask {
		at := int(v.slots[slot]) - 1
		if at < 0 {
			return slot, false
		}
		if n := int(v.text[at]); n == len(token) && v.text[at+1:at+1+n] == token {
			return slot, true
		}
	}
}

// rank is a token's, or none.
func (v *vocabulary) rank(token string) uint32 {
	const longest = 255 // that a length byte can tell
	if len(token) > longest {
		return none
	}
	slot, ok := v.find(token)
	if !ok {
		return none
	}
	return v.ranks[slot]
}
