package budget

import (
	"context"
	"slices"
	"time"

	"outcrop"
)

// countWait is how long a change waits for the budget to be counted; after
// that it is counted in the background.
const countWait = 5 * time.Second

// Create makes a budget and counts what the ledger holds against it.
func (b *Budgets) Create(ctx context.Context, d Budget) error {
	b.changing.Lock()
	defer b.changing.Unlock()
	if err := d.check(b.options.Now()); err != nil {
		return err
	}
	if err := b.admitNew(d.Key); err != nil {
		return err
	}
	filter, err := b.options.compile(d.Filter)
	if err != nil {
		return err
	}
	if err := b.hold(ctx); err != nil {
		return err
	}
	d.Updated = b.options.Now()
	err = b.putNew(ctx, &definition{d, filter})
	b.let()
	if err != nil {
		return err
	}
	b.countSoon(ctx)
	return nil
}

// putNew keeps a budget and what was spent before it was there. No call holds
// anything of it yet, so that the sums may be those of any moment.
func (b *Budgets) putNew(ctx context.Context, d *definition) error {
	s := &state{hours: map[int64]outcrop.Money{}}
	s.def.Store(d)
	seedCtx, cancel := context.WithTimeout(ctx, countWait)
	defer cancel()
	seq, hours, err := b.seed(seedCtx, d)
	if err != nil && ctx.Err() == nil {
		b.options.Log.Warn("budgets: the sums of the past cannot be had, so every record is read", "budget", d.Name, "err", err)
	}
	if err := b.store.PutBudget(ctx, &d.Budget, true); err != nil {
		return err
	}
	if err == nil && seq > 0 {
		if err := b.store.Count(ctx, Counted{Seq: seq, Budgets: []Key{d.Key}, Hours: s.totals(hours)}); err != nil {
			return err
		}
		s.seq, s.hours = seq, hours
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.states[d.Key] = s
	b.reindex()
	return nil
}

func (b *Budgets) admitNew(k Key) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.states[k] != nil {
		return duplicate("Error creating budget: %s - the budget already exists.", k.Name)
	}
	n := 0
	for other := range b.states {
		if other.Account == k.Account {
			n++
		}
	}
	if n >= maxBudgets {
		return limited("An account has at most %d budgets.", maxBudgets)
	}
	return nil
}

// hold keeps the ledger's reader away while a definition changes; let ends
// that.
func (b *Budgets) hold(ctx context.Context) error {
	select {
	case b.counting <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (b *Budgets) let() { <-b.counting }

// countSoon counts at once when that is quick.
func (b *Budgets) countSoon(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, countWait)
	defer cancel()
	if err := b.records.Sync(ctx); err != nil {
		return // Run counts it
	}
	if _, err := b.count(ctx); err != nil && ctx.Err() == nil {
		b.options.Log.Warn("budgets: counting failed, will try again", "err", err)
	}
}

// Replace exchanges the definition of a budget; its alerts, actions and tags
// stay. What was spent stays counted, unless the filter or unit changes.
func (b *Budgets) Replace(ctx context.Context, d Budget) error {
	return b.change(ctx, d.Key, func(was *Budget) error {
		d.Alerts, d.Actions, d.Tags = slices.Clone(was.Alerts), was.Actions, was.Tags
		if d.Start.IsZero() {
			d.Start = was.Start
		}
		*was = d
		return was.check(b.options.Now())
	})
}

// Retag exchanges a budget's tags.
func (b *Budgets) Retag(ctx context.Context, k Key, change func(outcrop.Tags) outcrop.Tags) error {
	return b.change(ctx, k, func(d *Budget) error {
		tags := d.Tags.Clone()
		if tags == nil {
			tags = outcrop.Tags{}
		}
		d.Tags = change(tags)
		return checkTags(d.Tags)
	})
}

// Change edits the alerts and actions of a budget. fn gets copies.
func (b *Budgets) Change(ctx context.Context, k Key, fn func(*Budget) error) error {
	return b.change(ctx, k, func(d *Budget) error {
		d.Alerts, d.Actions = slices.Clone(d.Alerts), slices.Clone(d.Actions)
		for i := range d.Alerts {
			d.Alerts[i].Subscribers = slices.Clone(d.Alerts[i].Subscribers)
		}
		if err := fn(d); err != nil {
			return err
		}
		if len(d.Actions) > maxActions {
			return limited("A budget has at most %d actions.", maxActions)
		}
		return d.check(b.options.Now())
	})
}

func (b *Budgets) change(ctx context.Context, k Key, fn func(*Budget) error) error {
	b.changing.Lock()
	was, err := b.current(k)
	if err == nil {
		next := was.Budget
		if err = fn(&next); err == nil {
			next.Key = k
			err = b.put(ctx, was, next, true)
		}
	}
	b.changing.Unlock()
	if err == nil {
		b.countSoon(ctx)
	}
	return err
}

// put keeps a definition in place of was. byHand says that a user changed it.
func (b *Budgets) put(ctx context.Context, was *definition, next Budget, byHand bool) error {
	filter, err := b.options.compile(next.Filter)
	if err != nil {
		return err
	}
	if byHand {
		next.Updated = b.options.Now()
	}
	recount := byHand && (!sameFilter(was.Filter, next.Filter) || was.Type != next.Type || was.Unit != next.Unit ||
		was.wholeDays() && !next.wholeDays() && b.options.History != nil)
	if err := b.hold(ctx); err != nil {
		return err
	}
	defer b.let()
	if err := b.store.PutBudget(ctx, &next, recount); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.states[next.Key]
	s.def.Store(&definition{next, filter})
	s.period = Period{} // it is added up anew
	if recount {
		s.hours, s.seq, s.counted, s.spent = map[int64]outcrop.Money{}, 0, false, outcrop.Money{}
	}
	b.reindex()
	return nil
}

// Delete drops a budget and what was counted. Policies that its actions have
// attached stay, as on AWS.
func (b *Budgets) Delete(ctx context.Context, k Key) error {
	b.changing.Lock()
	defer b.changing.Unlock()
	if _, err := b.current(k); err != nil {
		return err
	}
	if err := b.hold(ctx); err != nil {
		return err
	}
	defer b.let()
	if err := b.store.DeleteBudget(ctx, k); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.states, k)
	b.reindex()
	return nil
}

