package messages

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"outcrop/converse"
	"outcrop/internal/textform"
)

// additional merges additionalModelRequestFields at the top level. Lists of
// tools and the parts of output_config are put together: Converse knows no
// typed tools and no effort, so a request may need both places.
func (e *encoder) additional(r *converse.Request) error {
	text := bytes.TrimSpace(r.AdditionalModelRequestFields)
	if len(text) == 0 || string(text) == "null" {
		return nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return invalid("The additionalModelRequestFields field must be a JSON object. Correct it and try again.")
	}
	if err := e.takeOwn(fields); err != nil {
		return err
	}
	for name, value := range fields {
		if _, ok := e.Members[name]; !ok && name != "stream" && name != "model" {
			e.Members[name] = value
			continue
		}
		if !e.join(name, value) {
			return invalid("The additional field %s conflicts with an existing field.", name)
		}
	}
	return nil
}

// takeOwn takes out the fields that the Messages API has another place or
// another name for.
func (e *encoder) takeOwn(fields map[string]json.RawMessage) (err error) {
	delete(fields, "anthropic_version") // of Bedrock's bodies; the server's own is a header
	if e.Betas, err = ReadBetas(fields["anthropic_beta"]); err != nil {
		return err
	}
	delete(fields, "anthropic_beta")
	for _, alias := range []string{"reasoning_config", "reasoning_effort"} {
		value, ok := fields[alias]
		if !ok {
			continue
		}
		delete(fields, alias)
		if _, both := fields["thinking"]; both {
			return invalid("The additional field %s conflicts with an existing field.", alias)
		}
		if thinking := thinkingOf(value); thinking != nil {
			fields["thinking"] = thinking
		}
	}
	return nil
}

// join puts a field together with the one that the request has written.
func (e *encoder) join(name string, value json.RawMessage) bool {
	switch name {
	case "tools":
		var more []json.RawMessage
		if json.Unmarshal(value, &more) != nil {
			return false
		}
		have, ok := e.Members["tools"].([]any)
		for _, t := range more {
			have = append(have, t)
		}
		e.Members["tools"] = have
		return ok
	case "output_config":
		var more map[string]json.RawMessage
		have, ok := e.Members["output_config"].(map[string]any)
		if json.Unmarshal(value, &more) != nil || more["format"] != nil {
			return false
		}
		for k, v := range more {
			have[k] = v
		}
		return ok
	}
	return false
}

// budgets are how many tokens a model may think for a bare word of effort, as
// clients of several providers send it.
var budgets = map[string]string{"minimal": "1024", "low": "1024", "medium": "2048", "high": "4096"}

// thinkingOf is the member thinking for an alias of it: an object says what
// thinking says, a word is an effort, and the word none asks for nothing.
func thinkingOf(value json.RawMessage) json.RawMessage {
	var word string
	if json.Unmarshal(value, &word) != nil {
		return value
	}
	if word == "none" || word == "" {
		return nil
	}
	budget, ok := budgets[word]
	if !ok {
		budget = budgets["high"]
	}
	return json.RawMessage(`{"type":"enabled","budget_tokens":` + budget + `}`)
}

var betaName = textform.Of(`[A-Za-z0-9._:-]*`, 1, 128)

// ReadBetas reads the betas that a body asks for: Bedrock has them as a list
// there, the Messages API in a header.
func ReadBetas(value json.RawMessage) ([]string, error) {
	if len(value) == 0 || string(value) == "null" {
		return nil, nil
	}
	var betas []string
	if err := json.Unmarshal(value, &betas); err != nil {
		var one string
		if err := json.Unmarshal(value, &one); err != nil {
			return nil, invalid("The additional field anthropic_beta must be a list of strings. Correct it and try again.")
		}
		betas = strings.Split(one, ",")
	}
	for i, name := range betas {
		if betas[i] = strings.TrimSpace(name); !betaName.MatchString(betas[i]) {
			return nil, invalid("The additional field anthropic_beta holds what is no name of a beta. Correct it and try again.")
		}
	}
	return betas, nil
}

// JoinBetas is the header anthropic-beta of a request: the configured betas
// and its own, each once.
func JoinBetas(configured string, own []string) string {
	if len(own) == 0 {
		return configured
	}
	var all []string
	for _, name := range append(strings.Split(configured, ","), own...) {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return strings.Join(all, ",")
}
