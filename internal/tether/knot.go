package tether

import "context"

// A Follower is told when the context that it is tied to has ended. It holds
// nobody up.
type Follower interface{ Ended() }

// A Knot ties a follower to a context. The zero value is untied.
type Knot struct {
	follower Follower
	to       *Tether
	stop     func() bool // of a context that is no Tether

	before, next *Knot // on the same Tether, whose mu guards these
	untied       bool
}

// Tie has follower told when ctx ends, at once if it has. What was tied must be
// untied.
func (k *Knot) Tie(ctx context.Context, follower Follower) {
	*k = Knot{follower: follower}
	t, ok := ctx.(*Tether)
	switch {
	case ok:
		k.to = t
		k.hang()
	case ctx.Done() != nil:
		k.stop = context.AfterFunc(ctx, follower.Ended)
	}
}

func (k *Knot) hang() {
	t := k.to
	t.mu.Lock()
	if t.err != nil {
		k.untied = true
		t.mu.Unlock()
		k.follower.Ended()
		return
	}
	if k.next = t.knots; k.next != nil {
		k.next.before = k
	}
	t.knots = k
	t.mu.Unlock()
}

// Untie says whether the follower will not be told any more. Otherwise it has
// been, or is just being told, and the knot's memory must not be used again.
func (k *Knot) Untie() bool {
	switch {
	case k.stop != nil:
		return k.stop()
	case k.to == nil:
		return true
	}
	t := k.to
	t.mu.Lock()
	defer t.mu.Unlock()
	if k.untied {
		return false
	}
	k.untied = true
	if k.next != nil {
		k.next.before = k.before
	}
	if k.before != nil {
		k.before.next = k.next
	} else {
		t.knots = k.next
	}
	return true
}
