package ledger_test

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"outcrop"
	"outcrop/ledger"
	"outcrop/ledger/ledgertest"
)

// Property: any record that is settled reaches the store as it was.
func TestAnyRecordSurvivesTheLog(t *testing.T) {
	store := ledgertest.NewMemory()
	l := start(t, ledgertest.NewDisk(1), store, ledger.Options{})
	want := map[outcrop.InvocationID]outcrop.UsageRecord{}
	rapid.Check(t, func(rt *rapid.T) {
		r := ledgertest.Records().Draw(rt, "record")
		if _, twice := want[r.Invocation]; twice {
			return
		}
		want[r.Invocation] = r
		if err := l.Settle(t.Context(), r); err != nil {
			rt.Fatal(err)
		}
	})
	if err := l.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	for id, r := range want {
		got, err := store.ByInvocation(t.Context(), id)
		r.Seq = got.Seq
		if err != nil || !reflect.DeepEqual(got, r) {
			t.Fatalf("got %+v, %v\nwant %+v", got, err, r)
		}
	}
}
