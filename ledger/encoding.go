package ledger

import (
	"fmt"

	"outcrop"
)

// A store keeps a record in two parts, in the encoding of the log: its shape,
// which it shares with many others, and its own. The Invocation and the Seq
// are in neither.

// AppendShape adds r's shape to dst.
func AppendShape(dst []byte, r *outcrop.UsageRecord) []byte {
	return appendShape(append(dst, recordVersion), r)
}

// AppendOwn adds what is r's own to dst.
func AppendOwn(dst []byte, r *outcrop.UsageRecord) []byte {
	return appendOwn(append(dst, recordVersion), r)
}

// Decode adds one part to r. Maps that r has are added to and not copied, so
// the own part must not be decoded into a shape's record but into a copy.
func Decode(r *outcrop.UsageRecord, part []byte) error {
	if len(part) == 0 || part[0] != recordVersion {
		return fmt.Errorf("%w: unknown version", errRecord)
	}
	return decodeFields(r, part[1:])
}
