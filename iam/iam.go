// Package iam decides whether a request is allowed, from policies and the
// request alone, and says which statements spoke.
package iam

import "outcrop"

// A PolicyKind is a use that a policy document is put to. It settles which
// elements the document may hold and how refusals are worded.
type PolicyKind uint8

// The kinds of policy.
const (
	IdentityPolicy        PolicyKind = iota // inline in a user, group or role, or AWS-managed
	ManagedPolicy                           // customer-managed: as IdentityPolicy, 6,144 characters
	BoundaryPolicy                          // a managed policy used as permissions boundary
	SessionPolicy                           // passed to AssumeRole and its siblings
	ResourcePolicy                          // attached to a resource; has principals
	TrustPolicy                             // a role's trust policy; has principals, no resources
	ServiceControlPolicy                    // of an organisation, over principals
	ResourceControlPolicy                   // of an organisation, over resources
)

// A Policy is a policy document, validated and compiled: it is never changed
// after ParsePolicy but for its Name, and is safe for concurrent use.
type Policy struct {
	Name       string // how Reasons call it: its ARN, or its name when inline
	Kind       PolicyKind
	Version    string // 2012-10-17 or 2008-10-17
	ID         string // the document's Id, usually empty
	Statements []Statement
	Warnings   []string // what was taken and is probably meant otherwise

	reads Reading
}

// A Statement is one statement of a policy, as written. What Decide uses is
// compiled beside it.
type Statement struct {
	Sid          string
	Effect       Effect
	Actions      []string // with NotAction: what the statement does not cover
	NotAction    bool
	Resources    []string // empty in a trust policy: any resource
	NotResource  bool
	Principals   []Principal
	NotPrincipal bool
	Conditions   []Condition

	match matcher
}

// A Principal is one entry of a Principal element: {"Service": "x"} is
// {Service, x}, and "*" is {AWS, *}.
type Principal struct {
	Type  string // AWS, Service, Federated or CanonicalUser
	Value string
}

// A Condition is one key under one operator of a Condition element.
type Condition struct {
	Operator string // as written, such as ForAnyValue:StringLike
	Key      string // as written
	Values   []string
}

// An Effect is what a statement or a Decision says. Its zero value refuses.
type Effect uint8

// The three effects. Statements have the last two.
const (
	ImplicitDeny Effect = iota // nothing allows it
	Deny                       // a statement forbids it
	Allow
)

// String is the word of EvaluationDecision in SimulatePrincipalPolicy.
func (e Effect) String() string {
	return [...]string{"implicitDeny", "explicitDeny", "allowed"}[min(e, Allow)]
}

// Policies are all the policies that bear on one caller. Identity is the union
// of the user's and the groups' or the role's.
type Policies struct {
	Root        bool // the account's root user: under SCPs only
	Identity    []*Policy
	Boundary    []*Policy   // nil when no permissions boundary is set
	Session     []*Policy   // nil when no session policy was passed
	Resource    []*Policy   // of the resource asked for; for AssumeRole always the role's trust policy, which then has to allow
	SCPs        [][]*Policy // by level from the root to the account; nil for a management account or outside an organisation
	RCPs        [][]*Policy // likewise, of the resource's account; nil when not enforced
	StrictLists bool        // evaluate ListInferenceProfiles against "*" only (reference/control-plane.md §6.4)
}

// A Request is one question: may this caller do this to that, in this context?
// One of Principal, Service and Federated is set.
type Request struct {
	Principal       outcrop.ARN       // of the user, the role session or arn:aws:iam::A:root
	Role            outcrop.ARN       // behind a session; when empty, taken from an assumed-role Principal
	Service         string            // such as bedrock.amazonaws.com
	Federated       string            // identity provider's ARN or name, for AssumeRoleWithWebIdentity
	Action          string            // such as bedrock:InvokeModel; case does not matter
	Resource        outcrop.ARN       // empty or "*" for an action without resources
	ResourceAccount outcrop.AccountID // who owns Resource; when empty, the account in its ARN, if any
	Context         Context
}
