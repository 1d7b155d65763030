package usage

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"outcrop"
)

// GroupKeys are what rows can be grouped by, beside tag:KEY.
var GroupKeys = []string{"day", "hour", "account", "principal", "profile", "model", "operation", "region", "servedIn", "upstream", "tier", "status", "error"}

// CheckGroup refuses a key that rows have not.
func CheckGroup(key string) error {
	if tag, ok := strings.CutPrefix(key, "tag:"); ok && tag != "" || slices.Contains(GroupKeys, key) {
		return nil
	}
	return fmt.Errorf("rows cannot be grouped by %q: use one of %s, or tag:KEY", key, strings.Join(GroupKeys, ", "))
}

// value is what w has of a key.
func (w *Row) value(key string) string {
	if tag, ok := strings.CutPrefix(key, "tag:"); ok {
		return w.Tags[tag]
	}
	switch key {
	case "day":
		return w.Started.UTC().Format(time.DateOnly)
	case "hour":
		return w.Started.UTC().Format("2006-01-02T15:00Z")
	case "account":
		return w.Account
	case "principal":
		return w.Principal
	case "profile":
		return w.Profile
	case "model":
		return w.Model
	case "operation":
		return w.Operation
	case "region":
		return w.Region
	case "servedIn":
		return w.ServedIn
	case "upstream":
		return w.Upstream
	case "tier":
		return w.Tier
	case "status":
		return strconv.Itoa(w.Status)
	}
	return w.Error
}

// A Total is what rows add up to.
type Total struct {
	Group       []string
	Invocations uint64
	Errors      uint64
	Estimated   uint64
	Tokens      outcrop.Usage
	Unpriced    uint64 // rows whose cost is unknown and in no sum
	pico        *big.Int
}

// Cost is in dollars, exact.
func (t *Total) Cost() string {
	r := new(big.Rat).SetFrac(t.pico, big.NewInt(outcrop.PicoPerDollar))
	text := r.FloatString(12)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

func (t *Total) add(w *Row) {
	t.Invocations++
	if w.Status/100 != 2 {
		t.Errors++
	}
	u := w.Usage()
	if u.Estimated {
		t.Estimated++
	}
	for kind, n := range u.All() {
		t.Tokens.Set(kind, t.Tokens.Of(kind)+n)
	}
	if w.Cost == nil {
		t.Unpriced++
		return
	}
	if cost, ok := new(big.Rat).SetString(*w.Cost); ok {
		cost.Mul(cost, new(big.Rat).SetInt64(outcrop.PicoPerDollar))
		t.pico.Add(t.pico, cost.Num())
	}
}

// Totals adds rows up by the values of keys.
type Totals struct {
	keys   []string
	groups map[string]*Total
	all    *Total
}

// maxGroups bounds what Totals keeps.
const maxGroups = 100_000

// NewTotals groups by keys, of which there may be none.
func NewTotals(keys []string) *Totals {
	return &Totals{keys: keys, groups: map[string]*Total{}, all: &Total{pico: new(big.Int)}}
}

// Add counts one row.
func (t *Totals) Add(w *Row) error {
	t.all.add(w)
	if len(t.keys) == 0 {
		return nil
	}
	values := make([]string, len(t.keys))
	for i, key := range t.keys {
		values[i] = w.value(key)
	}
	name := strings.Join(values, "\x00")
	group := t.groups[name]
	if group == nil {
		if len(t.groups) >= maxGroups {
			return fmt.Errorf("there are more than %d groups: group by less, or filter", maxGroups)
		}
		group = &Total{Group: values, pico: new(big.Int)}
		t.groups[name] = group
	}
	group.add(w)
	return nil
}

// Groups are in order of their values.
func (t *Totals) Groups() []*Total {
	var out []*Total
	for _, name := range slices.Sorted(maps.Keys(t.groups)) {
		out = append(out, t.groups[name])
	}
	return out
}

// All is the total of everything.
func (t *Totals) All() *Total { return t.all }
