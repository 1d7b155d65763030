package iamapi

import (
	"context"
	"fmt"
	"strings"

	"outcrop"
	"outcrop/iam"
)

// Limits of a simulation, so that no request of the allowed size keeps the
// server busy for long.
const (
	maxSimulatedBytes   = 1 << 20   // of all policies given in a request
	maxSimulatedWork    = 1_000_000 // statements asked for one page; longer lists are cut shorter than MaxItems
	maxSimulatedResults = 1_000_000 // actions times resources
)

func (a *API) simulatePrincipalPolicy(ctx context.Context, who outcrop.Caller, in *SimulatePrincipalPolicyInput) (*SimulatePrincipalPolicyOutput, error) {
	p, err := a.principal(ctx, who.Account, outcrop.ARN(in.PolicySourceArn))
	if err != nil {
		return nil, err
	}
	s := &simulation{principal: *p, now: a.Now(), region: who.Region}
	if s.scps, err = a.controls(ctx, who.Account); err != nil {
		return nil, err
	}
	return s.run(ctx, in)
}

// simulateCustomPolicy asks the given policies alone: nobody's own and no
// organisation's.
func (a *API) simulateCustomPolicy(ctx context.Context, who outcrop.Caller, in *SimulateCustomPolicyInput) (*SimulatePrincipalPolicyOutput, error) {
	s := &simulation{principal: principal{account: who.Account}, now: a.Now(), region: who.Region}
	return s.run(ctx, &SimulatePrincipalPolicyInput{
		PolicyInputList: in.PolicyInputList, PermissionsBoundaryPolicyInputList: in.PermissionsBoundaryPolicyInputList,
		ActionNames: in.ActionNames, ResourceArns: in.ResourceArns, ResourcePolicy: in.ResourcePolicy, ResourceOwner: in.ResourceOwner,
		CallerArn: in.CallerArn, ContextEntries: in.ContextEntries, MaxItems: in.MaxItems, Marker: in.Marker,
	})
}

// run prepares the question and answers one page of it.
func (s *simulation) run(ctx context.Context, in *SimulatePrincipalPolicyInput) (*SimulatePrincipalPolicyOutput, error) {
	for _, prepare := range []func(*SimulatePrincipalPolicyInput) error{s.readPolicies, s.readCaller, s.readContext, s.readQuestion} {
		if err := prepare(in); err != nil {
			return nil, err
		}
	}
	return s.page(ctx, in)
}

func (s *simulation) page(ctx context.Context, in *SimulatePrincipalPolicyInput) (*SimulatePrincipalPolicyOutput, error) {
	n := len(s.actions) * len(s.resources)
	from, err := resultAt(in.Marker, n)
	if err != nil {
		return nil, err
	}
	size := defaultPage
	if in.MaxItems != nil {
		size = int(*in.MaxItems)
	}
	to := min(n, from+min(size, max(1, maxSimulatedWork/s.statements)))
	out := &SimulatePrincipalPolicyOutput{EvaluationResults: []EvaluationResult{}, IsTruncated: ptr(to < n)}
	for i := from; i < to; i++ {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		out.EvaluationResults = append(out.EvaluationResults, s.evaluate(s.actions[i/len(s.resources)], s.resources[i%len(s.resources)]))
	}
	if to < n {
		out.Marker = fmt.Sprint(to)
	}
	return out, nil
}

// resultAt is the number of the result that a marker stands for: the
// question, not something that changes, is what pages are of.
func resultAt(marker string, n int) (int, error) {
	if marker == "" {
		return 0, nil
	}
	var at int
	if _, err := fmt.Sscanf(marker, "%d", &at); err != nil || at <= 0 || at >= n || fmt.Sprint(at) != marker {
		return 0, failure(outcrop.Invalid, "ValidationError", "Invalid Marker.")
	}
	return at, nil
}

// evaluate answers for one action on one resource. Named resources have their
// details under ResourceSpecificResults, "*" has them beside the decision
// (EvaluationResult of the IAM API reference).
func (s *simulation) evaluate(action, resource string) EvaluationResult {
	d := s.compiled.Decide(s.request(action, resource))
	result := EvaluationResult{
		EvalActionName: action, EvalResourceName: resource, EvalDecision: d.Effect.String(), MatchedStatements: s.matched(d),
		OrganizationsDecisionDetail: s.organizations(d), PermissionsBoundaryDecisionDetail: s.boundaryDetail(d),
		MissingContextValues: []string{},
	}
	if resource == "*" {
		result.MissingContextValues = s.missing
		return result
	}
	result.ResourceSpecificResults = []ResourceSpecificResult{{
		EvalResourceName: resource, EvalResourceDecision: result.EvalDecision, MatchedStatements: result.MatchedStatements,
		MissingContextValues: s.missing, PermissionsBoundaryDecisionDetail: result.PermissionsBoundaryDecisionDetail,
	}}
	return result
}

// request is the question as iam wants it. Where the resource's ARN has a
// Region, the call would be made there; a model without a Region is asked for
// by global profiles, in the Region "unspecified"
// (reference/control-plane.md §6.2).
func (s *simulation) request(action, resource string) iam.Request {
	arn := outcrop.ARN(resource).Parts()
	r := iam.Request{
		Principal: s.principal.arn, Role: s.principal.role, Action: action, Resource: outcrop.ARN(resource), Context: s.context,
	}
	if arn.Account == "" {
		r.ResourceAccount = s.owner
	}
	region := string(arn.Region)
	if region == "" && arn.Service == "bedrock" && arn.Account == "" {
		region = "unspecified"
	}
	if region != "" && !s.regionGiven {
		var more iam.Context
		more.Set(iam.KeyRequestedRegion, region)
		r.Context = s.context.With(more)
	}
	return r
}

// matched are the statements that settled the result, of the policies that
// the caller can see: an organisation's are not shown.
func (s *simulation) matched(d iam.Decision) []Statement {
	list := []Statement{}
	for _, r := range d.Deciding() {
		p, ok := s.sources[r.Policy]
		if !ok {
			continue
		}
		st := Statement{SourcePolicyId: p.id, SourcePolicyType: "IAM Policy"}
		if spans := p.spans(); r.Index < len(spans) {
			st.StartPosition, st.EndPosition = position(p.text, spans[r.Index].start), position(p.text, spans[r.Index].end)
		}
		list = append(list, st)
	}
	return list
}

func (s *simulation) organizations(d iam.Decision) *OrganizationsDecisionDetail {
	if s.scps == nil {
		return nil
	}
	return &OrganizationsDecisionDetail{AllowedByOrganizations: ptr(passes(d, iam.SCPLayer, len(s.scps)))}
}

func (s *simulation) boundaryDetail(d iam.Decision) *PermissionsBoundaryDecisionDetail {
	if s.boundary == nil {
		return nil
	}
	return &PermissionsBoundaryDecisionDetail{AllowedByPermissionsBoundary: ptr(passes(d, iam.BoundaryLayer, 1))}
}

// passes says whether a layer by itself lets the request through: an Allow on
// each of its levels and no Deny.
func passes(d iam.Decision, layer iam.Layer, levels int) bool {
	allowed := map[int]bool{}
	for _, r := range d.Reasons {
		switch {
		case r.Layer != layer:
		case r.Effect == iam.Deny:
			return false
		default:
			allowed[r.Level] = true
		}
	}
	return len(allowed) == levels
}

// isAction says whether text is service:Action without wildcards.
func isAction(text string) bool {
	vendor, name, ok := strings.Cut(text, ":")
	return ok && vendor != "" && name != "" && !strings.ContainsAny(text, "*? ") && !strings.Contains(name, ":")
}
