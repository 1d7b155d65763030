// Package pricing says which Rate held when, from dated price lists.
package pricing

import (
	"strings"
	"time"

	"outcrop"
)

// A Book holds the rows of all price lists. It is immutable.
type Book struct {
	rows map[key][]*row
	long map[outcrop.ModelID]bool // models whose long requests cost more, somewhere and at some time
}

// A key names what a row prices. Region and geography prefixes live in one
// namespace each.
type key struct {
	model outcrop.ModelID
	scope string // see the scopes below, or a Region, or a geography's prefix
	kind  scopeKind
}

type scopeKind uint8

const (
	inRegion scopeKind = iota // any Region that has no row of its own
	oneRegion
	oneGeography
	anyGeography
	global
)

// A Query describes an invocation as far as its price depends on it.
type Query struct {
	Model     outcrop.ModelID
	Geography outcrop.Geography // of the profile that was invoked or copied; empty for a single Region
	Region    outcrop.Region    // the source Region, whose price holds wherever the call ran
	At        time.Time
	Tier      string         // the service tier that served; "" and "default" are standard
	Input     outcrop.Tokens // all input, cached or not: long requests may cost more
}

// Quote is the price that held for q. Its Price is empty when no row says
// anything: the cost is unknown then, not zero.
func (b *Book) Quote(q Query) outcrop.Quote {
	r := b.find(q)
	if r == nil {
		return outcrop.Quote{}
	}
	for i := range r.tiers {
		t := &r.tiers[i]
		if t.name != standardName(q.Tier) {
			continue
		}
		if r.longOver > 0 && q.Input > r.longOver {
			return t.long
		}
		return t.standard
	}
	return outcrop.Quote{}
}

// LongOver is the input above which all of q costs more, 0 when it never does.
func (b *Book) LongOver(q Query) outcrop.Tokens {
	if !b.long[q.Model] {
		return 0
	}
	if r := b.find(q); r != nil {
		return r.longOver
	}
	return 0
}

// standardName folds the names of the standard tier into one.
func standardName(tier string) string {
	if tier == "default" || tier == "standard" {
		return ""
	}
	return tier
}

// find walks from the narrowest scope to the widest. Without a row of its own
// a geography costs what the source Region costs, and so does global
// (reference/runtime-metering-billing.md §7.2).
func (b *Book) find(q Query) *row {
	switch q.Geography.Class() {
	case outcrop.GlobalClass:
		if r := b.at(q, key{q.Model, "", global}); r != nil {
			return r
		}
	case outcrop.Geographic:
		if r := b.at(q, key{q.Model, string(q.Geography), oneGeography}); r != nil {
			return r
		}
	}
	if partition := q.Region.Partition(); partition != "aws" {
		return b.elsewhere(q, partition)
	}
	if q.Geography.Class() == outcrop.Geographic {
		if r := b.at(q, key{q.Model, "", anyGeography}); r != nil {
			return r
		}
	}
	if r := b.at(q, key{q.Model, string(q.Region), oneRegion}); r != nil {
		return r
	}
	return b.at(q, key{q.Model, "", inRegion})
}

// elsewhere prices GovCloud and China, where no commercial price holds: by a
// row of the Region or of the whole partition ("us-gov").
func (b *Book) elsewhere(q Query, partition string) *row {
	if r := b.at(q, key{q.Model, string(q.Region), oneRegion}); r != nil {
		return r
	}
	return b.at(q, key{q.Model, strings.TrimPrefix(partition, "aws-"), oneGeography})
}

// at finds the row of k that was in force. Ranges of one key never overlap.
func (b *Book) at(q Query, k key) *row {
	for _, r := range b.rows[k] {
		if r.holds(q.At) {
			return r
		}
	}
	return nil
}
