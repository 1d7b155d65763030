package librechat

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"outcrop/internal/slip"
)

func (p *patient) brokenYAML(err error) {
	at := p.yamlAt(1)
	var f *yamlFault
	if errors.As(err, &f) {
		at.line = f.line
	}
	p.say(at, "Correct the line: YAML counts spaces, and no key may stand twice.",
		"not valid YAML (%s); LibreChat will exit at start, or drop the whole file with CONFIG_BYPASS_VALIDATION=true.", firstLine(err.Error()))
}

// checkYAML has nothing left to look for: what cannot be parsed has been told.
func checkYAML(_ context.Context, p *patient) {
	switch e := p.root.get("endpoints"); {
	case p.root.kind != mapping:
		p.say(p.yamlAt(p.root.line), "Begin with version: and endpoints:.", "the file is %s and must be a mapping.", p.root.kind)
	case e != nil && e.kind != mapping && e.kind != null:
		p.say(p.yamlAt(e.line), "Put bedrock: below it, indented.", "endpoints is %s and must be a mapping.", e.kind)
	}
}

// wanted are the types of the section's keys.
var wanted = map[string]kind{
	"titleModel": text, "streamRate": number, "availableRegions": list, "guardrailConfig": mapping, "models": list, "inferenceProfiles": mapping,
	"titleConvo": boolean, "titleMethod": text, "titlePrompt": text, "titlePromptTemplate": text, "titleEndpoint": text, "titleTiming": text,
	"maxToolResultChars": number,
}

func checkTypes(_ context.Context, p *patient) {
	if p.bedrock != nil && p.bedrock.kind != mapping {
		p.say(p.yamlAt(p.bedrock.line), "Put its keys below it, indented.", "endpoints.bedrock is %s and must be a mapping.", p.bedrock.kind)
	}
	for _, e := range p.bedrock.entries() {
		want, known := wanted[e.name]
		if !known {
			continue
		}
		if e.value.kind != want {
			p.say(p.yamlAt(e.line), typeFix(e, want), "endpoints.bedrock.%s is %s and must be %s.", e.name, e.value.kind, want)
			continue
		}
		p.checkInside(e)
	}
}

func typeFix(e entry, want kind) string {
	switch {
	case want == text && e.value.kind == number:
		return "Put it in quotes: '" + e.value.text + "'."
	case want == number && e.value.kind == text:
		return "Write it without quotes."
	case want == list:
		return "Write one entry per line, each after a dash."
	}
	return "Write it as " + want.String() + "."
}

func (p *patient) checkInside(e entry) {
	for i, item := range e.value.strings() {
		if item.kind != text {
			p.say(p.yamlAt(item.line), "Put it in quotes.", "endpoints.bedrock.%s.%d is %s and must be a string.", e.name, i, item.kind)
		}
	}
	if e.name == "inferenceProfiles" {
		for _, m := range e.value.entries() {
			if m.value.kind != text {
				p.say(p.yamlAt(m.line), "Write the profile's ARN, or '${VAR}'.", "inferenceProfiles['%s'] is %s and must be a string.", m.name, m.value.kind)
			}
		}
	}
	if e.name == "guardrailConfig" {
		for _, key := range []string{"guardrailIdentifier", "guardrailVersion"} {
			v := e.value.get(key)
			if v == nil || v.kind != text {
				p.say(p.yamlAt(max(v.at(), e.line)), "Write "+key+": '"+v.value()+"'.", "endpoints.bedrock.guardrailConfig.%s must be a string.", key)
			}
		}
		p.checkWord(e.value.get("trace"), "guardrailConfig.trace", "enabled", "disabled", "enabled_full")
		p.checkWord(e.value.get("streamProcessingMode"), "guardrailConfig.streamProcessingMode", "sync", "async")
	}
}

func (p *patient) checkWord(n *node, name string, words ...string) {
	if n != nil && !slices.Contains(words, n.value()) {
		p.say(p.yamlAt(n.line), "Write one of "+strings.Join(words, ", ")+".", "endpoints.bedrock.%s is %q, which LibreChat refuses.", name, n.value())
	}
}

// sectionKeys are those that LibreChat reads, and those that it accepts and
// does not read.
var sectionKeys = append(strings.Fields(`titleModel streamRate availableRegions guardrailConfig models inferenceProfiles titleConvo titleMethod titlePrompt
	titlePromptTemplate titleEndpoint titleTiming maxToolResultChars`), "headers", "baseURL")

