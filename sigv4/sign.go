package sigv4

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"
)

// unsigned are headers that travel changes, or that signing itself writes.
var unsigned = map[string]bool{
	"authorization": true, "connection": true, "expect": true, "host": true, "keep-alive": true,
	"proxy-authorization": true, "te": true, "trailer": true, "transfer-encoding": true, "upgrade": true,
	"user-agent": true, "x-amzn-trace-id": true,
}

// Sign puts an Authorization header on r, with the date and session token it
// needs. payloadHash is PayloadHash of the body, or UnsignedPayload. Headers
// that are set later are not covered.
func Sign(r *http.Request, payloadHash string, by Credentials, scope Scope, at time.Time) error {
	return new(Room).Sign(r, payloadHash, by, scope, at)
}

// A Room is memory for what signing puts into a header. The zero value is
// empty.
type Room struct {
	text                       []byte // of the Authorization
	date, token, authorization [1]string
}

// Sign is Sign in m's memory. What it puts into the header is overwritten when m
// is used for another request: nobody may have a text of it any more by then.
func (m *Room) Sign(r *http.Request, payloadHash string, by Credentials, scope Scope, at time.Time) error {
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	stamp := stampAt(at)
	delete(r.Header, "Authorization")
	m.date[0] = stamp
	r.Header[headerDate] = m.date[:]
	if by.SessionToken != "" {
		m.token[0] = by.SessionToken
		r.Header[headerToken] = m.token[:]
	}
	if scope.Service == serviceS3 { // S3 alone demands the header
		r.Header[headerSHA256] = []string{payloadHash}
	}
	to := targetOf(r)
	query, err := canonicalQuery(to.query)
	if err != nil {
		return err
	}
	w := borrow()
	defer w.giveBack()
	w.signed = canonical{method: r.Method, path: likelyPath(scope.Service, to.path), query: query, payload: payloadHash, request: r}
	w.signed.names = signable(w.names[:0], r.Header)
	m.text = w.appendAuthorization(m.text[:0], stamp, &by, scope)
	m.authorization[0] = unsafe.String(unsafe.SliceData(m.text), len(m.text))
	r.Header["Authorization"] = m.authorization[:]
	return nil
}

func (w *workspace) appendAuthorization(b []byte, stamp string, by *Credentials, scope Scope) []byte {
	c := &w.signed
	date := stamp[:len(dateFormat)]
	b = slices.Grow(b, authorizationBytes)
	b = append(b, algorithm+" Credential="...)
	b = appendScope(append(append(b, by.AccessKey...), '/'), date, scope)
	b = c.appendSigned(append(b, ", SignedHeaders="...))
	return w.appendSignature(append(b, ", Signature="...), signingKey(by, date, scope), stamp, date, scope, c)
}

// authorizationBytes is more than most Authorization headers have.
const authorizationBytes = 320

// Presign puts a signature in the query of r that holds for life, in whole
// seconds. Headers that r has by now are signed and must be sent along.
func Presign(r *http.Request, payloadHash string, by Credentials, scope Scope, at time.Time, life time.Duration) error {
	stamp := stampAt(at)
	names := signable(nil, r.Header)
	presignQuery(r, stamp, names, by, scope, life)
	to := targetOf(r)
	query, err := canonicalQuery(to.query)
	if err != nil {
		return err
	}
	c := canonical{method: r.Method, path: likelyPath(scope.Service, to.path), query: query, payload: payloadHash, request: r}
	c.names = names
	date := stamp[:len(dateFormat)]
	w := borrow()
	defer w.giveBack()
	sum := w.appendSignature(nil, deriveKey(by.Secret, date, scope), stamp, date, scope, &c)
	r.URL.RawQuery += "&" + paramSignature + "=" + string(sum)
	return nil
}

// presignQuery adds everything but the signature.
func presignQuery(r *http.Request, stamp string, names []string, by Credentials, scope Scope, life time.Duration) {
	fields := [][2]string{
		{"X-Amz-Algorithm", algorithm},
		{"X-Amz-Credential", credential(by, stamp[:len(dateFormat)], scope)},
		{"X-Amz-Date", stamp},
		{"X-Amz-SignedHeaders", strings.Join(names, ";")},
		{"X-Amz-Expires", strconv.FormatInt(int64(life/time.Second), 10)},
	}
	if by.SessionToken != "" {
		fields = append(fields, [2]string{headerToken, by.SessionToken})
	}
	for _, f := range fields {
		if r.URL.RawQuery != "" {
			r.URL.RawQuery += "&"
		}
		r.URL.RawQuery += f[0] + "=" + escapeQuery(f[1])
	}
}

func credential(by Credentials, date string, scope Scope) string {
	return by.AccessKey + "/" + string(appendScope(nil, date, scope))
}

// signable appends the names of the headers to sign, in order, with host among
// them.
func signable(names []string, h http.Header) []string {
	names = append(names, "host")
	for name := range h {
		if name = lower(name); !unsigned[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// A second is one that has been written as a stamp.
type second struct {
	unix  int64
	stamp string
}

var lastSecond atomic.Pointer[second]

// stampAt is a time as signatures have it.
func stampAt(at time.Time) string {
	unix := at.Unix()
	if last := lastSecond.Load(); last != nil && last.unix == unix {
		return last.stamp
	}
	now := &second{unix, at.UTC().Format(stampFormat)}
	lastSecond.Store(now)
	return now.stamp
}
