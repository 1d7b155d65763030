package ledger_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"outcrop"
	"outcrop/ledger"
	"outcrop/ledger/ledgertest"
)

var (
	simSeed  = flag.Uint64("ledger.seed", 0, "run the simulation with this seed only")
	simSeeds = flag.Int("ledger.seeds", 40, "how many seeds to run the simulation with")
)

// A world is one disk and one store, and the ledgers that live on them one
// after the other.
type world struct {
	*testing.T
	seed   uint64
	rng    *rand.Rand
	disk   *ledgertest.Disk
	store  *ledgertest.Memory
	ledger *ledger.Ledger

	mu        sync.Mutex
	next      int
	opened    map[outcrop.InvocationID]outcrop.UsageRecord
	submitted map[outcrop.InvocationID]outcrop.UsageRecord
	acked     map[outcrop.InvocationID]int // in which life it was settled first
	openedIn  map[outcrop.InvocationID]int
	settled   []outcrop.InvocationID
	open      []outcrop.InvocationID // by the present ledger, not submitted
	steps     int
	lives     int
}

func newWorld(t *testing.T, seed uint64) *world {
	return &world{
		T: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 0)),
		disk: ledgertest.NewDisk(seed), store: ledgertest.NewMemory(),
		opened: map[outcrop.InvocationID]outcrop.UsageRecord{}, submitted: map[outcrop.InvocationID]outcrop.UsageRecord{},
		acked: map[outcrop.InvocationID]int{}, openedIn: map[outcrop.InvocationID]int{},
	}
}

// Property: what was acknowledged is recovered; nothing is there twice; nothing
// is there that nobody opened or settled; Seqs have no gap; whatever power
// cuts, kills, failing writes, full disks and failing stores come between.
func TestNoCrashLosesDoublesOrInventsARecord(t *testing.T) {
	if *simSeed != 0 {
		synctest.Test(t, func(t *testing.T) { newWorld(t, *simSeed).run() })
		return
	}
	base := uint64(time.Now().UnixNano())
	var steps, lives, acked, recovered int
	for n := range *simSeeds {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, base+uint64(n))
			w.run()
			steps, lives, acked, recovered = steps+w.steps, lives+w.lives, acked+len(w.acked), recovered+w.recoveredRecords()
		})
		if t.Failed() {
			t.Fatalf("failed with -ledger.seed=%d", base+uint64(n))
		}
	}
	t.Logf("seeds %d..: %d steps in %d lives, %d records acknowledged, %d recovered", base, steps, lives, acked, recovered)
}

func (w *world) run() {
	for range 12 {
		w.live()
	}
	w.disk.SetFaults(ledgertest.Faults{})
	w.disk.SetFull(false)
	w.store.Fault(nil)
	if !w.start() {
		w.Fatalf("seed %d: a sound disk does not start", w.seed)
	}
	defer func() {
		if err := w.ledger.Close(); err != nil {
			w.Errorf("seed %d: close: %v", w.seed, err)
		}
	}()
	w.sync()
	w.check()
}

// live starts a ledger, works with it for a while and ends it in some way.
func (w *world) live() {
	w.lives++
	w.weather()
	if !w.start() {
		w.disk.Crash()
		w.store.Crash(w.rng)
		w.disk.Revive()
		return
	}
	if w.rng.IntN(3) > 0 {
		w.disk.CrashAfter(w.rng.IntN(80))
	}
	for range 20 + w.rng.IntN(60) {
		w.step()
	}
	w.end()
}

func (w *world) weather() {
	w.disk.SetFaults(ledgertest.Faults{})
	if w.rng.IntN(2) == 0 {
		w.disk.SetFaults(ledgertest.Faults{Write: w.rng.Float64() / 8, Sync: w.rng.Float64() / 8, Name: w.rng.Float64() / 8})
	}
	w.disk.SetFull(false)
	w.store.Fault(nil)
	if w.rng.IntN(2) == 0 {
		rng, lost := rand.New(rand.NewPCG(w.seed, 2)), errors.New("connection lost")
		w.store.Fault(func() (before, after error) {
			switch rng.IntN(6) {
			case 0:
				return lost, nil
			case 1:
				return nil, lost
			}
			return nil, nil
		})
	}
}

func (w *world) start() bool {
	var err error
	w.open = nil
	w.ledger, err = ledger.Start("", w.store, ledger.Options{SegmentBytes: 8 << 10, MaxSegments: 8, Files: w.disk})
	var damage *ledger.DamageError
	if errors.As(err, &damage) {
		w.Fatalf("seed %d: an honest crash looks like damage: %v", w.seed, err)
	}
	return err == nil // else the disk failed while it was read
}

func (w *world) step() {
	w.steps++
	switch w.rng.IntN(12) {
	case 0, 1, 2:
		w.openOne()
	case 3, 4, 5, 6:
		w.settle(1 + w.rng.IntN(8))
	case 7:
		if len(w.open) > 0 {
			w.progress()
		}
	case 8:
		time.Sleep(time.Duration(w.rng.IntN(3000)) * time.Millisecond)
	case 9:
		ctx, cancel := context.WithTimeout(w.Context(), time.Second)
		_ = w.ledger.Sync(ctx)
		cancel()
	case 10:
		w.disk.SetFull(w.rng.IntN(3) == 0)
	case 11:
		w.settleAgain()
	}
}

