package offline

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"outcrop"
)

// A world keeps jobs and objects in memory.
type world struct {
	mu      sync.Mutex
	jobs    []*Job
	objects map[string]string
	invoke  Invoke
	lost    bool // the bucket is gone
}

func newWorld() *world {
	return &world{objects: map[string]string{}, invoke: func(context.Context, *Job) ([]byte, error) { return []byte(`{"a":1}`), nil }}
}

func (w *world) start() *Jobs {
	return New(Options{Store: w, Objects: w, Invoke: func(ctx context.Context, j *Job) ([]byte, error) { return w.invoke(ctx, j) }, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
}

func (w *world) Add(_ context.Context, j *Job) (*Job, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, k := range w.jobs {
		if j.Token != "" && k.Token == j.Token && k.Caller.Account == j.Caller.Account {
			return k, nil
		}
	}
	kept := *j
	w.jobs = append(w.jobs, &kept)
	return j, nil
}

func (w *world) Update(_ context.Context, j *Job) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.jobs {
		if w.jobs[i].ID == j.ID {
			kept := *j
			w.jobs[i] = &kept
		}
	}
	return nil
}

func (w *world) Job(_ context.Context, a outcrop.AccountID, _ outcrop.Region, id string) (*Job, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, j := range w.jobs {
		if j.ID == id && j.Caller.Account == a {
			return j, nil
		}
	}
	return nil, nil
}

func (w *world) Jobs(context.Context, outcrop.AccountID, outcrop.Region) ([]*Job, error) {
	return w.jobs, nil
}

func (w *world) Open(context.Context) ([]*Job, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.jobs), func(j *Job) bool { return j.Status != InProgress }), nil
}

func (w *world) Put(_ context.Context, bucket, key, _ string, body io.Reader) error {
	if w.lost {
		return outcrop.Errorf(outcrop.NotFound, "The specified bucket does not exist: %s", bucket)
	}
	b, _ := io.ReadAll(body)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.objects[bucket+"/"+key] = string(b)
	return nil
}

func job(token string) Job {
	return Job{Caller: outcrop.Caller{Account: "123456789012", Region: "us-east-1"}, Token: token, ModelRef: "m", Model: "m", Input: []byte(`{}`), Bucket: "b", Prefix: "out"}
}

// run works jobs off for a while.
func run(t *testing.T, j *Jobs, d time.Duration) {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	j.Run(ctx)
}

func TestAJobLeavesItsAnswerAndAManifest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		j := w.start()
		started, err := j.Start(t.Context(), job(""))
		if err != nil {
			t.Fatal(err)
		}
		run(t, j, time.Minute)
		done, err := j.Get(t.Context(), started.Caller, string(started.ARN()))
		if err != nil || done.Status != Completed || done.Ended.IsZero() || done.Input != nil {
			t.Fatalf("%+v, %v", done, err)
		}
		if at := "b/out/" + started.ID + "/"; w.objects[at+"output.json"] != `{"a":1}` || !strings.Contains(w.objects[at+"manifest.json"], "s3://"+at+"output.json") {
			t.Errorf("objects %v", w.objects)
		}
	})
}

func TestATokenStandsForOneJob(t *testing.T) {
	w := newWorld()
	j := w.start()
	first, _ := j.Start(t.Context(), job("t"))
	again, err := j.Start(t.Context(), job("t"))
	if err != nil || again.ID != first.ID || len(w.jobs) != 1 {
		t.Errorf("%+v, %v; want the first job", again, err)
	}
	other := job("t")
	other.Prefix = "elsewhere"
	if _, err := j.Start(t.Context(), other); outcrop.KindOf(err) != outcrop.Conflict {
		t.Errorf("%v, want a conflict", err)
	}
}

