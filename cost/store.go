package cost

import (
	"context"
	"errors"
	"iter"
	"time"

	"outcrop"
)

// Store keeps rollups, the states of cost allocation tags and what an account
// has defined on top of them. It is safe for concurrent use; package costtest
// holds implementations to its promises.
type Store interface {
	Rollups
	TagStates
	Documents
}

// Rollups are folds of the ledger by hour and Line, and their sums by day.
// They can be dropped and folded again.
type Rollups interface {
	// Watermark is the Seq of the last record folded, 0 before the first.
	Watermark(context.Context) (outcrop.Seq, error)
	// Fold adds a batch and moves the watermark from b.From to b.To, all of it
	// or nothing. It returns ErrMoved when the watermark is not at b.From.
	Fold(ctx context.Context, b Batch) error
	// Hours walks an account's rollups with from ≤ At < to in order of At, from
	// one consistent snapshot; At is an hour since 1970. An error ends it.
	Hours(ctx context.Context, account outcrop.AccountID, from, to int64) iter.Seq2[Rollup, error]
	// Days is Hours by days in UTC; At is a day since 1970.
	Days(ctx context.Context, account outcrop.AccountID, from, to int64) iter.Seq2[Rollup, error]
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

// Documents keep what an account has defined: versions of its history, cost
// categories, anomaly monitors. A document is JSON under a kind and an id.
type Documents interface {
	// Documents lists those of one kind in order of Number.
	Documents(ctx context.Context, account outcrop.AccountID, kind string) ([]Document, error)
	// PutDocument adds d, or replaces the body of the one with its kind and id.
	// A new one gets the next Number of its account.
	PutDocument(ctx context.Context, account outcrop.AccountID, d Document) error
	// DeleteDocument removes one; ok is false when there was none.
	DeleteDocument(ctx context.Context, account outcrop.AccountID, kind, id string) (ok bool, err error)
}

// A Document is one definition.
type Document struct {
	Kind, ID string
	Number   int64 // the order in which documents were made
	Body     []byte
}

// ErrMoved says that another folder moved the watermark first.
var ErrMoved = errors.New("cost: watermark has moved")

// A Batch is the fold of the records with From < Seq ≤ To.
type Batch struct {
	From, To outcrop.Seq
	Rollups  map[RollupKey]Amount
	TagsUsed map[TagUse]time.Time // the latest hour in which a key was used

	damaged int // counts beyond maxTokensPerKind, cut to it
	sets    map[outcrop.ARN]writtenTags
	crowds  []crowd // of the records that are being folded
}

// A RollupKey is a Line within one hour.
type RollupKey struct {
	Hour int64 // hours since 1970-01-01T00:00Z
	Line Line
}

// A Rollup is a Line's Amount in one hour or on one day. Lines that are read
// are shared: they must not be changed.
type Rollup struct {
	At   int64
	Line *Line
	Amount
}

// An Amount is the value of a rollup. Money is never stored: it is
// Line.Rate.For(Tokens), computed last.
type Amount struct {
	Tokens      outcrop.Tokens
	Invocations uint64 // records whose first line this is; see fold
}

func (a Amount) plus(b Amount) Amount {
	return Amount{a.Tokens + b.Tokens, a.Invocations + b.Invocations}
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
