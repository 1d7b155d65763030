// Package outcrop is the dictionary of the product: the nouns every other
// package speaks, and pure functions over them. It imports the standard
// library only and does no I/O.
//
// Where AWS has a word, the dictionary uses it; where AWS uses one word for
// two things, the dictionary has two (see docs/architecture.md).
package outcrop

import "time"

// A Region is where a model answers, such as "us-east-1". Operators may add
// Regions of their own, such as "dc-berlin-1".
type Region string

// A Geography is a set of Regions that data may cross, named by the prefix of
// its system-defined profiles: "us", "eu", "apac", "global" and so on.
type Geography string

// GlobalGeography is the one whose destinations are every commercial Region.
const GlobalGeography Geography = "global"

// An AccountID is a 12-digit AWS account number.
type AccountID string

// A ModelID is a foundation model's Bedrock name, such as
// "amazon.nova-lite-v1:0". A backend's own name is an UpstreamModel.
type ModelID string

// An UpstreamModel is what a backend calls a model, such as "llama-3.3-70b".
type UpstreamModel string

// An InvocationID names one Invocation. It is a UUID and is also the request
// id that the client reads in x-amzn-requestid.
type InvocationID string

// A Seq is a record's place in the Ledger. It starts at 1 and has no gaps.
type Seq uint64

// A Destination is one Region and model that a Target may be served in.
type Destination struct {
	Region Region
	Model  ModelID
}

// An Attempt is one try to have a Destination served by an Upstream.
type Attempt struct {
	Invocation  InvocationID
	Destination Destination
	Upstream    string        // name of the configured upstream, such as "simulator"
	Model       UpstreamModel // what that upstream calls the model
	Number      int           // 1 for the first try
	Target      *Target       // what the call resolved to, for upstreams whose own profiles must keep inside its Destinations; may be nil
	Lane        LaneID        // the router's own number for this upstream, Region and model; 0 when it keeps no memory of it
	Config      uint32        // which reading of the configuration the Upstream comes from
	Prefix      Prefix        // of the prompt, as far as the router keeps calls that share it together
	Told        *Told         // where the upstream notes what its answer has no word for; may be nil
}

// A Told is what an upstream says beside its answer. It belongs to one
// Invocation: the upstream writes it, and its caller reads it afterwards.
type Told struct {
	Request string // the upstream's own id of the request
	// Parts are counts that the answer's usage holds within others: reasoning
	// and speech made within output, speech taken in within input. Kinds that
	// are no tokens stand for themselves.
	Parts PerKind[Tokens]
	// Seen is what was counted before the end, to bill an answer that is cut.
	Seen PerKind[Tokens]
}

// A Route is the order in which to try; never empty, never outside the
// Target's Destinations.
type Route []Attempt

// A Caller is who sent a request, after authentication.
type Caller struct {
	Account   AccountID
	Principal ARN      // arn:aws:iam::123456789012:user/admin
	UserID    string   // AIDA…, as GetCallerIdentity shows it
	AccessKey string   // access key id, or the id of a Bedrock API key; never a secret
	Bearer    bool     // signed in with a Bedrock API key instead of a signature
	Region    Region   // the Region the request was signed for
	Session   *Session // of temporary credentials; nil for a user's own keys
	Origin    Origin
}

// An Origin is where a request came from, as the conditions of policies ask
// for it.
type Origin struct {
	IP        string // of the connection's other end
	UserAgent string
	TLS       bool
}

// A Session is what temporary credentials were issued for, by an operation of
// STS. It is immutable.
type Session struct {
	Role           ARN    // assumed role; empty for GetSessionToken
	Name           string // RoleSessionName
	SourceIdentity string
	Tags           Tags // session tags: aws:PrincipalTag/k, over the role's own
	Transitive     []string
	Policies       []string // session policies, as JSON text; what they do not allow is denied
	Provider       ARN      // OIDC provider that vouched for it; empty otherwise
	Subject        string   // the token's sub
	Audience       string   // the token's aud
	Issued         time.Time
	Expires        time.Time
}

// A FoundationModel is a model and its Bedrock name, as ListFoundationModels
// describes it in one Region.
type FoundationModel struct {
	ID               ModelID
	Name             string // "Nova Lite"
	Provider         string // "Amazon"
	InputModalities  []string
	OutputModalities []string
	Streaming        bool
	Customizations   []string
	InferenceTypes   []string // ON_DEMAND, PROVISIONED, INFERENCE_PROFILE
	Lifecycle        Lifecycle
	ContextWindow    Tokens // 0 when unknown
	MaxOutput        Tokens // 0 when unknown
}

// OnDemand says whether the model may be invoked by its own id, without an
// inference profile.
func (m *FoundationModel) OnDemand() bool {
	for _, t := range m.InferenceTypes {
		if t == "ON_DEMAND" {
			return true
		}
	}
	return false
}

// A Lifecycle says how long a model lives. Zero times are unknown.
type Lifecycle struct {
	Status                                                    string // ACTIVE or LEGACY
	StartOfLife, EndOfLife, LegacySince, PublicExtendedAccess time.Time
}
