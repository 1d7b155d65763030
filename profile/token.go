package profile

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"outcrop"
)

// A nextToken is opaque to clients and holds no state of ours: the place of
// the last profile shown, and a checksum that binds it to the list it is of.
// Any node of a cluster can read it.

// maxTokenBytes is the service model's limit.
const maxTokenBytes = 2048

func sealToken(req ListRequest, last *outcrop.InferenceProfile) string {
	at := last.CreatedAt
	if req.Kind == outcrop.SystemDefined {
		at = last.UpdatedAt
	}
	place := strconv.FormatInt(at.UnixMicro(), 10) + " " + last.ID
	return base64.RawURLEncoding.EncodeToString(append(bind(req, place), place...))
}

func openToken(req ListRequest) (Position, error) {
	if req.NextToken == "" {
		return Position{}, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(req.NextToken)
	if err != nil || len(req.NextToken) > maxTokenBytes || len(raw) < sumBytes {
		return Position{}, badToken()
	}
	place := string(raw[sumBytes:])
	if string(bind(req, place)) != string(raw[:sumBytes]) {
		return Position{}, badToken()
	}
	micros, id, _ := strings.Cut(place, " ")
	at, err := strconv.ParseInt(micros, 10, 64)
	if err != nil {
		return Position{}, badToken()
	}
	return Position{time.UnixMicro(at).UTC(), id}, nil
}

const sumBytes = 8

// bind is a checksum over the list's owner and filter and a place in it. It
// guards against mistakes, not forgers: the place grants nothing.
func bind(req ListRequest, place string) []byte {
	h := sha256.New()
	for _, part := range []string{"v1", string(req.Account), string(req.Region), string(req.Kind), place} {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(part)))
		h.Write(n[:])
		h.Write([]byte(part))
	}
	return h.Sum(nil)[:sumBytes]
}

func badToken() error {
	return outcrop.Errorf(outcrop.Invalid, "The nextToken is not one that this list gave out. Repeat the request with the same type, account and Region, or begin again without a token.")
}
