package awsapi

import (
	"crypto/tls"
	"strings"

	"outcrop"
	"outcrop/awsapi/wire"
	"outcrop/iam"
)

// Hidden stands where an audit event has a value that the service model calls
// sensitive. The words are CloudTrail's.
const Hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"

// audit tells of the request once it was answered, however that went.
func (c *call) audit() {
	if c.mux.audit == nil || !c.audits() {
		return
	}
	e := outcrop.AuditEvent{
		Request: c.id, Admitted: c.admitted, Caller: c.who, Status: c.status, ServedIn: c.servedIn,
		Host: c.r.Host, Received: c.received, Answered: c.mux.now(),
	}
	c.name(&e)
	if !c.admitted {
		c.stranger(&e)
	}
	if c.failure != nil {
		e.Code, e.Message = c.failure.Code, c.failure.Message
	}
	if t := c.r.TLS; t != nil {
		e.TLSVersion, e.TLSCipher = tlsVersion(t.Version), tls.CipherSuiteName(t.CipherSuite)
	}
	c.mux.audit(e)
}

// audits says whether anybody wants to be told. An invocation that was served
// is usually kept nowhere but in the ledger.
func (c *call) audits() bool {
	if c.mux.audits == nil || c.service == nil {
		return true
	}
	e := outcrop.AuditEvent{Admitted: c.admitted, Status: c.status}
	if c.failure != nil {
		e.Code = c.failure.Code
	}
	return c.mux.audits(c.service.name, e.Refused())
}

// name says what was asked for. A request that was refused at the door has not
// been routed yet.
func (c *call) name(e *outcrop.AuditEvent) {
	if c.service == nil {
		return
	}
	e.Service, e.Source = c.service.name, c.service.key.scope+".amazonaws.com"
	if c.op == nil {
		if c.op, _, _ = c.service.route(c.r, c.body); c.op == nil {
			return
		}
	}
	e.Operation = c.op.Name
	if c.request.HTTP != nil { // of a raw operation its labels are all that is told: never a conversation
		c.in = c.request.Labels.Tree()
	}
	if e.Input = visible(c.op.Input, c.in); c.service.streamed != nil {
		e.Input = c.in
	}
	if o, _ := iam.OperationOf(e.Service, e.Operation); o.Level != "List" { // nobody keeps a list, and a page is long
		e.Output = visible(c.op.Output, c.out)
	}
}

// stranger says what is known of a sender who was not let in: the id of the key
// it showed, and whose key that is.
func (c *call) stranger(e *outcrop.AuditEvent) {
	e.Caller = outcrop.Caller{Account: c.who.Account, Region: c.mux.fallback, Origin: originOf(c.r)}
	if s := c.sig.signature; s != nil {
		e.ClaimedKey = s.AccessKey
		if c.mux.regions != nil && c.mux.regions(outcrop.Region(s.Region)) {
			e.Caller.Region = outcrop.Region(s.Region)
		}
	}
}

func tlsVersion(v uint16) string {
	switch v {
	case tls.VersionTLS12:
		return "TLSv1.2"
	case tls.VersionTLS13:
		return "TLSv1.3"
	}
	return tls.VersionName(v)
}

// visible copies a tree of shape s without the values that its model calls
// sensitive, its members spelled as CloudTrail does. A tree whose shape is
// unknown is not shown.
func visible(s *wire.Shape, tree map[string]any) map[string]any {
	if s == nil || tree == nil {
		return nil
	}
	out := make(map[string]any, len(tree))
	for _, m := range s.Members {
		if v, ok := tree[m.Name]; ok {
			out[camel(m.Name)] = visibleValue(m.Shape, v)
		}
	}
	return out
}

// camel is a member's name in CloudTrail's spelling: roleName for RoleName.
func camel(name string) string { return strings.ToLower(name[:1]) + name[1:] }

func visibleValue(s *wire.Shape, v any) any {
	if s.Sensitive {
		return Hidden
	}
	switch v := v.(type) {
	case map[string]any:
		if s.Type == wire.Structure {
			return visible(s, v)
		}
		if s.Type != wire.Map {
			return Hidden
		}
		out := make(map[string]any, len(v))
		for k, elem := range v {
			out[k] = visibleValue(s.Value.Shape, elem)
		}
		return out
	case wire.Structs:
		return visibleValue(s, v.Trees())
	case []any:
		if s.Type != wire.List {
			return Hidden
		}
		out := make([]any, len(v))
		for i, elem := range v {
			out[i] = visibleValue(s.Elem.Shape, elem)
		}
		return out
	}
	return v
}
