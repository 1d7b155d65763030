package budget

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"outcrop"
)

// Records is the ledger as a reader sees it.
type Records interface {
	// Sync returns once every record settled before the call is visible to
	// After.
	Sync(ctx context.Context) error
	// After returns up to limit records with Seq greater than after, in order. An
	// empty answer means the end. The list is the reader's until it asks for more.
	After(ctx context.Context, after outcrop.Seq, limit int) ([]outcrop.UsageRecord, error)
}

// A Store keeps budgets and what was counted against them.
type Store interface {
	// Budgets returns everything, at the start.
	Budgets(context.Context) ([]Saved, error)
	// PutBudget keeps a budget, new or changed. With recount, what was counted
	// is dropped.
	PutBudget(ctx context.Context, b *Budget, recount bool) error
	DeleteBudget(context.Context, Key) error
	// Count keeps what hours come to now, all of it or nothing, and notes how
	// far budgets have been counted.
	Count(context.Context, Counted) error
	Deliveries
}

// Saved is a budget as it was kept.
type Saved struct {
	Budget Budget
	Seq    outcrop.Seq
	Hours  map[int64]outcrop.Money // spending by hours since 1970-01-01T00:00Z
}

// Counted is what records up to Seq have changed.
type Counted struct {
	Seq     outcrop.Seq
	Budgets []Key // that have been counted up to Seq
	Hours   []HourTotal
}

// An HourTotal is all that was spent of a budget in an hour.
type HourTotal struct {
	Key
	Hour  int64
	Total outcrop.Money
}

// Options are what budgets need of others. Now and Bill are required.
type Options struct {
	Now         func() time.Time
	Bill        Bill
	SessionTags bool    // as package cost's setting
	Sender      Sender  // of notifications; nil only logs
	Hand        Hand    // of actions; nil refuses them
	History     History // what new budgets are counted from; nil reads every record
	// Unpriced lets calls to models without a price pass a hard budget in
	// dollars, uncounted. Off, they are refused.
	AllowUnpriced bool
	Log           *slog.Logger
}

// Budgets counts, reserves and tells. It is safe for concurrent use.
type Budgets struct {
	records Records
	store   Store
	options Options

	changing sync.Mutex    // of definitions: one change at a time
	counting chan struct{} // holds one token: one reader of the ledger

	mu      sync.Mutex // of all below, never held over I/O
	states  map[Key]*state
	pending map[outcrop.InvocationID][]hold
	index   atomic.Pointer[map[outcrop.AccountID]*index] // of states, for readers without the lock
	due     chan struct{}                                // a delivery waits
}

// A definition is a budget with its filter made ready.
type definition struct {
	Budget
	filter compiled
}

// A state is one budget at work.
type state struct {
	def     atomic.Pointer[definition] // exchanged as a whole
	hours   map[int64]outcrop.Money
	seq     outcrop.Seq
	counted bool // has met the end of the ledger once

	period Period        // that spent belongs to
	rolled *definition   // by which period was found,
	hour   int64         // in this hour
	spent  outcrop.Money // in period, of records that were read
	unread outcrop.Money // of records that are settled and not read yet
	held   outcrop.Money // of calls under way
	warned time.Time     // when a soft limit last warned
}

// A hold is what one call takes of one budget.
type hold struct {
	*state
	amount  outcrop.Money
	settled bool // amount is what it really cost, and unread
}

// Open reads the budgets that were kept. Run it then.
func Open(ctx context.Context, records Records, store Store, o Options) (*Budgets, error) {
	b := &Budgets{records: records, store: store, options: o, counting: make(chan struct{}, 1), due: make(chan struct{}, 1),
		states: map[Key]*state{}, pending: map[outcrop.InvocationID][]hold{}}
	saved, err := store.Budgets(ctx)
	if err != nil {
		return nil, err
	}
	for i := range saved {
		s := &saved[i]
		filter, err := o.compile(s.Budget.Filter)
		if err != nil { // of an older version: better known than lost
			o.Log.Error("a budget's filter cannot be read, so it counts everything in the account", "budget", s.Budget.Name, "err", err)
			filter, _ = o.compile(nil)
		}
		if s.Hours == nil {
			s.Hours = map[int64]outcrop.Money{}
		}
		kept := &state{hours: s.Hours, seq: s.Seq}
		kept.def.Store(&definition{s.Budget, filter})
		b.states[s.Budget.Key] = kept
	}
	b.reindex()
	return b, nil
}

// An index finds the budgets that a record may fall under.
type index struct {
	all   []*state                       // that need a look at every record
	byTag map[string]map[string][]*state // that need one of some values of a tag
}

// reindex is called with mu held, or before anybody else knows b.
func (b *Budgets) reindex() {
	accounts := map[outcrop.AccountID]*index{}
	for _, k := range slices.SortedFunc(maps.Keys(b.states), compareKeys) {
		s := b.states[k]
		x := accounts[k.Account]
		if x == nil {
			x = &index{byTag: map[string]map[string][]*state{}}
			accounts[k.Account] = x
		}
		key, values, ok := s.def.Load().Filter.required()
		if !ok || b.options.SessionTags {
			x.all = append(x.all, s)
			continue
		}
		if x.byTag[key] == nil {
			x.byTag[key] = map[string][]*state{}
		}
		for _, v := range slices.Compact(slices.Sorted(slices.Values(values))) {
			x.byTag[key][v] = append(x.byTag[key][v], s)
		}
	}
	b.index.Store(&accounts)
}

// candidates calls fn for every budget that r may fall under.
func (b *Budgets) candidates(r *outcrop.UsageRecord, fn func(*state)) {
	x := (*b.index.Load())[r.Account]
	if x == nil {
		return
	}
	for _, s := range x.all {
		fn(s)
	}
	for key, values := range x.byTag {
		if value, ok := r.Tags[key]; ok {
			for _, s := range values[value] {
				fn(s)
			}
		}
	}
}

// Any says whether the account has a budget.
func (b *Budgets) Any(a outcrop.AccountID) bool { return (*b.index.Load())[a] != nil }

// roll makes spent that of the period of now. It is called with mu held.
func (s *state) roll(now time.Time) (p Period, ok bool) {
	d, hour := s.def.Load(), hourOf(now)
	if d == s.rolled && hour == s.hour && s.period.runs(now) { // no period but of a budget that begins or ends changes within an hour
		return s.period, true
	}
	p, ok = d.PeriodAt(now)
	s.rolled, s.hour = d, hour
	if p == s.period {
		return p, ok
	}
	s.period, s.spent = p, outcrop.Money{}
	for hour, m := range s.hours {
		if p.holds(hour) {
			s.spent = s.spent.Add(m)
		}
	}
	return p, ok
}

func compareKeys(a, b Key) int {
	return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Name, b.Name))
}
