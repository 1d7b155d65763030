package iam

import (
	"slices"
	"strings"

	"outcrop"
)

// The two versions of the policy language. Only the newer has variables.
const (
	version2008 = "2008-10-17"
	version2012 = "2012-10-17"
)

// ParsePolicy reads and compiles a policy document. Its errors are
// MalformedPolicyDocument in IAM's words (as create-policy, put-role-policy
// and create-role answer), or a quota's. Checks are made in the order in which
// IAM was seen to make them.
func ParsePolicy(text []byte, kind PolicyKind) (*Policy, error) {
	root, err := readDocument(text)
	if err != nil {
		return nil, kind.unreadable(err)
	}
	if err := checkSize(text, kind); err != nil {
		return nil, err
	}
	p := &Policy{Kind: kind}
	if err := p.read(root); err != nil {
		return nil, err
	}
	if err := p.validate(); err != nil {
		return nil, err
	}
	for i := range p.Statements {
		p.Statements[i].compile(p.Version == version2012)
	}
	p.reads = p.reading()
	p.warn()
	return p, nil
}

// malformed is the refusal of a document. Organizations has one sentence for
// all of them; the reason stays in the log.
func (k PolicyKind) malformed(message string) error {
	e := outcrop.Errorf(outcrop.Invalid, "%s", message)
	e.Code = "MalformedPolicyDocument"
	if k.organisational() {
		e.Cause = outcrop.Errorf(outcrop.Invalid, "%s", message)
		e.Message = "The provided policy document does not meet the requirements of the specified policy type."
		e.Code = "MalformedPolicyDocumentException"
	}
	return e
}

// syntax is a refusal that names the fault for role trust policies, as
// create-role does, and says only that there is one for all others.
func (k PolicyKind) syntax(fault string) error {
	if k == TrustPolicy {
		return k.malformed(fault)
	}
	e := k.malformed("Syntax errors in policy.")
	e.(*outcrop.Error).Cause = outcrop.Errorf(outcrop.Invalid, "%s", fault)
	return e
}

func (k PolicyKind) unreadable(err error) error {
	e := k.malformed("Syntax errors in policy.").(*outcrop.Error)
	if k == TrustPolicy {
		e.Message = "This policy contains invalid Json"
	}
	return e.Because(err)
}

func (k PolicyKind) organisational() bool {
	return k == ServiceControlPolicy || k == ResourceControlPolicy
}

// hasPrincipals says whether documents of this kind name principals.
func (k PolicyKind) hasPrincipals() bool {
	return k == ResourcePolicy || k == TrustPolicy || k == ResourceControlPolicy
}

func (p *Policy) read(root node) error {
	p.Version = version2008 // what a document without Version has
	hasVersion, hasStatement := false, false
	for _, m := range root.members {
		switch m.name {
		case "Version":
			hasVersion = true
			if m.value.kind != stringNode || m.value.text != version2008 && m.value.text != version2012 {
				return p.Kind.syntax("Invalid Version")
			}
			p.Version = m.value.text
		case "Id":
			if m.value.kind != stringNode {
				return p.Kind.syntax("Invalid Id")
			}
			p.ID = m.value.text
		case "Statement":
			hasStatement = true
			if err := p.readStatements(m.value); err != nil {
				return err
			}
		default:
			return p.Kind.syntax("Unknown field " + m.name)
		}
	}
	if !hasStatement || len(p.Statements) == 0 {
		return p.Kind.syntax("Missing required field Statement")
	}
	return p.checkVersion(hasVersion)
}

// checkVersion: managed policies and SCPs have to be written in the newer
// language, and an inline policy has to say which it is written in. Trust,
// resource and session policies may be as old as they like: the console wrote
// trust policies of 2008-10-17 for years.
func (p *Policy) checkVersion(stated bool) error {
	switch p.Kind {
	case ManagedPolicy, BoundaryPolicy, ServiceControlPolicy, ResourceControlPolicy:
		if p.Version == version2012 {
			return nil
		}
	case IdentityPolicy:
		if stated {
			return nil
		}
	default:
		return nil
	}
	return p.Kind.malformed("Policy document must be version 2012-10-17 or greater.")
}