func (w *world) record() outcrop.UsageRecord {
	w.next++
	return ledgertest.Record(w.next)
}

func (w *world) openOne() {
	r := w.record()
	if w.ledger.Open(w.Context(), r) == nil {
		w.opened[r.Invocation], w.openedIn[r.Invocation] = r, w.lives
		w.open = append(w.open, r.Invocation)
	}
}

func (w *world) progress() {
	id := w.open[w.rng.IntN(len(w.open))]
	var u outcrop.Usage
	u.Set(outcrop.OutputTokens, outcrop.Tokens(w.rng.IntN(1000)))
	w.ledger.Progress(id, u)
}

// settle settles n invocations at once, most of them opened before.
func (w *world) settle(n int) {
	var all sync.WaitGroup
	for range n {
		r := w.record()
		if len(w.open) > 0 && w.rng.IntN(4) > 0 {
			r.Invocation, w.open = w.open[0], w.open[1:]
		}
		w.submitted[r.Invocation] = r
		w.settled = append(w.settled, r.Invocation)
		ctx, cancel := w.patience()
		all.Go(func() {
			defer cancel()
			w.submit(ctx, r)
		})
	}
	all.Wait()
}

// patience is how long a caller waits. One that cannot give up may write its
// record itself.
func (w *world) patience() (context.Context, context.CancelFunc) {
	if w.rng.IntN(2) == 0 {
		return context.WithoutCancel(w.Context()), func() {}
	}
	return context.WithTimeout(w.Context(), 10*time.Second)
}

func (w *world) submit(ctx context.Context, r outcrop.UsageRecord) {
	if w.ledger.Settle(ctx, r) == nil {
		w.mu.Lock()
		if w.acked[r.Invocation] == 0 {
			w.acked[r.Invocation] = w.lives
		}
		w.mu.Unlock()
	}
}

// settleAgain settles what was settled, with another content.
func (w *world) settleAgain() {
	if len(w.settled) == 0 {
		return
	}
	r := w.submitted[w.settled[w.rng.IntN(len(w.settled))]]
	if w.acked[r.Invocation] != 0 {
		r.Upstream = "doubled"
	}
	ctx, cancel := w.patience()
	defer cancel()
	w.submit(ctx, r)
}

// end closes the ledger in peace, kills its process or cuts the power.
func (w *world) end() {
	how := w.rng.IntN(4)
	switch how {
	case 0:
	case 1:
		w.disk.Kill()
	default:
		w.disk.Crash()
	}
	_ = w.ledger.Close()
	if how == 1 && w.rng.IntN(2) == 0 {
		w.disk.Crash()
	}
	if w.disk.Crashed() {
		w.store.Crash(w.rng)
	}
	w.disk.Revive()
}

func (w *world) sync() {
	if err := w.ledger.Sync(w.Context()); err != nil {
		w.Fatalf("seed %d: sync: %v", w.seed, err)
	}
}

func (w *world) all() []outcrop.UsageRecord {
	list, err := w.store.After(w.Context(), 0, 1<<30)
	if err != nil {
		w.Fatal(err)
	}
	return list
}

func (w *world) check() {
	seen := map[outcrop.InvocationID]bool{}
	for i, r := range w.all() {
		if r.Seq != outcrop.Seq(i+1) {
			w.Fatalf("seed %d: record %d has seq %d", w.seed, i+1, r.Seq)
		}
		if seen[r.Invocation] {
			w.Errorf("seed %d: %s is there twice", w.seed, r.Invocation)
		}
		seen[r.Invocation] = true
		if err := w.known(r); err != nil {
			w.Errorf("seed %d: %v", w.seed, err)
		}
	}
	for id := range w.acked {
		if !seen[id] {
			w.Errorf("seed %d: %s was acknowledged and is lost", w.seed, id)
		}
	}
}

// known says whether r is what somebody submitted, or what recovery makes of
// an invocation that was opened and not settled before its process ended. To
// settle it in a later life changes nothing.
func (w *world) known(r outcrop.UsageRecord) error {
	if r.Outcome.Recovered {
		begin, opened := w.opened[r.Invocation]
		if !opened || w.acked[r.Invocation] == w.openedIn[r.Invocation] || !r.Usage.Estimated || begin.Model != r.Model {
			return fmt.Errorf("%s is wrongly recovered", r.Invocation)
		}
		return nil
	}
	want, ok := w.submitted[r.Invocation]
	want.Seq = r.Seq
	if !ok || !reflect.DeepEqual(r, want) {
		return fmt.Errorf("nobody settled %+v\nbut %+v", r, want)
	}
	return nil
}

func (w *world) recoveredRecords() (n int) {
	for _, r := range w.all() {
		if r.Outcome.Recovered {
			n++
		}
	}
	return n
}
