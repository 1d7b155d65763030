package cur

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"outcrop"
	"outcrop/cost"
)

// Objects are the buckets that exports are delivered into.
type Objects interface {
	// Put writes an object whole or not at all. A bucket that does not exist
	// or may not be written to is NotFound or Denied.
	Put(ctx context.Context, bucket, key, contentType string, body io.Reader) error
	// Delete removes an object; one that is not there is no error.
	Delete(ctx context.Context, bucket, key string) error
}

// Options of Exports.
type Options struct {
	Region   outcrop.Region // of the ARNs: us-east-1, as AWS has it
	Settings *cost.Settings
	Words    Words
	Scratch  string        // folder for files that are being made
	Every    time.Duration // between deliveries; default one hour
	PartRows uint64        // rows in one file; default 500,000
	Now      func() time.Time
	Log      *slog.Logger
}

// How deliveries go about time.
const (
	closedEvery = 24 * time.Hour // how often a month that is over is made anew, for late changes
	reachMonths = 13             // how far back the first delivery goes
)

// Exports keeps what accounts want delivered, and delivers it. It is safe for
// concurrent use.
type Exports struct {
	store   Store
	bills   Bills
	objects Objects
	o       Options
	mu      sync.Mutex // one delivery at a time
	wake    chan struct{}
}

// New makes Exports. Run delivers.
func New(store Store, bills Bills, objects Objects, o Options) *Exports {
	if o.Every == 0 {
		o.Every = time.Hour
	}
	if o.PartRows == 0 {
		o.PartRows = 500_000
	}
	return &Exports{store: store, bills: bills, objects: objects, o: o, wake: make(chan struct{}, 1)}
}

// Run delivers whatever is due until ctx ends.
func (x *Exports) Run(ctx context.Context) {
	tick := time.NewTicker(x.o.Every)
	defer tick.Stop()
	for {
		if err := x.Deliver(ctx); err != nil && ctx.Err() == nil {
			x.o.Log.Error("exports were not delivered; they are tried again", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-x.wake:
		}
	}
}

// Deliver brings every export up to date.
func (x *Exports) Deliver(ctx context.Context) error {
	all, err := x.store.Exports(ctx, "")
	if err != nil {
		return fmt.Errorf("list exports: %w", err)
	}
	var errs []error
	for i := range all {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := x.deliver(ctx, all[i].Account, all[i].ARN); err != nil {
			errs = append(errs, fmt.Errorf("deliver export %s: %w", all[i].Name, err))
		}
	}
	return errors.Join(errs...)
}

// Create checks and keeps a new export, and has it delivered soon.
func (x *Exports) Create(ctx context.Context, e Export) (*Export, error) {
	if err := e.Check(); err != nil {
		return nil, err
	}
	e.Created = x.o.Now().UTC()
	e.Updated = e.Created
	e.ARN = exportARN(x.o.Region, e.Account, e.Name, newID())
	if err := x.store.Put(ctx, e); err != nil {
		return nil, err
	}
	x.soon()
	return &e, nil
}

// Get finds an export by its ARN.
func (x *Exports) Get(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN) (*Export, error) {
	return x.find(ctx, account, func(e *Export) bool { return e.ARN == arn }, string(arn))
}

// Named finds an export by its name.
func (x *Exports) Named(ctx context.Context, account outcrop.AccountID, name string) (*Export, error) {
	return x.find(ctx, account, func(e *Export) bool { return e.Name == name }, name)
}

func (x *Exports) find(ctx context.Context, account outcrop.AccountID, is func(*Export) bool, name string) (*Export, error) {
	all, err := x.store.Exports(ctx, account)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(e Export) bool { return is(&e) })
	if i < 0 {
		return nil, outcrop.Errorf(outcrop.NotFound, "There is no export %s.", name)
	}
	return &all[i], nil
}

// List is an account's exports in order of name.
func (x *Exports) List(ctx context.Context, account outcrop.AccountID) ([]Export, error) {
	return x.store.Exports(ctx, account)
}

// Change applies change to an export, checks and keeps it. What was asked for
// is delivered anew.
func (x *Exports) Change(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN, change func(*Export) error) error {
	err := x.Tag(ctx, account, arn, func(e *Export) error {
		if err := change(e); err != nil {
			return err
		}
		e.Updated = x.o.Now().UTC()
		return e.Check()
	})
	if err == nil {
		x.soon()
	}
	return err
}

// Tag applies change, which touches tags alone: nothing is delivered anew.
func (x *Exports) Tag(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN, change func(*Export) error) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	e, err := x.Get(ctx, account, arn)
	if err != nil {
		return err
	}
	if err := change(e); err != nil {
		return err
	}
	return x.store.Put(ctx, *e)
}

// Delete forgets an export. What was delivered stays in its bucket.
func (x *Exports) Delete(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.store.Delete(ctx, account, arn)
}

// Executions of an export, newest first.
func (x *Exports) Executions(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN) ([]Execution, error) {
	if _, err := x.Get(ctx, account, arn); err != nil {
		return nil, err
	}
	return x.store.Executions(ctx, arn)
}

func (x *Exports) soon() {
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// newID is a random UUID.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
