package trail

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"outcrop/internal/jsonlex"
)

// hidden stands where a value was. The words are CloudTrail's.
const hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"

// secretMembers are never shown, in whichever operation: the last guard behind
// what the service models call sensitive. Names are in lower case.
var secretMembers = map[string]bool{
	"secretaccesskey": true, "sessiontoken": true, "webidentitytoken": true, "samlassertion": true, "tradeintoken": true,
	"password": true, "oldpassword": true, "newpassword": true, "servicepassword": true,
	"servicecredentialsecret": true, "serviceapikeyvalue": true, "privatekey": true, "secret": true, "token": true,
	"tokencode": true, "authenticationcode1": true, "authenticationcode2": true, "base32stringseed": true, "qrcodepng": true,
}

// secretOf are the members that single operations keep to themselves.
var secretOf = map[string]string{
	"PutUseCaseForModelAccess":   "formdata", // the customer's own business
	"GetUseCaseForModelAccess":   "formdata",
	"DecodeAuthorizationMessage": "encodedmessage",
}

// parameters is a tree as JSON, without secrets, or null. A tree that is too
// large is left out whole, and the record says so.
func parameters(operation string, tree map[string]any) json.RawMessage {
	if len(tree) == 0 {
		return json.RawMessage("null")
	}
	p := printer{secret: secretOf[operation]}
	p.object(tree, 0)
	if p.full() {
		return json.RawMessage(`{"omitted":true,"reason":"value too large"}`)
	}
	return p.buf
}

// maxDepth bounds the nesting that is shown; no service model goes deeper
// without recursion.
const maxDepth = 32

// A printer writes a tree until it is full.
type printer struct {
	buf    []byte
	secret string // name in lower case of a further member to hide
}

func (p *printer) full() bool { return len(p.buf) > maxTreeBytes }

func (p *printer) object(tree map[string]any, depth int) {
	p.buf = append(p.buf, '{')
	for i, name := range slices.Sorted(maps.Keys(tree)) {
		if p.full() {
			break
		}
		if i > 0 {
			p.buf = append(p.buf, ',')
		}
		p.buf = append(jsonlex.AppendString(p.buf, scrub(name)), ':')
		if lower := strings.ToLower(name); secretMembers[lower] || lower == p.secret {
			p.string(hidden)
			continue
		}
		p.value(tree[name], depth+1)
	}
	p.buf = append(p.buf, '}')
}

// value writes what a tree may hold. Bytes and documents are not shown: nobody
// knows what is in them.
func (p *printer) value(v any, depth int) {
	switch v := v.(type) {
	case string:
		p.string(v)
	case bool, int64, float64:
		p.scalar(v)
	case time.Time:
		p.string(v.UTC().Format(time.RFC3339))
	case map[string]any:
		if depth > maxDepth {
			p.string(hidden)
			return
		}
		p.object(v, depth)
	case []any:
		p.list(v, depth)
	case nil:
		p.buf = append(p.buf, "null"...)
	default:
		p.string(hidden)
	}
}

func (p *printer) list(v []any, depth int) {
	if depth > maxDepth {
		p.string(hidden)
		return
	}
	p.buf = append(p.buf, '[')
	for i, elem := range v {
		if p.full() {
			break
		}
		if i > 0 {
			p.buf = append(p.buf, ',')
		}
		p.value(elem, depth+1)
	}
	p.buf = append(p.buf, ']')
}

// string writes s. One that could not fit is not looked at.
func (p *printer) string(s string) {
	if len(s) > maxTreeBytes {
		p.buf = append(p.buf, make([]byte, maxTreeBytes+1)...)
		return
	}
	p.buf = jsonlex.AppendString(p.buf, scrub(s))
}

func (p *printer) scalar(v any) {
	b, err := json.Marshal(v) // fails for NaN and the infinities only
	if err != nil {
		b = []byte("null")
	}
	p.buf = append(p.buf, b...)
}
