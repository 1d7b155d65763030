package gateway

import (
	"context"
	"io"
	"iter"
	"slices"
	"testing"

	"outcrop"
	"outcrop/converse/speech"
)

// A speakers' world has upstreams that hear up to sessionEnd and then say what
// they heard; the first ones are too busy once they have heard something.
type speakersWorld struct {
	*world
	busy int
}

func (w speakersWorld) Speaks(outcrop.Attempt) bool { return true }

func (w speakersWorld) Speak(_ context.Context, a outcrop.Attempt, hear Hear) iter.Seq2[speech.Event, error] {
	return func(yield func(speech.Event, error) bool) {
		w.note("attempt %d", a.Number)
		for {
			e, err := hear()
			if err == nil && a.Number <= w.busy {
				err = outcrop.Errorf(outcrop.Throttled, "busy")
			}
			if err != nil {
				yield(speech.Event{}, err)
				return
			}
			w.note("heard %s", e.Kind)
			if e.Kind == speech.SessionEnd {
				break
			}
		}
		for _, body := range []string{`{"event":{"textOutput":{"content":"hello"}}}`, `{"event":{"usageEvent":{"details":{"total":{"input":{"textTokens":3},"output":{"speechTokens":4}}}}}}`} {
			e, _ := speech.Parse([]byte(body))
			if !yield(e, nil) {
				return
			}
		}
	}
}

func spokenCall(kinds ...string) *Call {
	c := call()
	c.Operation, c.Request = outcrop.OpInvokeModelBidirectional, nil
	c.Hear = func() (speech.Event, error) {
		if len(kinds) == 0 {
			return speech.Event{}, io.EOF
		}
		e, err := speech.New(kinds[0], map[string]any{"content": "hi there"})
		kinds = kinds[1:]
		return e, err
	}
	return c
}

func TestASpokenCallIsHeardAgainAndSettledBeforeItsLastEvent(t *testing.T) {
	hears := *target
	hears.Model.InputModalities = []string{"SPEECH"}
	old := target
	target = &hears
	defer func() { target = old }()

	w := newWorld()
	w.Upstreams = speakersWorld{w, 1}
	s, err := w.Speak(t.Context(), spokenCall(speech.SessionStart, speech.TextInput, speech.SessionEnd))
	if err != nil {
		t.Fatal(err)
	}
	for e, err := range s.Events {
		if err != nil {
			t.Fatal(err)
		}
		w.note("said %s", e.Kind)
	}
	want := []string{"authorize", "open", "attempt 1", "attempt 2", "heard sessionStart", "heard textInput", "heard sessionEnd", "said textOutput", "settle", "said usageEvent"}
	if !slices.Equal(w.log, want) {
		t.Errorf("log  %q\nwant %q", w.log, want)
	}
	if u := w.settled[0].Usage; u.Estimated || u.Of(outcrop.InputTokens) != 3 || u.Of(outcrop.OutputAudioTokens) != 4 || w.settled[0].Attempts != 2 {
		t.Errorf("settled %+v", w.settled[0])
	}

	w = newWorld()
	w.Upstreams = speakersWorld{w, 0}
	s, err = w.Speak(t.Context(), spokenCall(speech.SessionStart, speech.TextInput)) // and no sessionEnd
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range s.Events {
		if outcrop.KindOf(err) != outcrop.Invalid {
			t.Errorf("err = %v", err)
		}
	}
	if r := w.settled[0]; r.Outcome.Status != 400 || !r.Usage.Estimated || r.Usage.Of(outcrop.InputTokens) != 2 || !w.reports[0].Gone {
		t.Errorf("settled %+v, %+v", r, w.reports)
	}
}
