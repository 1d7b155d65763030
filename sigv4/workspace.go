package sigv4

import (
	"crypto/sha256"
	"sync"
)

// A workspace is what one signature is worked out in. It is borrowed, so that
// nothing is allocated, and not on the stack: signing happens deep in a call,
// and three kilobytes more would make the stack of every call twice as large.
type workspace struct {
	signed canonical                    // what Sign signs
	names  [16]string                   // of the headers of most requests
	hex    [2 * sha256.Size]byte        // a signature
	form   [2048]byte                   // the canonical form of most requests
	text   [256]byte                    // a string to sign
	keyed  [sha256.BlockSize + 256]byte // what HMAC hashes
}

var workspaces = sync.Pool{New: func() any { return new(workspace) }}

func borrow() *workspace { return workspaces.Get().(*workspace) }

// giveBack forgets what belongs to a request, and what is made of a key.
func (w *workspace) giveBack() {
	w.signed = canonical{}
	clear(w.names[:])
	clear(w.keyed[:])
	workspaces.Put(w)
}
