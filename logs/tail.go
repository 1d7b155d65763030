package logs

import (
	"crypto/rand"
	"sync"
)

func randomBytes(b []byte) { rand.Read(b) } // never fails: crypto/rand aborts the program instead

// maxTailed bounds the events that wait for a slow reader of a Tail.
const maxTailed = 10_000

// A Tail hears of events as they come. Close it.
type Tail struct {
	Wake chan struct{} // has an element when Take has something

	of    *tails
	group map[GroupName]func(stream string) bool

	mu      sync.Mutex
	waiting []Tailed
	dropped bool
}

// A Tailed event and the group it came to.
type Tailed struct {
	Group GroupName
	Event
}

type tails struct {
	mu  sync.RWMutex
	all map[*Tail]bool
}

// Tail hears of the events of groups, each with the streams that are wanted
// (nil: all), from now on.
func (s *Store) Tail(groups map[GroupName]func(stream string) bool) *Tail {
	t := &Tail{Wake: make(chan struct{}, 1), of: &s.tails, group: groups}
	s.tails.mu.Lock()
	defer s.tails.mu.Unlock()
	if s.tails.all == nil {
		s.tails.all = map[*Tail]bool{}
	}
	s.tails.all[t] = true
	return t
}

// Close ends the tail.
func (t *Tail) Close() {
	t.of.mu.Lock()
	defer t.of.mu.Unlock()
	delete(t.of.all, t)
}

// Take returns what has come since the last Take. sampled says that more came
// than a Tail holds.
func (t *Tail) Take() (events []Tailed, sampled bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	events, sampled = t.waiting, t.dropped
	t.waiting, t.dropped = nil, false
	return events, sampled
}

func (a *tails) tell(name GroupName, stream string, events []Event) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	for t := range a.all {
		if wants, ok := t.group[name]; ok && (wants == nil || wants(stream)) {
			t.add(name, events)
		}
	}
}

func (t *Tail) add(name GroupName, events []Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range events {
		if len(t.waiting) == maxTailed {
			t.dropped = true
			break
		}
		t.waiting = append(t.waiting, Tailed{name, e})
	}
	select {
	case t.Wake <- struct{}{}:
	default:
	}
}
