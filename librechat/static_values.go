package librechat

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"outcrop/internal/slip"
)

var (
	twoWhole   = regexp.MustCompile(`^\$\{[^}]*\}.*\$\{[^}]*\}$`)
	bareDollar = regexp.MustCompile(`\$([A-Za-z_][A-Za-z0-9_]*)`)
)

// valued are the mappings with a string to look at.
func (p *patient) valued() (list []mapEntry) {
	for _, m := range p.mapped {
		if m.value.kind == text {
			list = append(list, m)
		}
	}
	return list
}

func checkVariables(_ context.Context, p *patient) {
	for _, m := range p.valued() {
		if strange(strings.TrimSpace(m.value.text)) {
			continue // of another check
		}
		for _, name := range p.unresolved(m.value.text) {
			if p.env.set(name) || deny[name] {
				continue // of another check
			}
			found, fix := "", "Set "+name+" in "+p.EnvName+", or write the ARN itself."
			if near := slip.Within(3, name, p.profileVariables()); near != "" {
				found, fix = fmt.Sprintf(" (found %s)", near), "Spell both the same: "+name+" or "+near+"."
			}
			p.say(p.yamlAt(m.value.line), fix, "inferenceProfiles['%s'] uses ${%s}, not set in %s%s. It will be sent literally as the model id.", m.model, name, p.EnvName, found)
		}
	}
}

// unresolved are the names of the placeholders that expanding leaves.
func (p *patient) unresolved(value string) (names []string) {
	for _, one := range inner.FindAllStringSubmatch(p.env.expand(value), -1) {
		names = append(names, one[1])
	}
	return names
}

func (p *patient) profileVariables() (names []string) {
	for name := range p.env.vars {
		if strings.Contains(name, "PROFILE") || strings.HasPrefix(name, "BEDROCK_") {
			names = append(names, name)
		}
	}
	return names
}

// strange says that a value is written in a way that LibreChat does not know.
func strange(v string) bool {
	return strings.Contains(v, ":-") && strings.Contains(v, "${") || bareDollar.MatchString(v) || twoWhole.MatchString(v)
}

func checkSyntax(_ context.Context, p *patient) {
	for _, m := range p.valued() {
		v := strings.TrimSpace(m.value.text)
		at := p.yamlAt(m.value.line)
		switch {
		case strings.Contains(v, "${") && strings.Contains(v, ":-"):
			p.say(at, "Write ${VAR} and set the variable.", "%s: LibreChat has no default syntax; the text is sent as it stands.", v)
		case bareDollar.MatchString(v):
			p.say(at, "Write ${"+bareDollar.FindStringSubmatch(v)[1]+"}.", "%s: without braces a variable is not replaced.", v)
		case twoWhole.MatchString(v):
			p.say(at, "Put the whole ARN into one variable.", "%s begins and ends with a placeholder: LibreChat takes it all for one name, and sends it as it stands.", v)
		}
		for _, name := range p.unresolved(v) {
			switch {
			case deny[name]:
				p.say(at, "Use a variable of another name.", "LibreChat never puts %s into its configuration: ${%s} is sent as it stands.", name, name)
			case p.env.set(name) && p.env.get(name) == "":
				p.say(p.envAt(name), "Give it the profile's ARN.", "%s is set but empty: ${%s} is sent as it stands.", name, name)
			}
		}
	}
}

func checkCharacters(_ context.Context, p *patient) {
	for _, m := range p.valued() {
		at, raw := p.yamlAt(m.value.line), ""
		if w := whole.FindStringSubmatch(strings.TrimSpace(m.value.text)); w != nil && p.env.set(w[1]) {
			at, raw = p.envAt(w[1]), p.env.vars[w[1]].raw
		}
		switch fault := oddCharacter(m.resolved); {
		case fault != "":
			p.say(at, "Write the bare ARN.", "the profile of '%s' %s.", m.model, fault)
		case strings.HasSuffix(raw, "\r"):
			p.say(at, "Save "+p.EnvName+" with Unix line ends (dos2unix).",
				"the value ends in a carriage return: %s has Windows line ends, which containers started with --env-file keep.", p.EnvName)
		}
	}
}

