package simulator

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"

	"outcrop"
	"outcrop/converse"
)

// compose decides what to say: a tool call, a document that fits a schema, or
// text, after some reasoning when that is asked for.
func (s *Simulator) compose(a outcrop.Attempt, r *converse.Request, script Script) *answer {
	q := ask(a, r)
	w := &answer{stopReason: stopEndTurn}
	fields, _ := readFields(r) // validated
	if fields.reasons() {
		w.reasoning = s.speak(q.phrases().think(q))
		w.signature = q.signature(w.reasoning.text)
	}
	if spec := q.chooseTool(); spec != nil {
		w.text = nil
		w.tool, w.toolBits = s.call(q, spec)
		w.stopReason = stopToolUse
	} else {
		w.text = s.say(q, script)
	}
	s.restrain(w, r)
	return w
}

// say makes the text of an answer.
func (s *Simulator) say(q *question, script Script) *spoken {
	if schema, ok := wantedSchema(q.request); ok {
		return s.speak(string(synthesise(schema, q.seed, q.text)))
	}
	if script.Tokens > 0 {
		return s.lengthen(q.phrases().answer(q), script.Tokens)
	}
	if !q.plain() {
		return s.speak(q.phrases().answer(q))
	}
	key := q.key()
	if known, ok := s.answers.get(key); ok {
		return &known
	}
	said := s.speak(q.phrases().answer(q))
	s.answers.put(key, *said)
	return said
}

// maxAnswers is how many answers to plain questions are remembered, in each of
// two generations. Finding the words takes longer than all the rest of a call.
const maxAnswers = 1 << 10

func (s *Simulator) speak(text string) *spoken {
	return &spoken{text: text, bits: s.tokens.Bits(text)}
}

// lengthen repeats text until it is n tokens long.
func (s *Simulator) lengthen(text string, n int) *spoken {
	unit := text + " "
	once := max(s.tokens.Count(unit), 1)
	p := s.speak(strings.Repeat(unit, n/once+1))
	p.limit(n)
	return p
}

// call makes a tool call with arguments that fit the tool's schema.
func (s *Simulator) call(q *question, spec *converse.ToolSpecification) (*converse.ToolUseBlock, spoken) {
	input := synthesise(spec.InputSchema.Json, q.seed, q.text)
	if len(input) == 0 || input[0] != '{' {
		input = json.RawMessage("{}")
	}
	use := &converse.ToolUseBlock{ToolUseId: "tooluse_" + q.id(spec.Name), Name: spec.Name, Input: input}
	return use, *s.speak(string(input))
}

// restrain keeps the limits of inferenceConfig.
func (s *Simulator) restrain(w *answer, r *converse.Request) {
	c := r.InferenceConfig
	if c == nil {
		return
	}
	if w.text != nil {
		s.stopAt(w, r, c.StopSequences)
	}
	if c.MaxTokens == nil {
		return
	}
	left := int(*c.MaxTokens)
	if w.reasoning != nil && w.reasoning.limit(left) {
		w.stopReason, w.text, w.tool = stopMaxTokens, nil, nil
		return
	}
	if w.reasoning != nil {
		left -= w.reasoning.tokens()
	}
	if w.text != nil && w.text.limit(left) {
		w.stopReason, w.fields = stopMaxTokens, nil
	}
	if w.tool != nil && w.toolBits.tokens()+toolTokens > left {
		// Half a tool call would be no JSON, so none is made.
		w.tool, w.stopReason = nil, stopMaxTokens
	}
	if w.text != nil && w.text.text == "" {
		w.text = nil
	}
}

// stopAt ends the text before the first stop sequence in it.
func (s *Simulator) stopAt(w *answer, r *converse.Request, sequences []string) {
	first := -1
	for _, q := range sequences {
		if i := strings.Index(w.text.text, q); i >= 0 && (first < 0 || i < first) {
			first, w.sequence = i, q
		}
	}
	if first < 0 {
		return
	}
	w.stopReason = stopSequence
	w.text = s.speak(w.text.text[:first])
	if w.text.text == "" {
		w.text = nil
	}
	// Converse shows which one it was to clients that ask for the field.
	if slices.Contains(r.AdditionalModelResponseFieldPaths, "/stop_sequence") {
		w.fields, _ = json.Marshal(map[string]string{"stop_sequence": w.sequence}) // strings always marshal
	}
}

func wantedSchema(r *converse.Request) (json.RawMessage, bool) {
	if r.OutputConfig == nil || r.OutputConfig.TextFormat == nil || r.OutputConfig.TextFormat.Structure.JsonSchema == nil {
		return nil, false
	}
	return json.RawMessage(r.OutputConfig.TextFormat.Structure.JsonSchema.Schema), true
}

// A question is what the last turn asks, and where.
type question struct {
	attempt outcrop.Attempt
	request *converse.Request
	last    *converse.Message // the last user turn
	text    string            // its text
	seed    uint64            // the same for the same question to the same model
}

func ask(a outcrop.Attempt, r *converse.Request) *question {
	q := &question{attempt: a, request: r}
	for i := len(r.Messages) - 1; i >= 0 && q.last == nil; i-- {
		if r.Messages[i].Role == roleUser {
			q.last = &r.Messages[i]
		}
	}
	var texts []string
	for i := range q.last.Content {
		switch b := &q.last.Content[i]; {
		case b.Text != nil:
			texts = append(texts, *b.Text)
		case b.GuardContent != nil && b.GuardContent.Text != nil:
			texts = append(texts, b.GuardContent.Text.Text)
		}
	}
	q.text = strings.ToValidUTF8(strings.Join(texts, "\n"), "\uFFFD")
	q.seed = xxhash.Sum64String(string(a.Destination.Model) + "\x00" + q.text)
	return q
}

// plain says whether nothing but text is asked, so that the answer depends on
// the text alone.
func (q *question) plain() bool {
	for i := range q.last.Content {
		if b := &q.last.Content[i]; b.Text == nil && b.CachePoint == nil {
			return false
		}
	}
	return true
}

// key stands for a plain question to one model in one Region.
func (q *question) key() textKey {
	var h xxhash.Digest
	h.ResetWithSeed(q.seed)
	h.WriteString(string(q.attempt.Destination.Region))
	return textKey{h.Sum64(), len(q.text)}
}

// id is a name for a tool call that differs from turn to turn.
func (q *question) id(tool string) string {
	var h xxhash.Digest
	h.ResetWithSeed(q.seed)
	h.WriteString(tool)
	for i := range q.request.Messages {
		m := &q.request.Messages[i]
		h.WriteString(m.Role)
		for j := range m.Content {
			if use := m.Content[j].ToolUse; use != nil {
				h.WriteString(use.ToolUseId)
			}
		}
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], h.Sum64())
	h.WriteString("second half")
	binary.BigEndian.PutUint64(b[8:], h.Sum64())
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// signature stands for the one by which a model knows its own reasoning again.
func (q *question) signature(reasoning string) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], xxhash.Sum64String(reasoning)^q.seed)
	return base64.StdEncoding.EncodeToString(append([]byte("outcrop simulator "), b[:]...))
}
