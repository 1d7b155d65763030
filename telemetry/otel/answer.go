package otel

import (
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// A rejection is what a collector did not take of a batch. With no spans it is
// a warning.
type rejection struct {
	spans   int64
	message string
}

func (r *rejection) Error() string {
	return fmt.Sprintf("%d spans rejected%s", r.spans, r.message)
}

// readAnswer reads an ExportTraceServiceResponse, in either of its forms:
//
//	partial_success = 1 {rejected_spans = 1, error_message = 2}
//
// Whatever is of another media type says nothing.
func readAnswer(mediaType string, text []byte) (r rejection, err error) {
	switch {
	case len(text) == 0:
		return r, nil
	case mediaType == "application/x-protobuf":
		err = fields(text, func(number protowire.Number, kind protowire.Type, value []byte) error {
			if number != 1 || kind != protowire.BytesType {
				return nil
			}
			inner, _ := protowire.ConsumeBytes(value)
			return r.read(inner)
		})
		return r, err
	case mediaType == "application/json":
		var doc struct {
			PartialSuccess struct {
				RejectedSpans json.Number `json:"rejectedSpans"` // protobuf's JSON has int64 in quotes, as a number it may be
				ErrorMessage  string      `json:"errorMessage"`
			} `json:"partialSuccess"`
		}
		if err = json.Unmarshal(text, &doc); err == nil && doc.PartialSuccess.RejectedSpans != "" {
			r.spans, err = doc.PartialSuccess.RejectedSpans.Int64()
		}
		r.message = doc.PartialSuccess.ErrorMessage
		return r, err
	}
	return r, nil
}

// read reads an ExportTracePartialSuccess. What comes again replaces.
func (r *rejection) read(text []byte) error {
	return fields(text, func(number protowire.Number, kind protowire.Type, value []byte) error {
		switch {
		case number == 1 && kind == protowire.VarintType:
			n, _ := protowire.ConsumeVarint(value)
			r.spans = int64(n) //nolint:gosec // int64 on the wire
		case number == 2 && kind == protowire.BytesType:
			message, _ := protowire.ConsumeBytes(value)
			r.message = string(message)
		}
		return nil
	})
}

// statusMessage is what a refusal says: the message of a google.rpc.Status, or
// the text itself.
func statusMessage(mediaType string, text []byte) (message string) {
	if mediaType != "application/x-protobuf" {
		return string(text)
	}
	_ = fields(text, func(number protowire.Number, kind protowire.Type, value []byte) error { // what cannot be read says nothing
		if number == 2 && kind == protowire.BytesType {
			inner, _ := protowire.ConsumeBytes(value)
			message = string(inner)
		}
		return nil
	})
	return message
}

// fields walks a message. Each value it hands on is whole.
func fields(text []byte, each func(number protowire.Number, kind protowire.Type, value []byte) error) error {
	for len(text) > 0 {
		number, kind, n := protowire.ConsumeTag(text)
		if n < 0 {
			return protowire.ParseError(n)
		}
		text = text[n:]
		if n = protowire.ConsumeFieldValue(number, kind, text); n < 0 {
			return protowire.ParseError(n)
		}
		if err := each(number, kind, text[:n]); err != nil {
			return err
		}
		text = text[n:]
	}
	return nil
}
