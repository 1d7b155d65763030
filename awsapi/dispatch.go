package awsapi

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"

	"outcrop"
	"outcrop/awsapi/model"
	"outcrop/awsapi/wire"
)

// A service is one registered AWS service. Its model is read when its first
// request arrives, so that starting costs nothing.
type service struct {
	name     string // file name of its model
	key      dispatchKey
	model    func() *wire.Service
	router   func() *wire.Router
	handlers map[string]Handler
	duplexes []string // suffixes of paths whose bodies the door must not read
	streamed Streamed // in place of handlers
}

func newService(name string, handlers []Handler) *service {
	s := &service{name: name, key: dispatchKeys[name], handlers: make(map[string]Handler, len(handlers))}
	s.model = sync.OnceValue(func() *wire.Service { return model.Load(name) })
	s.router = sync.OnceValue(func() *wire.Router { return wire.NewRouter(s.model()) })
	for _, h := range handlers {
		s.handlers[h.name] = h
		if h.duplex != "" {
			s.duplexes = append(s.duplexes, h.duplex)
		}
	}
	return s
}

// runtimePaths begin the paths of the services that invoke models; all else
// that is signed for "bedrock" is the control plane
// (reference/runtime-metering-billing.md §0, §3). The forms of other providers
// are services of their own, with models written by hand.
var runtimePaths = []struct{ prefix, service string }{
	{"/model/", "bedrock-runtime"}, {"/async-invoke", "bedrock-runtime"},
	{"/guardrail/", "bedrock-runtime"}, {"/guardrail-checks/", "bedrock-runtime"},
	{"/openai/v1/", "openai"}, {messagesPath, "anthropic"}, {"/v1/", "openai"}, {"/anthropic/v1/", "anthropic"},
}

// messagesPath is where Anthropic's own SDK and tools ask when their base URL
// is the server itself: OpenAI has no path like it.
const messagesPath = "/v1/messages"

// bedrockService is the service of scope "bedrock" that a path belongs to.
func bedrockService(path string) string {
	for _, row := range runtimePaths {
		if strings.HasPrefix(path, row.prefix) {
			return row.service
		}
	}
	return "bedrock"
}

// guess finds the service a request is meant for and the protocol it speaks:
// by the credential scope, else by what the request itself shows. The service
// is nil when it is none of ours; the protocol never is.
func (m *Mux) guess(r *http.Request, scope string) (*service, wire.Protocol) {
	target := first(r.Header, "X-Amz-Target")
	for _, s := range m.services {
		if s.claims(r, scope, target) {
			return s, s.protocol(r)
		}
	}
	switch {
	case target != "":
		return nil, wire.AWSJSON{Version: "1.1"}
	case scope == "s3":
		return nil, s3XML{}
	case isForm(r):
		return nil, wire.Query{} // its clients read errors as XML, and show nothing of any other
	}
	return nil, wire.RESTJSON{}
}

// claims says whether a request is for s.
func (s *service) claims(r *http.Request, scope, target string) bool {
	key := s.key
	if scope != "" && scope != key.scope && !(scope == "bedrock-mantle" && key.compatible) {
		return false
	}
	switch {
	case scope == "" && isForm(r): // only STS has operations that are sent unsigned
		return key.scope == "sts"
	case key.target != "" && target != "":
		return strings.HasPrefix(target, key.target+".")
	case key.scope == "bedrock":
		return target == "" && s.name == bedrockService(r.URL.Path)
	}
	return scope == key.scope
}

