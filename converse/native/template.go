package native

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A turn is what one side says in a prompt's template.
type turn struct{ role, text string }

// A reading reads a prompt's template into turns. Text without one is a single
// user turn.
type reading func(prompt string) ([]turn, error)

// A template is how a model wants a conversation written into one prompt, as
// its makers have published it. What one side says is trimmed.
type template struct {
	read   reading
	write  func(turns []turn) string
	tokens *regexp.Regexp // that the model takes for the template's own, and texts must not hold

	systems int  // how many texts of the system it has a place for; more are joined
	plain   bool // a question alone stands as it is
}

// The templates of the makers of these models.
var (
	llamaTokens = regexp.MustCompile(`<\|[A-Za-z0-9_]+\|>`)

	llama3Template   = template{readTemplate, llama3Headers.write, llamaTokens, 1 << 10, false}
	llama4Template   = template{readTemplate, llama4Headers.write, llamaTokens, 1 << 10, false}
	mistralTemplate  = template{readTemplate, writeInst, regexp.MustCompile(`\[/?INST\]|</?s>`), 0, false}
	deepseekTemplate = template{readTemplate, writeDeepseek, regexp.MustCompile(`<｜[^<>｜]*｜>`), 1, false}
	titanTemplate    = template{titanDialog.read, titanDialog.write, nil, 0, true}
	commandTemplate  = template{commandDialog.read, commandDialog.write, nil, 0, true}
)

// readTemplate reads whichever template of tokens a prompt is written in.
func readTemplate(prompt string) ([]turn, error) {
	switch {
	case strings.Contains(prompt, llama3Headers.open):
		return llama3Headers.read(prompt)
	case strings.Contains(prompt, llama4Headers.open):
		return llama4Headers.read(prompt)
	case strings.Contains(prompt, deepseekUser):
		return readDeepseek(prompt)
	case strings.Contains(prompt, "[INST]"):
		return readInst(prompt), nil
	}
	return []turn{{"user", prompt}}, nil
}

// headers is a template of headers with a role, whose turns are ended by a
// token. A closing empty assistant header asks for the answer.
type headers struct{ begin, open, close, end string }

var (
	llama3Headers = headers{"<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"}
	llama4Headers = headers{"<|begin_of_text|>", "<|header_start|>", "<|header_end|>", "<|eot|>"}
)

func (h headers) read(prompt string) (turns []turn, err error) {
	parts := strings.Split(prompt, h.open)
	if before := strings.TrimSpace(parts[0]); before != "" && before != h.begin {
		return nil, errors.New("text before the first header is not permitted")
	}
	for _, part := range parts[1:] {
		role, text, _ := strings.Cut(part, h.close)
		text, after, _ := strings.Cut(text, h.end)
		if strings.TrimSpace(after) != "" {
			return nil, fmt.Errorf("text between %s and the next header is not permitted", h.end)
		}
		role, text = strings.TrimSpace(role), strings.TrimSpace(text)
		switch role {
		case "system", "user", "assistant":
		case "ipython", "tool": // what a tool answered, which is the caller's to say
			role = "user"
		default:
			return nil, fmt.Errorf("the role %q is not one of system, user, assistant, ipython", role)
		}
		if text != "" {
			turns = append(turns, turn{role, text})
		}
	}
	return turns, nil
}

// write leaves a last turn of the assistant open, for the model to go on with.
func (h headers) write(turns []turn) string {
	var b strings.Builder
	b.WriteString(h.begin)
	open := false
	for i, t := range turns {
		b.WriteString(h.open + t.role + h.close + "\n\n" + t.text)
		if open = i == len(turns)-1 && t.role == "assistant"; !open {
			b.WriteString(h.end)
		}
	}
	if !open {
		b.WriteString(h.open + "assistant" + h.close + "\n\n")
	}
	return b.String()
}

// readInst reads Mistral's and Llama 2's template: [INST] user [/INST] answer.
func readInst(prompt string) (turns []turn) {
	for _, part := range strings.Split(strings.TrimPrefix(strings.TrimSpace(prompt), "<s>"), "[INST]") {
		user, answer, closed := strings.Cut(part, "[/INST]")
		if text := strings.TrimSpace(user); text != "" {
			turns = append(turns, turn{"user", text})
		}
		if text := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(answer), "</s>")); closed && text != "" {
			turns = append(turns, turn{"assistant", text})
		}
	}
	return turns
}

