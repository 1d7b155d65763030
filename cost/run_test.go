package cost_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outcrop"
	"outcrop/cost"
	"outcrop/cost/costtest"
)

func TestRunFoldsEverySecondUntilItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, store := &ledger{}, costtest.NewMemory()
		var log bytes.Buffer
		c := cost.New(l, store, time.Now, slog.New(slog.NewTextHandler(&log, nil)))
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); c.Run(ctx, func() <-chan struct{} { return nil }) }()

		l.settle(call(time.Now()))
		if err := l.Sync(ctx); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second + time.Millisecond)
		synctest.Wait()
		if mark, _ := store.Watermark(ctx); mark != 1 {
			t.Errorf("after a second: watermark %d", mark)
		}

		l.mu.Lock()
		l.fail = func() error { return errFault }
		l.mu.Unlock()
		time.Sleep(11 * time.Minute)
		synctest.Wait()
		if n := strings.Count(log.String(), "injected fault"); n != 3 {
			t.Errorf("a failure of 11 minutes was logged %d times, want 3", n)
		}

		l.settle(call(time.Now()))
		_ = l.Sync(ctx)
		l.mu.Lock()
		l.fail = nil
		l.mu.Unlock()
		time.Sleep(time.Second + time.Millisecond)
		synctest.Wait()
		if mark, _ := store.Watermark(ctx); mark != 2 {
			t.Errorf("after the failure: watermark %d", mark)
		}
		stop()
		<-done
	})
}

func TestUsageWithoutAPriceIsLoggedOnceAnHourForEachModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		l := &ledger{}
		c := cost.New(l, costtest.NewMemory(), time.Now, slog.New(slog.NewTextHandler(&log, nil)))
		for range 90 { // minutes
			for _, model := range []outcrop.ModelID{"a.one", "a.two"} {
				l.settle(call(time.Now(), func(r *outcrop.UsageRecord) { r.Model, r.Quote = model, outcrop.Quote{} }))
			}
			_ = l.Sync(t.Context())
			if err := c.CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		if n := strings.Count(log.String(), "without a price"); n != 4 {
			t.Errorf("%d warnings, want 2 for each of 2 models", n)
		}
		if c.Unpriced() != 90*2*1100 {
			t.Errorf("counted = %d", c.Unpriced())
		}
	})
}

// A question whose caller has gone does not wait for the fold of another.
func TestAQuestionGivesUpWithItsCaller(t *testing.T) {
	store := blockedStore{costtest.NewMemory(), make(chan struct{})}
	c := newCosts(&ledger{}, store)
	background, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- c.CatchUp(background) }()
	<-store.entered // the fold has begun, and hangs
	gone, leave := context.WithCancel(t.Context())
	leave()
	if err := c.CatchUp(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error of the fold = %v", err)
	}
}

// A blockedStore hangs until its context ends.
type blockedStore struct {
	cost.Store
	entered chan struct{}
}

func (s blockedStore) Watermark(ctx context.Context) (outcrop.Seq, error) {
	close(s.entered)
	<-ctx.Done()
	return 0, ctx.Err()
}

func TestRunFoldsAsSoonAsMuchHasCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, store := &ledger{}, costtest.NewMemory()
		c := cost.New(l, store, time.Now, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		done, much := make(chan struct{}), make(chan struct{})
		filled := func() <-chan struct{} { return much }
		go func() { defer close(done); c.Run(ctx, filled) }()
		synctest.Wait()
		l.settle(call(time.Now()))
		_ = l.Sync(ctx)
		much <- struct{}{}
		synctest.Wait()
		if mark, _ := store.Watermark(ctx); mark != 1 {
			t.Errorf("much has come, and a tick has not: watermark %d", mark)
		}
		stop()
		<-done
	})
}
