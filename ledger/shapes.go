package ledger

import (
	"fmt"

	"outcrop"
	"outcrop/internal/record"
)

// A shapes decodes records and remembers what many of them share: a hot log
// has few shapes, and to decode one is most of the work.
type shapes struct {
	known map[string]*outcrop.UsageRecord
}

const shapesRemembered = 4096

// decode is decodeRecord into r, and says of which shape it is. Records of one
// shape share their Tags; one that is laid out otherwise is a shape of its own.
func (s *shapes) decode(r *outcrop.UsageRecord, b []byte) (shape *outcrop.UsageRecord, err error) {
	n := shapeBytes(b)
	if n <= 1 {
		if *r, err = decodeRecord(b); err != nil {
			return nil, err
		}
		alone := *r
		return &alone, nil
	}
	if shape = s.known[string(b[:n])]; shape == nil {
		shape = new(outcrop.UsageRecord)
		if err := Decode(shape, b[:n]); err != nil {
			return nil, err
		}
		if s.known == nil || len(s.known) >= shapesRemembered {
			s.known = map[string]*outcrop.UsageRecord{}
		}
		s.known[string(b[:n])] = shape
	}
	*r = *shape
	if err := decodeFields(r, b[n:]); err != nil {
		return nil, err
	}
	if r.Invocation == "" {
		return nil, fmt.Errorf("%w: no invocation", errRecord)
	}
	return shape, nil
}

// shapeBytes is how far the shape of an encoded record reaches: the invocation
// follows it. It is 0 when b is not laid out so.
func shapeBytes(b []byte) int {
	if len(b) == 0 || b[0] != recordVersion {
		return 0
	}
	for rest := b[1:]; len(rest) > 0; {
		f, after, err := record.Next(rest)
		switch {
		case err != nil:
			return 0
		case f.Tag == tagInvocation:
			return len(b) - len(rest)
		case f.Tag > tagImageSteps || !inShape(f.Tag):
			return 0
		}
		rest = after
	}
	return 0
}

// inShape says whether a field belongs to the shape. What belongs to a record
// alone must not be remembered for others.
func inShape(tag uint64) bool {
	switch tag {
	case tagOperation, tagAccount, tagPrincipal, tagAccessKey, tagRegion, tagServedIn, tagUpstream, tagModelRef, tagMetricID,
		tagProfile, tagModel, tagGeography, tagPrice, tagRate, tagTag, tagTier, tagTierAsked, tagLatency, tagLatencyAsked,
		tagSessionTag, tagBinding, tagGuardrail, tagImageSize, tagImageSteps:
		return true
	}
	return false
}
