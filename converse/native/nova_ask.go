package native

import (
	"encoding/json"
	"time"

	"outcrop"
	"outcrop/converse"
)

// EncodeRequest writes Converse's own shapes.
func (nova) EncodeRequest(r *converse.Request) ([]byte, error) {
	if err := beyond(r); err != nil {
		return nil, err
	}
	if r.OutputConfig != nil {
		return nil, unsaid("outputConfig")
	}
	known := converse.Request{Messages: r.Messages, System: r.System, InferenceConfig: r.InferenceConfig, ToolConfig: r.ToolConfig}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(known.AppendJSON(nil), &members); err != nil {
		return nil, outcrop.Errorf(outcrop.Invalid, "The request holds a document that is not JSON. Correct it and try again.")
	}
	body := map[string]any{"schemaVersion": "messages-v1"}
	for name, raw := range members {
		body[name] = raw
	}
	if raw, ok := members["inferenceConfig"]; ok { // topK and others stand in it
		config := map[string]any{}
		if err := carry(config, raw); err != nil {
			return nil, err
		}
		body["inferenceConfig"] = config
	}
	return finishBody(body, r)
}

func (nova) DecodeAnswer(_ outcrop.Attempt, body []byte) (*converse.Response, error) {
	var g Glance
	if err := g.Read(body); err != nil {
		return nil, broken(err)
	}
	r, err := converse.DecodeResponse(body)
	switch {
	case err != nil:
		return nil, broken(err)
	case r.Output.Message == nil:
		return nil, noAnswer("output.message")
	}
	r.Usage = g.Usage()
	return r, nil
}

func (nova) Reader(a outcrop.Attempt, yield func(converse.Event, error) bool) Reader {
	return &novaReader{yield: yield}
}

// A novaReader takes Converse's events out of the chunks that they are in.
type novaReader struct {
	yield  func(converse.Event, error) bool
	glance Glance
	begun  bool
	deaf   bool
	stop   *converse.MessageStopEvent
}

func (r *novaReader) Begun() bool   { return r.begun }
func (r *novaReader) Deaf() bool    { return r.deaf }
func (r *novaReader) Stopped() bool { return r.stop != nil }

// Read implements Reader.
func (r *novaReader) Read(chunk []byte) (last bool, err error) {
	if err := r.glance.Read(chunk); err != nil {
		return false, broken(err)
	}
	if r.glance.Fault {
		return false, noAnswer("events")
	}
	var events map[string]json.RawMessage
	if err := json.Unmarshal(chunk, &events); err != nil {
		return false, broken(err)
	}
	for name, payload := range events {
		e, err := converse.DecodeEvent(name, payload)
		switch {
		case err != nil:
			return false, broken(err)
		case e.MessageStop != nil:
			r.stop = e.MessageStop
		case e.MessageStart != nil || e.Metadata != nil || e == converse.Event{}:
		default:
			r.tell(e)
		}
	}
	return r.glance.Metrics, nil
}

func (r *novaReader) tell(e converse.Event) {
	if !r.begun {
		r.begun = true
		r.tell(converse.Event{MessageStart: &converse.MessageStartEvent{Role: "assistant"}})
	}
	r.deaf = r.deaf || !r.yield(e, nil)
}

// Finish implements Reader.
func (r *novaReader) Finish(latency time.Duration) {
	if r.stop == nil {
		r.stop = &converse.MessageStopEvent{StopReason: "end_turn"}
	}
	r.tell(converse.Event{MessageStop: r.stop})
	r.tell(converse.Event{Metadata: &converse.ConverseStreamMetadataEvent{Usage: r.glance.Usage(), Metrics: converse.ConverseStreamMetrics{LatencyMs: latency.Milliseconds()}}})
}
