package native

import (
	"encoding/json"
	"errors"
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/messages"
)

// defaultMaxTokens stands where a conversation does not say how long its answer
// may be, and the format must.
const defaultMaxTokens = 4096

func (anthropic) EncodeRequest(r *converse.Request) ([]byte, error) {
	if err := beyond(r); err != nil {
		return nil, err
	}
	b, err := messages.EncodeWhole(r, defaultMaxTokens)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(b.Members)
	if err != nil {
		return nil, outcrop.Errorf(outcrop.Invalid, "The request holds a document that is not JSON. Correct it and try again.")
	}
	return text, nil
}

func (anthropic) DecodeAnswer(_ outcrop.Attempt, body []byte) (*converse.Response, error) {
	r, err := messages.Decode(body)
	return r, asFailed(err)
}

// asFailed is an error that the answer itself tells, in its kind.
func asFailed(err error) error {
	var f *messages.Failure
	if errors.As(err, &f) {
		return outcrop.Errorf(outcrop.ModelFailed, "The model returned the following errors: %s", f.Message)
	}
	return err
}

func (anthropic) Reader(a outcrop.Attempt, yield func(converse.Event, error) bool) Reader {
	return &anthropicReader{read: messages.Reader{Yield: yield, Attempt: a}}
}

type anthropicReader struct{ read messages.Reader }

func (r *anthropicReader) Begun() bool                  { return r.read.Begun }
func (r *anthropicReader) Deaf() bool                   { return r.read.Deaf }
func (r *anthropicReader) Stopped() bool                { return r.read.Stop != "" }
func (r *anthropicReader) Finish(latency time.Duration) { r.read.Finish(latency) }

// Read implements Reader.
func (r *anthropicReader) Read(chunk []byte) (last bool, err error) {
	last, err = r.read.Event(chunk)
	return last, asFailed(err)
}
