// Package bodypool reads request bodies into memory that is used again: a picture
// of a megabyte would otherwise be a megabyte to clear and to collect for every
// call, and the small bodies of most calls a tenth of what they allocate.
package bodypool

import (
	"io"
	"math/bits"
	"sync"
)

// A Body is what was read. Whoever keeps a part of Text for longer than the
// call does not return it.
type Body struct {
	Text []byte
	lent *buffer // nil when the memory is the collector's
}

// Return gives the memory to the next body. Nobody may hold a part of Text any
// more. It may be called again, and of an empty Body.
func (b *Body) Return() {
	if b.lent != nil {
		b.lent.giveBack()
	}
	*b = Body{}
}

const (
	firstBytes    = 4 << 10  // for a body whose size was not announced
	believedBytes = 64 << 10 // of an announced size, before anything has come
	trust         = 32       // and beyond that, times what has come
)

// Read reads to the end. An announced size is believed at once up to
// believedBytes, or where there is memory of that size that nobody uses, and
// beyond that up to trust times what has come: for who only announces no more
// memory is made. A negative one is none.
func Read(r io.Reader, announced int64) (b Body, err error) {
	b.begin(announced)
	for {
		n, err := r.Read(b.Text[len(b.Text):cap(b.Text)])
		b.Text = b.Text[:len(b.Text)+n]
		switch {
		case err == io.EOF:
			return b, nil
		case err != nil:
			b.Return()
			return b, err
		case len(b.Text) > believedBytes && announced >= int64(cap(b.Text)):
			b.grow(int(min(announced+1, trust*int64(len(b.Text)))))
		case len(b.Text) == cap(b.Text):
			b.grow(2 * cap(b.Text))
		}
	}
}

// begin gives memory for what was announced. It has one more byte, so that the
// end needs no growth.
func (b *Body) begin(announced int64) {
	if announced > believedBytes {
		if b.lent = spare(announced + 1); b.lent != nil {
			b.Text = b.lent.bytes[:0]
			return
		}
	}
	size := firstBytes
	if announced >= 0 {
		size = int(min(announced, believedBytes)) + 1
	}
	b.grow(size)
}

// grow moves what was read into n bytes or more.
func (b *Body) grow(n int) {
	larger := Body{lent: borrow(n)}
	if larger.lent != nil {
		larger.Text = larger.lent.bytes[:0]
	} else {
		larger.Text = make([]byte, 0, n)
	}
	larger.Text = append(larger.Text, b.Text...)
	b.Return()
	*b = larger
}

// Bodies from 512 bytes to 8 MiB are lent, in sizes a quarter of a power of two
// apart. What is smaller is cheap, and what is larger seldom. What nobody
// borrows between two collections is collected, so that no more is kept than
// was in use at one time.
const (
	leastBits = 9
	mostBits  = 23
	steps     = 4 // sizes from one power of two to the next
)

var shelves [(mostBits - leastBits) * steps]sync.Pool

type buffer struct {
	bytes []byte
	shelf *sync.Pool
}

// borrow lends a buffer of n bytes or more, or nil for a size that is not lent.
func borrow(n int) *buffer {
	if !lends(int64(n)) {
		return nil
	}
	if b := spare(int64(n)); b != nil {
		return b
	}
	shelf, size := shelfOf(n)
	return &buffer{make([]byte, size), &shelves[shelf]}
}

func lends(n int64) bool { return n > 1<<leastBits && n <= 1<<mostBits }

// spare lends a buffer that is there already, or nil.
func spare(n int64) *buffer {
	if !lends(n) {
		return nil
	}
	shelf, _ := shelfOf(int(n))
	b, _ := shelves[shelf].Get().(*buffer)
	return b
}

// shelfOf is where buffers of n bytes are, and how large they are there.
func shelfOf(n int) (shelf, size int) {
	power := bits.Len(uint(n-1)) - 1 // 2^power < n ≤ 2^(power+1)
	step := 1 << power / steps
	size = (n + step - 1) &^ (step - 1)
	return (power-leastBits)*steps + size/step - steps - 1, size
}

// Spoil, where a test sets it, is given what is returned, to see that nobody
// still reads it.
var Spoil func([]byte)

func (b *buffer) giveBack() {
	if Spoil != nil {
		Spoil(b.bytes)
	}
	b.shelf.Put(b)
}
