package iam

import (
	"fmt"
	"slices"
	"strings"
)

// misspeltProfileKey is how AWS's page on the prerequisites of inference
// profiles writes bedrock:InferenceProfileArn in one place. Guides copied it,
// and a Deny that never holds protects nobody
// (reference/runtime-metering-billing.md §1.10).
const misspeltProfileKey = "aws:inferenceprofilearn"

// conditionKey is key as requests have it.
func conditionKey(key string) string {
	key = strings.ToLower(key)
	if key == misspeltProfileKey {
		return KeyInferenceProfileARN
	}
	return key
}

// warn notes keys that are taken for others.
func (p *Policy) warn() {
	for i, s := range p.Statements {
		for _, c := range s.Conditions {
			if strings.EqualFold(c.Key, misspeltProfileKey) {
				p.Warnings = append(p.Warnings, fmt.Sprintf("statement %d: %s is not a condition key; taken for bedrock:InferenceProfileArn", i+1, c.Key))
			}
		}
	}
}

// ContextKeys are the condition keys and policy variables that p asks for,
// each once, as written, in the order of GetContextKeysForCustomPolicy's
// answer: sorted.
func (p *Policy) ContextKeys() []string {
	var keys []string
	add := func(texts []string) {
		for _, t := range texts {
			keys = append(keys, variableKeys(t, p.Version == version2012)...)
		}
	}
	for _, s := range p.Statements {
		add(s.Resources)
		for _, c := range s.Conditions {
			keys = append(keys, c.Key)
			if op, _ := parseOperator(c.Operator); op.class <= likeStrings || op.class == arns {
				add(c.Values)
			}
		}
	}
	slices.SortFunc(keys, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return slices.CompactFunc(keys, strings.EqualFold)
}

// variableKeys of one text, in lower case.
func variableKeys(text string, variables bool) []string {
	var keys []string
	for _, p := range parseTemplate(text, variables) {
		if p.kind == variable {
			keys = append(keys, p.key)
		}
	}
	return keys
}