func oddCharacter(v string) string {
	for _, r := range v {
		switch {
		case r == '"' || r == '\'' || r == '`':
			return "has quotes in it"
		case r == '\r':
			return "ends in a carriage return"
		case unicode.Is(unicode.Cf, r):
			return fmt.Sprintf("has an invisible character in it (U+%04X)", r)
		case unicode.IsSpace(r):
			return "has a space in it"
		}
	}
	return ""
}

var (
	profileID  = regexp.MustCompile(`^[a-z0-9]{12}$`)
	exampleID  = regexp.MustCompile(`^[a-z0-9]+$`)
	accountID  = regexp.MustCompile(`^[0-9]{12}$`)
	partitions = map[string]bool{"aws": true, "aws-cn": true, "aws-us-gov": true}
)

func checkARNs(_ context.Context, p *patient) {
	for _, m := range p.valued() {
		if strings.Contains(m.resolved, "${") || strings.Contains(m.resolved, "$") || oddCharacter(m.resolved) != "" {
			continue // of other checks
		}
		p.checkARN(m)
	}
}

func (p *patient) checkARN(m mapEntry) {
	at := p.profileAt(m)
	id, kind := m.arn.ResourceID(), m.arn.ResourceType()
	switch {
	case !m.isARN || !partitions[m.arn.Partition] || m.arn.Service != "bedrock":
		p.say(at, "Write the ARN that create-inference-profile answered.", "the profile of '%s' is %q, which is not the ARN of an inference profile.", m.model, m.resolved)
	case kind == "inference-profile":
		p.sayAs(Warn, at, "Create an application inference profile from it (outcrop librechat init).", "the profile of '%s' is a system profile, not an application profile: no cost tags.", m.model)
	case kind != "application-inference-profile":
		p.sayAs(Warn, at, "Map it to an application inference profile.", "'%s' is mapped to a %s: no cost tags.", m.model, kind)
	case !accountID.MatchString(string(m.arn.Account)) || m.arn.Region == "" || id == "":
		p.say(at, "Copy the whole ARN.", "the profile of '%s' is %q: its account must have 12 digits, and Region and id must not be empty.", m.model, m.resolved)
	case profileID.MatchString(id):
	case exampleID.MatchString(id):
		p.sayAs(Warn, at, "Replace the example by the ARN of a profile of yours.", "the profile of '%s' has the id %q, and AWS's have 12 characters.", m.model, id)
	default:
		p.say(at, "Copy the whole ARN.", "the profile of '%s' has the id %q: ids have 12 small letters and digits.", m.model, id)
	}
}

// profileAt is where a profile's ARN is written: in the .env file where the
// value is one variable.
func (p *patient) profileAt(m mapEntry) place {
	if w := whole.FindStringSubmatch(strings.TrimSpace(m.value.value())); w != nil && p.env.line(w[1]) > 0 {
		return p.envAt(w[1])
	}
	return p.yamlAt(m.value.at())
}

func checkShared(_ context.Context, p *patient) {
	first := map[string]mapEntry{}
	for _, m := range p.valued() {
		if !m.isARN {
			continue
		}
		other, shared := first[m.resolved]
		if !shared {
			first[m.resolved] = m
			continue
		}
		if family(other.model) != family(m.model) {
			p.say(p.yamlAt(m.line), "Create a profile of each model.",
				"'%s' and '%s' share one profile, which has one model: LibreChat will send options of the other that the model refuses.", other.model, m.model)
			continue
		}
		p.sayAs(Info, p.yamlAt(m.line), "", "'%s' and '%s' share one profile: their costs cannot be told apart.", other.model, m.model)
	}
}
