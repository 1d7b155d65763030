package access

import (
	"context"
	"fmt"
	"net/url"

	"outcrop"
	"outcrop/iam"
)

// An inquiry asks about one principal. It reads policies' texts only to name
// the statements that the server says decided, and each once.
type inquiry struct {
	management *Client // that may read the organisation's policies
	client     *Client // in the principal's account
	principal  *Principal
	region     outcrop.Region
	sources    map[string]source
	controls   [][]*iam.Policy
	controlled bool // controls have been read
}

// simulated is one result of SimulatePrincipalPolicy.
type simulated struct {
	Decision     string    `xml:"EvalDecision"`
	Matched      []matched `xml:"MatchedStatements>member"`
	Organization *struct {
		Allowed bool `xml:"AllowedByOrganizations"`
	} `xml:"OrganizationsDecisionDetail"`
	Boundary *struct {
		Allowed bool `xml:"AllowedByPermissionsBoundary"`
	} `xml:"PermissionsBoundaryDecisionDetail"`
}

type matched struct {
	Policy string   `xml:"SourcePolicyId"`
	Start  position `xml:"StartPosition"`
	End    position `xml:"EndPosition"`
}

type position struct{ Line, Column int }

// ask has the server decide a check, with the condition keys that it would
// have itself, and names what decided.
func (q *inquiry) ask(ctx context.Context, c iam.Check) (*Check, error) {
	r, err := q.simulate(ctx, c, nil)
	if err != nil {
		return nil, err
	}
	answer := &Check{Action: c.Action, Resource: c.Resource, Decision: r.Decision, Region: q.region, Statements: []Statement{}}
	if in := c.Context.Values(iam.KeyRequestedRegion); len(in) == 1 {
		answer.Region = outcrop.Region(in[0])
	}
	outside := r.Organization != nil && !r.Organization.Allowed
	switch {
	case outside && len(r.Matched) == 0:
		answer.Layer = iam.SCPLayer.String()
		answer.Statements, err = q.controlling(ctx, c, r.Decision)
	case len(r.Matched) > 0:
		err = q.name(ctx, answer, r)
	default:
		answer.Layer, err = q.silent(ctx, c, r)
	}
	return answer, err
}

func (q *inquiry) simulate(ctx context.Context, c iam.Check, boundary []string) (*simulated, error) {
	in := url.Values{"PolicySourceArn": {string(q.principal.ARN)}, "ActionNames.member.1": {c.Action}}
	if c.Resource != "" {
		in.Set("ResourceArns.member.1", string(c.Resource))
	}
	for i, key := range c.Context.Keys() {
		entry := fmt.Sprintf("ContextEntries.member.%d.", i+1)
		in.Set(entry+"ContextKeyName", key)
		in.Set(entry+"ContextKeyType", "string")
		for j, value := range c.Context.Values(key) {
			in.Set(fmt.Sprintf("%sContextKeyValues.member.%d", entry, j+1), value)
		}
	}
	for i, text := range boundary {
		in.Set(fmt.Sprintf("PermissionsBoundaryPolicyInputList.member.%d", i+1), text)
	}
	var out struct {
		Results []simulated `xml:"SimulatePrincipalPolicyResult>EvaluationResults>member"`
	}
	if err := q.client.form(ctx, "iam", "SimulatePrincipalPolicy", in, &out); err != nil {
		return nil, err
	}
	if len(out.Results) != 1 {
		return nil, fmt.Errorf("SimulatePrincipalPolicy: %d results to one question", len(out.Results))
	}
	return &out.Results[0], nil
}

// unbounded is a boundary that lets everything through.
const unbounded = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

// silent finds the kind of policy in which nothing allows the check. Behind a
// boundary that does not, the principal's own policies may not either: they
// are asked again without it.
func (q *inquiry) silent(ctx context.Context, c iam.Check, r *simulated) (string, error) {
	if r.Boundary == nil || r.Boundary.Allowed {
		return iam.IdentityLayer.String(), nil
	}
	free, err := q.simulate(ctx, c, []string{unbounded})
	if err == nil && free.Decision == iam.Allow.String() {
		return iam.BoundaryLayer.String(), nil
	}
	return iam.IdentityLayer.String(), err
}

// name fills in the statements that matched. Where one of a boundary refuses,
// the boundary is the layer.
func (q *inquiry) name(ctx context.Context, answer *Check, r *simulated) error {
	if err := q.readSources(ctx); err != nil {
		return err
	}
	answer.Layer = iam.IdentityLayer.String()
	for _, m := range r.Matched {
		s := Statement{Policy: m.Policy, Layer: answer.Layer}
		if from, ok := q.sources[m.Policy]; ok {
			s.Layer = from.layer.String()
			s.Index, s.Sid = from.statement(m)
		}
		answer.Statements = append(answer.Statements, s)
	}
	if r.Decision != iam.Allow.String() {
		answer.Layer = answer.Statements[0].Layer
	}
	return nil
}
