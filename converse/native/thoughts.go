package native

import "strings"

// tags in which models put what they think before the answer: DeepSeek R1 and
// Qwen, and gpt-oss as Bedrock serves it
// (reference/runtime-metering-billing.md §2.5).
var tags = [][2]string{{"<think>", "</think>"}, {"<reasoning>", "</reasoning>"}}

// thoughts tells reasoning that an answer's text begins with from the text, in
// whatever pieces they come. A tag anywhere else is text.
type thoughts struct {
	reasoning, text func(string)

	held  string // what cannot be told yet
	close string // the tag that ends the thought under way
	state int
}

const (
	atStart = iota
	thinking
	thoughtOver // what follows are the newlines before the text
	speaking
)

func (t *thoughts) feed(s string) {
	if t.state == speaking {
		t.text(s)
		return
	}
	t.held += s
	for t.step() {
	}
}

// step tells what can be told, and says whether to look again.
func (t *thoughts) step() bool {
	switch t.state {
	case atStart:
		return t.start()
	case thinking:
		return t.think()
	case thoughtOver:
		if t.held = strings.TrimLeft(t.held, "\n"); t.held == "" {
			return false
		}
		t.state = speaking
	}
	s := t.held
	t.held = ""
	t.text(s)
	return false
}

func (t *thoughts) start() bool {
	for _, tag := range tags {
		if rest, ok := strings.CutPrefix(t.held, tag[0]); ok {
			t.held, t.close, t.state = strings.TrimPrefix(rest, "\n"), tag[1], thinking
			if rest == "" { // a newline may follow
				t.state, t.held = atStart, tag[0]
				return false
			}
			return true
		}
		if strings.HasPrefix(tag[0], t.held) {
			return false // it may yet become one
		}
	}
	t.state = speaking
	return true
}

func (t *thoughts) think() bool {
	if said, after, ok := strings.Cut(t.held, t.close); ok {
		t.reasoning(strings.TrimSuffix(said, "\n"))
		t.held, t.state = after, thoughtOver
		return true
	}
	keep := 0 // the longest end that may be the beginning of the closing tag
	end := "\n" + t.close
	for n := min(len(end)-1, len(t.held)); n > 0; n-- {
		if tail := t.held[len(t.held)-n:]; strings.HasPrefix(end, tail) || strings.HasPrefix(t.close, tail) {
			keep = n
			break
		}
	}
	said := t.held[:len(t.held)-keep]
	t.held = t.held[len(said):]
	t.reasoning(said)
	return false
}

// flush tells what is left when the answer is over.
func (t *thoughts) flush() {
	s := t.held
	t.held = ""
	switch {
	case t.state == thinking:
		t.reasoning(s)
	case t.state == atStart && (s == "<think>" || s == "<reasoning>"): // a thought that never came
	case s != "":
		t.text(s)
	}
}
