package invocationlog

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// Stats say what became of the records.
type Stats struct {
	ToLogs, ToS3 int64 // delivered
	Waiting      int64 // on disk, not delivered yet
	WaitingBytes int64
	Failures     int64            // deliveries that failed and are tried again
	Sampled      int64            // left out by sampling
	Dropped      map[string]int64 // never to be delivered, by reason
	LastLost     time.Time        // when a record was last lost; zero for never
	LostWhy      string           // its reason
}

type stats struct {
	delivered [2]atomic.Int64
	failures  atomic.Int64
	sampled   atomic.Int64

	mu      sync.Mutex
	dropped map[string]int64
	last    time.Time
	why     string
}

// turnedOff is no loss: the account's owner wants nothing logged any more.
const turnedOff = "logging was turned off"

func (s *stats) drop(why string, n int, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dropped == nil {
		s.dropped = map[string]int64{}
	}
	s.dropped[why] += int64(n)
	if why != turnedOff {
		s.last, s.why = at, why
	}
}

// Stats are counted since the start.
func (l *Logger) Stats() Stats {
	waiting, size := l.spool.waiting()
	l.stats.mu.Lock()
	defer l.stats.mu.Unlock()
	return Stats{
		ToLogs: l.stats.delivered[toLogs].Load(), ToS3: l.stats.delivered[toS3].Load(), Waiting: waiting, WaitingBytes: size,
		Failures: l.stats.failures.Load(), Sampled: l.stats.sampled.Load(), Dropped: maps.Clone(l.stats.dropped),
		LastLost: l.stats.last, LostWhy: l.stats.why,
	}
}
