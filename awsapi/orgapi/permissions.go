package orgapi

import (
	"context"
	"slices"
	"strings"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/awsapi/wire"
	"outcrop/iam"
	"outcrop/identity"
)

// keyPolicyType is the condition key of operations on policies.
const keyPolicyType = "organizations:policytype"

// on puts an operation behind the door, which asks about every root, unit,
// account and policy that the request names.
func on[In, Out any](a *API, name string, fn func(context.Context, outcrop.Caller, *In) (*Out, error)) awsapi.Handler {
	return awsapi.OpOn(name, func(ctx context.Context, _ outcrop.Caller, op iam.Operation, in *In) []iam.Check {
		return a.touched(ctx, op, wire.Tree(in))
	}, fn)
}

// idMembers are the members that name something in the organisation. They
// mean the same in all operations.
var idMembers = []string{"PolicyId", "AccountId", "OrganizationalUnitId", "RootId", "ParentId", "ChildId", "TargetId", "SourceParentId", "DestinationParentId", "ResourceId"}

// Checks are the questions before an operation with in, by the names of its
// members: for what is done in somebody's name by other means.
func (a *API) Checks(ctx context.Context, operation string, in map[string]any) []iam.Check {
	op, _ := iam.OperationOf("organizations", operation)
	return a.touched(ctx, op, in)
}

func (a *API) touched(ctx context.Context, op iam.Operation, in map[string]any) []iam.Check {
	var keys iam.Context
	if tags := tagsOf(in); op.RequestTags && len(tags) > 0 {
		keys.SetRequestTags(tags)
	}
	if list, ok := in["TagKeys"].([]any); ok && op.TagKeys {
		var names []string
		for _, k := range list {
			name, _ := k.(string)
			names = append(names, name)
		}
		keys.SetMulti(iam.KeyTagKeys, names...)
	}
	for _, member := range []string{"Type", "PolicyType", "Filter"} {
		if t, ok := in[member].(string); ok {
			keys.Set(keyPolicyType, t)
		}
	}
	o, err := a.Identity.Organization(ctx)
	var checks []iam.Check
	for _, member := range idMembers {
		id, _ := in[member].(string)
		kind, arn := a.named(ctx, o, id)
		if _, counts := op.ResourceType(kind); id == "" || err != nil || !counts {
			continue
		}
		check := iam.Check{Action: op.Action, Resource: arn, Context: keys}
		if kind == "policy" {
			check.Context = check.Context.With(a.policyKeys(ctx, id))
		}
		if !slices.ContainsFunc(checks, func(c iam.Check) bool { return c.Resource == arn }) {
			checks = append(checks, check)
		}
	}
	if checks == nil {
		return []iam.Check{{Action: op.Action, Context: keys}}
	}
	return checks
}

func tagsOf(in map[string]any) outcrop.Tags {
	tags := outcrop.Tags{}
	list, _ := in["Tags"].([]any)
	for _, e := range list {
		t, _ := e.(map[string]any)
		key, _ := t["Key"].(string)
		tags[key], _ = t["Value"].(string)
	}
	return tags
}

// named is the resource type and ARN of what an id names.
func (a *API) named(ctx context.Context, o identity.Organization, id string) (string, outcrop.ARN) {
	switch {
	case strings.HasPrefix(id, "r-"):
		return "root", o.RootARN()
	case strings.HasPrefix(id, "ou-"):
		return "organizationalunit", o.UnitARN(id)
	case strings.HasPrefix(id, "p-"):
		p, err := a.Identity.SCP(ctx, id)
		if err != nil {
			p = identity.SCP{ID: id}
		}
		return "policy", o.SCPARN(p)
	}
	return "account", o.AccountARN(outcrop.AccountID(id))
}

func (a *API) policyKeys(ctx context.Context, id string) (keys iam.Context) {
	keys.Set(keyPolicyType, scpType)
	if p, err := a.Identity.SCP(ctx, id); err == nil {
		keys.SetTags(iam.KeyResourceTag, p.Tags)
	}
	return keys
}
