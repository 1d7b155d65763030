package trail

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"outcrop"
	"outcrop/iam"
)

// Limits of a record's parts, as CloudTrail documents them.
const (
	maxTextBytes = 1 << 10   // of an error message, a user agent, a host
	maxTreeBytes = 100 << 10 // of requestParameters and of responseElements, as JSON
)

// A record is one event in CloudTrail's form, version 1.11. The order of the
// members is CloudTrail's; gap is ours and comes last.
type record struct {
	EventVersion       string          `json:"eventVersion"`
	UserIdentity       userIdentity    `json:"userIdentity"`
	EventTime          string          `json:"eventTime"`
	EventSource        string          `json:"eventSource"`
	EventName          string          `json:"eventName"`
	Region             outcrop.Region  `json:"awsRegion"`
	SourceIP           string          `json:"sourceIPAddress"`
	UserAgent          string          `json:"userAgent"`
	ErrorCode          string          `json:"errorCode,omitempty"`
	ErrorMessage       string          `json:"errorMessage,omitempty"`
	RequestParameters  json.RawMessage `json:"requestParameters"`
	ResponseElements   json.RawMessage `json:"responseElements"`
	AdditionalData     *additionalData `json:"additionalEventData,omitempty"`
	RequestID          string          `json:"requestID"`
	EventID            string          `json:"eventID"`
	ReadOnly           bool            `json:"readOnly"`
	EventType          string          `json:"eventType"`
	ManagementEvent    bool            `json:"managementEvent"`
	RecipientAccountID string          `json:"recipientAccountId"`
	EventCategory      string          `json:"eventCategory"`
	TLS                *tlsDetails     `json:"tlsDetails,omitempty"`
}

type additionalData struct {
	InferenceRegion     outcrop.Region `json:"inferenceRegion,omitempty"`
	CallWithBearerToken bool           `json:"callWithBearerToken,omitempty"`
}

type tlsDetails struct {
	Version string `json:"tlsVersion"`
	Cipher  string `json:"cipherSuite"`
	Host    string `json:"clientProvidedHostHeader"`
}

// unnamed is the eventName of a refused request that named no operation.
const unnamed = "Unknown"

// line is the event's record with its end of line.
func (t *Trail) line(e *outcrop.AuditEvent) []byte {
	operation, _ := iam.OperationOf(e.Service, e.Operation)
	r := record{
		EventVersion: "1.11", UserIdentity: identityOf(e), EventTime: e.Answered.UTC().Format(time.RFC3339),
		EventSource: e.Source, EventName: e.Operation, Region: e.Caller.Region,
		SourceIP: e.Caller.Origin.IP, UserAgent: text(e.Caller.Origin.UserAgent), ErrorCode: e.Code, ErrorMessage: text(e.Message),
		RequestParameters: parameters(e.Operation, e.Input), AdditionalData: additional(e),
		RequestID: string(e.Request), EventID: newEventID(), ReadOnly: readOnly(e, operation),
		EventType: "AwsApiCall", ManagementEvent: true, EventCategory: "Management",
		RecipientAccountID: string(t.recipient(e)), TLS: tlsOf(e),
	}
	if r.EventName == "" {
		r.EventName = unnamed
	}
	if writes(operation) && e.Code == "" {
		r.ResponseElements = parameters(e.Operation, e.Output)
	}
	b, err := json.Marshal(r)
	if err != nil { // impossible: the raw members are our own encoding
		t.opts.Log.Error("audit record could not be encoded", "request", e.Request, "err", err)
		return fmt.Appendf(nil, `{"eventVersion":"1.11","requestID":%q,"errorCode":"InternalFailure"}`+"\n", e.Request)
	}
	return append(b, '\n')
}

// writes says whether the operation's answer is worth keeping.
func writes(o iam.Operation) bool { return o.Level != "Read" && o.Level != "List" && o.Level != "" }

// readOnly is CloudTrail's: what STS does leaves nothing behind.
func readOnly(e *outcrop.AuditEvent, o iam.Operation) bool {
	return o.Level == "Read" || o.Level == "List" || e.Service == "sts"
}

var accountID = regexp.MustCompile(`\A[0-9]{12}\z`)

// recipient is the account whose trail keeps the event. One who signs in with a
// web identity belongs to none: the role's account keeps it.
func (t *Trail) recipient(e *outcrop.AuditEvent) outcrop.AccountID {
	if e.Caller.Account != "" {
		return e.Caller.Account
	}
	role, _ := e.Input["roleArn"].(string)
	if account := outcrop.ARN(role).Parts().Account; e.Admitted && accountID.MatchString(string(account)) {
		return account
	}
	return t.opts.Account
}

// additional names the Region a model answered in when it is not the one that
// was called (reference/runtime-metering-billing.md), and calls with an API key.
func additional(e *outcrop.AuditEvent) *additionalData {
	a := additionalData{CallWithBearerToken: e.Caller.Bearer}
	if e.ServedIn != e.Caller.Region {
		a.InferenceRegion = e.ServedIn
	}
	if a == (additionalData{}) {
		return nil
	}
	return &a
}

func tlsOf(e *outcrop.AuditEvent) *tlsDetails {
	if e.TLSVersion == "" {
		return nil
	}
	return &tlsDetails{e.TLSVersion, e.TLSCipher, text(e.Host)}
}

// text bounds what the client wrote, and takes secrets out of it.
func text(s string) string {
	return cut(scrub(cut(s, 2*maxTextBytes)), maxTextBytes) // in this order: no half of a secret stands at the end
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// newEventID mints a random UUID (version 4).
func newEventID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
