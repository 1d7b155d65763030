package iamapi

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/awsapi/wire"
	"outcrop/iam"
	"outcrop/identity"
)

// Condition keys of IAM (Service Authorization Reference).
const (
	keyPolicyARN           = "iam:policyarn"
	keyPermissionsBoundary = "iam:permissionsboundary"
	keyResourceTag         = "iam:resourcetag/"
	keyCredentialService   = "iam:servicespecificcredentialservicename"
	keyCredentialAgeDays   = "iam:servicespecificcredentialagedays"
)

// on puts an operation behind the door, which asks about the user, group,
// role, policy or provider that the request names.
func on[In, Out any](a *API, name string, fn func(context.Context, outcrop.Caller, *In) (*Out, error)) awsapi.Handler {
	return awsapi.OpOn(name, func(ctx context.Context, who outcrop.Caller, op iam.Operation, in *In) []iam.Check {
		return a.touched(ctx, who, op, request(wire.Tree(in)))
	}, fn)
}

// A request is an operation's input by the names of its members. Those of the
// same name mean the same in all operations of IAM.
type request map[string]any

func (r request) text(name string) string {
	s, _ := r[name].(string)
	return s
}

func (r request) tags() outcrop.Tags {
	tags := outcrop.Tags{}
	list, _ := r["Tags"].([]any)
	for _, e := range list {
		t, _ := e.(map[string]any)
		tags[request(t).text("Key")] = request(t).text("Value")
	}
	return tags
}

// Checks are the questions whether who may do an operation with in, by the
// names of its members: for what is done in who's name by other means.
func (a *API) Checks(ctx context.Context, who outcrop.Caller, operation string, in map[string]any) []iam.Check {
	op, _ := iam.OperationOf("iam", operation)
	return a.touched(ctx, who, op, in)
}

// touched is the question whether who may do op to what r names. Nothing is
// "*".
func (a *API) touched(ctx context.Context, who outcrop.Caller, op iam.Operation, r request) []iam.Check {
	check := iam.Check{Action: op.Action}
	kind := ""
	for _, t := range op.Resources {
		if arn, ok := a.named(ctx, who, t.Name, r, &check.Context); ok {
			kind, check.Resource = t.Name, arn
			break
		}
	}
	a.addKeys(ctx, who, r, &check.Context)
	tags := r.tags()
	switch {
	case op.RequestTags && len(tags) > 0:
		check.Context.SetRequestTags(tags)
	case op.TagKeys:
		check.Context.SetMulti(iam.KeyTagKeys, r.texts("TagKeys")...)
	}
	checks := []iam.Check{check}
	if action, ok := tagActions[kind]; ok && len(tags) > 0 && action != op.Action { // tag on create
		check.Action = action
		checks = append(checks, check)
	}
	if to, ok := r.renamed(kind, check.Resource); ok {
		check.Resource = to
		checks = append(checks, check)
	}
	return checks
}

// renamed is the ARN that a user or group will have: who moves it has to be let
// do so where it goes, too.
func (r request) renamed(kind string, from outcrop.ARN) (to outcrop.ARN, ok bool) {
	name, path := cmp.Or(r.text("NewUserName"), r.text("NewGroupName")), r.text("NewPath")
	if name == "" && path == "" {
		return "", false
	}
	p := from.Parts()
	at := strings.LastIndexByte(p.Resource, '/') + 1
	place := p.Resource[:at]
	if path != "" {
		place = kind + path
	}
	p.Resource = place + cmp.Or(name, p.Resource[at:])
	return p.ARN(), true
}

// tagActions are what tagging a resource needs, by type, when it is created.
var tagActions = map[string]string{
	"user": "iam:TagUser", "role": "iam:TagRole", "policy": "iam:TagPolicy", "oidc-provider": "iam:TagOpenIDConnectProvider",
}

func (r request) texts(name string) []string {
	list, _ := r[name].([]any)
	var texts []string
	for _, e := range list {
		if s, ok := e.(string); ok {
			texts = append(texts, s)
		}
	}
	return texts
}

