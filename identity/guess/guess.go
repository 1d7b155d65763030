// Package guess slows down whoever guesses secrets, and nobody else.
package guess

import (
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"outcrop"
)

// Allowances of failed sign-ins. Each is a bucket: so many at once, then one
// an interval.
var (
	pairAllowance    = allowance{burst: 10, every: 6 * time.Second} // one key from one address
	keyAllowance     = allowance{burst: 100, every: time.Second}    // one key from everywhere
	addressAllowance = allowance{burst: 60, every: time.Second}     // one address with any key
)

// Spans of memory.
const (
	provenFor = 24 * time.Hour  // how long a success vouches for its pair
	loudFor   = 2 * time.Minute // longer than any bucket takes to be full again
)

// maxEntries bounds each of a Guard's memories, together some 30 MB.
const maxEntries = 50_000

// A Guard slows down whoever guesses secrets, and nobody else. Only failures
// cost anything, and they cost those who cause them: a key that is guessed at
// from everywhere stays open to an address that has not failed with it, and
// an address that guesses stays open to the keys that have succeeded there.
// It is safe for concurrent use.
//
// The address is the client's own. Behind a proxy it must be what the proxy
// says of the client, or all clients are one.
type Guard struct {
	now func() time.Time

	mu        sync.Mutex
	pairs     map[pair]bucket
	keys      map[string]bucket
	addresses map[netip.Addr]bucket

	provenMu sync.RWMutex
	proven   map[pair]time.Time // until when

	loudUntil atomic.Int64 // Unix nanoseconds: after it every bucket is full again

	failed, refusedPair, refusedKey, refusedAddress, forgotten atomic.Uint64
}

// A pair is a key as used from an address.
type pair struct {
	key     string
	address netip.Addr
}

// Stats counts what a Guard has seen since the start.
type Stats struct {
	Failed         uint64 // sign-ins that failed
	RefusedPair    uint64 // refusals by what was too much, unverified
	RefusedKey     uint64
	RefusedAddress uint64
	Forgotten      uint64 // failures dropped from a full memory
	Keys           int    // keys and addresses with failures in memory
	Addresses      int
}

// Refused is how many requests were turned away unverified.
func (s Stats) Refused() uint64 { return s.RefusedPair + s.RefusedKey + s.RefusedAddress }

// New makes a Guard that has seen nothing.
func New(now func() time.Time) *Guard {
	return &Guard{now: now, pairs: map[pair]bucket{}, keys: map[string]bucket{}, addresses: map[netip.Addr]bucket{}, proven: map[pair]time.Time{}}
}

// Allow says whether a sign-in with key from addr may be looked at, or refuses
// with outcrop.Throttled. key names a secret without telling it, such as an
// access key id; addr may have a port, as http.Request.RemoteAddr does.
func (g *Guard) Allow(key, addr string) error {
	now := g.now()
	if now.UnixNano() >= g.loudUntil.Load() { // nobody has failed lately: the usual case
		return nil
	}
	p := pairOf(key, addr)
	g.mu.Lock()
	byPair, known := g.pairs[p]
	byKey, byAddress := g.keys[p.key], g.addresses[p.address]
	g.mu.Unlock()
	if wait := pairAllowance.wait(byPair, now); wait > 0 {
		return refuse(&g.refusedPair, wait)
	}
	wait := addressAllowance.wait(byAddress, now)
	counted := &g.refusedAddress
	if w := keyAllowance.wait(byKey, now); wait == 0 && known && !pairAllowance.full(byPair, now) {
		wait, counted = w, &g.refusedKey
	}
	if wait > 0 && !g.isProven(p, now) {
		return refuse(counted, wait)
	}
	return nil
}

// Failed takes note of a sign-in that was not genuine: an unknown key, a wrong
// signature, an altered token. What is merely late or expired is none.
func (g *Guard) Failed(key, addr string) {
	p, now := pairOf(key, addr), g.now()
	p.key = strings.Clone(p.key) // it may be a piece of a long header
	g.failed.Add(1)
	g.mu.Lock()
	defer g.mu.Unlock()
	if now.UnixNano() >= g.loudUntil.Load() {
		clear(g.pairs)
		clear(g.keys)
		clear(g.addresses)
	}
	spend(g, g.pairs, p, pairAllowance, now)
	spend(g, g.keys, p.key, keyAllowance, now)
	spend(g, g.addresses, p.address, addressAllowance, now)
	g.loudUntil.Store(now.Add(loudFor).UnixNano())
}