// first is h.Get of a name in canonical spelling.
func first(h http.Header, name string) string {
	if values := h[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

func isForm(r *http.Request) bool {
	return strings.HasPrefix(first(r.Header, "Content-Type"), "application/x-www-form-urlencoded")
}

// A dispatchKey tells a service apart before its model is read: the name in the
// credential scope and the prefix of X-Amz-Target. A compatible one speaks the
// form of another provider.
type dispatchKey struct {
	scope, target string
	compatible    bool
}

var dispatchKeys = map[string]dispatchKey{
	"bedrock":                  {scope: "bedrock"},
	"bedrock-runtime":          {scope: "bedrock"},
	"openai":                   {scope: "bedrock", compatible: true},
	"anthropic":                {scope: "bedrock", compatible: true},
	"sts":                      {scope: "sts"},
	"iam":                      {scope: "iam"},
	"ce":                       {scope: "ce", target: "AWSInsightsIndexService"},
	"logs":                     {scope: "logs", target: "Logs_20140328"},
	"cloudwatch":               {scope: "monitoring", target: "GraniteServiceVersion20100801"},
	"bcm-data-exports":         {scope: "bcm-data-exports", target: "AWSBillingAndCostManagementDataExports"},
	"cur":                      {scope: "cur", target: "AWSOrigamiServiceGatewayService"},
	"budgets":                  {scope: "budgets", target: "AWSBudgetServiceGateway"},
	"organizations":            {scope: "organizations", target: "AWSOrganizationsV20161128"},
	"service-quotas":           {scope: "servicequotas", target: "ServiceQuotasV20190624"},
	"resourcegroupstaggingapi": {scope: "tagging", target: "ResourceGroupsTaggingAPI_20170126"},
	"outcrop":                  {scope: "outcrop", target: "Outcrop_20261128"},
	"pricing":                  {scope: "pricing", target: "AWSPriceListService"},
	"cloudtrail":               {scope: "cloudtrail", target: "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101"},
}

// protocol is what the request speaks among the protocols of s.
func (s *service) protocol(r *http.Request) wire.Protocol {
	switch {
	case s.streamed != nil:
		return s3XML{}
	case first(r.Header, "Smithy-Protocol") == "rpc-v2-cbor" || strings.HasPrefix(r.URL.Path, "/service/"):
		return wire.RPCv2CBOR{}
	case first(r.Header, "X-Amz-Target") != "":
		version := "1.1"
		if strings.Contains(first(r.Header, "Content-Type"), "json-1.0") {
			version = "1.0"
		}
		return wire.AWSJSON{Version: version}
	case s.key.compatible:
		return compatible{form: s.name}
	case s.key.scope == "bedrock":
		return wire.RESTJSON{}
	}
	return wire.Query{}
}

// route finds the operation and the labels of its path.
func (s *service) route(r *http.Request, body []byte) (*wire.Operation, wire.Labels, error) {
	var name string
	switch s.protocol(r).(type) {
	case wire.RESTJSON, compatible:
		op, labels, ok := s.router().Match(r.Method, s.path(r), r.URL.RawQuery)
		if !ok {
			return nil, nil, outcrop.Errorf(outcrop.Unimplemented, "%s has no operation %s %s.", s.model().ID, r.Method, r.URL.Path)
		}
		return op, labels, nil
	case wire.AWSJSON:
		name = strings.TrimPrefix(first(r.Header, "X-Amz-Target"), s.model().TargetPrefix+".")
	case wire.RPCv2CBOR:
		name = path.Base(r.URL.Path)
	default:
		name = queryAction(r, body)
	}
	svc := s.model()
	op := svc.Operation(name)
	if op == nil {
		return nil, nil, outcrop.Errorf(outcrop.Unimplemented, "Could not find operation %s of %s.", name, svc.ID)
	}
	return op, nil, nil
}

// path of the request, as the service's model has it: those of other providers
// are served with and without their first part.
func (s *service) path(r *http.Request) string {
	if path := escapedPath(r.URL); !s.key.compatible || !strings.HasPrefix(path, "/v1/") {
		return path
	}
	return "/" + s.name + escapedPath(r.URL)
}

// escapedPath is u.EscapedPath, which decodes the path anew to see whether it
// may be taken as it was sent. That of a model id or an ARN may.
func escapedPath(u *url.URL) string {
	if u.RawPath != "" && spells(u.RawPath, u.Path) {
		return u.RawPath
	}
	return u.EscapedPath()
}

// spells says that raw, decoded, is plain, and has no bytes but those that need
// no closer look.
func spells(raw, plain string) bool {
	n := 0 // bytes of plain that were found
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '/', c == '-', c == '.', c == '_', c == ':':
		case c == '%' && i+2 < len(raw) && isHex(raw[i+1]) && isHex(raw[i+2]):
			c = hexValue(raw[i+1])<<4 | hexValue(raw[i+2])
			i += 2
		default:
			return false
		}
		if n == len(plain) || plain[n] != c {
			return false
		}
		n++
	}
	return n == len(plain)
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&0x0f + 9
}

// invokes says whether the service takes the large bodies of invocations.
func (s *service) invokes() bool { return s.name == "bedrock-runtime" || s.key.compatible }

// queryAction reads Action from a form body or, for GET, from the query.
func queryAction(r *http.Request, body []byte) string {
	if r.Method == http.MethodPost {
		if form, err := url.ParseQuery(string(body)); err == nil && form.Has("Action") {
			return form.Get("Action")
		}
	}
	return r.URL.Query().Get("Action")
}

func unknownService(r *http.Request, scope string) string {
	if scope == "" {
		return fmt.Sprintf("No AWS service was recognised in %s %s: sign the request, or name the operation in X-Amz-Target.", r.Method, r.URL.Path)
	}
	return fmt.Sprintf("Outcrop does not serve the AWS service %q.", scope)
}
