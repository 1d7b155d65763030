package iamapi

import (
	"cmp"
	"net/url"
	"strings"

	"outcrop"
	"outcrop/identity"
)

// document writes a policy as IAM's answers have it: percent-encoded to RFC
// 3986, so that a space is %20 and not +.
func document(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

func pathOf(path string) string { return cmp.Or(path, "/") }

func boundaryOf(arn outcrop.ARN) *AttachedPermissionsBoundary {
	if arn == "" {
		return nil
	}
	return &AttachedPermissionsBoundary{PermissionsBoundaryType: "Policy", PermissionsBoundaryArn: string(arn)}
}

// toTags reads a request's tags. A key twice is refused as IAM does, case
// aside: what the same key with two values means nobody can say.
func toTags(list []Tag) (outcrop.Tags, error) {
	tags := make(outcrop.Tags, len(list))
	for _, t := range list {
		if _, twice := tags[t.Key]; twice {
			return nil, invalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		tags[t.Key] = t.Value
	}
	return tags, nil
}

// fromTags lists tags by key; none at all is nil, which answers leave out.
func fromTags(tags outcrop.Tags) []Tag {
	var list []Tag
	for _, k := range tags.Keys() {
		list = append(list, Tag{k, tags[k]})
	}
	return list
}

// tagPage answers the List…Tags operations.
func tagPage(tags outcrop.Tags, marker string, maxItems *int64) (list []Tag, next string, err error) {
	return cut(fromTags(tags), page(marker, maxItems), func(t Tag) string { return t.Key })
}

// describeUser is a user as GetUser has it. Lists leave tags and boundary out.
func describeUser(u identity.User) User {
	listed := listUser(u)
	listed.Tags, listed.PermissionsBoundary = fromTags(u.Tags), boundaryOf(u.Boundary)
	return listed
}

func listUser(u identity.User) User {
	return User{Path: pathOf(u.Path), UserName: u.Name, UserId: u.ID, Arn: string(u.ARN()), CreateDate: u.Created}
}

func describeGroup(g identity.Group) Group {
	return Group{Path: pathOf(g.Path), GroupName: g.Name, GroupId: g.ID, Arn: string(g.ARN()), CreateDate: g.Created}
}

// describeRole is a role as GetRole has it, but for its last use.
func describeRole(r identity.Role) Role {
	listed := listRole(r)
	listed.Tags, listed.PermissionsBoundary = fromTags(r.Tags), boundaryOf(r.Boundary)
	return listed
}

func listRole(r identity.Role) Role {
	return Role{
		Path: pathOf(r.Path), RoleName: r.Name, RoleId: r.ID, Arn: string(r.ARN()), CreateDate: r.Created, Description: r.Description,
		AssumeRolePolicyDocument: document(r.Trust), MaxSessionDuration: ptr(int64(r.MaxSession.Seconds())),
	}
}

func attachedPolicy(p identity.AttachedPolicy) AttachedPolicy {
	return AttachedPolicy{PolicyName: p.Name, PolicyArn: string(p.ARN)}
}
