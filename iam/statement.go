package iam

import (
	"strings"

	"outcrop"
)

// A matcher is a statement made ready for Decide.
type matcher struct {
	actions    []text // lower case
	resources  []text
	conditions []condition
	any        bool // no Resource element: a trust policy is about its role
}

func (s *Statement) compile(variables bool) {
	for _, a := range s.Actions { // no variables in actions
		s.match.actions = append(s.match.actions, compileText(strings.ToLower(a), false))
	}
	for _, r := range s.Resources {
		s.match.resources = append(s.match.resources, compileText(r, variables))
	}
	for _, c := range s.Conditions {
		s.match.conditions = append(s.match.conditions, compileCondition(c, variables))
	}
	s.match.any = len(s.Resources) == 0
}

// applies says whether the statement is about the request, and by which
// principal it took the caller in.
func (s *Statement) applies(e *evaluation, lenient bool) (grip, bool) {
	m := &s.match
	if anyText(m.actions, e.action, e) == s.NotAction {
		return noGrip, false
	}
	if !m.any && anyText(m.resources, e.resource, e) == s.NotResource && !(lenient && s.lenientList(e)) {
		return noGrip, false
	}
	grip, ok := s.grips(e)
	if !ok {
		return noGrip, false
	}
	for i := range m.conditions {
		if !m.conditions[i].holds(e) {
			return noGrip, false
		}
	}
	return grip, true
}

// lenientList: ListInferenceProfiles has no resource, yet AWS's own example
// policy scopes it to profiles, and so does the CDK. An Allow for all profiles
// of the account and Region counts (reference/control-plane.md §6.4).
func (s *Statement) lenientList(e *evaluation) bool {
	if s.Effect != Allow || s.NotResource || e.resource != "*" || e.action != "bedrock:listinferenceprofiles" {
		return false
	}
	all := outcrop.ARNParts{Partition: "aws", Service: "bedrock", Account: e.caller.account}
	if region := e.req.Context.Values(KeyRequestedRegion); len(region) > 0 {
		all.Region = outcrop.Region(region[0])
		all.Partition = all.Region.Partition()
	}
	for _, kind := range []string{"inference-profile/*", "application-inference-profile/*"} {
		all.Resource = kind
		if anyText(s.match.resources, string(all.ARN()), e) {
			return true
		}
	}
	return false
}
