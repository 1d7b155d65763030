package gateway

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"outcrop"
)

// Bindings let a plain model id stand for an application profile.
type Bindings interface {
	// Bound is the profile that a call of who to ref is bound to, if any.
	Bound(who *outcrop.Caller, ref outcrop.ModelRef) (outcrop.ModelRef, bool)
}

// A MistakeKind is a way in which clients miss the profile they mean.
type MistakeKind string

// The kinds. Each leaves calls unattributed or unanswered, and none can be
// seen in the client's own configuration alone.
const (
	UnresolvedVariable MistakeKind = "UnresolvedVariable" // the model id is ${VAR}
	UnmappedModel      MistakeKind = "UnmappedModel"      // a model by its own id, from a credential that otherwise names application profiles
	OtherRegion        MistakeKind = "OtherRegion"        // an ARN of another Region than the call was signed for
	StaleBinding       MistakeKind = "StaleBinding"       // a model id bound to a profile that is gone
)

var cures = map[MistakeKind]string{
	UnresolvedVariable: "Set the variable where the client starts (LibreChat: in .env, spelt as in librechat.yaml) and restart the client.",
	UnmappedModel:      "Map the model id to an application profile (LibreChat: endpoints.bedrock.inferenceProfiles, for titleModel too), or bind it: outcrop bind.",
	OtherRegion:        "Call the profile in its own Region (LibreChat: leave only that one in availableRegions), or make a profile in the other one.",
	StaleBinding:       "The profile that the model id is bound to is gone: bind the id to another (outcrop bind), or forget the binding (outcrop unbind).",
}

// Cure says what to do about it.
func (k MistakeKind) Cure() string { return cures[k] }

// A Mistake is one that was seen, with how often.
type Mistake struct {
	MistakeKey
	Count       int
	First, Last time.Time
}

// A MistakeKey tells mistakes apart.
type MistakeKey struct {
	Kind      MistakeKind
	Account   outcrop.AccountID
	Principal outcrop.ARN
	ModelID   string // as the client wrote it
}

// Bounds of what is remembered. What no longer fits is not counted.
const (
	maxMistakes        = 1000
	maxCredentials     = 100_000
	maxMistakenIDBytes = 300
)

// Mistakes count the calls that miss the profile they mean, since the process
// started. The zero value is ready; it is safe for concurrent use.
type Mistakes struct {
	learning   sync.RWMutex
	attributed map[string]struct{} // ids of credentials seen with an application profile
	mu         sync.Mutex
	seen       map[MistakeKey]*Mistake
}

// resolved notes what came of a modelId. A call that names its profile costs
// one look-up.
func (m *Mistakes) resolved(call *Call, t *outcrop.Target, err error, now time.Time) {
	switch {
	case err != nil:
		if kind, ok := missed(call); ok {
			m.note(kind, call, now)
		}
	case t.Profile != nil && t.Profile.Kind == outcrop.Application:
		if !m.knows(call.Caller.AccessKey) {
			m.learn(call.Caller.AccessKey)
		}
	default:
		if m.knows(call.Caller.AccessKey) {
			m.note(UnmappedModel, call, now)
		}
	}
}

// missed says why a modelId that was not found may be a client's mistake.
func missed(call *Call) (MistakeKind, bool) {
	switch {
	case strings.Contains(call.Ref.Text, "${"):
		return UnresolvedVariable, true
	case call.Ref.ARN.Region != "" && call.Ref.ARN.Region != call.Caller.Region:
		return OtherRegion, true
	}
	return "", false
}

func (m *Mistakes) knows(key string) bool {
	m.learning.RLock()
	defer m.learning.RUnlock()
	_, ok := m.attributed[key]
	return ok
}

func (m *Mistakes) learn(key string) {
	m.learning.Lock()
	defer m.learning.Unlock()
	if m.attributed == nil {
		m.attributed = map[string]struct{}{}
	}
	if len(m.attributed) < maxCredentials {
		m.attributed[strings.Clone(key)] = struct{}{}
	}
}

func (m *Mistakes) note(kind MistakeKind, call *Call, now time.Time) {
	id := call.Ref.Text
	k := MistakeKey{kind, call.Caller.Account, call.Caller.Principal, id[:min(len(id), maxMistakenIDBytes)]}
	m.mu.Lock()
	defer m.mu.Unlock()
	if one := m.seen[k]; one != nil {
		one.Count++
		one.Last = now
		return
	}
	if len(m.seen) >= maxMistakes {
		return
	}
	if m.seen == nil {
		m.seen = map[MistakeKey]*Mistake{}
	}
	k.ModelID = strings.Clone(k.ModelID) // of a request's buffer otherwise
	m.seen[k] = &Mistake{MistakeKey: k, Count: 1, First: now, Last: now}
}

// List gives the mistakes of an account, the latest first.
func (m *Mistakes) List(account outcrop.AccountID) (list []Mistake) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, one := range m.seen {
		if k.Account == account {
			list = append(list, *one)
		}
	}
	slices.SortFunc(list, func(a, b Mistake) int {
		return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.ModelID, b.ModelID), cmp.Compare(a.Principal, b.Principal), cmp.Compare(a.Kind, b.Kind))
	})
	return list
}

// resolve finds what a call names, through its binding where there is one.
func (g *Gateway) resolve(call *Call, find func(outcrop.ModelRef) (*outcrop.Target, error)) (*outcrop.Target, error) {
	if g.Bindings != nil {
		if to, ok := g.Bindings.Bound(&call.Caller, call.Ref); ok {
			return g.bound(call, to, find)
		}
	}
	t, err := find(call.Ref)
	if g.Mistakes != nil {
		g.Mistakes.resolved(call, t, err, call.Received)
	}
	return t, err
}

// bound is the Target of a binding. One whose profile is gone is refused: to
// fall back would leave the call unattributed in silence.
func (g *Gateway) bound(call *Call, to outcrop.ModelRef, find func(outcrop.ModelRef) (*outcrop.Target, error)) (*outcrop.Target, error) {
	t, err := find(to)
	if outcrop.KindOf(err) == outcrop.Invalid || outcrop.KindOf(err) == outcrop.NotFound {
		if g.Mistakes != nil {
			g.Mistakes.note(StaleBinding, call, call.Received)
		}
		return nil, outcrop.Errorf(outcrop.Invalid, "The model id %s is bound to %s, which can no longer be invoked. Bind it to another application profile, or remove the binding.", call.Ref.Text, to.Text).Because(err)
	}
	if err == nil {
		call.Binding, call.Ref = call.Ref.Text, to
	}
	return t, err
}
