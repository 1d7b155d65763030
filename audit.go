package outcrop

import "time"

// An AuditEvent is one request after it was answered, as an audit trail keeps
// it. Input and Output are trees by the names of the service model, with their
// first letters in lower case as CloudTrail spells them, and without what the
// model calls sensitive; nobody changes them any more.
type AuditEvent struct {
	Request   InvocationID
	Service   string // as the files of awsapi/model are called: "bedrock-runtime"
	Source    string // AWS's name of the service: "bedrock.amazonaws.com"
	Operation string // empty when the request named none that is known

	Admitted   bool   // it was let in: Caller is who sent it, or nobody for an operation that is sent unsigned
	Caller     Caller // of a request that was not let in: Region, Origin, and the Account of its key where that is known
	ClaimedKey string // access key id that a request which was not let in has shown

	Input    map[string]any // nil when it was not read
	Output   map[string]any // nil for a failure and for the data plane
	Code     string         // AWS error code, empty on success
	Message  string
	Status   int    // HTTP
	ServedIn Region // where a model answered; empty when none did, or it is not known

	Host, TLSVersion, TLSCipher string // TLS is empty for a plain connection
	Received, Answered          time.Time
}

// Refused says whether the request was turned away: nobody knew its sender,
// its sender may not do this, or it came too often.
func (e *AuditEvent) Refused() bool {
	return !e.Admitted || e.Status == 401 || e.Status == 403 || e.Code == "AccessDeniedException"
}

// An AuditQuery asks for events of one account and Region, newest first.
type AuditQuery struct {
	Account    AccountID
	Region     Region
	Start, End time.Time // both inclusive, to the second; zero is without bound
	Key, Value string    // lookup attribute as CloudTrail names it, such as EventName; empty for every event
	Max        int       // how many at most
	Page       string    // Next of the page before; empty for the newest
}

// An AuditPage answers an AuditQuery. It may hold fewer events than asked for,
// even none, and yet have a next page.
type AuditPage struct {
	Events []AuditRecord
	Next   string // empty at the end
}

// An AuditRecord is one event of a trail, read back.
type AuditRecord struct {
	ID, Name, Source string
	Time             time.Time
	ReadOnly         bool
	Username         string
	AccessKey        string
	Resources        []AuditResource
	Text             string // the whole event, as CloudTrail's JSON
}

// An AuditResource is what an event was about, as far as its parameters tell.
type AuditResource struct{ Type, Name string }
