package access

import (
	"context"
	"fmt"
	"strings"

	"outcrop"
	"outcrop/iam"
	"outcrop/profile"
)

// A Question is whether a principal may do something with a profile.
type Question struct {
	Principal string // see Find
	Action    string // such as bedrock:InvokeModel
	Profile   string // id or ARN
	Bearer    string // iam.LongTermToken or ShortTermToken when called with a Bedrock API key; else empty
}

// An Explanation answers a Question, check by check, in the order in which
// the server asks them.
type Explanation struct {
	Principal outcrop.ARN    `json:"principal"`
	Action    string         `json:"action"`
	Profile   outcrop.ARN    `json:"profile"`
	Region    outcrop.Region `json:"region"`
	Allowed   bool           `json:"allowed"`
	Message   string         `json:"message,omitempty"` // what the caller would read; of the first check refused
	Checks    []Check        `json:"checks"`
	Defaults  outcrop.Tags   `json:"defaults,omitempty"` // what the profile says where a call is silent, by setting
}

// A Check is one thing that has to be allowed.
type Check struct {
	What       string         `json:"what"`   // profile, model in a destination …
	Region     outcrop.Region `json:"region"` // as aws:RequestedRegion has it
	Action     string         `json:"action"`
	Resource   outcrop.ARN    `json:"resource,omitempty"` // empty for an action without resources
	Decision   string         `json:"decision"`           // allowed, explicitDeny or implicitDeny
	Layer      string         `json:"layer"`              // the kind of policy that decided
	Statements []Statement    `json:"statements"`         // that decided; none when nothing allows it
}

// A Statement is one statement that decided a check.
type Statement struct {
	Policy string `json:"policy"` // name as SimulatePrincipalPolicy gives it, or ARN of an SCP
	Sid    string `json:"sid,omitempty"`
	Index  int    `json:"index"` // from 0
	Layer  string `json:"layer"`
}

// String is a line for people.
func (s Statement) String() string {
	name := fmt.Sprintf("%d", s.Index+1)
	if s.Sid != "" {
		name = fmt.Sprintf("%q", s.Sid)
	}
	return fmt.Sprintf("%s %s, statement %s", s.Layer, s.Policy, name)
}

// Because says in words what decided.
func (c *Check) Because() string {
	if len(c.Statements) == 0 {
		if c.Decision == iam.Deny.String() {
			return "a " + c.Layer
		}
		return "no " + c.Layer + " allows it"
	}
	lines := make([]string, len(c.Statements))
	for i, s := range c.Statements {
		lines[i] = s.String()
	}
	return strings.Join(lines, "; ")
}

// Explain asks the server.
func (c *Client) Explain(ctx context.Context, q Question) (*Explanation, error) {
	p, there, err := c.Find(ctx, q.Principal)
	if err != nil {
		return nil, err
	}
	t, err := there.Target(ctx, q.Profile)
	if err != nil {
		return nil, err
	}
	asked := &inquiry{management: c, client: there, principal: p, region: t.Region}
	e := &Explanation{Principal: p.ARN, Action: q.Action, Profile: t.Profile.ARN, Region: t.Region, Allowed: true, Defaults: defaultsIn(t.Profile.Tags)}
	for _, check := range checksOf(t, q) {
		answer, err := asked.ask(ctx, check)
		if err != nil {
			return nil, err
		}
		answer.What = whatIs(check, t)
		e.Checks = append(e.Checks, *answer)
		if answer.Decision != iam.Allow.String() && e.Allowed {
			e.Allowed, e.Message = false, answer.message(p.ARN)
		}
	}
	return e, nil
}

// checksOf are what the server asks before the action: for an invocation what
// package iam says, for all else about the profile alone.
func checksOf(t *outcrop.Target, q Question) []iam.Check {
	rules := iam.InvocationRules{BearerTokenType: q.Bearer}
	checks := rules.Checks(t, q.Action)
	if strings.EqualFold(q.Action, iam.ActionInvoke) || strings.EqualFold(q.Action, iam.ActionInvokeStream) || strings.EqualFold(q.Action, iam.ActionInvokeBidirectional) {
		return checks
	}
	for i, c := range checks {
		if c.Resource == t.Profile.ARN {
			return checks[:i+1]
		}
	}
	return checks
}

func whatIs(c iam.Check, t *outcrop.Target) string {
	switch region := c.Resource.Parts().Region; {
	case c.Resource == "":
		return "Bedrock API key"
	case c.Resource == t.Profile.ARN:
		return "profile"
	case region == "":
		return "model without a Region"
	case region == t.Region:
		return "model in the source Region"
	}
	return "model in a destination"
}

// message is what the caller would read, in AWS's words.
func (c *Check) message(principal outcrop.ARN) string {
	d := iam.Decision{Effect: effects[c.Decision]}
	for _, l := range layers {
		if l.String() == c.Layer {
			d.Layer = l
		}
	}
	for _, s := range c.Statements {
		d.Reasons = append(d.Reasons, iam.Reason{Effect: d.Effect, Layer: d.Layer, Policy: s.Policy, Sid: s.Sid, Index: s.Index})
	}
	return d.Message(string(principal), c.Action, string(c.Resource))
}

var (
	effects = map[string]iam.Effect{iam.Allow.String(): iam.Allow, iam.Deny.String(): iam.Deny}
	layers  = []iam.Layer{iam.SCPLayer, iam.IdentityLayer, iam.BoundaryLayer}
)

// defaultsIn are the tags that hold a profile's defaults, by their short names.
func defaultsIn(tags outcrop.Tags) outcrop.Tags {
	found := outcrop.Tags{}
	for key, value := range tags {
		if name, ok := strings.CutPrefix(key, profile.DefaultPrefix); ok {
			found[name] = value
		}
	}
	return found
}
