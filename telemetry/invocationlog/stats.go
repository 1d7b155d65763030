package invocationlog

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Stats say what became of the records.
type Stats struct {
	ToLogs, ToS3 int64 // delivered
	Waiting      int64 // on disk, not delivered yet
	WaitingBytes int64
	Failures     int64            // deliveries that failed and are tried again
	Sampled      int64            // left out by sampling
	Dropped      map[string]int64 // never to be delivered, by reason
}

type stats struct {
	delivered [2]atomic.Int64
	failures  atomic.Int64
	sampled   atomic.Int64

	mu      sync.Mutex
	dropped map[string]int64
}

func (s *stats) drop(why string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dropped == nil {
		s.dropped = map[string]int64{}
	}
	s.dropped[why] += int64(n)
}

// Stats are counted since the start.
func (l *Logger) Stats() Stats {
	waiting, size := l.spool.waiting()
	l.stats.mu.Lock()
	defer l.stats.mu.Unlock()
	return Stats{
		ToLogs: l.stats.delivered[toLogs].Load(), ToS3: l.stats.delivered[toS3].Load(), Waiting: waiting, WaitingBytes: size,
		Failures: l.stats.failures.Load(), Sampled: l.stats.sampled.Load(), Dropped: maps.Clone(l.stats.dropped),
	}
}
