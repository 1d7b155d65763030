package awsapi

import (
	"context"
	"net"
	"net/http"
	"strings"

	"outcrop"
	"outcrop/iam"
)

// A Policy decides what a caller may do. Authorize returns nil when every
// check is allowed, and else AWS's AccessDenied for the first that is not.
type Policy interface {
	Authorize(ctx context.Context, who outcrop.Caller, checks ...iam.Check) error
}

// A permit is the door's question before one operation acts: ask it once, with
// the resources that the request names.
type permit struct {
	policy    Policy
	operation iam.Operation
	who       outcrop.Caller
}

// permit prepares the question for an operation. One that nobody described
// cannot be asked about, and is refused.
func (m *Mux) permit(service, operation string, who outcrop.Caller) (permit, error) {
	op, ok := iam.OperationOf(service, operation)
	if !ok {
		return permit{}, outcrop.Errorf(outcrop.Denied, "Outcrop does not know which permission %s:%s needs, and refuses it.", service, operation)
	}
	return permit{policy: m.policy, operation: op, who: who}, nil
}

// ask asks about the given resources, or about "*" when there are none.
func (p permit) ask(ctx context.Context, checks []iam.Check) error {
	if p.operation.Free {
		return nil
	}
	if len(checks) == 0 {
		checks = []iam.Check{{Action: p.operation.Action}}
	}
	if p.who.Bearer {
		checks = append([]iam.Check{iam.BearerTokenCheck(BearerTokenType(p.who), p.who.Region)}, checks...)
	}
	return p.policy.Authorize(ctx, p.who, checks...)
}

// BearerTokenType tells a long-term Bedrock API key, a credential of its own
// in IAM, from a short-term one, which is a signature by other credentials.
func BearerTokenType(who outcrop.Caller) string {
	if strings.HasPrefix(who.AccessKey, "ACCA") {
		return iam.LongTermToken
	}
	return iam.ShortTermToken
}

func originOf(r *http.Request) outcrop.Origin {
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		ip = r.RemoteAddr
	}
	return outcrop.Origin{IP: ip, UserAgent: first(r.Header, "User-Agent"), TLS: r.TLS != nil}
}