func (p *Policy) readStatements(list node) error {
	for _, n := range list.list() {
		if n.kind != objectNode {
			return p.Kind.syntax("Invalid Statement")
		}
		var s Statement
		seen := map[string]bool{}
		for _, m := range n.members {
			seen[m.name] = true
			if err := s.read(m, p.Kind); err != nil {
				return err
			}
		}
		for _, pair := range [][2]string{{"Action", "NotAction"}, {"Resource", "NotResource"}, {"Principal", "NotPrincipal"}} {
			if seen[pair[0]] && seen[pair[1]] {
				return p.Kind.syntax("Has both " + pair[0] + " and " + pair[1])
			}
		}
		if !seen["Effect"] {
			return p.Kind.syntax("Missing required field Effect")
		}
		p.Statements = append(p.Statements, s)
	}
	return nil
}

func (s *Statement) read(m member, kind PolicyKind) error {
	ok := true
	switch m.name {
	case "Sid":
		s.Sid, ok = m.value.text, m.value.kind == stringNode
	case "Effect":
		return s.readEffect(m.value, kind)
	case "Action", "NotAction":
		s.NotAction = m.name == "NotAction"
		s.Actions, ok = m.value.strings()
	case "Resource", "NotResource":
		s.NotResource = m.name == "NotResource"
		s.Resources, ok = m.value.strings()
	case "Principal", "NotPrincipal":
		s.NotPrincipal = m.name == "NotPrincipal"
		return s.readPrincipals(m.value, kind)
	case "Condition":
		return s.readConditions(m.value, kind)
	default:
		return kind.syntax("Unknown field " + m.name)
	}
	if !ok {
		return kind.syntax("Invalid " + m.name)
	}
	return nil
}

// readEffect: an effect in other letters, such as "allow", passes the grammar
// and fails what IAM calls legacy parsing.
func (s *Statement) readEffect(n node, kind PolicyKind) error {
	switch {
	case n.kind == stringNode && n.text == "Allow":
		s.Effect = Allow
	case n.kind == stringNode && n.text == "Deny":
		s.Effect = Deny
	case n.kind == stringNode && (strings.EqualFold(n.text, "allow") || strings.EqualFold(n.text, "deny")):
		return kind.malformed("The policy failed legacy parsing")
	default:
		return kind.syntax("Invalid effect: " + n.text)
	}
	return nil
}

// principalTypes are the members of a Principal object.
var principalTypes = []string{"AWS", "Service", "Federated", "CanonicalUser"}

func (s *Statement) readPrincipals(n node, kind PolicyKind) error {
	if !kind.hasPrincipals() {
		return kind.malformed("Policy document should not specify a principal.")
	}
	if n.kind == stringNode && n.text == "*" {
		s.Principals = []Principal{{"AWS", "*"}}
		return nil
	}
	if n.kind != objectNode {
		return kind.malformed("Invalid principal in policy.")
	}
	for _, m := range n.members {
		values, ok := m.value.strings()
		if !ok || !slices.Contains(principalTypes, m.name) {
			return kind.malformed("Invalid principal in policy.")
		}
		for _, v := range values {
			s.Principals = append(s.Principals, Principal{m.name, v})
		}
	}
	return nil
}

func (s *Statement) readConditions(n node, kind PolicyKind) error {
	if n.kind != objectNode {
		return kind.syntax("Invalid Condition")
	}
	for _, operator := range n.members {
		if operator.value.kind != objectNode {
			return kind.syntax("Invalid Condition")
		}
		if _, ok := parseOperator(operator.name); !ok {
			return kind.syntax("Invalid Condition type : " + operator.name)
		}
		for _, key := range operator.value.members {
			values, ok := key.value.scalars()
			if !ok || key.name == "" {
				return kind.syntax("Invalid Condition")
			}
			s.Conditions = append(s.Conditions, Condition{operator.name, key.name, values})
		}
	}
	return nil
}
