package ledger

import (
	"fmt"
	"runtime/debug"
)

// While records come one by one, whoever brings one writes it: to wake the
// writer, and to be woken by it, costs more than all else but the disk. Only
// who cannot give up waiting does so, as a write cannot be left. When records
// come fast and more are on their way, or the disk fails, the writer's goroutine
// does it all.

// mayLead says whether a caller whose record was just put into the queue writes
// the queue's first commit, and takes the turn to write for it. The caller
// holds l.mu.
func (l *Ledger) mayLead() bool {
	if len(l.queue) != 1 || l.failed != nil || l.fast() && !l.gathered() {
		return false
	}
	select {
	case l.turn <- struct{}{}:
		l.note()
		return true
	default:
		return false
	}
}

// lead writes one commit, the first. What has come meanwhile is the writer's.
func (l *Ledger) lead() {
	defer endProcess()
	b := l.first()
	if err := l.write(b); err != nil {
		l.fail(err)
		l.ledInto = err
	}
	<-l.turn
	if l.first() != nil {
		l.signal()
	}
}

// endProcess ends the process when what it is deferred in panics, as it would
// end if the writer's goroutine did. A server recovers from the panic of a call,
// but not from this one: the turn to write would be lost, and what is on disk is
// for the next start to find out.
func endProcess() {
	if why := recover(); why != nil {
		go panic(fmt.Sprintf("ledger: %v\n\n%s", why, debug.Stack()))
		select {}
	}
}

// first is the commit that is to be written next, or nil.
func (l *Ledger) first() *commit {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		return nil
	}
	return l.queue[0]
}
