package budget

import (
	"maps"

	"outcrop"
)

// A tally adds up records before they are written. Which budgets a record falls
// under is found out once for all that look alike to filters.
type tally struct {
	budgets *Budgets
	sums    map[*state]*sum
	shapes  map[traits][]*shape
	last    outcrop.Seq            // that was added
	unkept  int                    // records since the last write
	read    []outcrop.InvocationID // those of unkept that hold something
}

// A sum is what records after one add to a budget, by hour. The hour under way
// is kept aside, since records come in about the order of time.
type sum struct {
	state *state
	after outcrop.Seq
	hours map[int64]outcrop.Money
	hour  int64
	run   outcrop.Money // of hour, not in hours yet
}

func (s *sum) add(hour int64, m outcrop.Money) {
	if hour != s.hour {
		s.flush()
		s.hour = hour
	}
	s.run = s.run.Add(m)
}

func (s *sum) flush() {
	if !s.run.IsZero() {
		s.hours[s.hour] = s.hours[s.hour].Add(s.run)
		s.run = outcrop.Money{}
	}
}

// traits are what filters tell records apart by, beside their tags.
type traits struct {
	account            outcrop.AccountID
	principal, profile outcrop.ARN
	key                string
	region             outcrop.Region
	model              outcrop.ModelID
	geography          outcrop.Geography
	operation          outcrop.Operation
	tier, latency      string
	priced             kinds
}

func traitsOf(r *outcrop.UsageRecord) traits {
	t := traits{
		account: r.Account, principal: r.Principal, profile: r.Profile, key: r.AccessKey, region: r.Region, model: r.Model, geography: r.Geography,
		operation: r.Operation, tier: r.ServiceTier, latency: r.Latency,
	}
	for k := range r.Quote.Rates.All() {
		t.priced = t.priced.with(k)
	}
	return t
}

// A shape is what all records of the same traits and tags fall under.
type shape struct {
	tags, session outcrop.Tags
	falls         []fall
}

// A fall is a budget that some kinds of token fall under.
type fall struct {
	sum   *sum
	def   *definition
	kinds kinds
}

// maxShapes bounds the shapes of the same traits that are remembered, as they
// are searched one by one.
const maxShapes = 32

func (t *tally) shape(r *outcrop.UsageRecord) *shape {
	key := traitsOf(r)
	list := t.shapes[key]
	for _, s := range list {
		if maps.Equal(s.tags, r.Tags) && maps.Equal(s.session, r.SessionTags) {
			return s
		}
	}
	s := &shape{tags: r.Tags, session: r.SessionTags}
	t.budgets.candidates(r, func(of *state) {
		sum, def := t.sums[of], of.def.Load()
		if sum == nil {
			return
		}
		if kinds := def.filter.kinds(r); kinds != 0 {
			s.falls = append(s.falls, fall{sum, def, kinds})
		}
	})
	if len(list) < maxShapes {
		t.shapes[key] = append(list, s)
	}
	return s
}

// add counts a batch.
func (t *tally) add(records []outcrop.UsageRecord) {
	for i := range records {
		t.addOne(&records[i])
	}
	t.last = records[len(records)-1].Seq
	t.unkept += len(records)
	t.note(records)
}

func (t *tally) addOne(r *outcrop.UsageRecord) {
	var whole outcrop.Money // of all kinds, in dollars: most budgets count that
	var known bool
	hour := hourOf(r.Started)
	for _, f := range t.shape(r).falls {
		if r.Seq <= f.sum.after {
			continue
		}
		m := whole
		if f.def.Type != Cost || f.kinds != allKinds {
			m, _, _ = f.def.worth(r, f.kinds)
		} else if !known {
			m, _, _ = f.def.worth(r, allKinds)
			whole, known = m, true
		}
		if !m.IsZero() {
			f.sum.add(hour, m)
		}
	}
}

// note remembers which calls let go of what they hold.
func (t *tally) note(records []outcrop.UsageRecord) {
	t.budgets.mu.Lock()
	defer t.budgets.mu.Unlock()
	for i := range records {
		if _, holds := t.budgets.pending[records[i].Invocation]; holds {
			t.read = append(t.read, records[i].Invocation)
		}
	}
}

func (t *tally) least() (from outcrop.Seq) {
	first := true
	for _, s := range t.sums {
		if first || s.after < from {
			from, first = s.after, false
		}
	}
	return from
}

// counted is what the store has to keep.
func (t *tally) counted() Counted {
	c := Counted{Seq: t.last}
	for s, sum := range t.sums {
		sum.flush()
		if sum.after < t.last {
			c.Budgets = append(c.Budgets, s.def.Load().Key)
		}
		c.Hours = append(c.Hours, s.totals(sum.hours)...)
	}
	return c
}

// totals are what hours come to with more added to them. Only who holds the
// counting token changes hours, so that reading them needs no lock.
func (s *state) totals(more map[int64]outcrop.Money) (all []HourTotal) {
	k := s.def.Load().Key
	for hour, m := range more {
		all = append(all, HourTotal{k, hour, s.hours[hour].Add(m)})
	}
	return all
}
