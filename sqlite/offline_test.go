package sqlite

import (
	"testing"
	"time"

	"outcrop"
	"outcrop/offline"
)

func TestOfflineJobs(t *testing.T) {
	store := openTest(t).OfflineJobs()
	who := outcrop.Caller{Account: "123456789012", Region: "us-east-1"}
	at := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	job := &offline.Job{ID: "aaaaaaaaaaaa", Caller: who, Token: "t", Input: []byte(`{"a":"<b>"}`), Status: offline.InProgress, Submitted: at}
	if kept, err := store.Add(t.Context(), job); err != nil || kept.ID != job.ID {
		t.Fatal(kept, err)
	}
	again := *job
	again.ID = "bbbbbbbbbbbb"
	if kept, err := store.Add(t.Context(), &again); err != nil || kept.ID != job.ID {
		t.Errorf("the token's second job: %+v, %v; want the first", kept, err)
	}
	for _, id := range []string{"cccccccccccc", "dddddddddddd"} { // without a token each is its own
		if kept, err := store.Add(t.Context(), &offline.Job{ID: id, Caller: who, Status: offline.InProgress, Submitted: at.Add(time.Second)}); err != nil || kept.ID != id {
			t.Fatal(kept, err)
		}
	}
	done := *job
	done.Status, done.Input = offline.Completed, nil
	if err := store.Update(t.Context(), &done); err != nil {
		t.Fatal(err)
	}
	open, err := store.Open(t.Context())
	if err != nil || len(open) != 2 || open[0].ID != "cccccccccccc" {
		t.Errorf("open: %d, %v; want the two that have not ended", len(open), err)
	}
	all, err := store.Jobs(t.Context(), who.Account, who.Region)
	if err != nil || len(all) != 3 || all[0].Status != offline.Completed {
		t.Errorf("all: %d, %v", len(all), err)
	}
	if found, err := store.Job(t.Context(), "999999999999", who.Region, job.ID); err != nil || found != nil {
		t.Errorf("another account's: %+v, %v; want none", found, err)
	}
	if found, err := store.Job(t.Context(), who.Account, who.Region, job.ID); err != nil || found.Status != offline.Completed || !found.Submitted.Equal(at) {
		t.Errorf("%+v, %v", found, err)
	}
}
