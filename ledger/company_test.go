package ledger

import (
	"testing"
	"time"

	"outcrop"
)

// A commit waits for company when there will be some, and never at a low rate.
func TestACommitWaitsOnlyForCompanyThatComes(t *testing.T) {
	for name, c := range map[string]struct {
		perSecond, queued, open int
		want                    time.Duration
	}{
		"at 500 calls a second":          {500, 1, 4, 0},
		"at 5,000":                       {5_000, 1, 10, company * time.Second / 5_000},
		"at 100,000":                     {100_000, 1, 100, company * time.Second / 100_000},
		"when all that are open joined":  {5_000, 3, 3, 0},
		"when enough have joined":        {5_000, company, 100, 0},
		"as long as its patience lasts":  {2_100, 1, 10, patience},
		"at a rate that is not known":    {0, 1, 10, 0},
		"when nobody waits for the disk": {5_000, 0, 10, 0},
	} {
		t.Run(name, func(t *testing.T) {
			l := &Ledger{calls: map[outcrop.InvocationID]*call{}}
			for n := range c.open {
				l.calls[uuid(n)] = &call{}
			}
			if c.queued > 0 {
				l.queue = []*commit{{items: make([]item, c.queued)}}
			}
			if began := time.Now(); c.perSecond > 0 {
				l.pace.note(began, 1)
				l.pace.note(began.Add(time.Second), c.perSecond)
			}
			if got := l.wait(); got != c.want {
				t.Errorf("waits %s, want %s", got, c.want)
			}
		})
	}
}

// A burst after a pause, as a slow sync makes one, is not a high rate.
func TestABurstIsNoPace(t *testing.T) {
	var p pace
	now := time.Now()
	p.note(now, 1)
	for range 5 {
		now = now.Add(30 * time.Millisecond) // a stall
		p.note(now, 15)
		if p.gap <= fastEnough {
			t.Fatalf("15 records in 30 ms are one every %s", p.gap)
		}
	}
}
