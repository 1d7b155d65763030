package server

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"outcrop"
	"outcrop/budget"
)

// noted is how much of the ledger's files is written: they are longer than what
// is in them.
func (s *Server) noted(t *testing.T) (n int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.config.DataDir, "ledger", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		n += len(bytes.TrimRight(text, "\x00"))
	}
	return n
}

// leaves is a copy of what a kill leaves on disk, made while nothing is written.
func (s *Server) leaves(t *testing.T) (dir string) {
	t.Helper()
	written := func() (list string) {
		filepath.WalkDir(s.config.DataDir, func(path string, d os.DirEntry, _ error) error {
			if about, err := d.Info(); err == nil {
				list += fmt.Sprintln(path, about.Size(), about.ModTime())
			}
			return nil
		})
		return list
	}
	soon(t, "nothing is written meanwhile", func() bool {
		dir = t.TempDir()
		before := written()
		err := os.CopyFS(dir, os.DirFS(s.config.DataDir))
		return written() == before && err == nil
	})
	return dir
}

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
	before := s.noted(t)
	if err := s.engines.ledger.Open(t.Context(), opened); err != nil {
		t.Fatal(err)
	}
	soon(t, "the ledger has noted that the call is under way", func() bool { return s.noted(t) > before })
	killed := s.leaves(t)
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