func checkUnknownKeys(_ context.Context, p *patient) {
	for _, e := range p.bedrock.entries() {
		if slices.Contains(sectionKeys, e.name) || strings.HasPrefix(e.name, "activity") || strings.HasPrefix(e.name, "reasoningLabel") {
			continue
		}
		fix := "Remove it."
		if near := nearestKey(e.name); near != "" {
			fix = "Did you mean " + near + "?"
		}
		p.say(p.yamlAt(e.line), fix, "'%s' is not a key of endpoints.bedrock and is ignored without a message.", e.name)
	}
}

func nearestKey(name string) string {
	flat := func(s string) string {
		return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(s))
	}
	for _, k := range sectionKeys {
		if f := flat(k); f == flat(name) || f == flat(name)+"s" || f+"s" == flat(name) {
			return k
		}
	}
	return slip.Within(3, name, sectionKeys)
}

// versionOf reads 1.3.4 or v0.8.3-rc1 as numbers; a release candidate comes
// before its release.
func versionOf(s string) (v [4]int, ok bool) {
	m := regexp.MustCompile(`^v?([0-9]+)\.([0-9]+)\.([0-9]+)(?:-rc([0-9]+))?$`).FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return v, false
	}
	for i := range 3 {
		v[i], _ = strconv.Atoi(m[i+1]) // digits, by the pattern
	}
	v[3] = 1 << 20
	if m[4] != "" {
		v[3], _ = strconv.Atoi(m[4])
	}
	return v, true
}

func older(a, b string) bool {
	x, okX := versionOf(a)
	y, okY := versionOf(b)
	return okX && okY && slices.Compare(x[:], y[:]) < 0
}

func checkVersion(_ context.Context, p *patient) {
	v := p.root.get("version")
	switch {
	case v == nil:
		p.say(p.yamlAt(1), "Begin the file with version: 1.3.5.", "the file has no version; LibreChat refuses it.")
	case len(p.mapped) > 0 && older(v.value(), "1.3.4"):
		p.say(p.yamlAt(v.line), "Write version: 1.3.5 and run LibreChat v0.8.3 or later.", "inferenceProfiles needs configuration version 1.3.4, and the file says %s.", v.value())
	}
	if p.Version == "" {
		return
	}
	for _, need := range []struct {
		used  bool
		since string
		what  string
	}{
		{len(p.mapped) > 0, "v0.8.3-rc1", "inferenceProfiles"},
		{p.env.get("BEDROCK_AWS_PROFILE") != "", "v0.8.6", "BEDROCK_AWS_PROFILE"},
		{p.env.get("BEDROCK_AWS_BEARER_TOKEN") != "", "v0.8.6", "BEDROCK_AWS_BEARER_TOKEN"},
		{p.bareClaude(), "v0.8.8-rc1", "thinking under a key without anthropic."},
	} {
		if need.used && older(p.Version, need.since) {
			p.say(p.yamlAt(0), "Update LibreChat.", "%s needs LibreChat %s, and %s is running.", need.what, need.since, p.Version)
		}
	}
}

func (p *patient) bareClaude() bool {
	return slices.ContainsFunc(p.mapped, func(m mapEntry) bool { return strings.HasPrefix(m.model, "claude-") })
}

func checkEndpoints(_ context.Context, p *patient) {
	if on := p.env.get("ENDPOINTS"); on != "" && !slices.Contains(splitList(on), "bedrock") {
		p.say(p.envAt("ENDPOINTS"), "Add bedrock to ENDPOINTS.", "ENDPOINTS hides Bedrock.")
	}
}

func splitList(s string) (list []string) {
	for one := range strings.SplitSeq(s, ",") {
		if one = strings.TrimSpace(one); one != "" {
			list = append(list, one)
		}
	}
	return list
}

// checkSwitchedOn knows when LibreChat shows the endpoint: the secret if it is
// set at all, else the Region, must not be empty.
func checkSwitchedOn(_ context.Context, p *patient) {
	const secret, region = "BEDROCK_AWS_SECRET_ACCESS_KEY", "BEDROCK_AWS_DEFAULT_REGION"
	switch {
	case p.env.set(secret) && p.env.get(secret) == "":
		p.say(p.envAt(secret), "Remove the line.", "%s is set but empty: LibreChat hides the endpoint.", secret)
	case !p.env.set(secret) && p.env.get(region) == "":
		p.say(p.envAt(region), "Set "+region+", such as us-east-1.", "%s is not set: LibreChat hides the endpoint.", region)
	}
}
