package access

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"outcrop"
	"outcrop/identity"
	"outcrop/sigv4"
)

// A Principal is a user, role or group that policies can be attached to.
type Principal struct {
	ARN      outcrop.ARN
	Kind     string // User, Role or Group, as IAM's operations spell it
	Name     string
	ID       string
	Boundary outcrop.ARN // empty without a permissions boundary
	Tags     outcrop.Tags
}

var kinds = map[string]string{"user": "User", "role": "Role", "group": "Group"}

// parsePrincipal reads an ARN, KIND/NAME, or the NAME of a user. account is
// empty when the text has none.
func parsePrincipal(text string) (kind, name string, account outcrop.AccountID, err error) {
	resource := text
	if p, ok := outcrop.ParseARN(text); ok {
		if p.Service != "iam" {
			return "", "", "", fmt.Errorf("%s is not the ARN of a user, role or group: of a session, name its role", text)
		}
		resource, account = p.Resource, p.Account
	} else if !strings.Contains(text, "/") {
		resource = "user/" + text
	}
	word, path, _ := strings.Cut(resource, "/")
	name = path[strings.LastIndexByte(path, '/')+1:] // an ARN has the path before the name
	if kind = kinds[word]; kind == "" || name == "" {
		return "", "", "", fmt.Errorf("%q names nobody: give the ARN of a user, role or group, or user/NAME, role/NAME or group/NAME", text)
	}
	return kind, name, account, nil
}

// Find finds a principal, and the client to speak about it with: c itself or,
// in another account, a session of the role by which an organisation's
// management account enters its members.
func (c *Client) Find(ctx context.Context, text string) (*Principal, *Client, error) {
	kind, name, account, err := parsePrincipal(text)
	if err != nil {
		return nil, nil, err
	}
	own, err := c.account(ctx)
	if err != nil {
		return nil, nil, err
	}
	if account != "" && account != own {
		if c, err = c.enter(ctx, account); err != nil {
			return nil, nil, err
		}
	}
	p, err := c.describe(ctx, kind, name)
	if err != nil {
		return nil, nil, err
	}
	if _, isARN := outcrop.ParseARN(text); isARN && string(p.ARN) != text {
		return nil, nil, fmt.Errorf("there is no %s: the %s of that name is %s", text, strings.ToLower(kind), p.ARN)
	}
	return p, c, nil
}

func (c *Client) account(ctx context.Context) (outcrop.AccountID, error) {
	var out struct {
		Account outcrop.AccountID `xml:"GetCallerIdentityResult>Account"`
	}
	return out.Account, c.form(ctx, "sts", "GetCallerIdentity", nil, &out)
}

// enter assumes the access role of a member account.
func (c *Client) enter(ctx context.Context, account outcrop.AccountID) (*Client, error) {
	role := outcrop.ARNParts{Partition: "aws", Service: "iam", Account: account, Resource: "role/" + identity.AccessRole}.ARN()
	var out struct {
		ID     string `xml:"AssumeRoleResult>Credentials>AccessKeyId"`
		Secret string `xml:"AssumeRoleResult>Credentials>SecretAccessKey"`
		Token  string `xml:"AssumeRoleResult>Credentials>SessionToken"`
	}
	if err := c.form(ctx, "sts", "AssumeRole", url.Values{"RoleArn": {string(role)}, "RoleSessionName": {"outcrop"}}, &out); err != nil {
		return nil, fmt.Errorf("enter account %s: %w", account, err)
	}
	there := *c
	there.Keys = sigv4.Credentials{AccessKey: out.ID, Secret: out.Secret, SessionToken: out.Token}
	return &there, nil
}

// described is a user, role or group as the Get operations answer it.
type described struct {
	ARN      outcrop.ARN `xml:"Arn"`
	Name     string
	UserID   string                        `xml:"UserId"`
	RoleID   string                        `xml:"RoleId"`
	Boundary outcrop.ARN                   `xml:"PermissionsBoundary>PermissionsBoundaryArn"`
	Tags     []struct{ Key, Value string } `xml:"Tags>member"`
}

func (c *Client) describe(ctx context.Context, kind, name string) (*Principal, error) {
	var out struct {
		User  described `xml:"GetUserResult>User"`
		Role  described `xml:"GetRoleResult>Role"`
		Group described `xml:"GetGroupResult>Group"`
	}
	if err := c.form(ctx, "iam", "Get"+kind, url.Values{kind + "Name": {name}}, &out); err != nil {
		return nil, err
	}
	d := map[string]described{"User": out.User, "Role": out.Role, "Group": out.Group}[kind]
	p := &Principal{ARN: d.ARN, Kind: kind, Name: name, ID: d.UserID + d.RoleID, Boundary: d.Boundary, Tags: outcrop.Tags{}}
	for _, t := range d.Tags {
		p.Tags[t.Key] = t.Value
	}
	return p, nil
}
