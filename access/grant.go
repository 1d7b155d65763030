package access

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"outcrop/iam"
)

// A Grant is the least policy with which a principal may read and invoke a
// profile. Nothing has changed until Write.
type Grant struct {
	Principal  *Principal
	PolicyName string
	Policy     []byte // indented JSON
	client     *Client
}

// Grant makes the policy for the principal that to names to invoke the
// profile that id names, as the principal's account sees it.
func (c *Client) Grant(ctx context.Context, id, to string) (*Grant, error) {
	p, there, err := c.Find(ctx, to)
	if err != nil {
		return nil, err
	}
	t, err := there.Target(ctx, id)
	if err != nil {
		return nil, err
	}
	return &Grant{p, "invoke-" + policyName(t.Profile.ID), iam.LeastPolicy(t.Profile, t.Destinations), there}, nil
}

// policyName keeps what IAM allows in the name of a policy.
func policyName(id string) string {
	const maxPolicyNameBytes = 128 - len("invoke-")
	name := strings.Map(func(r rune) rune {
		if r == ':' || r == '/' {
			return '-'
		}
		return r
	}, id)
	return name[:min(len(name), maxPolicyNameBytes)]
}

// Write makes the policy an inline policy of the principal. Granting twice is
// granting once.
func (g *Grant) Write(ctx context.Context) error {
	in := url.Values{g.Principal.Kind + "Name": {g.Principal.Name}, "PolicyName": {g.PolicyName}, "PolicyDocument": {string(g.Policy)}}
	if err := g.client.form(ctx, "iam", "Put"+g.Principal.Kind+"Policy", in, nil); err != nil {
		return fmt.Errorf("grant to %s: %w", g.Principal.ARN, err)
	}
	return nil
}
