// Package trail keeps an audit trail of every request: CloudTrail's records, a
// JSON line each, in files that are rotated, kept for a time and looked up.
package trail

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"outcrop"
	"outcrop/iam"
)

// Defaults of Options.
const (
	defaultKeepFiles    = 30
	defaultMaxFileBytes = 64 << 20
	defaultMaxFileAge   = 24 * time.Hour
)

// Limits of the queue between requests and the disk.
const (
	maxQueueBytes = 16 << 20
	retryInterval = time.Second     // after a write that failed
	closeTimeout  = 5 * time.Second // a mirror that nobody reads must not hold up the end
)

// Options of a Trail. The zero value works.
type Options struct {
	Account      outcrop.AccountID // whose trail keeps the requests of nobody known
	DataEvents   bool              // also keep invocations that were served; refused ones are always kept
	Mirror       io.Writer         // also gets every line; nil is nowhere
	KeepFiles    int               // default 30
	MaxFileBytes int64             // default 64 MiB
	MaxFileAge   time.Duration     // default 24 h
	Now          func() time.Time  // default time.Now
	Log          *slog.Logger      // default discards
}

func (o *Options) complete() {
	setDefault(&o.KeepFiles, defaultKeepFiles)
	setDefault(&o.MaxFileBytes, defaultMaxFileBytes)
	setDefault(&o.MaxFileAge, defaultMaxFileAge)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

func setDefault[T int | int64 | time.Duration](v *T, to T) {
	if *v <= 0 {
		*v = to
	}
}

// A Trail writes and finds audit records. It is safe for concurrent use.
// Requests hand their records to a bounded queue and never wait for the disk;
// what the queue cannot hold is counted, and the next line says how much that
// was.
type Trail struct {
	opts    Options
	files   *files
	wake    chan struct{} // the queue has something
	closing chan struct{}
	once    sync.Once
	done    chan struct{} // the writer has ended
	err     error         // how it ended; read after done

	mu     sync.Mutex
	queue  []byte // whole lines
	held   int    // bytes that the writer holds and has not written yet
	gap    uint64 // lines lost since the last one that was queued
	lost   uint64 // lines lost since the start
	closed bool
}

// Open opens the trail in folder dir, which is made when it is missing. Close
// it: that writes what is still queued.
func Open(dir string, opts Options) (*Trail, error) {
	opts.complete()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make audit folder: %w", err)
	}
	t := &Trail{
		opts: opts, files: &files{dir: dir, opts: &opts},
		wake: make(chan struct{}, 1), closing: make(chan struct{}), done: make(chan struct{}),
	}
	if err := t.files.resume(); err != nil {
		return nil, fmt.Errorf("open audit trail: %w", err)
	}
	go t.run()
	return t, nil
}

// Record queues e, if it is one to keep. It never blocks and never fails.
func (t *Trail) Record(e outcrop.AuditEvent) {
	if t.keeps(&e) {
		t.enqueue(t.line(&e))
	}
}

// isRuntime says whether a service's calls are data events: Bedrock Runtime's are,
// in its own form and in those of other providers.
func isRuntime(service string) bool {
	return service == "bedrock-runtime" || service == "openai" || service == "anthropic"
}

// keeps says which events a trail is about: every control-plane call and every
// refusal. A request that was let in and named no operation did nothing.
func (t *Trail) keeps(e *outcrop.AuditEvent) bool {
	if isRuntime(e.Service) || isObject(e) {
		return t.opts.DataEvents || e.Refused()
	}
	return e.Operation != "" || !e.Admitted
}

// Wants is false when nothing of a service, refused or not, is kept: whoever
// tells of requests may leave it out.
func (t *Trail) Wants(service string, refused bool) bool {
	return !isRuntime(service) || t.opts.DataEvents || refused
}

// isObject says whether an event of S3 is about an object, which is a data event
// as well; about a bucket it is not.
func isObject(e *outcrop.AuditEvent) bool {
	operation, _ := iam.OperationOf(e.Service, e.Operation)
	_, object := operation.ResourceType("object")
	return object && e.Service == "s3"
}

func (t *Trail) enqueue(line []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || len(t.queue)+t.held+len(line) > maxQueueBytes {
		t.gap++
		t.lost++
		return
	}
	if t.gap > 0 {
		line = fmt.Appendf(line[:len(line)-len("}\n")], `,"gap":%d}`+"\n", t.gap)
		t.gap = 0
	}
	t.queue = append(t.queue, line...)
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// Lost counts the records that did not fit since the start.
func (t *Trail) Lost() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lost
}

// Close writes what is queued and ends the trail. Records that come later are
// lost.
func (t *Trail) Close() error {
	t.once.Do(func() { close(t.closing) })
	select {
	case <-t.done:
		return t.err
	case <-time.After(closeTimeout):
		return errors.New("close audit trail: its last lines are still being written")
	}
}
