package ledgertest

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"

	"outcrop/ledger"
)

// Errors of a Disk. A full one says syscall.ENOSPC.
var (
	ErrCrashed = errors.New("the machine is down")
	ErrIO      = syscall.EIO
)

// A Disk is a folder in memory that loses and refuses what a real one may. It
// outlives the ledgers that use it: Crash or Kill it, close the ledger, Revive
// it and start the next.
type Disk struct {
	mu     sync.Mutex
	rng    *rand.Rand
	files  map[string]*inode
	life   int // counts crashes: handles of an earlier life are dead
	ops    int // changes left until it crashes by itself, -1 for never
	dead   bool
	cut    bool // its power was, in this life
	full   bool
	faults Faults
	hang   chan struct{}
}

// Faults are chances between 0 and 1 that an operation fails.
type Faults struct {
	Write, Sync, Name float64
}

type inode struct {
	cached  []byte // what readers see
	durable []byte // what a crash leaves
	pending []write
}

type write struct {
	off  int64
	data []byte
}

// NewDisk returns an empty folder whose accidents follow from seed.
func NewDisk(seed uint64) *Disk {
	return &Disk{rng: rand.New(rand.NewPCG(seed, 1)), files: map[string]*inode{}, ops: -1}
}

// SetFaults changes how often operations fail.
func (d *Disk) SetFaults(f Faults) { d.locked(func() { d.faults = f }) }

// SetFull has new files refused; space that was allocated stays writable.
func (d *Disk) SetFull(full bool) { d.locked(func() { d.full = full }) }

// CrashAfter lets n more changes happen and loses power during the next.
func (d *Disk) CrashAfter(n int) { d.locked(func() { d.ops = n }) }

// Hang has syncs wait until the returned function is called.
func (d *Disk) Hang() (release func()) {
	hang := make(chan struct{})
	d.locked(func() { d.hang = hang })
	return func() { d.locked(func() { d.hang = nil }); close(hang) }
}

// Crash cuts the power: each sector not synced is kept or lost by chance. All
// fails until Revive.
func (d *Disk) Crash() { d.locked(d.crash) }

// Kill ends the process and not the machine: what was written can be read, and
// what was not synced can still be lost. All fails until Revive.
func (d *Disk) Kill() { d.locked(func() { d.dead = true }) }

// Revive lets the next ledger have the disk. Files that are still open from
// before stay dead.
func (d *Disk) Revive() {
	d.locked(func() { d.dead, d.cut, d.ops, d.life = false, false, -1, d.life+1 })
}

// Damage flips one bit that was on disk.
func (d *Disk) Damage(name string, off int64) {
	d.locked(func() {
		f := d.files[name]
		f.cached[off] ^= 1
		f.durable[off] ^= 1
	})
}

// Names lists the files.
func (d *Disk) Names() (names []string) {
	d.locked(func() { names = slices.Sorted(maps.Keys(d.files)) })
	return names
}

// Bytes is what a reader would see in a file, and nil when there is none.
func (d *Disk) Bytes(name string) (b []byte) {
	d.locked(func() {
		if f := d.files[name]; f != nil {
			b = slices.Clone(f.cached)
		}
	})
	return b
}

func (d *Disk) locked(fn func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fn()
}

func (d *Disk) crash() {
	for _, f := range d.files {
		for _, w := range f.pending {
			d.tear(f.durable, w)
		}
		f.pending = nil
		f.cached = slices.Clone(f.durable)
	}
	d.dead, d.cut = true, true
}

// Crashed says whether power was lost since the last Revive.
func (d *Disk) Crashed() (cut bool) {
	d.locked(func() { cut = d.cut })
	return cut
}

// tear writes some of the sectors of w, and of one sector maybe a part.
func (d *Disk) tear(to []byte, w write) {
	sector := []int{64, 512, 2048}[d.rng.IntN(3)] // one that cuts records and ones that part them
	for n := 0; n < len(w.data); {
		size := min(len(w.data)-n, sector-int(w.off+int64(n))%sector)
		switch d.rng.IntN(5) {
		case 0, 1:
			copy(to[w.off+int64(n):], w.data[n:n+size])
		case 2:
			copy(to[w.off+int64(n):], w.data[n:n+d.rng.IntN(size+1)])
		}
		n += size
	}
}

