package identity

import (
	"context"
	"slices"
	"strings"
	"time"

	"outcrop"
	"outcrop/iam"
)

// Lives of temporary credentials (STS service model and API reference).
const (
	MinSessionLife     = 15 * time.Minute
	defaultRoleLife    = time.Hour
	maxChainedLife     = time.Hour
	defaultUserLife    = 12 * time.Hour
	MaxUserSessionLife = 36 * time.Hour
	maxRootLife        = time.Hour

	maxSessionPolicyARNs = 10
)

// An AssumeRequest is what AssumeRole and AssumeRoleWithWebIdentity of STS
// take.
type AssumeRequest struct {
	Role           outcrop.ARN
	Name           string        // RoleSessionName
	Life           time.Duration // zero is one hour
	Policy         string        // session policy; empty when none
	PolicyARNs     []outcrop.ARN // managed session policies
	Tags           outcrop.Tags  // session tags
	Transitive     []string      // keys of Tags that roles assumed with the session inherit
	ExternalID     string
	SourceIdentity string
}

// AssumeRole gives who the temporary credentials of a role, if the role's
// trust policy and who's own policies allow it.
func (d *Directory) AssumeRole(ctx context.Context, who outcrop.Caller, q AssumeRequest) (*NewSession, error) {
	if who.Principal == RootARN(who.Account) {
		return nil, denied("Roles may not be assumed by root accounts.")
	}
	if who.Session != nil {
		if err := q.inherit(who.Session); err != nil {
			return nil, err
		}
	}
	if err := q.checkTags(); err != nil {
		return nil, err
	}
	role, err := d.RoleByARN(ctx, q.Role)
	if outcrop.KindOf(err) == outcrop.NotFound {
		role, err = closedRole(q.Role), nil
	}
	if err != nil {
		return nil, err
	}
	if err := d.mayAssume(ctx, who, role, &q); err != nil {
		return nil, err
	}
	return d.startRoleSession(ctx, role, &q, sessionClaims{}, who.Session != nil)
}

// closedRole stands for one that does not exist: it is refused in the words of
// a role that trusts nobody, so that who asks learns of neither.
func closedRole(arn outcrop.ARN) Role {
	p := arn.Parts()
	at := strings.LastIndexByte(p.Resource, '/') + 1
	return Role{Account: p.Account, Name: p.Resource[at:], Path: strings.TrimPrefix(p.Resource[:at], "role"), Trust: trustsNobody}
}

