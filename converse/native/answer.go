package native

import (
	"encoding/json"
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/chat"
)

func broken(err error) error {
	return outcrop.Errorf(outcrop.ModelFailed, "The model's server answered with broken JSON. Tell the operator.").Because(err)
}

func noAnswer(lacks string) error {
	return outcrop.Errorf(outcrop.ModelFailed, "The model's server answered without %s, which answers in this model's form have. Tell the operator.", lacks)
}

// A part is what a body or a chunk says, whichever of the text families it
// comes from.
type part struct {
	text   *string
	calls  []cohereCall
	whole  bool // calls are all there are
	reason string
}

// A voice reads the parts out of one family's bodies and chunks.
type voice func(text []byte) (part, error)

// whole reads an answer that came at once.
func (v voice) whole(a outcrop.Attempt, body []byte, lacks string) (*converse.Response, error) {
	var events []converse.Event
	r := v.reader(a, func(e converse.Event, _ error) bool {
		events = append(events, e)
		return true
	})
	if _, err := r.Read(body); err != nil {
		return nil, err
	}
	if !r.told {
		return nil, noAnswer(lacks)
	}
	r.Finish(0)
	return converse.Collect(func(yield func(converse.Event, error) bool) {
		for _, e := range events {
			if !yield(e, nil) {
				return
			}
		}
	})
}

// A spoken answer is one that is read by a voice.
type spoken struct {
	say    chat.Speaker
	glance Glance
	voice  voice
	tags   thoughts
	told   bool // a part has come
	calls  int
}

func (v voice) reader(a outcrop.Attempt, yield func(converse.Event, error) bool) *spoken {
	s := &spoken{voice: v}
	s.say.Yield, s.say.Invocation = yield, a.Invocation
	s.tags.reasoning, s.tags.text = s.say.Reasoning, s.say.Text
	return s
}

func (s *spoken) Begun() bool   { return s.say.Begun }
func (s *spoken) Deaf() bool    { return s.say.Deaf }
func (s *spoken) Stopped() bool { return s.glance.Stop != "" }

// Read implements Reader.
func (s *spoken) Read(chunk []byte) (last bool, err error) {
	if err := s.glance.Read(chunk); err != nil {
		return false, broken(err)
	}
	p, err := s.voice(chunk)
	if err != nil {
		return false, broken(err)
	}
	if s.glance.Fault {
		return false, noAnswer("text")
	}
	if p.text != nil {
		s.told = true
		s.tags.feed(*p.text)
	}
	if p.whole && s.calls > 0 {
		p.calls = nil // they were told one by one
	}
	for i := range p.calls {
		s.told = true
		if err := s.say.Call(chat.NewCall(s.calls, p.calls[i].Name, orEmptyObject(p.calls[i].Parameters))); err != nil {
			return false, err
		}
		s.calls++
	}
	if p.reason != "" {
		s.glance.Stop = stopOf(p.reason)
	}
	return s.glance.Metrics, nil
}

// Finish implements Reader.
func (s *spoken) Finish(latency time.Duration) {
	s.tags.flush()
	stop := s.glance.Stop
	switch {
	case s.calls > 0 && (stop == "end_turn" || stop == ""):
		stop = "tool_use"
	case stop == "":
		stop = "end_turn"
	}
	s.say.Stop(stop)
	s.say.Event(converse.Event{Metadata: &converse.ConverseStreamMetadataEvent{Usage: s.glance.Usage(), Metrics: converse.ConverseStreamMetrics{LatencyMs: latency.Milliseconds()}}})
}

// The voices of the families whose answers are text.

func llamaVoice(text []byte) (p part, err error) {
	var m struct {
		Generation *string `json:"generation"`
		Stop       string  `json:"stop_reason"`
	}
	err = json.Unmarshal(text, &m)
	return part{text: m.Generation, reason: m.Stop}, err
}

// A choice is a piece of text in a list, with the reason that ended it.
type choice struct {
	Text   *string `json:"text"`
	Stop   string  `json:"stop_reason"`
	Finish string  `json:"finish_reason"`
}

func (c *choice) part() part {
	p := part{text: c.Text, reason: c.Stop}
	if p.reason == "" {
		p.reason = c.Finish
	}
	return p
}

func firstOf(list []choice) part {
	if len(list) == 0 {
		return part{}
	}
	return list[0].part()
}

func mistralVoice(text []byte) (part, error) {
	var m struct {
		Outputs []choice `json:"outputs"`
	}
	err := json.Unmarshal(text, &m)
	return firstOf(m.Outputs), err
}

func deepseekVoice(text []byte) (part, error) {
	var m struct {
		Choices []choice `json:"choices"`
	}
	err := json.Unmarshal(text, &m)
	return firstOf(m.Choices), err
}

func titanVoice(text []byte) (part, error) {
	var m struct {
		Output  *string `json:"outputText"` // of a chunk
		Reason  string  `json:"completionReason"`
		Results []struct {
			Output *string `json:"outputText"`
			Reason string  `json:"completionReason"`
		} `json:"results"`
	}
	err := json.Unmarshal(text, &m)
	if len(m.Results) > 0 {
		m.Output, m.Reason = m.Results[0].Output, m.Results[0].Reason
	}
	return part{text: m.Output, reason: m.Reason}, err
}

func commandVoice(text []byte) (part, error) {
	var m struct {
		choice
		Generations []choice `json:"generations"`
	}
	err := json.Unmarshal(text, &m)
	if len(m.Generations) > 0 {
		return m.Generations[0].part(), err
	}
	return m.part(), err
}

// cohereVoice reads an answer, or one event of a stream. The last event repeats
// what was told: of its text nothing is new.
func cohereVoice(text []byte) (part, error) {
	var m struct {
		Event    string       `json:"event_type"`
		Text     *string      `json:"text"`
		Calls    []cohereCall `json:"tool_calls"`
		Finish   string       `json:"finish_reason"`
		Response *struct {
			Calls []cohereCall `json:"tool_calls"`
		} `json:"response"`
	}
	err := json.Unmarshal(text, &m)
	p := part{text: m.Text, calls: m.Calls, reason: m.Finish}
	switch {
	case m.Event == "stream-end" && m.Response != nil:
		p.text, p.calls, p.whole = nil, m.Response.Calls, true
	case m.Event != "" && m.Event != "text-generation" && m.Event != "tool-calls-generation" && m.Event != "stream-end":
		return part{}, err // searches and citations have no place in Converse
	}
	return p, err
}
