package bodypool

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// Property: what is read is what was sent, whatever was announced, however it
// arrives, and whoever had the memory before.
func TestABodyIsReadAsItWasSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sent := make([]byte, rapid.OneOf(rapid.IntRange(0, 10), rapid.IntRange(0, 300<<10), rapid.Just(believedBytes), rapid.Just(8<<10)).Draw(t, "size"))
		for i := range sent {
			sent[i] = byte(i * 31)
		}
		announced := rapid.SampledFrom([]int64{-1, 0, int64(len(sent)), int64(len(sent)) + 1, 1 << 40}).Draw(t, "announced")
		var r io.Reader = bytes.NewReader(sent)
		if rapid.Bool().Draw(t, "halves") {
			r = iotest.HalfReader(r)
		}
		if rapid.Bool().Draw(t, "ending") {
			r = iotest.DataErrReader(r)
		}
		spares := rapid.Bool().Draw(t, "spares")
		if !spares {
			clear(shelves[:])
		}
		b, err := Read(r, announced)
		if err != nil || !bytes.Equal(b.Text, sent) {
			t.Fatalf("%d bytes, announced %d: read %d, %v", len(sent), announced, len(b.Text), err)
		}
		if most := max(trust*len(sent), believedBytes) + 1; !spares && cap(b.Text) > most+most/steps {
			t.Errorf("%d bytes, announced %d, take %d", len(sent), announced, cap(b.Text))
		}
		b.Return()
		b.Return()
	})
}

func TestWhoOnlyAnnouncesGetsLittle(t *testing.T) {
	r := iotest.ErrReader(errors.New("gone"))
	if n := testing.AllocsPerRun(100, func() { Read(r, 36<<20) }); n > 2 { // the collector may have emptied the shelf
		t.Errorf("%.0f allocations", n)
	}
	if b, err := Read(r, 36<<20); err == nil || b.Text != nil {
		t.Errorf("read %d bytes, %v", len(b.Text), err)
	}
}

// What is there is used at once, so that a body is read to where it stays.
func TestSpareMemoryIsUsedAtOnce(t *testing.T) {
	const size = 1 << 20
	read := func(announced int64) (room int) {
		r := readerFunc(func(p []byte) (int, error) {
			room = len(p)
			return 0, io.EOF
		})
		b, err := Read(r, announced)
		if err != nil {
			t.Fatal(err)
		}
		b.Return()
		return room
	}
	clear(shelves[:])
	if room := read(size); room > 2*believedBytes {
		t.Errorf("nothing is there: room for %d", room)
	}
	for range 10 { // under the race detector a pool may drop what it is given
		b := Body{lent: &buffer{make([]byte, size+size/steps), nil}}
		shelf, _ := shelfOf(size + 1)
		b.lent.shelf = &shelves[shelf]
		b.Return()
		if read(size) > size {
			return
		}
	}
	t.Error("a buffer that is there is not used")
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestEverySizeHasAShelf(t *testing.T) {
	for n := 1<<leastBits + 1; n <= 1<<mostBits; n += 1 + n/1000 {
		shelf, size := shelfOf(n)
		if size < n || size > n+n/steps || shelf < 0 || shelf >= len(shelves) {
			t.Fatalf("%d bytes are on shelf %d of %d, in %d", n, shelf, len(shelves), size)
		}
		if again, same := shelfOf(size); again != shelf || same != size {
			t.Fatalf("%d bytes are on shelf %d, %d on %d", n, shelf, size, again)
		}
	}
	for _, n := range []int{1 << leastBits, 1<<mostBits + 1} {
		if borrow(n) != nil {
			t.Errorf("%d bytes are lent", n)
		}
	}
}

// Property: memory that was returned is nobody else's.
func TestBodiesDoNotMeet(t *testing.T) {
	var all sync.WaitGroup
	for who := range byte(8) {
		all.Go(func() {
			for range 200 {
				sent := bytes.Repeat([]byte{who}, 1+rand.IntN(200<<10))
				b, err := Read(bytes.NewReader(sent), int64(len(sent)))
				if err != nil || !bytes.Equal(b.Text, sent) {
					t.Errorf("%d: read %d bytes, %v", who, len(b.Text), err)
					return
				}
				b.Return()
			}
		})
	}
	all.Wait()
}

func BenchmarkRead(b *testing.B) {
	sent := make([]byte, 1<<20)
	for _, returned := range []bool{true, false} {
		b.Run(map[bool]string{true: "returned", false: "kept"}[returned], func(b *testing.B) {
			b.SetBytes(int64(len(sent)))
			b.ReportAllocs()
			for b.Loop() {
				body, err := Read(bytes.NewReader(sent), int64(len(sent)))
				if err != nil {
					b.Fatal(err)
				}
				if returned {
					body.Return()
				}
			}
		})
	}
}