const trustsNobody = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"none.invalid"},"Action":"sts:AssumeRole"}]}`

// inherit takes over what a session hands down to those it starts: its
// transitive tags and its source identity, neither of which can be changed.
func (q *AssumeRequest) inherit(from *outcrop.Session) error {
	if from.SourceIdentity != "" {
		if q.SourceIdentity != "" && q.SourceIdentity != from.SourceIdentity {
			return denied("The source identity of a session cannot be changed.")
		}
		q.SourceIdentity = from.SourceIdentity
	}
	if len(from.Transitive) == 0 {
		return nil
	}
	q.Tags, q.Transitive = q.Tags.Clone(), slices.Clone(q.Transitive)
	if q.Tags == nil {
		q.Tags = outcrop.Tags{}
	}
	for _, k := range from.Transitive {
		if hasFolded(q.Tags, k) {
			return invalidParameter("One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
		}
	}
	for k, v := range from.Tags {
		if slices.ContainsFunc(from.Transitive, func(t string) bool { return strings.EqualFold(t, k) }) {
			q.Tags[k], q.Transitive = v, append(q.Transitive, k)
		}
	}
	return nil
}

func hasFolded(tags outcrop.Tags, key string) bool {
	for k := range tags {
		if strings.EqualFold(k, key) {
			return true
		}
	}
	return false
}

func (q *AssumeRequest) checkTags() error {
	if len(q.Tags) > outcrop.MaxTagsPerResource {
		return invalidParameter("Session tags may not be more than 50.")
	}
	seen := map[string]bool{}
	for k, v := range q.Tags {
		switch {
		case seen[folded(k)]:
			return DuplicateSessionTags()
		case outcrop.ReservedTagKey(k):
			return invalidParameter("The tag key prefix aws: is reserved and may not be used for session tags.")
		case k == "" || len([]rune(k)) > outcrop.MaxTagKeyRunes || len([]rune(v)) > outcrop.MaxTagValueRunes:
			return invalidParameter("A session tag's key has 1 to 128 characters and its value at most 256.")
		}
		seen[folded(k)] = true
	}
	for _, k := range q.Transitive {
		if !hasFolded(q.Tags, k) {
			return invalidParameter("The specified transitive tag key must be included in the requested tags.")
		}
	}
	return nil
}

// startRoleSession checks what is asked of the session itself. c may hold what
// a web identity adds.
func (d *Directory) startRoleSession(ctx context.Context, role Role, q *AssumeRequest, c sessionClaims, chained bool) (*NewSession, error) {
	life := q.Life
	if life == 0 {
		life = defaultRoleLife
	}
	switch {
	case life < MinSessionLife:
		return nil, constraint(int64(life/time.Second), "durationSeconds", "Member must have value greater than or equal to 900")
	case chained && life > maxChainedLife:
		return nil, validation("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	case life > max(role.MaxSession, MinSessionDuration):
		return nil, validation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	if !sessionNames.MatchString(q.Name) {
		return nil, constraint(q.Name, "roleSessionName", "Member must satisfy regular expression pattern: [\\w+=,.@-]*")
	}
	c.account, c.principalID = role.Account, role.ID
	c.session.Role, c.session.Name, c.session.SourceIdentity = role.ARN(), q.Name, q.SourceIdentity
	c.session.Tags, c.session.Transitive = q.Tags, q.Transitive
	if err := d.setPolicies(ctx, &c, q); err != nil {
		return nil, err
	}
	return d.issueSession(&c, c.rolePrincipal(), life)
}

// setPolicies takes the session policies over. Managed ones stay references:
// they are read when the session is used, as an attached policy is.
func (d *Directory) setPolicies(ctx context.Context, c *sessionClaims, q *AssumeRequest) error {
	if q.Policy != "" {
		if _, err := iam.ParsePolicy([]byte(q.Policy), iam.SessionPolicy); err != nil {
			return err
		}
		c.session.Policies = []string{q.Policy}
	}
	if len(q.PolicyARNs) > maxSessionPolicyARNs {
		return validation("A session may have at most 10 managed policies.")
	}
	for _, arn := range q.PolicyARNs {
		_, err := d.Policy(ctx, c.account, arn)
		if outcrop.KindOf(err) == outcrop.NotFound {
			return validation("Policy %s does not exist or is not attachable.", arn)
		}
		if err != nil {
			return err
		}
		c.policyARNs = append(c.policyARNs, string(arn))
	}
	return nil
}

// emptyPolicy stands for a managed session policy that is no more: it allows
// nothing. Leaving it out would lift the limit it was.
const emptyPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"none:Nothing","Resource":"*"}]}`

// addManagedPolicies reads the session's managed policies.
func (d *Directory) addManagedPolicies(ctx context.Context, c *sessionClaims) error {
	for _, arn := range c.policyARNs {
		p, err := d.Policy(ctx, c.account, outcrop.ARN(arn))
		text := p.Document()
		switch {
		case outcrop.KindOf(err) == outcrop.NotFound:
			text = emptyPolicy
		case err != nil:
			return err
		}
		c.session.Policies = append(c.session.Policies, text)
	}
	return nil
}

// GetSessionToken gives temporary credentials of the caller itself, for life
// (zero: twelve hours). The root user's last an hour at most.
func (d *Directory) GetSessionToken(ctx context.Context, who outcrop.Caller, life time.Duration) (*NewSession, error) {
	if who.Session != nil {
		return nil, denied("Cannot call GetSessionToken with session credentials")
	}
	if life == 0 {
		life = defaultUserLife
	}
	c := sessionClaims{account: who.Account, principalID: who.UserID}
	if who.Principal == RootARN(who.Account) {
		life = min(life, maxRootLife)
	}
	switch {
	case life < MinSessionLife:
		return nil, constraint(int64(life/time.Second), "durationSeconds", "Member must have value greater than or equal to 900")
	case life > MaxUserSessionLife:
		return nil, constraint(int64(life/time.Second), "durationSeconds", "Member must have value less than or equal to 129600")
	}
	return d.issueSession(&c, who.Principal, life)
}

// AccountOfAccessKey tells the account that an access key belongs to, also of
// a session that has ended.
func (d *Directory) AccountOfAccessKey(ctx context.Context, id string) (outcrop.AccountID, error) {
	if a, ok := accountOfKeyID(id); ok {
		return a, nil
	}
	_, u, err := d.store.AccessKey(ctx, id)
	if outcrop.KindOf(err) == outcrop.NotFound {
		return "", validation("The access key id is not known.")
	}
	return u.Account, wrap("find access key", err)
}
