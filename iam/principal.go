package iam

import (
	"slices"
	"strings"

	"outcrop"
)

// A caller is the request's principal, taken apart once a decision.
type caller struct {
	kind    callerKind
	account outcrop.AccountID
	role    outcrop.ARN // of an assumed-role session
}

type callerKind uint8

const (
	userCaller callerKind = iota // a user, a federated user or the root user
	sessionCaller
	outsideCaller // a service, or an identity provider's subject: without identity policies
)

func newCaller(req *Request) caller {
	if req.Service != "" || req.Federated != "" {
		return caller{kind: outsideCaller}
	}
	part, _ := splitARN(string(req.Principal))
	c := caller{account: outcrop.AccountID(part[4]), role: req.Role}
	if part[2] == "sts" && strings.HasPrefix(part[5], "assumed-role/") {
		c.kind = sessionCaller
		if c.role == "" {
			c.role = roleOf(req.Principal.Parts())
		}
	}
	return c
}

// splitARN splits s at its first five colons, without allocating: it is on
// the path of every decision.
func splitARN(s string) (part [arnParts]string, ok bool) {
	for i := range arnParts - 1 {
		if part[i], s, ok = strings.Cut(s, ":"); !ok {
			return [arnParts]string{}, false
		}
	}
	part[arnParts-1] = s
	return part, true
}

// roleOf is the ARN of the role behind a session, for a role without a path:
// the session's ARN leaves the path out.
func roleOf(session outcrop.ARNParts) outcrop.ARN {
	name, _, _ := strings.Cut(session.ResourceID(), "/")
	session.Service, session.Resource = "iam", "role/"+name
	return session.ARN()
}

// A grip is how tightly a policy's Principal element holds the caller. Within
// an account, the tighter it is the more of the caller's own policies an Allow
// makes unnecessary (AWS evaluation logic, "resource-based policies").
type grip uint8

const (
	noGrip      grip = iota
	byAccount        // through the account: the caller's own policies must allow too
	byRole           // through its role: only the boundary and session policy must
	byPrincipal      // itself: nothing else must
)

// grips says whether the statement's principals include the caller, and how.
// A statement without principals, in an identity policy, includes everyone.
func (s *Statement) grips(e *evaluation) (grip, bool) {
	switch {
	case len(s.Principals) == 0:
		return noGrip, true
	case s.NotPrincipal && s.Effect == Deny:
		return noGrip, !s.spares(e)
	}
	best, found := noGrip, false
	for _, p := range s.Principals {
		if g, ok := p.grips(e, s.Effect); ok {
			best, found = max(best, g), true
		}
	}
	switch {
	case !s.NotPrincipal:
		return best, found
	case e.req.Federated != "": // an identity provider has to be named
		return noGrip, false
	case e.caller.kind == outsideCaller:
		return byPrincipal, !found // it has no policies of its own
	}
	return byAccount, !found
}

// spares says whether a Deny by NotPrincipal leaves the caller out: when it
// names the caller and whatever the caller is part of, which is the account
// and, of a session, the role. Who names an account spares its root user
// alone, and who names a user alone spares nobody (IAM user guide, "AWS JSON
// policy elements: NotPrincipal").
func (s *Statement) spares(e *evaluation) bool {
	if e.caller.kind == outsideCaller {
		return slices.ContainsFunc(s.Principals, func(p Principal) bool {
			_, ok := p.grips(e, Deny)
			return ok
		})
	}
	root := outcrop.ARNParts{Partition: e.req.Principal.Parts().Partition, Service: "iam", Account: e.caller.account, Resource: "root"}.ARN()
	parts := []outcrop.ARN{root, e.req.Principal}
	if e.caller.kind == sessionCaller {
		parts = append(parts, e.caller.role)
	}
	for _, part := range parts {
		e.steps += len(s.Principals)
		if !slices.ContainsFunc(s.Principals, func(p Principal) bool {
			return p.Type == "AWS" && (p.Value == "*" || p.Value == string(part) || part == root && p.account() == e.caller.account)
		}) {
			return false
		}
	}
	return true
}

func (p Principal) grips(e *evaluation, effect Effect) (grip, bool) {
	e.steps++
	switch p.Type {
	case "Service":
		return byPrincipal, e.req.Service != "" && (p.Value == e.req.Service || p.Value == "*")
	case "Federated":
		return byPrincipal, e.req.Federated != "" && (p.Value == e.req.Federated || p.Value == "*")
	case "AWS":
		return p.gripsAWS(e, effect)
	}
	return noGrip, false
}

func (p Principal) gripsAWS(e *evaluation, effect Effect) (grip, bool) {
	session := e.caller.kind == sessionCaller
	switch {
	case e.req.Federated != "": // to be let in, an identity provider has to be named
		return byPrincipal, p.Value == "*" && effect == Deny
	case p.Value == "*" && session:
		return byRole, true
	case p.Value == "*":
		return byPrincipal, true
	case e.caller.kind == outsideCaller:
		return noGrip, false
	case p.Value == string(e.req.Principal):
		return byPrincipal, true
	case session && p.Value == string(e.caller.role):
		return byRole, true
	}
	return byAccount, e.caller.account != "" && p.account() == e.caller.account
}

// account that p stands for as a whole, or empty.
func (p Principal) account() outcrop.AccountID {
	if accountIDs.MatchString(p.Value) {
		return outcrop.AccountID(p.Value)
	}
	if arn := outcrop.ARN(p.Value).Parts(); arn.Service == "iam" && arn.Resource == "root" {
		return arn.Account
	}
	return ""
}