func (b *Budgets) current(k Key) (*definition, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.states[k]
	if s == nil {
		return nil, missing("Unable to get budget: %s - the budget doesn't exist.", k.Name)
	}
	return s.def.Load(), nil
}

// Get tells what a budget stands at, the last settled call included.
func (b *Budgets) Get(ctx context.Context, k Key) (Status, error) {
	if _, err := b.current(k); err != nil {
		return Status{}, err
	}
	if err := b.CatchUp(ctx); err != nil {
		return Status{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.states[k]
	if s == nil {
		return Status{}, missing("Unable to get budget: %s - the budget doesn't exist.", k.Name)
	}
	return b.status(s, b.options.Now()), nil
}

// List tells of every budget of an account, by name.
func (b *Budgets) List(ctx context.Context, a outcrop.AccountID) ([]Status, error) {
	if err := b.CatchUp(ctx); err != nil {
		return nil, err
	}
	now := b.options.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	list := []Status{}
	for k, s := range b.states {
		if k.Account == a {
			list = append(list, b.status(s, now))
		}
	}
	slices.SortFunc(list, func(x, y Status) int { return compareKeys(x.Key, y.Key) })
	return list, nil
}

// Past is what one period came to.
type Past struct {
	Period
	Limit, Spent outcrop.Money
}

// maxPast bounds a history: AWS keeps a year.
const maxPast = 400

// History lists the running period and those before it that overlap within,
// newest last.
func (b *Budgets) History(ctx context.Context, k Key, within Period) ([]Past, error) {
	st, err := b.Get(ctx, k)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.states[k]
	if s == nil {
		return nil, nil
	}
	var list []Past
	p, ok := st.PeriodAt(st.until(b.options.Now()))
	for ; ok && len(list) < maxPast && p.End.After(within.Start); p, ok = st.before(p) {
		if !p.Start.Before(within.End) {
			continue
		}
		past := Past{Period: p, Limit: st.LimitAt(p.Start)}
		for hour, m := range s.hours {
			if p.holds(hour) {
				past.Spent = past.Spent.Add(m)
			}
		}
		list = append(list, past)
	}
	slices.Reverse(list)
	return list, nil
}

// Held is what calls under way hold of a budget: nothing, when none is.
func (b *Budgets) Held(k Key) outcrop.Money {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.states[k]; s != nil {
		return s.held
	}
	return outcrop.Money{}
}

// Execute makes an action's move by hand.
func (b *Budgets) Execute(ctx context.Context, k Key, id, how string) error {
	return b.Change(ctx, k, func(d *Budget) error {
		i := slices.IndexFunc(d.Actions, func(a Action) bool { return a.ID == id })
		if i < 0 {
			return missing("Unable to find action %s of budget %s.", id, k.Name)
		}
		a := &d.Actions[i]
		moves := map[string]struct {
			from []string
			to   move
		}{
			"APPROVE_BUDGET_ACTION": {[]string{Pending}, execute}, "RETRY_BUDGET_ACTION": {[]string{Failed, Unturned}, execute},
			"REVERSE_BUDGET_ACTION": {[]string{Executed}, revert}, "RESET_BUDGET_ACTION": {[]string{Executed, Reversed, Failed, Unturned}, rest},
		}
		m, ok := moves[how]
		if !ok || !slices.Contains(m.from, a.Status) {
			return fault("InvalidParameterException", outcrop.Invalid, "%s is not possible for an action in state %s.", how, a.Status)
		}
		if a.Status == Unturned {
			m.to = revert
		}
		p, _ := d.PeriodAt(b.options.Now())
		b.moveTo(ctx, d, a, m.to, p.Start, "EXECUTE_ACTION")
		return nil
	})
}

func sameFilter(a, b *Filter) bool {
	switch {
	case a == nil || b == nil:
		return a == b
	}
	same := func(x, y *Match) bool {
		if x == nil || y == nil {
			return x == y
		}
		return x.Key == y.Key && slices.Equal(x.Values, y.Values) && slices.Equal(x.Options, y.Options)
	}
	list := func(x, y []Filter) bool {
		return slices.EqualFunc(x, y, func(p, q Filter) bool { return sameFilter(&p, &q) })
	}
	return list(a.And, b.And) && list(a.Or, b.Or) && sameFilter(a.Not, b.Not) && same(a.Dimension, b.Dimension) && same(a.Tag, b.Tag)
}
