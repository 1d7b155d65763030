package sim

import (
	"fmt"
	"slices"

	"outcrop"
)

// maxWrong bounds what is told of a world in which something does not hold.
const maxWrong = 20

func (w *World) complain(format string, args ...any) {
	if len(w.wrong) < maxWrong {
		w.wrong = append(w.wrong, fmt.Sprintf("%s: ", w.now)+fmt.Sprintf(format, args...))
	}
}

// checkAttempt holds an attempt to what is promised of each.
func (w *World) checkAttempt(c *call, a *outcrop.Attempt) {
	if !slices.Contains(w.tenants[c.tenant].target.Destinations, a.Destination) {
		w.complain("an attempt goes to %v, which is no destination", a.Destination)
	}
	if c.first > 0 {
		w.complain("an attempt follows after the first byte")
	}
}

// finish measures, and holds the world to what is promised at its end.
func (w *World) finish() {
	r := &w.result
	r.Seconds = w.now.Seconds()
	if w.open != 0 {
		w.complain("%d calls never end", w.open)
	}
	for _, s := range w.router.Statuses() {
		if s.InFlight != 0 {
			w.complain("upstream %s has %d calls under way at the end", s.Upstream, s.InFlight)
		}
		for _, l := range s.Lanes {
			if l.InFlight != 0 {
				w.complain("lane %v has %d calls under way at the end", l.Destination, l.InFlight)
			}
		}
	}
	for name, p := range w.places {
		if p.running != 0 {
			w.complain("%s is still answering %d calls", name, p.running)
		}
		later := moment(w.now + 2*minute)
		if free := p.capacity.Headroom(later); free < 1 {
			w.complain("%s has %.3f of its capacity free two minutes after the end", name, free)
		}
		if w.gate != nil {
			if free := w.gate.Headroom(later, string(name)); free < 1 {
				w.complain("the gateway still holds some of %s: %.3f is free", name, free)
			}
		}
	}
	if most := retriesAllowed(w); float64(r.Retries) > most {
		w.complain("%d retries in %d calls: the budget allows %.0f", r.Retries, r.Calls, most)
	}
}

// Wrong is what did not hold, empty when everything did.
func (w *World) Wrong() []string { return w.wrong }
