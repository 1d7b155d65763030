package iamapi

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"outcrop"
	"outcrop/iam"
)

// A simulation is a question to the policies of somebody who does not ask.
type simulation struct {
	principal
	scps   [][]*iam.Policy // nil outside an organisation
	now    time.Time
	region outcrop.Region

	sources    map[string]source // by Name of their Policy
	resource   []*iam.Policy
	compiled   *iam.Compiled
	statements int // of all policies; at least 1

	owner       outcrop.AccountID // of resources whose ARN has no account
	context     iam.Context
	regionGiven bool // the caller said what aws:RequestedRegion is
	missing     []string
	actions     []string
	resources   []string
}

// A source is one policy of a simulation and what answers call it.
type source struct {
	id     string // SourcePolicyId
	text   string
	policy *iam.Policy
	spans  func() []span
}

// newSource parses a policy. name tells it from all others.
func newSource(name, id, text string, kind iam.PolicyKind) (source, error) {
	p, err := iam.ParsePolicy([]byte(text), kind)
	if err != nil {
		return source{}, err
	}
	p.Name = name
	return source{id, text, p, sync.OnceValue(func() []span { return statementSpans(text) })}, nil
}

// given reads the policies of a parameter. They are called by its name and
// their number in it, as AWS does: PolicyInputList.1.
func given(parameter string, kind iam.PolicyKind, texts []string) ([]source, error) {
	list := make([]source, len(texts))
	for i, text := range texts {
		id := parameter + "." + strconv.Itoa(i+1)
		p, err := newSource(id, id, text, kind)
		if err != nil {
			return nil, invalidInput("%s: %s", id, message(err))
		}
		list[i] = p
	}
	return list, nil
}

func (s *simulation) readPolicies(in *SimulatePrincipalPolicyInput) error {
	size := len(in.ResourcePolicy)
	for _, text := range slices.Concat(in.PolicyInputList, in.PermissionsBoundaryPolicyInputList) {
		size += len(text)
	}
	if size > maxSimulatedBytes {
		return invalidInput("The policies of a simulation may be %d bytes long together, and these are %d.", maxSimulatedBytes, size)
	}
	identity, err := given("PolicyInputList", iam.IdentityPolicy, in.PolicyInputList)
	if err != nil {
		return err
	}
	boundary, err := given("PermissionsBoundaryPolicyInputList", iam.IdentityPolicy, in.PermissionsBoundaryPolicyInputList)
	if err != nil {
		return err
	}
	s.identity = append(s.identity, identity...)
	if len(boundary) > 0 { // in place of the principal's own
		s.boundary = boundary
	}
	var resource []source
	if in.ResourcePolicy != "" {
		p, err := newSource("ResourcePolicy", "ResourcePolicy", in.ResourcePolicy, iam.ResourcePolicy)
		if err != nil {
			return invalidInput("ResourcePolicy: %s", message(err))
		}
		resource = []source{p}
	}
	s.compile(resource)
	return nil
}

func (s *simulation) compile(resource []source) {
	s.sources = map[string]source{}
	for _, p := range slices.Concat(s.identity, s.boundary, resource) {
		s.sources[p.policy.Name] = p
		s.statements += len(p.policy.Statements)
	}
	for _, p := range slices.Concat(s.scps...) {
		s.statements += len(p.Statements)
	}
	s.statements = max(1, s.statements)
	s.resource = policiesOf(resource)
	s.compiled = iam.Compile(iam.Policies{
		Identity: policiesOf(s.identity), Boundary: policiesOf(s.boundary), Resource: s.resource, SCPs: s.scps,
	})
}

// policiesOf is nil for nil: no boundary is another thing than an empty one.
func policiesOf(list []source) []*iam.Policy {
	var policies []*iam.Policy
	for _, p := range list {
		policies = append(policies, p.policy)
	}
	return policies
}

// readCaller finds out who is simulated. CallerArn goes before PolicySourceArn;
// a resource policy needs somebody whom its Principal can mean.
func (s *simulation) readCaller(in *SimulatePrincipalPolicyInput) error {
	if in.CallerArn != "" {
		p := outcrop.ARN(in.CallerArn).Parts()
		if p.Service != "iam" && p.Service != "sts" || !slices.Contains([]string{"user", "role", "assumed-role"}, p.ResourceType()) || p.ResourceID() == "" {
			return invalidInput("Invalid Caller ARN: %s", in.CallerArn)
		}
		s.arn, s.role, s.account = outcrop.ARN(in.CallerArn), "", p.Account
		if p.ResourceType() == "role" {
			s.arn, s.role = sessionOf(p), outcrop.ARN(in.CallerArn)
		}
	}
	if in.ResourcePolicy != "" && s.arn == "" {
		return invalidInput("A CallerArn must be given together with a ResourcePolicy.")
	}
	if s.arn == "" { // nobody in particular of the account
		s.arn = outcrop.ARNParts{Partition: "aws", Service: "iam", Account: s.account, Resource: "user/simulated"}.ARN()
	}
	s.owner = s.account
	if in.ResourceOwner == "" {
		return nil
	}
	s.owner = outcrop.AccountID(in.ResourceOwner)
	if p, ok := outcrop.ParseARN(in.ResourceOwner); ok {
		s.owner = p.Account
	}
	if len(s.owner) != 12 || strings.Trim(string(s.owner), "0123456789") != "" {
		return invalidInput("Invalid Resource Owner: %s", in.ResourceOwner)
	}
	return nil
}

// readContext fills in what is known of the principal and the time, and over
// it what the caller gives.
func (s *simulation) readContext(in *SimulatePrincipalPolicyInput) error {
	s.context.SetTime(s.now)
	if s.known || in.CallerArn != "" {
		s.context.SetCaller(outcrop.Caller{Account: s.account, Principal: s.arn, UserID: s.id, Region: s.region}, s.role, s.tags)
	}
	for _, e := range in.ContextEntries {
		if e.ContextKeyName == "" {
			return invalidInput("A context entry has no ContextKeyName.")
		}
		switch {
		case strings.HasSuffix(e.ContextKeyType, "List"):
			s.context.SetMulti(e.ContextKeyName, e.ContextKeyValues...)
		case len(e.ContextKeyValues) == 1:
			s.context.Set(e.ContextKeyName, e.ContextKeyValues[0])
		default:
			return invalidInput("The context key %s has %d values: a type other than a list takes one.", e.ContextKeyName, len(e.ContextKeyValues))
		}
		s.regionGiven = s.regionGiven || strings.EqualFold(e.ContextKeyName, iam.KeyRequestedRegion)
	}
	all := make([]source, 0, len(s.sources))
	for _, p := range s.sources {
		all = append(all, p)
	}
	s.missing = slices.DeleteFunc(contextKeys(all), func(key string) bool { return s.context.Values(key) != nil })
	return nil
}

func (s *simulation) readQuestion(in *SimulatePrincipalPolicyInput) error {
	for _, action := range in.ActionNames {
		if !isAction(action) {
			return invalidInput("Invalid Action: %s", action)
		}
	}
	s.actions, s.resources = in.ActionNames, in.ResourceArns
	if len(s.resources) == 0 {
		s.resources = []string{"*"}
	}
	for _, r := range s.resources {
		if _, ok := outcrop.ParseARN(r); !ok && r != "*" {
			return invalidInput("Invalid Resource Arn: %s", r)
		}
	}
	if n := len(s.actions) * len(s.resources); n > maxSimulatedResults {
		return invalidInput("A simulation has at most %d results, and this has %d.", maxSimulatedResults, n)
	}
	return nil
}