// Succeeded takes note that key is used from addr by its owner. It is cheap:
// one look-up, unless the pair is new.
func (g *Guard) Succeeded(key, addr string) {
	p, now := pairOf(key, addr), g.now()
	g.provenMu.RLock()
	until := g.proven[p]
	g.provenMu.RUnlock()
	if until.Sub(now) > provenFor/2 {
		return
	}
	p.key = strings.Clone(p.key)
	g.provenMu.Lock()
	defer g.provenMu.Unlock()
	if _, known := g.proven[p]; !known && len(g.proven) >= maxEntries {
		dropOne(g.proven, func(until time.Time) bool { return !now.Before(until) })
	}
	g.proven[p] = now.Add(provenFor)
}

func (g *Guard) isProven(p pair, now time.Time) bool {
	g.provenMu.RLock()
	defer g.provenMu.RUnlock()
	return now.Before(g.proven[p])
}

// Stats counts so far.
func (g *Guard) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	return Stats{
		Failed: g.failed.Load(), RefusedPair: g.refusedPair.Load(), RefusedKey: g.refusedKey.Load(), RefusedAddress: g.refusedAddress.Load(),
		Forgotten: g.forgotten.Load(), Keys: len(g.keys), Addresses: len(g.addresses),
	}
}

func refuse(counted *atomic.Uint64, wait time.Duration) error {
	counted.Add(1)
	e := outcrop.Errorf(outcrop.Throttled, "Too many failed sign-ins, please wait before trying again.")
	e.RetryAfter, e.Auth = wait, true
	return e
}

// An allowance is how many failures are let pass.
type allowance struct {
	burst int
	every time.Duration
}

// A bucket is when its failures will all be forgotten: each puts that off by
// one interval. A bucket that is full again needs no memory.
type bucket struct{ clear time.Time }

func (a allowance) full(b bucket, now time.Time) bool { return !now.Before(b.clear) }

// wait is how long until another failure may be risked.
func (a allowance) wait(b bucket, now time.Time) time.Duration {
	return max(0, b.clear.Add(-time.Duration(a.burst-1)*a.every).Sub(now))
}

func (a allowance) spent(b bucket, now time.Time) bucket {
	from := b.clear
	if from.Before(now) {
		from = now
	}
	most := now.Add(time.Duration(a.burst) * a.every) // requests in flight cannot run up a debt
	if b.clear = from.Add(a.every); b.clear.After(most) {
		b.clear = most
	}
	return b
}

func spend[K comparable](g *Guard, buckets map[K]bucket, k K, a allowance, now time.Time) {
	b, known := buckets[k]
	if !known && len(buckets) >= maxEntries && !dropOne(buckets, func(b bucket) bool { return a.full(b, now) }) {
		g.forgotten.Add(1)
	}
	buckets[k] = a.spent(b, now)
}

// dropOne makes room in a full memory: among a few entries, those that are of
// no use any more, else any one. It tells whether nothing of use was lost.
func dropOne[K comparable, V any](m map[K]V, useless func(V) bool) bool {
	const looks = 8
	n, dropped := 0, false
	for k, v := range m {
		if n++; useless(v) {
			delete(m, k)
			dropped = true
		} else if n >= looks && !dropped {
			delete(m, k)
			return false
		}
		if n >= looks {
			break
		}
	}
	return dropped
}

// pairOf cuts what a stranger sends to a bounded size.
func pairOf(key, addr string) pair {
	const maxKeyBytes = 128
	return pair{key[:min(len(key), maxKeyBytes)], addressOf(addr)}
}

// addressOf is an address without its port; an IPv6 client owns a whole
// network of 64 bits and counts as one. What is no address, such as the peer
// of a Unix socket, is the zero one.
func addressOf(addr string) netip.Addr {
	const networkBits = 64
	ip, err := netip.ParseAddr(addr) // as the door has it
	if err != nil {
		p, _ := netip.ParseAddrPort(addr)
		ip = p.Addr()
	}
	if ip = ip.Unmap().WithZone(""); ip.Is6() {
		network, _ := ip.Prefix(networkBits)
		return network.Addr()
	}
	return ip
}
