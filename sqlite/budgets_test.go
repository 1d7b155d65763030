package sqlite

import (
	"path/filepath"
	"testing"
	"time"

	"outcrop"
	"outcrop/budget"
	"outcrop/quota"
)

func TestBudgetsAndWhatWasCountedAreKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "o.db")
	open := func() *DB {
		t.Helper()
		db, err := Open(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	db := open()
	k := budget.Key{Account: "1", Name: "team-a"}
	b := budget.Budget{Key: k, Type: budget.Cost, Unit: "USD", Limit: outcrop.Dollars(10), Every: budget.Monthly, Tags: outcrop.Tags{"a": "b"},
		Filter: &budget.Filter{Tag: &budget.Match{Key: "project", Values: []string{"app01"}}}}
	if err := db.Budgets().PutBudget(t.Context(), &b, true); err != nil {
		t.Fatal(err)
	}
	cent, _ := outcrop.ParseMoney("0.010000000001")
	var spent outcrop.Money
	for seq := range 3 {
		spent = spent.Add(cent)
		if err := db.Budgets().Count(t.Context(), budget.Counted{Seq: outcrop.Seq(seq + 1), Budgets: []budget.Key{k}, Hours: []budget.HourTotal{{Key: k, Hour: 7, Total: spent}}}); err != nil {
			t.Fatal(err)
		}
	}
	b.Limit = outcrop.Dollars(20)
	if err := db.Budgets().PutBudget(t.Context(), &b, false); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open()
	defer db.Close()
	all, err := db.Budgets().Budgets(t.Context())
	if err != nil || len(all) != 1 || all[0].Seq != 3 || all[0].Hours[7].String() != "0.030000000003" || all[0].Budget.Limit != b.Limit || all[0].Budget.Filter.Tag.Values[0] != "app01" {
		t.Fatalf("%+v %v", all, err)
	}
	if err := db.Budgets().PutBudget(t.Context(), &b, true); err != nil {
		t.Fatal(err)
	}
	if all, err = db.Budgets().Budgets(t.Context()); err != nil || all[0].Seq != 0 || len(all[0].Hours) != 0 {
		t.Errorf("to be counted anew: %+v %v", all, err)
	}
	if err := db.Budgets().DeleteBudget(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	if all, err = db.Budgets().Budgets(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("deleted: %+v %v", all, err)
	}
}

func TestDeliveriesWaitForTheirTime(t *testing.T) {
	db, err := Open(t.Context(), filepath.Join(t.TempDir(), "o.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s, now := db.Budgets(), time.Unix(1_800_000_000, 0)
	if err := s.QueueDeliveries(t.Context(), []budget.Delivery{{Text: "a", Due: now}, {Text: "b", Due: now.Add(time.Hour)}}); err != nil {
		t.Fatal(err)
	}
	due, err := s.DueDeliveries(t.Context(), now, 10)
	if err != nil || len(due) != 1 || due[0].Text != "a" {
		t.Fatalf("%+v %v", due, err)
	}
	due[0].Attempts, due[0].Due = 1, now.Add(2*time.Hour)
	if err := s.PutDelivery(t.Context(), due[0]); err != nil {
		t.Fatal(err)
	}
	if due, err = s.DueDeliveries(t.Context(), now.Add(3*time.Hour), 10); err != nil || len(due) != 2 || due[0].Text != "b" || due[1].Attempts != 1 {
		t.Fatalf("%+v %v", due, err)
	}
	if err := s.DropDelivery(t.Context(), due[0].ID); err != nil {
		t.Fatal(err)
	}
	if due, err = s.DueDeliveries(t.Context(), now.Add(3*time.Hour), 10); err != nil || len(due) != 1 {
		t.Errorf("%+v %v", due, err)
	}
}

func TestApprovedQuotasAreKept(t *testing.T) {
	db, err := Open(t.Context(), filepath.Join(t.TempDir(), "o.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.Quotas()
	r := quota.Request{ID: "r1", Set: quota.Set{Account: "1", Region: "us-east-1", Code: "L-1"}, Value: 7, Status: quota.Waiting, Created: time.Unix(1, 0), Updated: time.Unix(1, 0)}
	if err := s.PutQuotaRequest(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if values, err := s.QuotaValues(t.Context()); err != nil || len(values) != 0 {
		t.Errorf("a request that waits holds: %v %v", values, err)
	}
	r.Status = quota.Approved
	if err := s.PutQuotaRequest(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	values, err := s.QuotaValues(t.Context())
	list, err2 := s.QuotaRequests(t.Context(), "1", "us-east-1")
	if err != nil || err2 != nil || values[r.Set] != 7 || len(list) != 1 || list[0].Status != quota.Approved {
		t.Errorf("%v %v %v %v", values, list, err, err2)
	}
}
