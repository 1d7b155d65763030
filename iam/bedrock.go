package iam

import "outcrop"

// A Check is one question that has to be answered with Allow before an
// operation goes on. Its Context is laid over the request's own.
type Check struct {
	Action   string
	Resource outcrop.ARN // empty for an action without resources
	Context  Context
}

// Request makes the question: base with the check's action, resource and keys.
func (c Check) Request(base Request) Request {
	base.Action, base.Resource = c.Action, c.Resource
	base.Context = base.Context.With(c.Context)
	return base
}

// DecideAll asks the checks in turn and stops at the first that is refused:
// it is the one AWS reports (reference/control-plane.md §6.2). The returned
// index is that check's, or the last one's.
func (c *Compiled) DecideAll(checks []Check, base Request) (Decision, int) {
	var d Decision
	for i := range checks {
		if d = c.Decide(checks[i].Request(base)); !d.Allowed() || i == len(checks)-1 {
			return d, i
		}
	}
	return d, -1
}

// The actions of invoking and of reading what is to be invoked.
const (
	ActionInvoke              = "bedrock:InvokeModel"
	ActionInvokeStream        = "bedrock:InvokeModelWithResponseStream"
	ActionInvokeBidirectional = "bedrock:InvokeModelWithBidirectionalStream"
	ActionBearerToken         = "bedrock:CallWithBearerToken"
	ActionGuardrail           = "bedrock:ApplyGuardrail"
)

// Values of bedrock:BearerTokenType.
const (
	ShortTermToken = "SHORT_TERM"
	LongTermToken  = "LONG_TERM"
)

// UnspecifiedRegion is aws:RequestedRegion where a global profile asks for its
// Region-less model.
const UnspecifiedRegion = "unspecified"

// InvocationRules are what else bears on an invocation, and where AWS left a
// choice. The zero value is AWS's documented behaviour.
type InvocationRules struct {
	BearerTokenType string         // ShortTermToken or LongTermToken; empty when signed
	Guardrail       outcrop.ARN    // applied to the call; empty for none
	ServiceTier     string         // asked for; empty for none
	Router          outcrop.ARN    // prompt router that chose the target; its own check is RouterCheck
	SourceProfile   bool           // an application profile's source must be allowed too (unverified of AWS)
	Chosen          outcrop.Region // check only this destination of a geographic profile, not all; empty for all
}

// InvocationChecks are the questions to ask before t is invoked with action
// (ActionInvoke or ActionInvokeStream), in AWS's order. Every destination of a
// geographic profile has to be allowed: a block on one fails the call, whatever
// Region would have served it.
func InvocationChecks(t *outcrop.Target, action string) []Check {
	return InvocationRules{}.Checks(t, action)
}

// Checks are InvocationChecks under the rules r: the bearer token first, the
// guardrail last.
func (r InvocationRules) Checks(t *outcrop.Target, action string) []Check {
	const usual = 6 // a profile and a model in three Regions, with room
	checks := make([]Check, 0, usual)
	if r.BearerTokenType != "" {
		checks = append(checks, BearerTokenCheck(r.BearerTokenType, t.Region))
	}
	checks = append(checks, r.profileChecks(t, action)...)
	for _, region := range r.modelRegions(t) {
		checks = append(checks, r.modelCheck(t, action, region))
	}
	if r.Guardrail != "" {
		checks = append(checks, Check{ActionGuardrail, r.Guardrail, regional(t.Region)})
	}
	return checks
}

// BearerTokenCheck is asked before any call with a Bedrock API key.
func BearerTokenCheck(tokenType string, region outcrop.Region) Check {
	c := Check{Action: ActionBearerToken, Context: regional(region)}
	c.Context.Set(KeyBearerTokenType, tokenType)
	return c
}

// RouterCheck is asked of a prompt router before its targets are.
func RouterCheck(router outcrop.ARN, tags outcrop.Tags, action string) Check {
	c := Check{Action: action, Resource: router, Context: regional(router.Parts().Region)}
	c.Context.SetTags(KeyResourceTag, tags)
	return c
}

// profileChecks are about the profile itself. Only application profiles have
// tags.
func (r InvocationRules) profileChecks(t *outcrop.Target, action string) []Check {
	p := t.Profile
	if p == nil {
		return nil
	}
	own := Check{Action: action, Resource: p.ARN, Context: r.keys(t.Region)}
	if p.Kind == outcrop.Application {
		own.Context.SetTags(KeyResourceTag, p.Tags)
	}
	checks := []Check{own}
	if r.SourceProfile && outcrop.ParseModelRef(string(p.Source)).Kind == outcrop.RefSystemProfile {
		checks = append(checks, Check{action, p.Source, r.keys(t.Region)})
	}
	return checks
}

// modelRegions are where the model has to be allowed: the called Region, then
// each destination or, for a global profile, no Region at all.
func (r InvocationRules) modelRegions(t *outcrop.Target) []outcrop.Region {
	regions := []outcrop.Region{t.Region}
	switch {
	case t.Profile == nil || t.Geography == "":
		return regions
	case t.Geography == outcrop.GlobalGeography:
		return append(regions, "")
	case r.Chosen != "" && r.Chosen != t.Region:
		return append(regions, r.Chosen)
	case r.Chosen != "":
		return regions
	}
	for _, d := range t.Destinations {
		if d.Region != t.Region { // already the first
			regions = append(regions, d.Region)
		}
	}
	return regions
}

func (r InvocationRules) modelCheck(t *outcrop.Target, action string, region outcrop.Region) Check {
	model := t.Model.ID
	for _, d := range t.Destinations {
		if d.Region == region && d.Model != "" {
			model = d.Model
		}
	}
	c := Check{action, outcrop.FoundationModelARN(t.Region.Partition(), region, model), r.keys(region)}
	if t.Profile != nil {
		c.Context.Set(KeyInferenceProfileARN, string(t.Profile.ARN))
	}
	return c
}

// keys of one check in a Region, empty for the Region-less model.
func (r InvocationRules) keys(region outcrop.Region) Context {
	c := regional(region)
	if r.Guardrail != "" {
		c.Set(KeyGuardrailIdentifier, string(r.Guardrail))
	}
	if r.ServiceTier != "" {
		c.Set(KeyServiceTier, r.ServiceTier)
	}
	if r.Router != "" {
		c.Set(KeyPromptRouterARN, string(r.Router))
	}
	return c
}

func regional(region outcrop.Region) Context {
	const usual = 3 // keys of one check
	c := Context{entries: make([]entry, 0, usual)}
	if region == "" {
		region = UnspecifiedRegion
	}
	c.Set(KeyRequestedRegion, string(region))
	return c
}

// CreateProfileChecks are the questions before CreateInferenceProfile in a
// Region: for the profile that will be, for what it copies unless that is empty
// and, with tags, for tagging it (reference/control-plane.md §1.9).
func CreateProfileChecks(region outcrop.Region, account outcrop.AccountID, source outcrop.ARN, tags outcrop.Tags) []Check {
	const create, tag = "bedrock:CreateInferenceProfile", "bedrock:TagResource"
	keys := regional(region)
	if len(tags) > 0 {
		keys.SetRequestTags(tags)
	}
	profile := outcrop.ApplicationProfileARN(region, account, "*")
	checks := []Check{{create, profile, keys}}
	if source != "" {
		checks = append(checks, Check{create, source, keys})
	}
	if len(tags) > 0 {
		checks = append(checks, Check{tag, profile, keys})
	}
	return checks
}
