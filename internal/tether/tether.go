// Package tether has a context.Context that is one object: a call makes
// several, and the map, closures and goroutines of package context's would cost
// more than all that hangs from them.
package tether

import (
	"context"
	"sync"
	"time"
)

// A Tether is a context that ends when it is cut, and with its parent once it
// is tied to it. It may be a part of what it is for. Its memory may be used again
// only where nobody can have kept it. It must not be copied.
type Tether struct {
	values context.Context // whose values it has
	parent context.Context // with which it ends; nil for none
	above  Knot            // on the parent

	mu    sync.Mutex
	err   error // nil while it holds
	cause error
	done  chan struct{} // made when somebody asks for it
	knots *Knot         // what hangs from it
}

// Over prepares a Tether that has the values of a context and does not end with
// it, though context.Cause may name the cause of its end.
func (t *Tether) Over(ctx context.Context) { t.values = ctx }

// Tie prepares a Tether that ends with parent, if it is not cut before. It must
// be cut.
func (t *Tether) Tie(parent context.Context) {
	t.values, t.parent = parent, parent
	t.above.Tie(parent, t)
}

// Shadow is Tie without values: who keeps t keeps nothing of parent once t is
// cut.
func (t *Tether) Shadow(parent context.Context) {
	t.values, t.parent = context.Background(), parent
	t.above.Tie(parent, t)
}

// Cut ends t. Only the first end counts. It is alone then if
// its parent will not tell it any more.
func (t *Tether) Cut(cause error) (alone bool) {
	alone = t.above.Untie()
	t.end(context.Canceled, cause)
	return alone
}

// Ended implements Follower: the parent has.
func (t *Tether) Ended() { t.end(t.parent.Err(), Cause(t.parent)) }

func (t *Tether) end(err, cause error) {
	t.mu.Lock()
	if t.err != nil {
		t.mu.Unlock()
		return
	}
	t.err, t.cause = err, cause
	if t.done == nil {
		t.done = closed
	} else {
		close(t.done)
	}
	knots := t.knots
	t.knots = nil
	for k := knots; k != nil; k = k.next {
		k.untied = true
	}
	t.mu.Unlock()
	for k := knots; k != nil; {
		next := k.next // the follower may use its knot again
		k.follower.Ended()
		k = next
	}
}

var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// Deadline implements context.Context.
func (t *Tether) Deadline() (at time.Time, ok bool) {
	if t.parent == nil {
		return at, false
	}
	return t.parent.Deadline()
}

// Value implements context.Context.
func (t *Tether) Value(key any) any { return t.values.Value(key) }

// Err implements context.Context.
func (t *Tether) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// Done implements context.Context.
func (t *Tether) Done() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done == nil {
		t.done = make(chan struct{})
	}
	return t.done
}

// AfterFunc is what package context ties its own contexts by, in place of a
// goroutine that waits.
func (t *Tether) AfterFunc(f func()) (stop func() bool) {
	k := new(Knot)
	k.Tie(t, do(f))
	return k.Untie
}

type do func()

// Ended implements Follower, as context.AfterFunc does it.
func (f do) Ended() { go f() }

// Cause is context.Cause, which knows no Tether.
func Cause(ctx context.Context) error {
	t, ok := ctx.(*Tether)
	if !ok {
		return context.Cause(ctx)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cause != nil {
		return t.cause
	}
	return t.err
}
