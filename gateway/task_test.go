package gateway

import (
	"context"
	"strings"
	"testing"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/task"
)

// A drawing world carries tasks out.
type drawing struct {
	*world
	out *task.Response
	err error
}

func (d *drawing) Do(_ context.Context, a outcrop.Attempt, r *task.Request) (*task.Response, error) {
	d.note("do %d", a.Number)
	return d.out, d.err
}

func tasked(r *task.Request) *Call {
	c := call()
	c.Operation = outcrop.OpInvokeModel
	c.Task = func(*outcrop.Target) (*task.Request, error) { return r, nil }
	return c
}

// Each kind of task is counted in the unit that AWS bills it by.
func TestTasksAreCountedInTheirUnits(t *testing.T) {
	picture := converse.Base64("aGk=")
	for name, c := range map[string]struct {
		ask       task.Request
		out       task.Response
		want      map[outcrop.TokenKind]outcrop.Tokens
		estimated bool
	}{
		"text":              {task.Request{Embed: &task.Embed{Inputs: []task.Input{{Text: "abcd"}}}}, task.Response{Tokens: new(int64(9))}, map[outcrop.TokenKind]outcrop.Tokens{outcrop.InputTokens: 9}, false},
		"text, not counted": {task.Request{Embed: &task.Embed{Inputs: []task.Input{{Text: "abcd"}}}}, task.Response{}, map[outcrop.TokenKind]outcrop.Tokens{outcrop.InputTokens: 5}, true},
		"text and picture":  {task.Request{Embed: &task.Embed{Inputs: []task.Input{{Text: "a", Image: picture}}}}, task.Response{Tokens: new(int64(1))}, map[outcrop.TokenKind]outcrop.Tokens{outcrop.InputTokens: 1, outcrop.InputImages: 1}, false},
		"documents":         {task.Request{Rerank: &task.Rerank{Query: "q", Documents: make([]string, 101)}}, task.Response{Tokens: new(int64(1))}, map[outcrop.TokenKind]outcrop.Tokens{outcrop.SearchUnits: 2}, false},
		"pictures":          {task.Request{Image: &task.Image{Prompt: "p", Count: 2, Sources: []converse.Base64{picture}}}, task.Response{Images: [][]byte{{1}, {2}}}, map[outcrop.TokenKind]outcrop.Tokens{outcrop.InputImages: 1, outcrop.OutputImages: 2}, false},
	} {
		d := &drawing{world: newWorld(whole), out: &c.out}
		d.Upstreams = d
		answer, err := d.Gateway.Converse(t.Context(), tasked(&c.ask))
		if err != nil || answer.Task != &c.out || len(d.settled) != 1 {
			t.Fatalf("%s: %+v, %v", name, answer, err)
		}
		got := d.settled[0].Usage
		for kind, n := range got.All() {
			if c.want[kind] != n {
				t.Errorf("%s: %s is %d, want %d", name, kind, n, c.want[kind])
			}
			delete(c.want, kind)
		}
		if len(c.want) > 0 || got.Estimated != c.estimated || d.settled[0].Outcome.Status != 200 {
			t.Errorf("%s: lacks %v, estimated %t, %+v", name, c.want, got.Estimated, d.settled[0].Outcome)
		}
	}
}

func TestAFailedTaskUsedNothingThatIsKnown(t *testing.T) {
	d := &drawing{world: newWorld(whole), err: outcrop.Errorf(outcrop.Throttled, "busy")}
	d.Upstreams = d
	if _, err := d.Gateway.Converse(t.Context(), tasked(&task.Request{Rerank: &task.Rerank{}})); outcrop.KindOf(err) != outcrop.Throttled || d.settled[0].Usage.Known() || d.settled[0].Attempts != 2 {
		t.Errorf("%v, record %+v", err, d.settled[0])
	}
	w := newWorld(whole)
	if _, err := w.Gateway.Converse(t.Context(), tasked(&task.Request{Rerank: &task.Rerank{}})); outcrop.KindOf(err) != outcrop.Invalid {
		t.Errorf("an upstream of conversations only: %v, want a refusal", err)
	}
}
func TestATaskThatCannotBeReadIsRefused(t *testing.T) {
	for _, formed := range []bool{true, false} {
		w := newWorld(whole)
		c := tasked(nil)
		if formed {
			c.Form = &Form{Protocol: InvokeProtocol, Body: []byte("{}")}
		}
		c.Task = func(*outcrop.Target) (*task.Request, error) {
			return nil, outcrop.Errorf(outcrop.Invalid, "extraneous")
		}
		if _, err := w.Gateway.Converse(t.Context(), c); outcrop.KindOf(err) != outcrop.Invalid || len(w.opened) > 0 {
			t.Errorf("%v, opened %d; want a refusal", err, len(w.opened))
		}
	}
}

// Whoever wants to converse with a model of vectors or pictures hears it before
// anything is asked of it or written down.
func TestSilentModelsAreNotConversedWith(t *testing.T) {
	old := target
	defer func() { target = old }()
	for modalities, refused := range map[string]bool{"": false, "TEXT": false, "SPEECH,TEXT": false, "EMBEDDING": true, "IMAGE": true} {
		m := *old
		m.Model.OutputModalities = strings.FieldsFunc(modalities, func(r rune) bool { return r == ',' })
		target = &m
		w := newWorld(whole)
		_, err := w.Gateway.Converse(t.Context(), call())
		if (outcrop.KindOf(err) == outcrop.Invalid) != refused || refused && (len(w.opened) > 0 || !strings.Contains(err.Error(), "supported text or chat model")) {
			t.Errorf("a model of %q: %v, opened %v", modalities, err, w.opened)
		}
		if _, err := newWorld(whole).Gateway.CountTokens(t.Context(), counting(call())); err != nil {
			t.Errorf("count tokens of a model of %q: %v", modalities, err)
		}
	}
}

func counting(c *Call) *Call {
	c.Operation = outcrop.OpCountTokens
	return c
}
