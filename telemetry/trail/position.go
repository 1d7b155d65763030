package trail

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"outcrop"
)

// A position is the beginning of a line: pages go on with what is before it.
type position struct {
	start  time.Time // of the file
	offset int64
}

// Sizes of a token: the file's start, the offset, and a digest of the query.
const (
	digestBytes = 12
	tokenBytes  = 8 + 8 + digestBytes
)

// token is the position for a client. It fits its own query only, as
// CloudTrail's does.
func (p position) token(q outcrop.AuditQuery) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(p.start.Unix()))
	b = binary.BigEndian.AppendUint64(b, uint64(p.offset))
	return base64.RawURLEncoding.EncodeToString(append(b, digestOf(q)...))
}

// parsePosition reads the token of q, or the zero position for none.
func parsePosition(q outcrop.AuditQuery) (position, error) {
	if q.Page == "" {
		return position{}, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(q.Page)
	if err != nil || len(b) != tokenBytes || string(b[16:]) != string(digestOf(q)) {
		e := outcrop.Errorf(outcrop.Invalid, "Invalid NextToken: it must be sent with the parameters of the call that it came from.")
		e.Code = "InvalidNextTokenException"
		return position{}, e
	}
	p := position{time.Unix(int64(binary.BigEndian.Uint64(b)), 0).UTC(), int64(binary.BigEndian.Uint64(b[8:]))}
	p.offset = max(p.offset, 0)
	return p, nil
}

func digestOf(q outcrop.AuditQuery) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %d %d %q %q", q.Account, q.Region, q.Start.Unix(), q.End.Unix(), q.Key, q.Value))
	return sum[:digestBytes]
}
