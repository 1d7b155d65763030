package native

import (
	"encoding/json"
	"slices"
	"strings"

	"outcrop"
	"outcrop/converse"
)

// unsaid is Bedrock's wording for what a model's form has no words for.
func unsaid(field string) error {
	return outcrop.Errorf(outcrop.Invalid, "This model doesn't support the %s field. Remove %s and try again.", field, field)
}

// refuse names the first field that is set and has no words in a family's form.
func refuse(set map[string]bool) error {
	var names []string
	for name, is := range set {
		if is {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return unsaid(names[0])
}

// beyond refuses what no model's own form has a place for. Guardrails, tiers
// and metadata stand beside the body, in headers.
func beyond(r *converse.Request) error {
	return refuse(map[string]bool{"promptVariables": len(r.PromptVariables) > 0, "additionalModelResponseFieldPaths": len(r.AdditionalModelResponseFieldPaths) > 0})
}

// settings are the members of a native body that inferenceConfig fills, by
// their names there; an empty name is a setting that the family has not.
type settings struct{ maxTokens, temperature, topP, stops string }

func (s settings) write(body map[string]any, c *converse.InferenceConfiguration) error {
	if c == nil {
		return nil
	}
	for _, m := range []struct {
		field, name string
		set         bool
		value       any
	}{
		{"maxTokens", s.maxTokens, c.MaxTokens != nil, c.MaxTokens}, {"temperature", s.temperature, c.Temperature != nil, c.Temperature},
		{"topP", s.topP, c.TopP != nil, c.TopP}, {"stopSequences", s.stops, len(c.StopSequences) > 0, c.StopSequences},
	} {
		switch {
		case !m.set:
		case m.name == "":
			return unsaid(m.field)
		default:
			body[m.name] = m.value
		}
	}
	return nil
}

// carry merges additionalModelRequestFields into a native body, into its
// objects too: what Decode could not place came from there.
func carry(body map[string]any, additional json.RawMessage) error {
	text := strings.TrimSpace(string(additional))
	if text == "" || text == "null" {
		return nil
	}
	var more map[string]json.RawMessage
	if err := json.Unmarshal(additional, &more); err != nil {
		return outcrop.Errorf(outcrop.Invalid, "The additionalModelRequestFields field must be a JSON object. Correct it and try again.")
	}
	for name, value := range more {
		have, there := body[name]
		into, isObject := have.(map[string]any)
		switch {
		case name == "model" || name == "stream" || there && !isObject:
			return outcrop.Errorf(outcrop.Invalid, "The additional field %s conflicts with an existing field.", name)
		case there:
			if err := carry(into, value); err != nil {
				return err
			}
		default:
			body[name] = value
		}
	}
	return nil
}

// prompt writes the conversation into the template.
func (t *template) prompt(r *converse.Request) (string, error) {
	turns, err := t.turns(r)
	if err != nil {
		return "", err
	}
	prompt := t.write(turns)
	// Whoever could write the template's tokens into a text could speak for
	// another: what was written must be read as what was said.
	again, err := t.read(prompt)
	if err != nil || !slices.Equal(again, turns) {
		return "", outcrop.Errorf(outcrop.Invalid, "The conversation cannot be written into this model's prompt: a text is empty, holds what the model's template is made of, or the turns are not in an order that it has. Correct them and try again.")
	}
	return prompt, nil
}

// turns are what is said, the texts of one turn joined by newline.
func (t *template) turns(r *converse.Request) (turns []turn, err error) {
	if err := refuse(map[string]bool{"toolConfig": r.ToolConfig != nil && len(r.ToolConfig.Tools) > 0, "outputConfig": r.OutputConfig != nil}); err != nil {
		return nil, err
	}
	var system []string
	for i := range r.System {
		b := &r.System[i]
		if b.Text == nil {
			return nil, refuse(map[string]bool{"cachePoint": b.CachePoint != nil, "guardContent": b.CachePoint == nil})
		}
		system = append(system, *b.Text)
	}
	if len(system) > 0 && t.systems == 0 {
		return nil, outcrop.Errorf(outcrop.Invalid, "This model doesn't support system messages. Try again without system messages or use a model that supports system messages.")
	}
	if len(system) > t.systems {
		system = []string{strings.Join(system, "\n")}
	}
	for _, s := range system {
		turns = append(turns, turn{"system", s})
	}
	for i := range r.Messages {
		said, err := texts(&r.Messages[i])
		if err != nil {
			return nil, err
		}
		turns = append(turns, turn{r.Messages[i].Role, strings.Join(said, "\n")})
	}
	alone := len(turns) == 1 && t.plain
	for i := range turns {
		if !alone {
			turns[i].text = strings.TrimSpace(turns[i].text)
		}
		if t.tokens == nil {
			continue
		}
		if token := t.tokens.FindString(turns[i].text); token != "" {
			return nil, outcrop.Errorf(outcrop.Invalid, "A text holds %s, which this model takes for the frame of its prompt. Remove it and try again.", token)
		}
	}
	return turns, nil
}

// texts of a turn that may hold nothing else.
func texts(m *converse.Message) (said []string, err error) {
	for i := range m.Content {
		b := &m.Content[i]
		if b.Text == nil {
			return nil, unsaid(nameOf(b))
		}
		said = append(said, *b.Text)
	}
	return said, nil
}

// nameOf is the name of a block's member.
func nameOf(b *converse.ContentBlock) string {
	for name, is := range map[string]bool{
		"text": b.Text != nil, "image": b.Image != nil, "document": b.Document != nil, "video": b.Video != nil, "audio": b.Audio != nil,
		"toolUse": b.ToolUse != nil, "toolResult": b.ToolResult != nil, "guardContent": b.GuardContent != nil, "cachePoint": b.CachePoint != nil,
		"reasoningContent": b.ReasoningContent != nil, "citationsContent": b.CitationsContent != nil, "searchResult": b.SearchResult != nil,
	} {
		if is {
			return name
		}
	}
	return "content"
}

// encodePrompt writes a body that holds a prompt under key.
func encodePrompt(r *converse.Request, t *template, key string, s settings) (map[string]any, error) {
	if err := beyond(r); err != nil {
		return nil, err
	}
	prompt, err := t.prompt(r)
	if err != nil {
		return nil, err
	}
	body := map[string]any{key: prompt}
	return body, s.write(body, r.InferenceConfig)
}

func finishBody(body map[string]any, r *converse.Request) ([]byte, error) {
	if err := carry(body, r.AdditionalModelRequestFields); err != nil {
		return nil, err
	}
	return json.Marshal(body)
}