// addKeys sets the keys that IAM's own conditions are about. A policy is known
// by its name in any case, and to conditions as it is spelled itself: else a
// Deny would be avoided by spelling it otherwise.
func (a *API) addKeys(ctx context.Context, who outcrop.Caller, r request, c *iam.Context) {
	for member, key := range map[string]string{"PolicyArn": keyPolicyARN, "PermissionsBoundary": keyPermissionsBoundary} {
		if v := r.text(member); v != "" {
			if p, err := a.Identity.Policy(ctx, who.Account, outcrop.ARN(v)); err == nil {
				v = string(p.ARN())
			}
			c.Set(key, v)
		}
	}
	if v := r.text("ServiceName"); v != "" {
		c.Set(keyCredentialService, v)
	}
	if days, ok := r["CredentialAgeDays"].(int64); ok {
		c.Set(keyCredentialAgeDays, strconv.FormatInt(days, 10))
	}
}

// named finds the ARN of the resource of a type that r is about, and sets the
// keys that belong to it: its tags and its boundary. What is not there yet, or
// not at all, is asked about under the name it would have.
func (a *API) named(ctx context.Context, who outcrop.Caller, kind string, r request, c *iam.Context) (outcrop.ARN, bool) {
	switch kind {
	case "user", "role", "group":
		return a.namedEntity(ctx, who, kind, r, c)
	case "policy":
		return a.namedPolicy(ctx, who, r, c)
	case "oidc-provider":
		arn := outcrop.ARN(r.text("OpenIDConnectProviderArn"))
		if arn == "" {
			return identity.Provider{Account: who.Account, URL: r.text("Url")}.ARN(), r.text("Url") != ""
		}
		if p, err := a.Identity.Provider(ctx, who.Account, arn); err == nil {
			setTags(c, p.Tags)
		}
		return arn, true
	}
	return "", false
}

// namedEntity: some operations name nobody and mean the user who asks, and a
// simulation names its principal by ARN.
func (a *API) namedEntity(ctx context.Context, who outcrop.Caller, kind string, r request, c *iam.Context) (outcrop.ARN, bool) {
	name, account := r.text(strings.ToUpper(kind[:1])+kind[1:]+"Name"), who.Account
	if arn := outcrop.ARN(r.text("PolicySourceArn")); arn != "" {
		if arn.Parts().ResourceType() != kind {
			return "", false
		}
		name = nameOf(arn.Parts())
	}
	if id := r.text("AccessKeyId"); id != "" && name == "" {
		if u, err := a.Identity.AccessKeyOwner(ctx, id); err == nil {
			name, account = u.Name, u.Account
		}
	}
	if name == "" && kind == "user" {
		name, _ = userName(who, "")
	}
	if name == "" {
		return "", false
	}
	planned := outcrop.ARNParts{Partition: "aws", Service: "iam", Account: account, Resource: kind + cmp.Or(r.text("Path"), "/") + name}.ARN()
	rights, tags, arn := a.entity(ctx, kind, account, name)
	setTags(c, tags)
	if rights.Boundary != "" {
		c.Set(keyPermissionsBoundary, string(rights.Boundary))
	}
	return cmp.Or(arn, planned), true
}

// entity is empty for one that does not exist.
func (a *API) entity(ctx context.Context, kind string, account outcrop.AccountID, name string) (identity.Rights, outcrop.Tags, outcrop.ARN) {
	switch kind {
	case "user":
		if u, err := a.Identity.User(ctx, account, name); err == nil {
			return u.Rights, u.Tags, u.ARN()
		}
	case "role":
		if r, err := a.Identity.Role(ctx, account, name); err == nil {
			return r.Rights, r.Tags, r.ARN()
		}
	case "group":
		if g, err := a.Identity.Group(ctx, account, name); err == nil {
			return g.Rights, nil, g.ARN()
		}
	}
	return identity.Rights{}, nil, ""
}

func (a *API) namedPolicy(ctx context.Context, who outcrop.Caller, r request, c *iam.Context) (outcrop.ARN, bool) {
	arn := outcrop.ARN(r.text("PolicyArn"))
	if arn == "" {
		name := r.text("PolicyName")
		return outcrop.ARNParts{Partition: "aws", Service: "iam", Account: who.Account, Resource: "policy" + cmp.Or(r.text("Path"), "/") + name}.ARN(), name != ""
	}
	if p, err := a.Identity.Policy(ctx, who.Account, arn); err == nil {
		setTags(c, p.Tags)
		arn = p.ARN()
	}
	return arn, true
}

// setTags sets the tags of a resource under both names that IAM has for them.
func setTags(c *iam.Context, tags outcrop.Tags) {
	c.SetTags(iam.KeyResourceTag, tags)
	c.SetTags(keyResourceTag, tags)
}
