package identity

import (
	"context"

	"outcrop"
	"outcrop/iam"
	"outcrop/identity/oidc"
)

// Actions that starting a session may need.
const (
	actionAssume    = "sts:AssumeRole"
	actionAssumeWeb = "sts:AssumeRoleWithWebIdentity"
	actionTag       = "sts:TagSession"
	actionSource    = "sts:SetSourceIdentity"
)

// A WebIdentity is the bearer of a verified token and who was relied on for it.
type WebIdentity struct {
	Provider outcrop.ARN
	oidc.Bearer
}

// AssumeRoleWithWebIdentity gives the bearer of an issuer's token the temporary
// credentials of a role whose account trusts the issuer and whose trust policy
// allows the token's subject. who is nobody: its Region and Origin count.
func (d *Directory) AssumeRoleWithWebIdentity(ctx context.Context, issuers *oidc.Verifier, who outcrop.Caller, token string, q AssumeRequest) (*NewSession, *WebIdentity, error) {
	iss, err := oidc.TokenIssuer(token)
	if err != nil {
		return nil, nil, err
	}
	p, err := d.ProviderFor(ctx, q.Role.Parts().Account, iss)
	if outcrop.KindOf(err) == outcrop.NotFound {
		return nil, nil, oidc.NoProvider(iss)
	}
	if err != nil {
		return nil, nil, err
	}
	bearer, err := issuers.Verify(ctx, oidc.Trust{URL: p.URL, ClientIDs: p.ClientIDs}, token)
	if err != nil {
		return nil, nil, err
	}
	id := &WebIdentity{Provider: p.ARN(), Bearer: *bearer}
	role, err := d.RoleByARN(ctx, q.Role)
	if outcrop.KindOf(err) == outcrop.NotFound {
		return nil, nil, notFederated()
	}
	if err != nil {
		return nil, nil, err
	}
	q.Tags, q.Transitive, q.SourceIdentity = id.Tags, id.Transitive, id.SourceIdentity
	if err := q.checkTags(); err != nil {
		return nil, nil, err
	}
	if err := mayFederate(role, &q, id, d.federatedContext(who)); err != nil {
		return nil, nil, err
	}
	c := sessionClaims{session: outcrop.Session{Provider: id.Provider, Subject: id.Subject, Audience: id.Audience}}
	s, err := d.startRoleSession(ctx, role, &q, c, false)
	return s, id, err
}

// mayFederate asks the role's trust policy alone: the bearer of a token has no
// policies of its own.
func mayFederate(role Role, q *AssumeRequest, id *WebIdentity, keys iam.Context) error {
	keys = keys.With(q.context(role)).With(id.context())
	trust, err := trustOf(role)
	if err != nil {
		return err
	}
	for _, action := range q.actions(actionAssumeWeb) {
		asked := iam.Request{Federated: string(id.Provider), Action: action, Resource: role.ARN(), Context: keys}
		if !iam.Decide(iam.Policies{Resource: trust}, asked).Allowed() {
			return notFederated()
		}
	}
	return nil
}

// context of a web identity (IAM user guide, "Available keys for AWS OIDC
// federation"): aud is the azp where there is one, oaud then the aud.
func (id *WebIdentity) context() iam.Context {
	var c iam.Context
	c.Set("aws:FederatedProvider", string(id.Provider))
	c.Set(id.Issuer+":aud", id.Audience)
	c.Set(id.Issuer+":sub", id.Subject)
	c.SetMulti(id.Issuer+":oaud", id.Audiences...)
	c.SetMulti(id.Issuer+":amr", id.AuthMethods...)
	return c
}

// context is what the request itself says, for trust policies' conditions.
func (q *AssumeRequest) context(role Role) iam.Context {
	var c iam.Context
	c.Set("sts:RoleSessionName", q.Name)
	if q.ExternalID != "" {
		c.Set("sts:ExternalId", q.ExternalID)
	}
	if q.SourceIdentity != "" {
		c.Set("sts:SourceIdentity", q.SourceIdentity)
	}
	if len(q.Tags) > 0 {
		c.SetRequestTags(q.Tags)
		c.SetMulti("sts:TransitiveTagKeys", q.Transitive...)
	}
	c.SetTags(iam.KeyResourceTag, role.Tags)
	return c
}

// actions are what must be allowed: assuming, and what the session carries.
func (q *AssumeRequest) actions(assume string) []string {
	list := []string{assume}
	if len(q.Tags) > 0 {
		list = append(list, actionTag)
	}
	if q.SourceIdentity != "" {
		list = append(list, actionSource)
	}
	return list
}

func trustOf(role Role) ([]*iam.Policy, error) {
	p, err := iam.ParsePolicy([]byte(role.Trust), iam.TrustPolicy)
	if err != nil {
		return nil, wrap("read trust policy of "+string(role.ARN()), err)
	}
	return []*iam.Policy{p}, nil
}

// federatedContext is what is known of a request that nobody signed.
func (d *Directory) federatedContext(who outcrop.Caller) iam.Context {
	var c iam.Context
	c.SetTime(d.now())
	c.Set(iam.KeyRequestedRegion, string(who.Region))
	c.Set(iam.KeySecureTransport, boolean(who.Origin.TLS))
	for key, value := range map[string]string{iam.KeySourceIP: who.Origin.IP, iam.KeyUserAgent: who.Origin.UserAgent} {
		if value != "" {
			c.Set(key, value)
		}
	}
	return c
}
