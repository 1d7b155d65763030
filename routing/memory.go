package routing

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"

	"outcrop"
)

// A memory is what the router knows about one upstream serving one model in
// one Region. It is written by every call and read by every plan, without a
// lock: a plan may see half of what a call just reported, which costs nothing.
// Times are nanoseconds of the router's clock.
type memory struct {
	lane   *laneState
	region outcrop.Region
	model  outcrop.ModelID

	inFlight atomic.Int64
	streamed peak // latency to the first event
	whole    peak // latency to a whole answer
	breaker  breaker
	full     atomic.Int64 // until when it throttles
	calls    atomic.Int64
	failed   atomic.Int64
}

// A peak is a peak-EWMA: it jumps to a worse sample at once and forgets it
// slowly, and forgets everything when no call comes by, so that a lane that was
// slow is tried again.
type peak struct {
	value atomic.Uint64 // float64 nanoseconds
	at    atomic.Int64
}

const (
	peakForgets = 10 * time.Second // time constant of samples that are better
	idleForgets = 30 * time.Second // half-life without any sample
)

func (p *peak) sample(v time.Duration, now int64) {
	old := p.value.Load()
	have, last := math.Float64frombits(old), p.at.Load()
	next := float64(v)
	if have > next {
		w := math.Exp(-float64(max(now-last, 0)) / float64(peakForgets))
		next = have*w + next*(1-w)
	}
	if p.value.CompareAndSwap(old, math.Float64bits(next)) { // who loses the race was told of the same moment
		p.at.Store(now)
	}
}

func (p *peak) read(now int64) time.Duration {
	have := math.Float64frombits(p.value.Load())
	if have == 0 {
		return 0
	}
	idle := float64(max(now-p.at.Load(), 0)) / float64(idleForgets)
	return time.Duration(have * math.Exp2(-idle))
}

// last is what was measured, with nothing forgotten since.
func (p *peak) last() time.Duration { return time.Duration(math.Float64frombits(p.value.Load())) }

// A breaker ejects a lane that fails again and again, and lets one call try it
// when its time is up.
type breaker struct {
	history atomic.Uint64 // last outcomes, newest lowest, failures are ones; their number above bit 32
	until   atomic.Int64  // end of the ejection; 0 when the lane is in
	probe   atomic.Int64  // when the probing call began; 0 for none
	times   atomic.Int32  // ejections in a row
}

// The breaker's measures.
const (
	inARow     = 5  // failures after which a lane is out,
	ofTheLast  = 32 // or as many of these
	tooMany    = 16
	firstBreak = 5 * time.Second // doubled for each further failure
	longBreak  = 2 * time.Minute
	probeLease = time.Minute // a probe that does not report is forgotten
)

func (b *breaker) health(now int64) Health {
	until := b.until.Load()
	switch {
	case until == 0:
		return Healthy
	case now < until:
		return Ejected
	}
	return Probing
}

// claim says whether a call may use the lane: any when it is in, one when it
// is to be probed.
func (b *breaker) claim(now int64) bool {
	switch b.health(now) {
	case Healthy:
		return true
	case Ejected:
		return false
	}
	probe := b.probe.Load()
	if probe != 0 && now-probe < int64(probeLease) {
		return false
	}
	return b.probe.CompareAndSwap(probe, max(now, 1))
}

// succeeded takes the lane back in.
func (b *breaker) succeeded() {
	if b.until.Load() != 0 {
		b.history.Store(0)
		b.times.Store(0)
		b.until.Store(0)
		b.probe.Store(0)
		return
	}
	if b.note(0); b.times.Load() != 0 {
		b.times.Store(0)
	}
}

// failed ejects the lane when it was one failure too many, and says so.
func (b *breaker) failed(now int64) bool {
	switch b.health(now) {
	case Ejected: // a call that began before
		return false
	case Probing:
		b.eject(now)
		return true
	}
	h := b.note(1)
	if bits.TrailingZeros32(^uint32(h)) < inARow && bits.OnesCount32(uint32(h)) < tooMany {
		return false
	}
	b.eject(now)
	return true
}

func (b *breaker) eject(now int64) {
	n := b.times.Add(1)
	b.history.Store(0)
	b.until.Store(now + int64(min(firstBreak<<min(n-1, 10), longBreak)))
	b.probe.Store(0)
}

// letProbe ends an ejection early: an active check has found the upstream alive.
func (b *breaker) letProbe(now int64) {
	if until := b.until.Load(); until > now {
		b.until.CompareAndSwap(until, now)
	}
}

// release gives up a probe that told nothing.
func (b *breaker) release() { b.probe.Store(0) }

func (b *breaker) note(bit uint64) uint64 {
	for {
		old := b.history.Load()
		next := min(old>>32+1, ofTheLast)<<32 | uint64(uint32(old)<<1) | bit
		if b.history.CompareAndSwap(old, next) {
			return next
		}
	}
}

// How long a lane that throttles counts as full.
const (
	fullFor     = time.Second // when it does not say
	fullLongest = time.Minute
)

// report takes an outcome into the memory.
func (m *memory) report(r *outcrop.AttemptReport, now int64) (ejected bool) {
	m.inFlight.Add(-1)
	if r.Gone {
		m.breaker.release()
		return false
	}
	m.calls.Add(1)
	if r.Err == nil {
		if !r.Streaming { // of a stream it has been heard
			m.whole.sample(r.FirstByte, now)
		}
		m.breaker.succeeded()
		return false
	}
	switch kind := outcrop.KindOf(r.Err); {
	case kind == outcrop.Throttled:
		m.full.Store(now + int64(min(max(retryAfter(r.Err), fullFor), fullLongest)))
		m.breaker.succeeded() // it answers
	case Sick(kind):
		m.failed.Add(1)
		m.latency(r.Streaming).sample(max(r.FirstByte, r.Took), now)
		return m.breaker.failed(now)
	default: // refused the request itself: it answers
		m.breaker.succeeded()
	}
	return false
}

// heard takes in the first byte of a stream: a lane that begins to answer has
// passed its probe.
func (m *memory) heard(after time.Duration, now int64) {
	m.streamed.sample(after, now)
	if m.breaker.health(now) == Probing {
		m.breaker.succeeded()
	}
}

func (m *memory) latency(streaming bool) *peak {
	if streaming {
		return &m.streamed
	}
	return &m.whole
}

// Sick says whether an error of this kind tells of an upstream in trouble.
func Sick(k outcrop.Kind) bool {
	switch k {
	case outcrop.Unavailable, outcrop.ModelTimeout, outcrop.ModelNotReady, outcrop.ModelFailed, outcrop.StreamFailed, outcrop.Internal:
		return true
	}
	return false
}
