package cost

import (
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"outcrop"
)

// knowledge is what questions of one view have found out: where each line
// belongs, and what days came to. It is exact: entries and pages never change,
// so that what was found out about one holds for as long as the view means the
// same. One question uses it at a time.
type knowledge struct {
	view    *view
	asked   string // the view's grouping and filter
	account outcrop.AccountID
	name    string // of the account, which lines show
	slots   memo[slot]
	numbers map[groupKeys]int
	keys    []groupKeys
	divisions
	pages map[pageEpoch]*pageSums // of the question before
	used  map[pageEpoch]*pageSums // of this one
}

// A pageEpoch names a page and the epoch that its lines are shown in.
type pageEpoch struct {
	page  uint64
	epoch int
}

// pageSums are what a page comes to.
type pageSums struct {
	total  Value
	groups []groupSum
	moved  moved
}

type groupSum struct {
	group int
	Value
}

// Bounds of what is remembered.
const (
	maxKnown      = 8       // views
	maxKnownLines = 131_072 // of a view
	maxKnownSums  = 100_000 // of a view's days
)

// A known is the knowledge that no question uses now, the latest last.
type known struct {
	mu   sync.Mutex
	list []*knowledge
}

// take finds what is known of a view, for one question alone.
func (n *known) take(v *view) *knowledge {
	fresh := &knowledge{view: v, account: v.account, name: v.accountName(v.account), asked: v.asks(), numbers: map[groupKeys]int{}}
	n.mu.Lock()
	defer n.mu.Unlock()
	i := slices.IndexFunc(n.list, fresh.means)
	if i < 0 {
		fresh.used = map[pageEpoch]*pageSums{}
		return fresh
	}
	k := n.list[i]
	n.list = slices.Delete(n.list, i, i+1)
	k.used, k.parts = make(map[pageEpoch]*pageSums, len(k.pages)), 0
	return k
}

// put keeps knowledge for the next question, unless it is too much.
func (n *known) put(k *knowledge) {
	k.pages, k.used = k.used, nil
	sums := 0
	for _, p := range k.pages {
		sums += len(p.groups) + len(p.moved)
	}
	if k.slots.size() > maxKnownLines || len(k.list) > maxKnownLines || sums > maxKnownSums || len(k.keys) > maxKnownLines {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.list) == maxKnown {
		n.list = slices.Delete(n.list, 0, 1)
	}
	n.list = append(n.list, k)
}

// asks is the grouping and the filter as text.
func (v *view) asks() string {
	text, err := json.Marshal([]any{v.groupBy, v.filter, v.plain})
	if err != nil {
		return ""
	}
	return string(text)
}

// means says whether what other knows holds for k's view: the same question
// under the same settings. Versions and categories are shared for as long as
// their documents are the same.
func (k *knowledge) means(other *knowledge) bool {
	return k.account == other.account && k.name == other.name && k.asked != "" && k.asked == other.asked &&
		slices.Equal(k.view.history, other.view.history) && maps.Equal(k.view.active, other.view.active) && maps.Equal(k.view.categories, other.view.categories)
}

func (k *knowledge) slot(slots *memo[slot], e *entry, epoch int, at time.Time) *slot {
	as, known := slots.at(e, epoch)
	if known {
		return as
	}
	x := k.view.fact(e, at)
	as.pass = k.view.pass(x)
	if rules := k.view.splits(x); len(rules) > 0 {
		as.moves, as.split = e.Rate, 1+k.division(x, epoch, rules)
	}
	if !as.pass {
		return as
	}
	as.worth = k.view.worth(&e.Line)
	if as.split > 0 {
		as.rate = 0
	}
	as.group = k.group(x)
	return as
}

// group is the number of the keys that x has.
func (k *knowledge) group(x *fact) int {
	group := k.view.group(x)
	number, known := k.numbers[group]
	if !known {
		number = len(k.keys)
		k.numbers[group] = number
		k.keys = append(k.keys, k.view.named(group))
	}
	return number
}

// day adds up a page, if no question has before.
func (k *knowledge) day(p *page, epoch int, at time.Time) *pageSums {
	key := pageEpoch{p.number, epoch}
	sums := k.pages[key]
	if sums == nil {
		sums = k.addUp(p, epoch, at)
	}
	k.used[key] = sums
	return sums
}

func (k *knowledge) addUp(p *page, epoch int, at time.Time) *pageSums {
	sums := new(pageSums)
	places := map[int]int{}
	for _, c := range p.cells {
		if c.Tokens == 0 {
			continue // a record without usage is no line of a bill
		}
		as := k.slot(&k.slots, c.entry, epoch, at)
		if as.split > 0 {
			sums.moved.add(as.split-1, as.moves.For(c.Tokens))
		}
		if !as.pass {
			continue
		}
		sums.total.add(c.Amount, &as.worth)
		if len(k.view.groupBy) == 0 {
			continue
		}
		i, ok := places[as.group]
		if !ok {
			i = len(sums.groups)
			places[as.group] = i
			sums.groups = append(sums.groups, groupSum{group: as.group})
		}
		sums.groups[i].add(c.Amount, &as.worth)
	}
	return sums
}
