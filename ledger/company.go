package ledger

import "time"

// A sync costs as much for one record as for many. While records come fast, a
// commit therefore waits a moment for company.
const (
	company     = 8                     // records that it waits for
	patience    = 2 * time.Millisecond  // how long at most
	fastEnough  = patience / 4          // between two records, or none waits
	paceMeasure = 10 * time.Millisecond // what the pace is measured over, at least
)

// A pace is how fast records came lately.
type pace struct {
	began   time.Time
	records int           // since then
	gap     time.Duration // between two of them, as last measured; 0 is unknown
}

func (p *pace) note(now time.Time, records int) {
	p.records += records
	if over := now.Sub(p.began); over >= paceMeasure {
		p.gap = over / time.Duration(max(p.records, 1))
		p.began, p.records = now, 0
	}
}

// gather waits for company for the commit that is to be written next. At a low
// rate, and when no other call is open, it does not wait at all.
func (l *Ledger) gather() {
	l.mu.Lock()
	wait := l.wait()
	if l.gathering = wait > 0; l.gathering {
		select {
		case <-l.wake: // of records that are in the commit already
		default:
		}
	}
	l.mu.Unlock()
	if wait <= 0 {
		return
	}
	l.patience.Reset(wait)
	select {
	case <-l.wake:
		l.patience.Stop()
	case <-l.patience.C:
	case <-l.stop:
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gathering = false
}

// wait is how long the next commit had better wait. The caller holds l.mu.
func (l *Ledger) wait() time.Duration {
	if len(l.queue) != 1 || !l.fast() || l.gathered() {
		return 0
	}
	return min(company*l.pace.gap, patience)
}

// fast says whether records come so fast that a commit had better wait. The
// caller holds l.mu.
func (l *Ledger) fast() bool { return l.pace.gap > 0 && l.pace.gap <= fastEnough }

// gathered says whether the next commit has company enough, or all that it can
// have. The caller holds l.mu.
func (l *Ledger) gathered() bool {
	n := len(l.queue[0].items)
	return n >= company || n >= len(l.calls)
}

// listens says whether the writer has to be told of a record in the queue: not
// while it writes, since it looks again then, nor while it waits for more. The
// caller holds l.mu.
func (l *Ledger) listens() bool {
	return l.since.IsZero() && (!l.gathering || l.gathered())
}
