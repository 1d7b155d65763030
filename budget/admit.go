package budget

import (
	"fmt"
	"time"

	"outcrop"
)

// recountRetry is what a call is told to wait while its budget is counted.
const recountRetry = time.Second

// warnEvery is how often one soft budget warns in the log.
const warnEvery = time.Minute

// Reserve holds what worst costs against every budget that it falls under, or
// against none and refuses, naming one. The hold lasts until the call's record
// is read from the ledger, or until Cancel.
func (b *Budgets) Reserve(worst *outcrop.UsageRecord) error {
	var room [8]hold
	holds := room[:0]
	var unpriced *state
	now := b.options.Now()
	b.candidates(worst, func(s *state) {
		d := s.def.Load()
		if !d.lives(now) {
			return
		}
		m, falls, priced := d.most(worst)
		if !falls {
			return
		}
		if !priced && d.Hard() && !b.options.AllowUnpriced {
			unpriced = s
		}
		holds = append(holds, hold{state: s, amount: m})
	})
	if len(holds) == 0 {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if unpriced != nil {
		return refuseUnpriced(&unpriced.def.Load().Budget, worst)
	}
	for i := range holds {
		if err := b.fits(&holds[i], now); err != nil {
			return err
		}
	}
	for i := range holds {
		holds[i].held = holds[i].held.Add(holds[i].amount)
	}
	b.pending[worst.Invocation] = append([]hold(nil), holds...)
	return nil
}

// fits says whether one hold stays within its budget. It is called with mu
// held.
func (b *Budgets) fits(h *hold, now time.Time) error {
	p, alive := h.roll(now)
	if !alive {
		return nil
	}
	d := h.def.Load()
	limit := d.LimitAt(p.Start)
	if h.counted && h.known().Add(h.held).Add(h.amount).Cmp(limit) <= 0 {
		return nil
	}
	switch {
	case d.Hard() && !h.counted:
		e := outcrop.Errorf(outcrop.Throttled, "The spending of budget %q is being counted. Try again in a moment.", d.Name)
		e.RetryAfter = recountRetry
		return e
	case d.Hard():
		return refuse(h, p, limit, now)
	case h.counted && now.Sub(h.warned) >= warnEvery:
		h.warned = now
		b.options.Log.Warn("a budget is used up; it is soft, so calls go on", "budget", d.Name, "account", d.Account,
			"spent", h.known(), "underWay", h.held, "limit", limit, "unit", d.Unit)
	}
	return nil
}

// refuse names the budget, what is left of it, and when it has room again.
func refuse(h *hold, p Period, limit outcrop.Money, now time.Time) error {
	d, resets := h.def.Load(), "It resets"
	if d.window() > 0 {
		resets = "What it counts moves on"
	}
	state := "is used up"
	if h.known().Cmp(limit) < 0 {
		state = "has no room for this call"
	}
	text := fmt.Sprintf("Budget %q %s: of %s %s, %s are spent and %s are held by calls under way, and this call may cost up to %s. %s at %s.",
		d.Name, state, limit, d.Unit, h.known(), h.held, h.amount, resets, p.End.Format(time.RFC3339))
	if h.known().Cmp(limit) < 0 {
		text += " A call with a smaller maxTokens may fit."
	}
	if !d.throttles() {
		return outcrop.Errorf(outcrop.Denied, "%s", text)
	}
	e := outcrop.Errorf(outcrop.Throttled, "%s", text)
	e.RetryAfter = p.End.Sub(now)
	if !h.held.IsZero() { // a call that ends may give back enough
		e.RetryAfter = min(e.RetryAfter, recountRetry)
	}
	return e
}

func refuseUnpriced(d *Budget, r *outcrop.UsageRecord) error {
	return outcrop.Errorf(outcrop.Denied,
		"Budget %q is hard and model %s has no price here, so what the call costs cannot be held to it. Add a price for the model in the overlay folder, or set budgets.unpriced to allow.", d.Name, r.Model)
}

// Settle replaces what a call holds by what its record really costs. It goes
// on being held until the record is read from the ledger.
func (b *Budgets) Settle(done *outcrop.UsageRecord) {
	b.mu.Lock()
	defer b.mu.Unlock()
	holds := b.pending[done.Invocation]
	for i := range holds {
		h := &holds[i]
		real, _, _ := h.def.Load().amount(done)
		h.drop()
		h.unread = h.unread.Add(real)
		h.amount, h.settled = real, true
	}
}

// Cancel lets go of what a call holds that leaves no record.
func (b *Budgets) Cancel(id outcrop.InvocationID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.release(id)
}

// drop takes a hold off its budget.
func (h *hold) drop() {
	if h.settled {
		h.unread = h.unread.Sub(h.amount)
	} else {
		h.held = h.held.Sub(h.amount)
	}
}

// known is what calls have cost that are over, whether read from the ledger or
// not.
func (s *state) known() outcrop.Money { return s.spent.Add(s.unread) }

// release is called with mu held.
func (b *Budgets) release(id outcrop.InvocationID) {
	for _, h := range b.pending[id] {
		h.drop()
	}
	delete(b.pending, id)
}
