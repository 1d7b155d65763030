package cost

import (
	"context"
	"errors"
	"iter"
	"time"

	"outcrop"
)

// Store keeps rollups and the states of cost allocation tags. It is safe for
// concurrent use; package costtest holds implementations to its promises.
type Store interface {
	Rollups
	TagStates
}

// Rollups are folds of the ledger by hour and Line. They can be dropped and
// folded again.
type Rollups interface {
	// Watermark is the Seq of the last record folded, 0 before the first.
	Watermark(context.Context) (outcrop.Seq, error)
	// Fold adds a batch and moves the watermark from b.From to b.To, all of it
	// or nothing. It returns ErrMoved when the watermark is not at b.From.
	Fold(ctx context.Context, b Batch) error
	// Sums adds up an account's rollups over each period: one Sum for each
	// period and line that has any, from one consistent snapshot, periods in
	// order. Equal lines of one call share one pointer. An error ends it.
	Sums(ctx context.Context, account outcrop.AccountID, periods []Period) iter.Seq2[Sum, error]
	// Totals adds up everything.
	Totals(context.Context) (Totals, error)
	// Reset drops all rollups and sets the watermark to 0. Tag keys stay, with
	// their status; when they were last used is forgotten.
	Reset(context.Context) error
}

// TagStates remember which tag keys exist and which are active.
type TagStates interface {
	// Tags lists an account's tag keys in order of key.
	Tags(ctx context.Context, account outcrop.AccountID) ([]TagState, error)
	// SetTags sets the Status and Updated of these keys, all or none, and adds
	// the keys that are new. It leaves Used alone.
	SetTags(ctx context.Context, account outcrop.AccountID, states []TagState) error
}

// ErrMoved says that another folder moved the watermark first.
var ErrMoved = errors.New("cost: watermark has moved")

// A Batch is the fold of the records with From < Seq ≤ To.
type Batch struct {
	From, To outcrop.Seq
	Rollups  map[RollupKey]Amount
	TagsUsed map[TagUse]time.Time // the latest hour in which a key was used

	damaged int // counts beyond maxTokensPerKind, cut to it
}

// A RollupKey is a Line within one hour.
type RollupKey struct {
	Hour int64 // hours since 1970-01-01T00:00Z
	Line Line
}

// An Amount is the value of a rollup. Money is never stored: it is
// Line.Rate.For(Tokens), computed last.
type Amount struct {
	Tokens      outcrop.Tokens
	Invocations uint64 // records whose first line this is; see fold
}

// A Sum is a Line's Amount over periods[Period].
type Sum struct {
	Period int
	Line   *Line
	Amount
}

// Totals is everything in a store.
type Totals struct {
	Watermark outcrop.Seq
	Records   uint64
	Tokens    outcrop.Tokens
}

// A TagUse is a tag key that an account's records carry.
type TagUse struct {
	Account outcrop.AccountID
	Key     string
}

// A TagState is what is known of one tag key.
type TagState struct {
	Key     string
	Status  TagStatus
	Updated time.Time // last change of Status; zero when never changed
	Used    time.Time // latest hour a record carried it; zero when none did
}

// A TagStatus is AWS's CostAllocationTagStatus.
type TagStatus string

// The statuses. A key is inactive until somebody activates it.
const (
	Inactive TagStatus = "Inactive"
	Active   TagStatus = "Active"
)