func writeInst(turns []turn) string {
	var b strings.Builder
	b.WriteString("<s>")
	for i, t := range turns {
		switch {
		case t.role == "user":
			b.WriteString("[INST] " + t.text + " [/INST]")
		case i == len(turns)-1:
			b.WriteString(" " + t.text)
		default:
			b.WriteString(" " + t.text + "</s>")
		}
	}
	return b.String()
}

// The tokens of DeepSeek's template.
const (
	deepseekBegin = "<｜begin▁of▁sentence｜>"
	deepseekUser  = "<｜User｜>"
	deepseekModel = "<｜Assistant｜>"
	deepseekEnd   = "<｜end▁of▁sentence｜>"
)

// readDeepseek reads DeepSeek's template: what stands before the first turn is
// the system's. A thought that the prompt only opens is the model's to think.
func readDeepseek(prompt string) (turns []turn, err error) {
	parts := strings.Split(strings.TrimPrefix(strings.TrimSpace(prompt), deepseekBegin), deepseekUser)
	if system := strings.TrimSpace(parts[0]); system != "" {
		turns = append(turns, turn{"system", system})
	}
	for _, part := range parts[1:] {
		said := strings.Split(part, deepseekModel)
		if user := strings.TrimSpace(said[0]); user != "" {
			turns = append(turns, turn{"user", user})
		}
		for _, answer := range said[1:] {
			text, after, _ := strings.Cut(answer, deepseekEnd)
			if strings.TrimSpace(after) != "" {
				return nil, fmt.Errorf("text between %s and the next turn is not permitted", deepseekEnd)
			}
			if text = strings.TrimSpace(text); text != "" && text != "<think>" {
				turns = append(turns, turn{"assistant", text})
			}
		}
	}
	return turns, nil
}

func writeDeepseek(turns []turn) string {
	var b strings.Builder
	b.WriteString(deepseekBegin)
	open := false
	for i, t := range turns {
		switch open = false; {
		case t.role == "system":
			b.WriteString(t.text)
		case t.role == "user":
			b.WriteString(deepseekUser + t.text)
		default:
			b.WriteString(deepseekModel + t.text)
			if open = i == len(turns)-1; !open {
				b.WriteString(deepseekEnd)
			}
		}
	}
	if !open {
		b.WriteString(deepseekModel)
	}
	return b.String()
}

// A dialog is a template of names before what each side says, one to a line.
type dialog struct{ bot string }

var (
	titanDialog   = dialog{"Bot"}
	commandDialog = dialog{"Chatbot"}
)

func (d dialog) read(prompt string) (turns []turn, err error) {
	if !strings.HasPrefix(prompt, "User:") || !strings.Contains(prompt, "\n"+d.bot+":") {
		return []turn{{"user", prompt}}, nil
	}
	for _, line := range strings.SplitAfter(prompt, "\n") {
		text, isUser := strings.CutPrefix(line, "User:")
		bot, isBot := strings.CutPrefix(line, d.bot+":")
		switch {
		case isUser:
			turns = append(turns, turn{"user", text})
		case isBot:
			turns = append(turns, turn{"assistant", bot})
		default:
			turns[len(turns)-1].text += line
		}
	}
	for i := range turns {
		turns[i].text = strings.TrimSpace(turns[i].text)
	}
	return slices.DeleteFunc(turns, func(t turn) bool { return t.text == "" }), nil
}

// write needs no names where there is nothing but a question.
func (d dialog) write(turns []turn) string {
	if len(turns) == 1 && turns[0].role == "user" {
		return turns[0].text
	}
	var b strings.Builder
	last := ""
	for _, t := range turns {
		name := "User"
		if last = t.role; t.role == "assistant" {
			name = d.bot
		}
		b.WriteString(name + ": " + t.text + "\n")
	}
	if last == "assistant" { // for the model to go on with
		return strings.TrimSuffix(b.String(), "\n")
	}
	return b.String() + d.bot + ":"
}
