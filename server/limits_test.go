package server

import (
	"log/slog"
	"os"
	"testing"
	"time"

	"outcrop"
	"outcrop/budget"
)

// Promise: a server that is killed in the middle of a call holds nothing of its
// budget afterwards, and counts what the ledger recovered.
func TestAKilledServerHoldsNothingOfABudget(t *testing.T) {
	s := start(t, Config{})
	k := budget.Key{Account: testAccount, Name: "team-a"}
	if err := s.engines.budgets.Create(t.Context(), budget.Budget{Key: k, Type: budget.Cost, Unit: budget.UnitDollars, Limit: outcrop.Dollars(1),
		Every: budget.Monthly, Tags: outcrop.Tags{budget.TagEnforce: "hard"}}); err != nil {
		t.Fatal(err)
	}
	worst := outcrop.UsageRecord{Invocation: "11111111-1111-4111-8111-111111111111", Operation: outcrop.OpConverse, Account: testAccount, Started: time.Now(), Model: "amazon.nova-lite-v1:0", Region: "us-east-1"}
	worst.Usage.Set(outcrop.OutputTokens, 1000)
	worst.Quote.Price = "list#1"
	worst.Quote.Rates.Set(outcrop.OutputTokens, 900_000_000)
	opened := worst
	opened.Usage = outcrop.Usage{Estimated: true}
	opened.Usage.Set(outcrop.OutputTokens, 100)
	if err := s.engines.budgets.Reserve(&worst); err != nil {
		t.Fatal(err)
	}
	if err := s.engines.ledger.Open(t.Context(), opened); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2500 * time.Millisecond) // until the ledger has noted that the call is under way
	killed := t.TempDir()
	if err := os.CopyFS(killed, os.DirFS(s.config.DataDir)); err != nil { // what a kill leaves on disk
		t.Fatal(err)
	}
	again, err := Start(t.Context(), Config{Listen: "127.0.0.1:0", DataDir: killed, Account: testAccount, Region: testRegion}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	})
	st, err := again.engines.budgets.Get(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	if held := again.engines.budgets.Held(k); !held.IsZero() || st.Spent.String() != "0.09" {
		t.Errorf("held %s, spent %s; want nothing and 0.09, as the ledger recovered", held, st.Spent)
	}
}
