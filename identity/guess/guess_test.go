package guess_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"outcrop"
	"outcrop/identity/guess"
	"pgregory.net/rapid"
)

const (
	ownersKey = "AKIAIOSFODNN7EXAMPLE"
	ownerAt   = "192.0.2.7:50000"
	thiefAt   = "203.0.113.9:40000"
)

var start = time.Date(2026, 1, 16, 16, 56, 15, 0, time.UTC)

// tries fails until it is refused, or n times, and tells how often it was let.
func tries(g *guess.Guard, key, addr string, n int) int {
	for i := range n {
		if g.Allow(key, addr) != nil {
			return i
		}
		g.Failed(key, addr)
	}
	return n
}

func TestGuardRefusesWhoGuesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := guess.New(time.Now)
		if n := tries(g, ownersKey, thiefAt, 1000); n != 10 {
			t.Errorf("%d guesses at once, want 10", n)
		}
		err := g.Allow(ownersKey, thiefAt)
		var e *outcrop.Error
		if !errors.As(err, &e) || e.Kind != outcrop.Throttled || e.RetryAfter <= 0 || e.RetryAfter > 6*time.Second {
			t.Fatalf("refusal is %#v, want Throttled with a wait of at most 6 s", err)
		}
		time.Sleep(e.RetryAfter)
		if n := tries(g, ownersKey, thiefAt, 10); n != 1 {
			t.Errorf("%d guesses after the wait, want 1", n)
		}
		time.Sleep(time.Hour)
		if n := tries(g, ownersKey, thiefAt, 1000); n != 10 {
			t.Errorf("%d guesses after an hour, want 10 again", n)
		}
		if s := g.Stats(); s.Failed != 21 || s.RefusedPair != 4 || s.Refused() != 4 {
			t.Errorf("stats %+v", s)
		}
	})
}

// Property: nothing that others do, from other addresses, keeps an owner out.
func TestGuardNeverLocksTheOwnerOut(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		now := start
		g := guess.New(func() time.Time { return now })
		keys := []string{ownersKey, "AKIAOTHER00000000000", "", strings.Repeat("x", 500)}
		for range rapid.IntRange(0, 400).Draw(rt, "steps") {
			addr := fmt.Sprintf("203.0.113.%d:%d", rapid.IntRange(0, 255).Draw(rt, "host"), rapid.IntRange(1, 65535).Draw(rt, "port"))
			tries(g, rapid.SampledFrom(keys).Draw(rt, "key"), addr, rapid.IntRange(1, 20).Draw(rt, "tries"))
			now = now.Add(time.Duration(rapid.IntRange(0, 2000).Draw(rt, "ms")) * time.Millisecond)
			if err := g.Allow(ownersKey, ownerAt); err != nil {
				rt.Fatalf("the owner was refused: %v", err)
			}
		}
	})
}

func TestGuardTightensAroundAKeyUnderAttack(t *testing.T) {
	now := start
	g := guess.New(func() time.Time { return now })
	total := 0
	for i := range 200 {
		total += tries(g, ownersKey, fmt.Sprintf("203.0.113.%d:1", i), 10)
	}
	if total > 100+200 { // the key's allowance, and one first try of each address
		t.Errorf("%d guesses at one key from 200 addresses, want at most 300", total)
	}
	if err := g.Allow(ownersKey, ownerAt); err != nil {
		t.Errorf("the owner was refused: %v", err)
	}
	if g.Stats().RefusedKey == 0 {
		t.Error("no refusal was counted against the key")
	}
}

func TestGuardAddressesAndTheirGoodKeys(t *testing.T) {
	now := start
	g := guess.New(func() time.Time { return now })
	g.Succeeded(ownersKey, ownerAt)
	tried := 0
	for i := range 1000 { // a stranger behind the same address tries many keys
		tried += tries(g, fmt.Sprintf("AKIA%016d", i), ownerAt, 1)
	}
	if tried != 60 {
		t.Errorf("%d keys tried from one address, want 60", tried)
	}
	if err := g.Allow(ownersKey, ownerAt); err != nil {
		t.Errorf("a key that has worked from there was refused: %v", err)
	}
	if g.Allow("AKIANEW", ownerAt) == nil {
		t.Error("an unproven key was let in from an address that guesses")
	}
	now = now.Add(25 * time.Hour)
	if n := tries(g, "AKIANEW", ownerAt, 1); n != 1 {
		t.Error("the address stays closed for ever")
	}
}

func TestGuardTakesAnIPv6NetworkForOneClient(t *testing.T) {
	now := start
	g := guess.New(func() time.Time { return now })
	n := 0
	for i := range 200 {
		n += tries(g, fmt.Sprintf("K%d", i), fmt.Sprintf("[2001:db8:1:2::%x]:9", i+1), 1)
	}
	if n != 60 {
		t.Errorf("%d guesses from one /64, want 60", n)
	}
	if g.Allow("K", "[2001:db8:1:3::1]:9") != nil {
		t.Error("another network pays for it")
	}
	if g.Allow("K", "[::ffff:192.0.2.1]:9") != nil || g.Allow("K", "@") != nil {
		t.Error("a mapped or a nameless address is refused from the start")
	}
}

func TestGuardMemoryIsBounded(t *testing.T) {
	now := start
	g := guess.New(func() time.Time { return now })
	for i := range 120_000 {
		g.Failed(fmt.Sprint(i), fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255))
	}
	s := g.Stats()
	if s.Keys > 50_000 || s.Addresses > 50_000 {
		t.Errorf("%d keys and %d addresses remembered", s.Keys, s.Addresses)
	}
	if s.Forgotten == 0 || s.Failed != 120_000 {
		t.Errorf("stats %+v", s)
	}
}

func TestGuardAmongMany(t *testing.T) {
	g := guess.New(time.Now)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 500 {
				addr := fmt.Sprintf("10.0.0.%d:1", (i+j)%16)
				if g.Allow(ownersKey, addr) == nil {
					g.Failed(ownersKey, addr)
				}
				g.Succeeded(ownersKey, ownerAt)
				g.Stats()
			}
		})
	}
	wg.Wait()
}

func BenchmarkGuardAllow(b *testing.B) {
	g := guess.New(time.Now)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_ = g.Allow(ownersKey, ownerAt)
			g.Succeeded(ownersKey, ownerAt)
		}
	})
}
