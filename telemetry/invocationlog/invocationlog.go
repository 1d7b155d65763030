// Package invocationlog writes what clients and models said to each other to
// CloudWatch Logs and S3, as Bedrock's model invocation logging does.
package invocationlog

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"outcrop"
	"outcrop/gateway"
	"outcrop/internal/mishap"
	"outcrop/logs"
)

// Logs take log lines; *logs.Store does.
type Logs interface {
	Group(logs.GroupName) (logs.Group, error)
	PutNew(name logs.GroupName, stream string, events []logs.Put) error
}

// Objects take files; objects.Stores does.
type Objects interface {
	Put(ctx context.Context, bucket, key, contentType string, body io.Reader) error
}

// Configs keep where accounts want their logs; *sqlite.DB does.
type Configs interface {
	SaveInvocationLogging(ctx context.Context, a outcrop.AccountID, r outcrop.Region, c *outcrop.InvocationLogging) error // nil deletes
	InvocationLoggings(ctx context.Context) (map[Place]outcrop.InvocationLogging, error)
}

// Counts hear of each delivery that was tried.
type Counts interface {
	// Delivered tells of n records, or bodies when to is LargeData, that arrived
	// or did not. It must not wait.
	Delivered(p Place, to Delivery, arrived bool, n int)
}

// A Delivery is what is delivered, as AWS's metrics tell it apart.
type Delivery int

// Deliveries.
const (
	ToCloudWatch Delivery = iota
	ToS3
	LargeData // a body too large for its record, to S3
)

// A Place is an account in a Region: each has a configuration of its own.
type Place = outcrop.LoggingPlace

// Options of a Logger.
type Options struct {
	Dir     string // of the spool
	Logs    Logs
	Objects Objects
	Configs Configs
	Access  Access // nil believes every configuration
	Counts  Counts // nil counts nothing beside Stats
	Now     func() time.Time
	Log     *slog.Logger

	Redaction Redaction
	Seal      cipher.AEAD   // encrypts what waits on disk; nil leaves it plain
	MaxSpool  int64         // bytes that may wait on disk; default 1 GiB
	FlushLogs time.Duration // how long a line may wait before it goes to the log group; default 1s
	FlushS3   time.Duration // before a log file is written; default 30s
}

// Limits of what waits in memory.
const (
	maxQueued      = 10_000
	maxQueuedBytes = 64 << 20
	maxRetryDelay  = time.Minute
)

// A Logger hears exchanges and delivers their records. What cannot be delivered
// waits on disk. It is safe for concurrent use.
type Logger struct {
	o       Options
	configs atomic.Pointer[map[Place]outcrop.InvocationLogging]
	saving  sync.Mutex
	spool   *spool
	stats   stats

	mu     sync.Mutex
	queue  []*gateway.Exchange
	bytes  int
	wake   chan struct{}
	stop   context.CancelFunc
	worker sync.WaitGroup
}

// Start opens the spool and begins to deliver what the last process left there.
// Close it.
func Start(ctx context.Context, o Options) (*Logger, error) {
	o.complete()
	l := &Logger{o: o, wake: make(chan struct{}, 1)}
	all, err := o.Configs.InvocationLoggings(ctx)
	if err != nil {
		return nil, fmt.Errorf("read logging configurations: %w", err)
	}
	l.configs.Store(&all)
	if l.spool, err = openSpool(o.Dir, o.Seal, o.MaxSpool); err != nil {
		return nil, fmt.Errorf("open spool of invocation logs: %w", err)
	}
	ctx, l.stop = context.WithCancel(context.Background())
	l.worker.Go(func() { l.write(ctx) })
	l.worker.Go(func() { l.deliver(ctx, toLogs, o.FlushLogs) })
	l.worker.Go(func() { l.deliver(ctx, toS3, o.FlushS3) })
	return l, nil
}

func (o *Options) complete() {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxSpool == 0 {
		o.MaxSpool = 1 << 30
	}
	if o.FlushLogs == 0 {
		o.FlushLogs = time.Second
	}
	if o.FlushS3 == 0 {
		o.FlushS3 = 30 * time.Second
	}
}

// Close writes what is queued to the spool, tries once more to deliver it, and
// ends.
func (l *Logger) Close() error {
	l.stop()
	l.worker.Wait()
	var errs []error
	errs = append(errs, l.spoolQueued())
	for _, d := range []destination{toLogs, toS3} {
		if err := l.deliverOnce(context.Background(), d); err != nil {
			l.o.Log.Warn("invocation logs wait for the next start", "to", d, "err", err)
		}
	}
	return errors.Join(errs...)
}

// Wants says whether calls of an account in a Region are logged.
func (l *Logger) Wants(a outcrop.AccountID, r outcrop.Region) bool {
	all := *l.configs.Load()
	if len(all) == 0 {
		return false
	}
	_, ok := all[Place{Account: a, Region: r}]
	return ok
}

// Finished queues an exchange. It never waits: what does not fit is counted.
func (l *Logger) Finished(x *gateway.Exchange) {
	if !l.o.Redaction.samples(x.Record.Invocation) {
		l.stats.sampled.Add(1)
		return
	}
	if x.TooLong {
		l.stats.drop("too long", 1, l.o.Now())
		return
	}
	size := x.Size() + 1<<10
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) >= maxQueued || l.bytes+size > maxQueuedBytes {
		l.stats.drop("queue full", 1, l.o.Now())
		return
	}
	l.queue = append(l.queue, x)
	l.bytes += size
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *Logger) take() []*gateway.Exchange {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.queue
	l.queue, l.bytes = nil, 0
	return all
}

// write moves exchanges from memory to the spool.
func (l *Logger) write(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		}
		if err := l.spoolQueued(); err != nil {
			l.o.Log.Error("invocation logs could not be written to the spool", "err", err)
		}
	}
}

// spoolQueued makes records of the queued exchanges and puts them on disk, once
// for each destination.
func (l *Logger) spoolQueued() error {
	all := *l.configs.Load()
	entries := map[destination][]entry{}
	for _, x := range l.take() {
		c, ok := all[Place{Account: x.Record.Account, Region: x.Record.Region}]
		if !ok {
			continue
		}
		var e entry
		err := mishap.Caught(func() (err error) {
			e, err = l.entry(x, &c)
			return err
		})
		if err != nil {
			l.stats.drop("not representable", 1, l.o.Now())
			l.o.Log.Warn("an invocation was not logged", "request", x.Record.Invocation, "err", err)
			continue
		}
		if c.LogGroup != "" {
			entries[toLogs] = append(entries[toLogs], e)
		}
		if c.Bucket.Name != "" {
			entries[toS3] = append(entries[toS3], e)
		}
	}
	var errs []error
	for d, list := range entries {
		err := l.spool.add(d, list)
		if errors.Is(err, errSpoolFull) {
			l.stats.drop("spool full", len(list), l.o.Now())
		} else if err != nil {
			l.stats.drop("disk", len(list), l.o.Now())
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
