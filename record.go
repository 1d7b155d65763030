package outcrop

import "time"

// An Operation is a runtime operation's AWS name.
type Operation string

// The operations that make usage.
const (
	OpConverse                 Operation = "Converse"
	OpConverseStream           Operation = "ConverseStream"
	OpInvokeModel              Operation = "InvokeModel"
	OpInvokeModelStream        Operation = "InvokeModelWithResponseStream"
	OpInvokeModelBidirectional Operation = "InvokeModelWithBidirectionalStream"
	OpCountTokens              Operation = "CountTokens" // free, never recorded
)

// Streaming says whether the answer arrives in events.
func (o Operation) Streaming() bool {
	return o == OpConverseStream || o == OpInvokeModelStream || o == OpInvokeModelBidirectional
}

// A UsageRecord is one settled line of the Ledger: everything that metrics,
// logs and bills are folded from, as it was at the time of the call.
type UsageRecord struct {
	Invocation InvocationID
	Seq        Seq // set by the ledger
	Operation  Operation

	Account    AccountID
	Principal  ARN
	AccessKey  string // id only
	SDKAttempt string // amz-sdk-invocation-id, the same over a client's retries

	Started, FirstByte, Ended time.Time // FirstByte is zero when there was none

	Region    Region // source: where the call was made
	ServedIn  Region // where it ran; empty when no attempt was made
	Upstream  string
	Attempts  int
	ModelRef  string // modelId as called
	MetricID  string // value of CloudWatch's ModelId dimension
	Profile   ARN    // profile that was invoked, or empty
	Model     ModelID
	Geography Geography

	Usage Usage
	Quote Quote
	Tags  Tags // of the profile, as they were

	RequestMetadata map[string]string
	ServiceTier     string // tier served; empty is default
	TierAsked       string // tier the call asked for; empty is default
	Latency         string // performance configuration served: "optimized", or empty for standard
	LatencyAsked    string // the one the call asked for

	SessionTags     Tags   // of the caller's session, as they were
	UpstreamRequest string // the upstream's own id of the request that answered, for its bills and its support
	QuotaTokens     Tokens // charged to the quota of tokens per minute
	Binding         string // the short model name that the call used, when a binding resolved it
	Guardrail       string // what a guardrail did: "INTERVENED", or empty
	ImageSize       string // of pictures asked for, in pixels: "1024x1024"
	ImageSteps      int    // steps they were asked to take, as AWS buckets them
	Outcome         Outcome
}

// An Outcome is how an Invocation ended.
type Outcome struct {
	Status     int    // HTTP status the client got or would have got
	Error      string // AWS error code; empty on success
	StopReason string // as Converse reports it
	HungUp     bool   // the client went away before the end
	Recovered  bool   // settled after a crash, from what was known
}
