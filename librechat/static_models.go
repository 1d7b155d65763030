package librechat

import (
	"context"
	"slices"
	"strings"

	"outcrop/internal/slip"
)

// used are model ids that LibreChat calls beside those on offer: titles, the
// memory agent, summaries, activity labels.
func (p *patient) used() (list []*node) {
	for _, path := range [][]string{
		{"endpoints", "bedrock", "titleModel"}, {"endpoints", "all", "titleModel"}, {"memory", "agent", "model"}, {"summarization", "model"},
	} {
		n := p.root.get(path...)
		if n.value() == "" || n.value() == "current_model" {
			continue
		}
		if provider := p.root.get(path[0], "agent", "provider").value(); path[0] == "memory" && provider != "" && provider != "bedrock" {
			continue
		}
		if provider := p.root.get(path[0], "provider").value(); path[0] == "summarization" && provider != "" && provider != "bedrock" {
			continue
		}
		list = append(list, n)
	}
	for _, e := range p.bedrock.entries() {
		if strings.HasPrefix(e.name, "activity") && strings.HasSuffix(e.name, "Model") && e.value.value() != "" {
			list = append(list, e.value)
		}
	}
	return list
}

func checkOffered(_ context.Context, p *patient) {
	names := p.names()
	for _, n := range p.used() {
		names = append(names, n.value())
	}
	for _, m := range p.mapped {
		if !slices.Contains(names, m.model) && p.near(m.model) == "" {
			p.say(p.yamlAt(m.line), "Add it to models.", "'%s' is mapped but not offered: LibreChat answers illegal_model_request before calling Bedrock.", m.model)
		}
	}
}

// near is the model on offer that a key seems to mean; empty when it is on
// offer itself.
func (p *patient) near(key string) string {
	names := p.names()
	if slices.Contains(names, key) {
		return ""
	}
	for _, alike := range []func(a, b string) bool{
		func(a, b string) bool { return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b)) },
		func(a, b string) bool { return foundation(a) == foundation(b) },
		func(a, b string) bool { return unversioned(a) == unversioned(b) },
		func(a, b string) bool { return slip.Within(2, a, []string{b}) != "" },
	} {
		for _, name := range names {
			if alike(key, name) {
				return name
			}
		}
	}
	return ""
}

func unversioned(id string) string {
	id, _, _ = strings.Cut(strings.ToLower(id), ":")
	return strings.TrimSuffix(strings.TrimSuffix(id, "-v1"), "-v2")
}

func checkNearMiss(_ context.Context, p *patient) {
	for _, m := range p.mapped {
		near := p.near(m.model)
		if near == "" || p.mapping(near) != nil {
			continue
		}
		p.say(p.yamlAt(m.line), "Write the key exactly as in models: '"+near+"'.",
			"models has '%s', inferenceProfiles has '%s': keys compare exactly, so the ARN is never used and the raw id is billed without a profile.", near, m.model)
	}
}

func checkUnmapped(_ context.Context, p *patient) {
	if len(p.mapped) == 0 {
		p.sayAs(Warn, p.yamlAt(p.bedrock.at()), "Map the models you offer: outcrop librechat init writes the section.",
			"endpoints.bedrock maps no model to an inference profile: no cost is attributed to an application profile.")
		return
	}
	if p.bedrock.get("models") == nil && p.env.get("BEDROCK_AWS_MODELS") == "" {
		p.say(p.yamlAt(p.bedrock.at()), "Add models: with the ids that are mapped.", "there is no list of models, so LibreChat offers its own, most of which are not mapped.")
		return
	}
	for _, n := range p.models {
		if p.mapping(n.value()) == nil && !p.missedBy(n.value()) {
			p.say(p.yamlAt(n.line), "Map it, or remove it from models.", "'%s' is not mapped: its cost is not attributed to an application profile.", n.value())
		}
	}
}

// missedBy says whether a key that is nearly this model was told already.
func (p *patient) missedBy(model string) bool {
	return slices.ContainsFunc(p.mapped, func(m mapEntry) bool { return p.near(m.model) == model })
}

func checkTitles(_ context.Context, p *patient) {
	if len(p.mapped) == 0 {
		return
	}
	for _, n := range p.used() {
		if p.mapping(n.value()) == nil {
			p.say(p.yamlAt(n.line), "Map '"+n.value()+"' too, or name a model that is mapped.",
				"'%s', which LibreChat calls for titles, memory or labels, is not in inferenceProfiles: one unattributed Converse call each time.", n.value())
		}
	}
}

func checkAbilities(_ context.Context, p *patient) {
	for _, m := range p.mapped {
		if provider(m.model) == "" {
			p.say(p.yamlAt(m.line), "Use the real model id as key, such as us.anthropic.claude-sonnet-4-5-20250929-v1:0.",
				"the key '%s' names no provider: LibreChat shows no settings panel, and may send no thinking and no prompt caching.", m.model)
		}
	}
	for _, n := range p.models {
		if strings.HasPrefix(n.value(), "arn:") {
			p.say(p.yamlAt(n.line), "Offer the model id, and map it to the ARN in inferenceProfiles.",
				"an ARN is offered as a model: it is invoked, but without thinking, caching, settings and with a context of 32,000 tokens.")
		}
	}
}
