package crash

import (
	"maps"
	"path/filepath"
	"testing"
	"time"

	"outcrop"
	"outcrop/sqlite"
)

// mustBeKnown is the age at which a call must be in the ledger although its
// server died: an intent is written after a second, and the machine may be busy.
const mustBeKnown = 4 * time.Second

// check counts both sides.
func (w *world) check(t *testing.T, bill map[string]outcrop.Tokens) {
	c := &count{t: t, ends: w.ends, byAttempt: map[string]*call{}, byID: map[outcrop.InvocationID]*call{}, recorded: map[string]int{}}
	for _, k := range w.calls {
		c.byAttempt[k.attempt] = k
		if k.id != "" {
			c.byID[k.id] = k
		}
	}
	records := w.records(t)
	for i := range records {
		c.record(&records[i], outcrop.Seq(i+1))
	}
	for _, k := range w.calls {
		c.call(k)
	}
	c.bill(bill, records)
	t.Logf("seed %d, in all %s", w.seed, tally(w.calls))
	t.Logf("runs %d, invocations %d, delivered %d, recorded %d (recovered %d, hung up %d, settled and not delivered %d), too young to be known at the kill %d (the oldest streaming for %s), lost %d, doubled %d",
		len(w.ends), len(w.calls), c.delivered, len(records), c.recovered, c.hungUp, c.undelivered, c.forgotten, c.oldest.Round(time.Millisecond), c.lost, c.doubled)
	if c.delivered == 0 || c.undelivered+c.recovered+c.forgotten == 0 {
		t.Error("no call was delivered, or none was in flight at a kill: this proves nothing")
	}
}

func (w *world) records(t *testing.T) []outcrop.UsageRecord { return recordsOf(t, w.dir) }

// recordsOf reads the store of a data folder, which no server has open.
func recordsOf(t *testing.T, dir string) (all []outcrop.UsageRecord) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(dir, "outcrop.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for {
		page, err := db.Usage().After(t.Context(), outcrop.Seq(len(all)), 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
	}
}

// A count is under way.
type count struct {
	t         *testing.T
	ends      []time.Time
	byAttempt map[string]*call
	byID      map[outcrop.InvocationID]*call
	recorded  map[string]int // by attempt

	errors, delivered, recovered, hungUp, undelivered, forgotten, lost, doubled int

	oldest time.Duration // of what was forgotten, since its first byte
}

// complain keeps a thousand errors of one cause from hiding the first.
func (c *count) complain(format string, args ...any) {
	const told = 20
	if c.errors++; c.errors <= told {
		c.t.Errorf(format, args...)
	}
}

// record holds one line of the ledger against what its client knows.
func (c *count) record(r *outcrop.UsageRecord, want outcrop.Seq) {
	k := c.byAttempt[r.SDKAttempt]
	switch {
	case r.Seq != want:
		c.t.Fatalf("record %d stands where %d should: the store and the ledger disagree", r.Seq, want)
	case k == nil:
		c.complain("record %d is of a request that nobody sent: %q", r.Seq, r.SDKAttempt)
		return
	case k.id != "" && k.id != r.Invocation, c.byID[r.Invocation] != nil && c.byID[r.Invocation] != k:
		c.complain("%s: recorded as invocation %s, and the client was told %s", k.attempt, r.Invocation, k.id)
	}
	if c.recorded[k.attempt]++; c.recorded[k.attempt] == 2 {
		c.doubled++
		c.complain("%s is recorded twice", k.attempt)
	}
	c.facts(r, k)
	c.outcome(r, k)
}

// facts are what must be right however the call ended.
func (c *count) facts(r *outcrop.UsageRecord, k *call) {
	if r.Operation != k.operation || r.Profile != k.profile.arn || r.ModelRef != k.profile.ref || !maps.Equal(r.Tags, k.profile.tags) {
		c.complain("%s: recorded as %s of %s, tags %v; asked was %s of %s, tags %v", k.attempt, r.Operation, r.ModelRef, r.Tags, k.operation, k.profile.ref, k.profile.tags)
	}
	if r.Quote.Price == "" || r.Usage.Of(outcrop.InputTokens) == 0 {
		c.complain("%s: recorded for free: usage %+v, price %q, outcome %+v", k.attempt, usageOf(&r.Usage), r.Quote.Price, r.Outcome)
	}
	if k.end == whole && usageOf(&r.Usage) != k.usage {
		c.complain("%s: recorded usage %+v, and the client was told %+v", k.attempt, usageOf(&r.Usage), k.usage)
	}
}

// outcome says which ends on our side go with which on the client's.
func (c *count) outcome(r *outcrop.UsageRecord, k *call) {
	o, dead := r.Outcome, k.life < len(c.ends)-1
	good := false
	switch {
	case o.Recovered:
		c.recovered++
		good = k.end == cutOff && dead && r.Usage.Estimated
	case o.HungUp:
		c.hungUp++
		good = k.end == left
	case k.end == whole:
		good = o.Status == 200 && !r.Usage.Estimated
	case k.end == failed:
		good = o.Error == "ModelStreamErrorException" && r.Usage.Estimated
	case k.end == cutOff: // on disk, and the process died before the client had it all
		c.undelivered++
		good = dead
	case k.end == left: // settled before the hang-up was noticed
		good = true
	}
	if !good {
		c.complain("%s: recorded with outcome %+v, estimated %v; for its client the call ended with %d %s", k.attempt, o, r.Usage.Estimated, k.end, k.trouble)
	}
}

// call asks that what a client knows is in the ledger.
func (c *count) call(k *call) {
	there, dead := c.recorded[k.attempt] > 0, k.life < len(c.ends)-1
	switch k.end {
	case whole, failed:
		c.delivered++
		if !there {
			c.lost++
			c.complain("%s, invocation %s, was delivered to the last byte and is lost", k.attempt, k.id)
		}
	case refused:
		c.complain("%s was refused: %s", k.attempt, k.trouble)
	case left:
		if !there && !dead {
			c.complain("%s, invocation %s, was left by its client and is not recorded, though the server lived on", k.attempt, k.id)
		}
	case cutOff:
		c.cutOff(k, there, dead)
	}
}

// cutOff is allowed to be forgotten only when the server died and the call was
// too young for an intent.
func (c *count) cutOff(k *call, there, dead bool) {
	if there {
		return
	}
	c.forgotten++
	age := time.Duration(0)
	if !k.heard.IsZero() {
		age = c.ends[k.life].Sub(k.heard)
	}
	c.oldest = max(c.oldest, age)
	switch {
	case !dead:
		c.complain("%s broke off in a server that was not killed", k.attempt)
	case age > mustBeKnown:
		c.complain("%s, invocation %s, had been streaming for %s when the server was killed, and is not recorded", k.attempt, k.id, age)
	}
}