// change counts one change of life life and says whether it may happen. When
// the power fails at this one, half is true: it may happen in part.
func (d *Disk) change(life int, chance float64) (half bool, err error) {
	if d.dead || life != d.life {
		return false, ErrCrashed
	}
	if d.ops == 0 {
		return true, ErrCrashed
	}
	if d.ops > 0 {
		d.ops--
	}
	if d.rng.Float64() < chance {
		return false, ErrIO
	}
	return false, nil
}

// List implements ledger.Files.
func (d *Disk) List() ([]string, error) { return d.Names(), nil }

// Create implements ledger.Files.
func (d *Disk) Create(name string, size int64, _ func(int64) bool) (ledger.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	half, err := d.change(d.life, d.faults.Name)
	if half {
		d.crash()
	}
	if err == nil && d.full {
		delete(d.files, name)
		err = syscall.ENOSPC
	}
	if err != nil {
		return nil, err
	}
	f := &inode{cached: make([]byte, size), durable: make([]byte, size)}
	d.files[name] = f
	return &handle{d, f, d.life}, nil
}

// Open implements ledger.Files.
func (d *Disk) Open(name string) (ledger.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.files[name]
	if f == nil {
		return nil, fs.ErrNotExist
	}
	return &handle{d, f, d.life}, nil
}

// Rename implements ledger.Files.
func (d *Disk) Rename(from, to string) error {
	return d.rename(func() {
		if f := d.files[from]; f != nil {
			d.files[to] = f
			delete(d.files, from)
		}
	})
}

// Remove implements ledger.Files.
func (d *Disk) Remove(name string) error { return d.rename(func() { delete(d.files, name) }) }

func (d *Disk) rename(do func()) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	half, err := d.change(d.life, d.faults.Name)
	if err == nil || (half || errors.Is(err, ErrIO)) && d.rng.IntN(2) == 0 {
		do() // it may be the folder that could not be synced
	}
	if half {
		d.crash()
	}
	return err
}

// Close implements ledger.Files.
func (d *Disk) Close() error { return nil }

type handle struct {
	d    *Disk
	f    *inode
	life int
}

func (h *handle) ReadAt(p []byte, off int64) (int, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if h.d.dead || h.life != h.d.life {
		return 0, ErrCrashed
	}
	if n := copy(p, h.f.cached[min(off, int64(len(h.f.cached))):]); n < len(p) {
		return n, io.EOF
	}
	return len(p), nil
}

func (h *handle) WriteAt(p []byte, off int64) (int, error) {
	d := h.d
	d.mu.Lock()
	defer d.mu.Unlock()
	half, err := d.change(h.life, d.faults.Write)
	if err != nil && !half && !errors.Is(err, ErrIO) {
		return 0, err
	}
	w := write{off, slices.Clone(p)}
	if err != nil {
		w.data = w.data[:d.rng.IntN(len(p)+1)]
	}
	copy(h.f.cached[off:], w.data)
	h.f.pending = append(h.f.pending, w)
	if half {
		d.crash()
	}
	return len(w.data), err
}

// Sync, when it fails, drops what it did not write and forgets that it was
// ever asked to: Linux does that too.
func (h *handle) Sync() error {
	d := h.d
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.hang != nil {
		hang := d.hang
		d.mu.Unlock()
		<-hang
		d.mu.Lock()
	}
	half, err := d.change(h.life, d.faults.Sync)
	switch {
	case half:
		d.crash()
	case errors.Is(err, ErrIO):
		for _, w := range h.f.pending {
			d.tear(h.f.durable, w)
		}
		h.f.pending = nil
	case err == nil:
		for _, w := range h.f.pending {
			copy(h.f.durable[w.off:], w.data)
		}
		h.f.pending = nil
	}
	return err
}

func (h *handle) Close() error { return nil }

func (h *handle) Size() (int64, error) { return int64(len(h.f.cached)), nil }
