// Package curtest holds every store of exports to the promises of cur.Store.
package curtest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"outcrop"
	"outcrop/cost/cur"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// Run holds a store to its promises. open makes an empty one.
func Run(t *testing.T, open func(testing.TB) cur.Store) {
	for name, test := range map[string]func(*testing.T, cur.Store){
		"what is put is found, in order of name":            finds,
		"a put of the same ARN replaces":                    replaces,
		"a name is an account's once":                       refusesTaken,
		"accounts do not see each other, all are seen":      separates,
		"a deleted export is gone with its executions":      deletes,
		"executions come newest first and only so many":     remembersExecutions,
		"what is deleted twice or by another was not there": missing,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func export(account outcrop.AccountID, name string) cur.Export {
	return cur.Export{
		ARN: outcrop.ARN("arn:aws:bcm-data-exports:us-east-1:" + string(account) + ":export/" + name), Account: account, Name: name,
		Statement: "SELECT bill_bill_type FROM COST_AND_USAGE_REPORT", Created: noon, Tags: outcrop.Tags{"team": "blue"},
		Delivered: map[string]cur.Delivery{"2026-11": {Digest: "x", Keys: []string{"a", "b"}, Rows: 3}},
	}
}

func put(t *testing.T, s cur.Store, all ...cur.Export) {
	t.Helper()
	for _, e := range all {
		if err := s.Put(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
}

func names(t *testing.T, s cur.Store, account outcrop.AccountID) string {
	t.Helper()
	all, err := s.Exports(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	out := ""
	for _, e := range all {
		out += e.Name + " "
	}
	return out
}

func finds(t *testing.T, s cur.Store) {
	put(t, s, export("1", "b"), export("1", "a"))
	all, err := s.Exports(t.Context(), "1")
	if err != nil || len(all) != 2 || all[0].Name != "a" {
		t.Fatalf("%v, %v", all, err)
	}
	want := export("1", "a")
	if got := all[0]; !got.Created.Equal(want.Created) || got.Tags["team"] != "blue" || got.Delivered["2026-11"].Rows != 3 || got.Statement != want.Statement {
		t.Errorf("got %+v", got)
	}
}

func replaces(t *testing.T, s cur.Store) {
	e := export("1", "a")
	put(t, s, e)
	e.Description, e.Name = "new", "z"
	put(t, s, e)
	if all, err := s.Exports(t.Context(), "1"); err != nil || len(all) != 1 || all[0].Description != "new" || all[0].Name != "z" {
		t.Errorf("%v, %v", all, err)
	}
}

func refusesTaken(t *testing.T, s cur.Store) {
	put(t, s, export("1", "a"), export("2", "a"))
	other := export("1", "a")
	other.ARN += "-other"
	if err := s.Put(t.Context(), other); outcrop.KindOf(err) != outcrop.Conflict {
		t.Errorf("%v, want a conflict", err)
	}
}

func separates(t *testing.T, s cur.Store) {
	put(t, s, export("1", "a"), export("2", "b"))
	if one, all := names(t, s, "1"), names(t, s, ""); one != "a " || all != "a b " {
		t.Errorf("one sees %q, all are %q", one, all)
	}
}

func execution(e cur.Export, n int) cur.Execution {
	return cur.Execution{ID: fmt.Sprint("x", n), Export: e, Status: cur.DeliverySucceed, Created: noon.Add(time.Duration(n) * time.Minute)}
}

func deletes(t *testing.T, s cur.Store) {
	e := export("1", "a")
	put(t, s, e)
	if err := errors.Join(s.PutExecution(t.Context(), execution(e, 1)), s.Delete(t.Context(), "1", e.ARN)); err != nil {
		t.Fatal(err)
	}
	runs, err := s.Executions(t.Context(), e.ARN)
	if err != nil || len(runs) != 0 || names(t, s, "1") != "" {
		t.Errorf("%v, %v", runs, err)
	}
}

func remembersExecutions(t *testing.T, s cur.Store) {
	e := export("1", "a")
	put(t, s, e)
	for n := range cur.KeptExecutions + 5 {
		if err := s.PutExecution(t.Context(), execution(e, n)); err != nil {
			t.Fatal(err)
		}
	}
	again := execution(e, cur.KeptExecutions)
	again.Status = cur.DeliveryFailed
	if err := s.PutExecution(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	runs, err := s.Executions(t.Context(), e.ARN)
	if err != nil || len(runs) != cur.KeptExecutions || runs[0].ID != fmt.Sprint("x", cur.KeptExecutions+4) || runs[4].Status != cur.DeliveryFailed {
		t.Errorf("%d executions, first %+v, %v", len(runs), runs[0], err)
	}
}

func missing(t *testing.T, s cur.Store) {
	e := export("1", "a")
	put(t, s, e)
	if err := s.Delete(t.Context(), "2", e.ARN); outcrop.KindOf(err) != outcrop.NotFound {
		t.Errorf("another account: %v", err)
	}
	if err := s.Delete(t.Context(), "1", e.ARN); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), "1", e.ARN); outcrop.KindOf(err) != outcrop.NotFound {
		t.Errorf("twice: %v", err)
	}
}
