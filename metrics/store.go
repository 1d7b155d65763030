package metrics

import (
	"context"
	"errors"
	"iter"
	"time"

	"outcrop"
)

// A Row is a Block of samples in its place. Start is in seconds since 1970.
type Row struct {
	Lane  Lane
	Step  Step
	Start int64
	Block []byte // Block.Append; the Store merges it with MergeBlocks
	Names []string
}

// A LaneInfo says which metrics a Lane has and when each was last recorded, to
// ActivityGrain.
type LaneInfo struct {
	Lane
	Last map[string]time.Time // by name as in Block.Names
}

// ActivityGrain is how exactly a Store notes when a metric was last recorded.
const ActivityGrain = 10 * time.Minute

// A Reading asks for the Rows of one Lane from From up to but not including To.
type Reading struct {
	Lane     Lane
	Step     Step
	From, To int64
}

// ErrMoved says that a batch does not begin where the Store's watermark is:
// somebody else has folded it.
var ErrMoved = errors.New("metrics: the watermark has moved")

// A Store keeps Rows of two origins: those folded from the ledger, which can be
// dropped and folded again, and those added by anyone else. A Row that is there
// already is merged with; Rows gives both origins. A sample is in one Row of a
// Lane only: a longer Step is that Step's rows and those of the shorter ones. It
// is safe for concurrent use.
type Store interface {
	// Watermark is the Seq up to which the ledger was folded.
	Watermark(context.Context) (outcrop.Seq, error)
	// Fold merges rows and moves the watermark, in one transaction; or changes
	// nothing and returns ErrMoved when the watermark is not from.
	Fold(ctx context.Context, from, to outcrop.Seq, rows []Row) error
	// Add merges rows that do not come from the ledger, all or none.
	Add(ctx context.Context, rows []Row) error
	// Rows yields those of the Reading's Step and of shorter ones, in any order,
	// all of one moment; a block is only good until the next one.
	Rows(context.Context, Reading) iter.Seq2[Row, error]
	// Lanes of an account in a Region that belong to a namespace; what is empty
	// is any.
	Lanes(ctx context.Context, account outcrop.AccountID, region outcrop.Region, namespace string) ([]LaneInfo, error)
	// Compact moves every row to its Home at now, deletes those that have none,
	// and Lanes that have no row left.
	Compact(ctx context.Context, now int64) error
	// Reset drops everything folded from the ledger.
	Reset(context.Context) error
}