// A panic is one job's, which has failed then and is not begun again.
func TestAJobThatPanicsHasFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.invoke = func(_ context.Context, j *Job) ([]byte, error) {
			if j.Token == "bad" {
				panic("lost")
			}
			return []byte(`{}`), nil
		}
		j := w.start()
		var ids []string
		for _, token := range []string{"bad", "good"} {
			started, err := j.Start(t.Context(), job(token))
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, string(started.ARN()))
		}
		run(t, j, time.Minute)
		for i, want := range []string{Failed, Completed} {
			done, err := j.Get(t.Context(), job("").Caller, ids[i])
			if err != nil || done.Status != want || strings.Contains(done.Failure, "lost") {
				t.Errorf("%+v, %v; want it %s", done, err, want)
			}
		}
	})
}

// What was under way or waiting when the process ended is done by the next.
func TestJobsSurviveARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.invoke = func(ctx context.Context, _ *Job) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() }
		j := w.start()
		for range 10 {
			if _, err := j.Start(t.Context(), job("")); err != nil {
				t.Fatal(err)
			}
		}
		run(t, j, time.Minute)
		if open, _ := w.Open(t.Context()); len(open) != 10 {
			t.Fatalf("%d jobs are open, want all 10", len(open))
		}
		calls := map[string]int{}
		var mu sync.Mutex
		w.invoke = func(_ context.Context, j *Job) ([]byte, error) {
			mu.Lock()
			defer mu.Unlock()
			calls[j.ID]++
			return []byte("{}"), nil
		}
		run(t, w.start(), time.Minute)
		if open, _ := w.Open(t.Context()); len(open) != 0 || len(calls) != 10 || len(w.objects) != 20 {
			t.Errorf("%d open after %d calls and %d objects", len(open), len(calls), len(w.objects))
		}
		for id, n := range calls {
			if n != 1 {
				t.Errorf("%s ran %d times", id, n)
			}
		}
	})
}

func TestALackOfRoomIsWaitedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		tries := 0
		w.invoke = func(context.Context, *Job) ([]byte, error) {
			if tries++; tries < 3 {
				return nil, outcrop.Errorf(outcrop.Throttled, "busy")
			}
			return []byte("{}"), nil
		}
		j := w.start()
		started, _ := j.Start(t.Context(), job(""))
		run(t, j, time.Hour)
		if done, _ := j.Get(t.Context(), started.Caller, string(started.ARN())); done.Status != Completed || tries != 3 || done.Ended.Sub(done.Submitted) != 5*time.Second {
			t.Errorf("%s after %d tries in %s", done.Status, tries, done.Ended.Sub(done.Submitted))
		}
	})
}

func TestFailuresAreToldWithoutSecrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			err  error
			lost bool
			want string
		}{
			{outcrop.Errorf(outcrop.Invalid, "%s", strings.Repeat("é", 2000)), false, "é"}, {errors.New("dial 10.0.0.1"), false, "inside the server"}, {nil, true, "bucket does not exist"},
		} {
			w := newWorld()
			w.lost, w.invoke = c.lost, func(context.Context, *Job) ([]byte, error) { return []byte("{}"), c.err }
			j := w.start()
			started, _ := j.Start(t.Context(), job(""))
			run(t, j, time.Hour)
			done, _ := j.Get(t.Context(), started.Caller, string(started.ARN()))
			if done.Status != Failed || !strings.Contains(done.Failure, c.want) || strings.Contains(done.Failure, "10.0") || len(done.Failure) > maxFailureBytes {
				t.Errorf("%s: %s", done.Status, done.Failure)
			}
		}
	})
}

func TestNobodySeesAnothersJob(t *testing.T) {
	j := newWorld().start()
	started, _ := j.Start(t.Context(), job(""))
	for _, arn := range []string{"x", string(started.ARN()) + "x", strings.Replace(string(started.ARN()), "us-east-1", "eu-west-1", 1)} {
		if _, err := j.Get(t.Context(), started.Caller, arn); outcrop.KindOf(err) != outcrop.NotFound {
			t.Errorf("%s: %v, want NotFound", arn, err)
		}
	}
	other := started.Caller
	other.Account = "999999999999"
	if _, err := j.Get(t.Context(), other, string(started.ARN())); outcrop.KindOf(err) != outcrop.NotFound {
		t.Errorf("another account: %v, want NotFound", err)
	}
}
