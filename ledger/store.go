package ledger

import (
	"context"

	"outcrop"
)

// A Store keeps settled records for as long as they are wanted and lets
// readers follow them. ledgertest.Run holds every implementation to the
// promises below.
type Store interface {
	// Append adds records, in order of Seq, and raises the watermark, in
	// one transaction. A record whose Invocation is already there is left
	// out; a watermark below the present one leaves that as it is. The list is
	// the ledger's again afterwards: it holds the next records then. Should the
	// power fail, what was appended last may be gone, records and watermark.
	Append(ctx context.Context, records []outcrop.UsageRecord, watermark outcrop.Seq) error
	// Flush returns when all that was appended before is there for good. The
	// ledger keeps records until then.
	Flush(ctx context.Context) error
	// Watermark is the Seq up to which everything was appended.
	Watermark(context.Context) (outcrop.Seq, error)
	// After returns up to limit records with a greater Seq, in order.
	After(ctx context.Context, after outcrop.Seq, limit int) ([]outcrop.UsageRecord, error)
	// ByInvocation returns one record, or an error of kind NotFound.
	ByInvocation(context.Context, outcrop.InvocationID) (outcrop.UsageRecord, error)
}
