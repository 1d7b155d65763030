package conform

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"outcrop/internal/eventstream"
)

// Helpers of the two operations that answer with an event stream.

// A frame is one event of a stream.
type frame struct {
	headers []string // their names, in order
	name    string   // :event-type or :exception-type
	kind    string   // :message-type
	media   string   // :content-type
	payload map[string]any
}

// stream asks for an answer in events and reads all of it.
func (s *Subject) stream(ctx context.Context, a ask) (*reply, []frame, error) {
	got, err := s.send(ctx, a)
	if err != nil {
		return nil, nil, err
	}
	if got.status != 200 {
		return got, nil, errors.Join(same("HTTP status", 200, got.status), &Mismatch{"body", "events", abridged(string(got.body))})
	}
	err = errors.Join(same("Content-Type", "application/vnd.amazon.eventstream", got.header.Get("Content-Type")), got.common(a))
	frames, broken := readFrames(got.body)
	return got, frames, errors.Join(err, broken)
}

func readFrames(body []byte) ([]frame, error) {
	var all []frame
	for r := eventstream.NewDecoder(bytes.NewReader(body)); ; {
		m, err := r.Next()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, fmt.Errorf("frame %d: %w", len(all)+1, err)
		}
		f := frame{name: m.Headers.Text(":event-type"), kind: m.Headers.Text(":message-type"), media: m.Headers.Text(":content-type")}
		if f.kind == "exception" {
			f.name = m.Headers.Text(":exception-type")
		}
		for name := range m.Headers.All() {
			f.headers = append(f.headers, name)
		}
		if err := json.Unmarshal(m.Payload, &f.payload); err != nil {
			return all, fmt.Errorf("payload of frame %d: %w", len(all)+1, err)
		}
		all = append(all, f)
	}
}

// framed holds every frame to the recorded headers.
func framed(frames []frame) error {
	for _, f := range frames {
		err := errors.Join(same("headers of "+f.name, ":event-type :content-type :message-type", strings.Join(f.headers, " ")),
			same(":message-type of "+f.name, "event", f.kind), same(":content-type of "+f.name, "application/json", f.media))
		if err != nil {
			return err
		}
	}
	return holds("events", len(frames) > 0, "some", len(frames))
}

const padding = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// padded holds every payload to the padding that hides the lengths of tokens.
func padded(frames []frame) error {
	lengths := map[int]bool{}
	for _, f := range frames {
		p, ok := f.payload["p"].(string)
		if !ok {
			return skipped("padding is switched off")
		}
		if err := holds("p of "+f.name, strings.HasPrefix(padding, p), "a beginning of abc…zABC…Z0…9", p); err != nil {
			return err
		}
		lengths[len(p)] = true
	}
	return holds("lengths of p", len(lengths) > 1 || len(frames) < 5, "different ones", len(lengths))
}

// names are the events' names, repeated deltas as one.
func names(frames []frame) string {
	var list []string
	for _, f := range frames {
		if f.name == "contentBlockDelta" && len(list) > 0 && list[len(list)-1] == f.name {
			continue
		}
		list = append(list, f.name)
	}
	return strings.Join(list, " ")
}

// chunks are the native events inside the frames of InvokeModel's stream.
func chunks(frames []frame) ([]map[string]any, error) {
	var all []map[string]any
	for _, f := range frames {
		if err := same("event", "chunk", f.name); err != nil {
			return nil, err
		}
		b, err := base64.StdEncoding.DecodeString(text(f.payload, "bytes"))
		if err != nil {
			return nil, fmt.Errorf("bytes of a chunk: %w", err)
		}
		var native map[string]any
		if err := json.Unmarshal(b, &native); err != nil {
			return nil, fmt.Errorf("chunk %d: %w", len(all)+1, err)
		}
		all = append(all, native)
	}
	return all, nil
}
