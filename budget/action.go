package budget

import (
	"context"
	"slices"
	"time"

	"outcrop"
)

// An Action does something once a threshold is crossed: it attaches a policy
// that denies. It is taken back when the budget's next period begins.
type Action struct {
	ID          string
	Threshold   Threshold
	Definition  Definition
	Role        outcrop.ARN // that AWS would act as; kept, since Outcrop acts by itself
	Manual      bool        // waits for approval
	Subscribers []Subscriber
	Status      string    // of AWS's ActionStatus
	Done        time.Time `json:",omitzero"` // start of the period in which it was carried out
	History     []ActionEvent
}

// A Definition says what an action attaches to whom.
type Definition struct {
	Policy               outcrop.ARN // an IAM policy, for Users, Roles and Groups
	Users, Roles, Groups []string    `json:",omitempty"`
	SCP                  string      `json:",omitempty"` // id of a service control policy, for Targets
	Targets              []string    `json:",omitempty"`
}

// An ActionEvent is one line of an action's history.
type ActionEvent struct {
	At                    time.Time
	Event, Status, Detail string
}

// The states of an action that are used.
const (
	Standby  = "STANDBY"
	Pending  = "PENDING"
	Executed = "EXECUTION_SUCCESS"
	Failed   = "EXECUTION_FAILURE"
	Reversed = "REVERSE_SUCCESS"
	Unturned = "REVERSE_FAILURE"
)

const maxActionEvents = 50

// A Hand attaches and detaches what an action defines. Doing twice what was
// done is no error.
type Hand interface {
	Apply(context.Context, outcrop.AccountID, Definition) error
	Revert(context.Context, outcrop.AccountID, Definition) error
}

// A move is a change of an action's state.
type move uint8

const (
	none move = iota
	await
	execute
	revert
	rest
)

// An act is a move that is to be made.
type act struct {
	id   string
	what move
}

// next is what the state of the budget asks for.
func (a *Action) next(st *Status) move {
	beyond := st.beyond(&a.Threshold)
	over := !a.Done.IsZero() && !a.Done.Equal(st.Period.Start) && st.window() == 0 || st.window() > 0 && !beyond
	switch {
	case a.Status == Standby && beyond && a.Manual:
		return await
	case a.Status == Standby && beyond:
		return execute
	case a.Status == Executed && over:
		return revert
	case (a.Status == Pending || a.Status == Reversed || a.Status == Failed) && over:
		return rest
	}
	return none
}

// moveTo makes one move. An action that fails stays failed until it is
// executed again or the budget begins anew.
func (b *Budgets) moveTo(ctx context.Context, d *Budget, a *Action, what move, start time.Time, event string) {
	var err error
	switch what {
	case await:
		a.Status, a.Done = Pending, start
	case execute:
		a.Status, a.Done = Executed, start
		if err = b.hand(ctx, d.Account, a.Definition, true); err != nil {
			a.Status = Failed
		}
	case revert:
		a.Status = Reversed
		if err = b.hand(ctx, d.Account, a.Definition, false); err != nil {
			a.Status = Unturned
		} else if event == systemEvent { // the next period has begun
			a.Status, a.Done = Standby, time.Time{}
		}
	case rest:
		a.Status, a.Done = Standby, time.Time{}
	}
	a.note(b.options.Now(), event, err)
}

const systemEvent = "SYSTEM"

func (b *Budgets) hand(ctx context.Context, account outcrop.AccountID, d Definition, apply bool) error {
	switch {
	case b.options.Hand == nil:
		return outcrop.Errorf(outcrop.Unavailable, "Nothing here can attach policies.")
	case apply:
		return b.options.Hand.Apply(ctx, account, d)
	}
	return b.options.Hand.Revert(ctx, account, d)
}

func (a *Action) note(at time.Time, event string, err error) {
	detail := map[string]string{Standby: "The action waits for its threshold.", Pending: "The threshold is crossed; the action waits for approval.",
		Executed: "The policy was attached.", Reversed: "The policy was detached."}[a.Status]
	if err != nil {
		detail = err.Error()
	}
	a.History = append(slices.Clone(a.History), ActionEvent{at, event, a.Status, detail})
	if n := len(a.History); n > maxActionEvents {
		a.History = a.History[n-maxActionEvents:]
	}
}

// act judges what a budget stands at once more, since somebody else may have
// acted meanwhile, keeps what that changes, makes its moves and queues its
// messages.
func (b *Budgets) act(ctx context.Context, st Status) error {
	b.changing.Lock()
	defer b.changing.Unlock()
	d, err := b.current(st.Key)
	if err != nil {
		return nil // deleted meanwhile
	}
	if !d.Updated.Equal(st.Updated) {
		return nil // changed meanwhile: the next look sees it
	}
	st.Budget = d.Budget
	v := st.judge()
	if v.idle() {
		return nil
	}
	next := st.Budget
	for _, a := range v.acts {
		i := slices.IndexFunc(next.Actions, func(x Action) bool { return x.ID == a.id })
		if i < 0 {
			continue
		}
		done := &next.Actions[i]
		b.moveTo(ctx, &next, done, a.what, st.Period.Start, systemEvent)
		v.messages = append(v.messages, st.messages(&done.Threshold, done.Subscribers, "Action "+done.ID+" is now "+done.Status+".")...)
	}
	if err := b.queue(ctx, v.messages); err != nil {
		return err
	}
	return b.put(ctx, d, next, false)
}
