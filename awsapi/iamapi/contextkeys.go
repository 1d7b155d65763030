package iamapi

import (
	"context"
	"slices"
	"strings"

	"outcrop"
	"outcrop/iam"
)

func (a *API) getContextKeysForCustomPolicy(_ context.Context, _ outcrop.Caller, in *GetContextKeysForCustomPolicyInput) (*GetContextKeysForPrincipalPolicyOutput, error) {
	list, err := given("PolicyInputList", iam.IdentityPolicy, in.PolicyInputList)
	if err != nil {
		return nil, err
	}
	return &GetContextKeysForPrincipalPolicyOutput{ContextKeyNames: contextKeys(list)}, nil
}

func (a *API) getContextKeysForPrincipalPolicy(ctx context.Context, who outcrop.Caller, in *GetContextKeysForPrincipalPolicyInput) (*GetContextKeysForPrincipalPolicyOutput, error) {
	list, err := given("PolicyInputList", iam.IdentityPolicy, in.PolicyInputList)
	if err != nil {
		return nil, err
	}
	p, err := a.principal(ctx, who.Account, outcrop.ARN(in.PolicySourceArn))
	if err != nil {
		return nil, err
	}
	return &GetContextKeysForPrincipalPolicyOutput{ContextKeyNames: contextKeys(append(p.identity, list...))}, nil
}

// contextKeys are the condition keys that policies ask for, in conditions and
// as policy variables, each once and in order.
func contextKeys(list []source) []string {
	found := map[string]string{} // as first written, by lower case: keys differ by more than case
	add := func(key string) {
		if _, seen := found[strings.ToLower(key)]; !seen && key != "" {
			found[strings.ToLower(key)] = key
		}
	}
	for _, p := range list {
		for _, s := range p.policy.Statements {
			for _, r := range s.Resources {
				variables(r, add)
			}
			for _, c := range s.Conditions {
				add(c.Key)
				for _, v := range c.Values {
					variables(v, add)
				}
			}
		}
	}
	keys := make([]string, 0, len(found))
	for _, key := range found {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// variables finds ${key} and ${key, 'default'} in text. ${*}, ${?} and ${$}
// are characters.
func variables(text string, add func(string)) {
	for {
		_, rest, ok := strings.Cut(text, "${")
		name, after, closed := strings.Cut(rest, "}")
		if !ok || !closed {
			return
		}
		if key, _, _ := strings.Cut(name, ","); !strings.Contains("*?$", name) {
			add(strings.TrimSpace(key))
		}
		text = after
	}
}
