package sim

import "time"

// An event happens to a call at a moment. One of an attempt that is over is
// passed by.
type event struct {
	at      time.Duration
	order   uint64 // of events at the same moment: first come, first served
	what    happening
	call    *call
	attempt int
}

type happening uint8

const (
	arrives  happening = iota // the next client calls
	reaches                   // an attempt reaches its Region
	begins                    // the first byte comes back
	ends                      // the last byte comes back
	breaks                    // an error comes back
	hangsUp                   // the client leaves
	nextPoll                  // a sample of the world is taken
)

// A queue is a heap of events.
type queue struct {
	events []event
	count  uint64
}

func (e *event) before(o *event) bool {
	return e.at < o.at || e.at == o.at && e.order < o.order
}

func (q *queue) push(e event) {
	q.count++
	e.order = q.count
	q.events = append(q.events, e)
	h := q.events
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if !h[i].before(&h[up]) {
			break
		}
		h[i], h[up] = h[up], h[i]
		i = up
	}
}

func (q *queue) pop() event {
	h := q.events
	top, last := h[0], len(h)-1
	h[0] = h[last]
	h[last] = event{}
	q.events = h[:last]
	h = q.events
	for i := 0; ; {
		least := i
		for _, c := range [2]int{2*i + 1, 2*i + 2} {
			if c < last && h[c].before(&h[least]) {
				least = c
			}
		}
		if least == i {
			return top
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}
