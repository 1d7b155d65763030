// Package offline runs invocations in the background and leaves their answers
// in a bucket: what StartAsyncInvoke asks for.
package offline

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"outcrop"
)

// The states of a Job.
const (
	InProgress = "InProgress"
	Completed  = "Completed"
	Failed     = "Failed"
)

// A Job is one invocation in the background.
type Job struct {
	ID       string // 12 of a-z and 0-9: the end of its ARN
	Caller   outcrop.Caller
	Token    string // clientRequestToken; empty when not given
	ModelRef string
	Model    outcrop.ModelID
	Input    json.RawMessage `json:",omitempty"` // native body; gone when the job has ended
	Bucket   string
	Prefix   string
	KMSKey   string `json:",omitempty"`
	Owner    string `json:",omitempty"` // bucketOwner
	Tags     outcrop.Tags

	Fingerprint string // of what was asked
	Status      string
	Failure     string
	Submitted   time.Time
	Modified    time.Time
	Ended       time.Time // zero until then
}

// ARN of the job.
func (j *Job) ARN() outcrop.ARN {
	return outcrop.ARN(fmt.Sprintf("arn:aws:bedrock:%s:%s:async-invoke/%s", j.Caller.Region, j.Caller.Account, j.ID))
}

// A Store keeps jobs. It is safe for concurrent use.
type Store interface {
	// Add keeps a new job. One of the same account, Region and token that is
	// kept already is returned in its place.
	Add(context.Context, *Job) (*Job, error)
	Update(context.Context, *Job) error
	// Job is nil when there is none.
	Job(ctx context.Context, account outcrop.AccountID, region outcrop.Region, id string) (*Job, error)
	// Jobs are all of an account and Region, in the order of their submission.
	Jobs(ctx context.Context, account outcrop.AccountID, region outcrop.Region) ([]*Job, error)
	// Open are all jobs that have not ended, in the order of their submission.
	Open(context.Context) ([]*Job, error)
}

// Objects is where answers go.
type Objects interface {
	Put(ctx context.Context, bucket, key, contentType string, body io.Reader) error
}

// Invoke carries one job out and returns the model's own answer.
type Invoke func(context.Context, *Job) ([]byte, error)

// Bounds of the work.
const (
	workers     = 4
	maxOpenJobs = 1000 // in all accounts
	maxTries    = 5    // of a job that meets a lack of room
)

// Options of Jobs.
type Options struct {
	Store   Store
	Objects Objects
	Invoke  Invoke
	Now     func() time.Time
	Log     *slog.Logger
	Pause   time.Duration // before the second try of a job, then four times as long each; default 1 s
}

// Jobs are all there are. Run works them off.
type Jobs struct {
	o     Options
	queue chan *Job
}

// New makes Jobs.
func New(o Options) *Jobs {
	if o.Pause <= 0 {
		o.Pause = time.Second
	}
	return &Jobs{o: o, queue: make(chan *Job, maxOpenJobs)}
}

const idLetters = "abcdefghijklmnopqrstuvwxyz0123456789"

func newID() string {
	b := make([]byte, 12)
	rand.Read(b) // never fails: crypto/rand aborts the program instead
	for i := range b {
		b[i] = idLetters[int(b[i])%len(idLetters)]
	}
	return string(b)
}

// Start keeps a job and begins it soon. One that repeats a token is the job of
// the first time.
func (j *Jobs) Start(ctx context.Context, job Job) (*Job, error) {
	job.ID, job.Status, job.Fingerprint = newID(), InProgress, fingerprint(&job)
	job.Submitted = j.o.Now().UTC()
	job.Modified = job.Submitted
	if len(j.queue) == cap(j.queue) {
		return nil, outcrop.Errorf(outcrop.Throttled, "%d asynchronous invocations are waiting already. Try again when some have ended.", maxOpenJobs)
	}
	kept, err := j.o.Store.Add(ctx, &job)
	if err != nil {
		return nil, fmt.Errorf("keep an asynchronous invocation: %w", err)
	}
	if kept.ID != job.ID {
		return kept, same(kept, &job)
	}
	select {
	case j.queue <- &job:
	default: // it waits for the next start of the server, or of Run
		j.o.Log.Warn("an asynchronous invocation waits for a restart: too many at once", "job", job.ID)
	}
	return &job, nil
}

// same refuses a token that was used for something else.
func same(kept, job *Job) error {
	if kept.Fingerprint == job.Fingerprint {
		return nil
	}
	return outcrop.Errorf(outcrop.Conflict, "The clientRequestToken %s was already used with other parameters. Repeat the first request unchanged, or send a new token.", job.Token)
}

// fingerprint is of everything that a repetition must repeat.
func fingerprint(j *Job) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q %q %q ", j.ModelRef, j.Bucket, j.Prefix, j.KMSKey, j.Owner, j.Tags)
	h.Write(j.Input)
	return hex.EncodeToString(h.Sum(nil))
}

// Get finds a job by its ARN.
func (j *Jobs) Get(ctx context.Context, who outcrop.Caller, arn string) (*Job, error) {
	_, id, ok := strings.Cut(arn, ":async-invoke/")
	parts, isARN := outcrop.ParseARN(arn)
	var job *Job
	if ok && isARN && outcrop.AccountID(parts.Account) == who.Account && outcrop.Region(parts.Region) == who.Region {
		var err error
		if job, err = j.o.Store.Job(ctx, who.Account, who.Region, id); err != nil {
			return nil, err
		}
	}
	if job == nil {
		return nil, outcrop.Errorf(outcrop.NotFound, "There is no asynchronous invocation %.300s in this account and Region.", arn)
	}
	return job, nil
}

// List are the jobs of an account and Region.
func (j *Jobs) List(ctx context.Context, who outcrop.Caller) ([]*Job, error) {
	return j.o.Store.Jobs(ctx, who.Account, who.Region)
}
