package offline

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"outcrop"
	"outcrop/internal/mishap"
)

// Run works jobs off until ctx ends, beginning with those that an earlier
// process has left. A job under way when ctx ends stays in progress and is
// begun again by the next Run: its invocation is then another one, and both are
// in the ledger.
func (j *Jobs) Run(ctx context.Context) {
	open, err := j.o.Store.Open(ctx)
	if err != nil {
		j.o.Log.Error("asynchronous invocations of before cannot be read; they go on after the next start", "err", err)
	}
	var running sync.WaitGroup
	for range workers {
		running.Go(func() { j.work(ctx) })
	}
	seen := make(map[string]bool, len(j.queue))
	for range len(j.queue) { // started before Run was: in the store, too
		job := <-j.queue
		seen[job.ID] = true
		open = append(open, job)
	}
	for _, job := range open {
		if known, ok := seen[job.ID]; ok && !known {
			continue
		}
		seen[job.ID] = false
		select {
		case j.queue <- job:
		case <-ctx.Done():
		}
	}
	running.Wait()
}

func (j *Jobs) work(ctx context.Context) {
	for {
		select {
		case job := <-j.queue:
			j.do(ctx, job)
		case <-ctx.Done():
			return
		}
	}
}

// do carries a job to its end.
func (j *Jobs) do(ctx context.Context, job *Job) {
	err := mishap.Caught(func() error { return j.carryOut(ctx, job) }) // else each start would end by it
	if broke := new(mishap.Panic); errors.As(err, &broke) {
		j.o.Log.Error("an asynchronous invocation panicked", "job", job.ID, "err", err)
	} else if ctx.Err() != nil {
		return // the next Run begins it again
	}
	done := *job
	done.Ended = j.o.Now().UTC()
	done.Modified, done.Status, done.Input = done.Ended, Completed, nil
	if err != nil {
		done.Status, done.Failure = Failed, failure(err)
	}
	if err := j.o.Store.Update(ctx, &done); err != nil {
		j.o.Log.Error("an asynchronous invocation has ended, which could not be written down: it will run again", "job", job.ID, "err", err)
	}
}

const maxFailureBytes = 2048

// failure is what the client may read of an error.
func failure(err error) string {
	text := "The invocation failed for a reason inside the server. Try again."
	var e *outcrop.Error
	if errors.As(err, &e) {
		text = e.Message
	}
	if len(text) > maxFailureBytes {
		text = strings.ToValidUTF8(text[:maxFailureBytes], "")
	}
	return text
}

func (j *Jobs) carryOut(ctx context.Context, job *Job) error {
	answer, err := j.patiently(ctx, job)
	if err != nil {
		return err
	}
	at := job.folder()
	for _, file := range []struct {
		name string
		body []byte
	}{{"output.json", answer}, {"manifest.json", job.manifest()}} { // the manifest last: it says that the output is there
		if err := j.o.Objects.Put(ctx, job.Bucket, at+file.name, "application/json", bytes.NewReader(file.body)); err != nil {
			return fmt.Errorf("write s3://%s/%s: %w", job.Bucket, at+file.name, err)
		}
	}
	return nil
}

// patiently tries again while there is only a lack of room.
func (j *Jobs) patiently(ctx context.Context, job *Job) (answer []byte, err error) {
	pause := j.o.Pause
	for try := 1; ; try++ {
		answer, err = j.o.Invoke(ctx, job)
		kind := outcrop.KindOf(err)
		if err == nil || kind != outcrop.Throttled && kind != outcrop.Unavailable && kind != outcrop.ModelNotReady || try == maxTries {
			return answer, err
		}
		select {
		case <-time.After(pause):
			pause *= 4
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// folder is where a job's objects go.
func (j *Job) folder() string {
	prefix := j.Prefix
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	return prefix + j.ID + "/"
}

func (j *Job) manifest() []byte {
	b, _ := json.MarshalIndent(map[string]any{ // strings and times always marshal
		"invocationArn": j.ARN(), "modelId": j.ModelRef, "submissionTime": j.Submitted,
		"output": []string{"s3://" + j.Bucket + "/" + j.folder() + "output.json"},
	}, "", "  ")
	return b
}
