package identity

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"outcrop"
	"outcrop/identity/sealing"
)

// SessionToken is what session tokens are sealed for.
const SessionToken sealing.Purpose = "outcrop identity session-token v1"

// Limits of a session token. AWS keeps its own packed limit to itself; this
// one lets the token of the fullest session fit into a short-term API key,
// which carries it twice encoded, and into the headers that proxies accept.
const (
	maxPackedBytes       = 2 << 10 // policies and tags, compressed
	maxUnpackedBytes     = 64 << 10
	maxSessionTokenBytes = 6 << 10
	sessionVersion       = 1
	sessionSecretBytes   = 30 // 40 characters of base64, as AWS's secrets have
)

// sessionClaims are everything a session token says. Nothing of a session is
// stored: the token itself is the record.
type sessionClaims struct {
	account     outcrop.AccountID
	principalID string // AROA… of the role, AIDA… of the user, or the account's id for its root
	secret      [sessionSecretBytes]byte
	policyARNs  []string // managed session policies, read when the token is used
	session     outcrop.Session
}

func (c *sessionClaims) secretText() string { return base64.StdEncoding.EncodeToString(c.secret[:]) }

// fixed are the claims that are plain strings, in the order of the encoding.
func (c *sessionClaims) fixed() []*string {
	s := &c.session
	return []*string{
		(*string)(&c.account), &c.principalID, (*string)(&s.Role), &s.Name, &s.SourceIdentity,
		(*string)(&s.Provider), &s.Subject, &s.Audience,
	}
}

// encode writes the claims with packed at their end:
//
//	version, secret, issued (Unix seconds), life (seconds), the fixed strings,
//	and to the end what pack makes of policies and tags
func (c *sessionClaims) encode(packed []byte) []byte {
	b := append([]byte{sessionVersion}, c.secret[:]...)
	b = binary.AppendUvarint(b, uint64(c.session.Issued.Unix()))
	b = binary.AppendUvarint(b, uint64(c.session.Expires.Sub(c.session.Issued)/time.Second))
	for _, s := range c.fixed() {
		b = appendText(b, *s)
	}
	return append(b, packed...)
}

var errSessionToken = errors.New("session token: malformed")

// decodeClaims reads what encode wrote.
func decodeClaims(b []byte) (*sessionClaims, error) {
	if len(b) < 1+sessionSecretBytes || b[0] != sessionVersion {
		return nil, errSessionToken
	}
	c := new(sessionClaims)
	r := reader{rest: b[1+copy(c.secret[:], b[1:]):]}
	issued, life := r.number(1<<40), r.number(1<<32)
	c.session.Issued = time.Unix(int64(issued), 0).UTC()
	c.session.Expires = c.session.Issued.Add(time.Duration(life) * time.Second)
	for _, s := range c.fixed() {
		*s = r.text()
	}
	if r.bad {
		return nil, errSessionToken
	}
	return c, c.unpack(r.rest)
}

// packWords are what policies are made of. Compression starts with them, so
// that a policy of one statement takes few bytes. Changing them is a new
// sessionVersion.
const packWords = `arn:aws:iam::aws:policy/arn:aws:iam:::policy/team project environment cost-center department` +
	`{"Version":"2012-10-17","Statement":[{"Sid":"","Effect":"Deny","NotAction":"NotResource":"Condition":{"StringEquals":{"aws:PrincipalTag/` +
	`"aws:RequestedRegion":["us-east-1","us-west-2","eu-west-1"]}},"Action":["bedrock:*","bedrock:Converse","bedrock:InvokeModelWithResponseStream",` +
	`"bedrock:InvokeModel"],"Resource":["*"]"arn:aws:bedrock:*::foundation-model/"arn:aws:bedrock:us-east-1::application-inference-profile/` +
	`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// pack compresses policies and tags; nothing at all packs to nothing. Its
// length against maxPackedBytes is what PackedPolicySize tells.
func (c *sessionClaims) pack() ([]byte, error) {
	s := &c.session
	if len(s.Policies)+len(c.policyARNs)+len(s.Tags)+len(s.Transitive) == 0 {
		return nil, nil
	}
	var plain []byte
	for _, list := range [][]string{s.Policies, c.policyARNs, tagList(s.Tags), s.Transitive} {
		plain = binary.AppendUvarint(plain, uint64(len(list)))
		for _, text := range list {
			plain = appendText(plain, text)
		}
	}
	var out bytes.Buffer
	w, err := flate.NewWriterDict(&out, flate.BestCompression, []byte(packWords))
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func (c *sessionClaims) unpack(packed []byte) error {
	if len(packed) == 0 {
		return nil
	}
	plain, err := io.ReadAll(io.LimitReader(flate.NewReaderDict(bytes.NewReader(packed), []byte(packWords)), maxUnpackedBytes+1))
	if err != nil || len(plain) > maxUnpackedBytes {
		return errSessionToken
	}
	r := reader{rest: plain}
	var tags []string
	for _, list := range []*[]string{&c.session.Policies, &c.policyARNs, &tags, &c.session.Transitive} {
		*list = r.list()
	}
	if r.bad || len(r.rest) > 0 || len(tags)%2 != 0 {
		return errSessionToken
	}
	for pair := range slices.Chunk(tags, 2) {
		if c.session.Tags == nil {
			c.session.Tags = outcrop.Tags{}
		}
		c.session.Tags[pair[0]] = pair[1]
	}
	return nil
}

// tagList is key, value, key, value in sorted order.
func tagList(tags outcrop.Tags) []string {
	var list []string
	for _, k := range tags.Keys() {
		list = append(list, k, tags[k])
	}
	return list
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// A reader takes fields off rest. After the first that is not there everything
// is empty and bad is set.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) number(limit uint64) uint64 {
	v, n := binary.Uvarint(r.rest)
	if r.bad || n <= 0 || v >= limit {
		r.bad = true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) text() string {
	n := r.number(maxUnpackedBytes)
	if r.bad || n > uint64(len(r.rest)) {
		r.bad = true
		return ""
	}
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}

func (r *reader) list() []string {
	n := r.number(maxUnpackedBytes)
	if n > uint64(len(r.rest)) { // each takes a byte at least
		r.bad = true
	}
	var list []string
	for i := uint64(0); i < n && !r.bad; i++ {
		list = append(list, r.text())
	}
	return list
}

// sealSession makes the token of a session whose access key is id.
func (d *Directory) sealSession(id string, c *sessionClaims, packed []byte) (string, error) {
	d.sealing.RLock()
	defer d.sealing.RUnlock()
	sealed, err := d.sealer.Seal(SessionToken, id, string(c.encode(packed)))
	return string(sealed), err
}

// openSession reads a token that was issued with the access key id. Whatever
// is wrong with it, the client learns no more than that it is invalid.
func (d *Directory) openSession(id, token string) (*sessionClaims, error) {
	if len(token) > maxSessionTokenBytes || !canonicalToken(token) {
		return nil, errSessionToken
	}
	plain, err := d.sealer.Open(SessionToken, id, sealing.Sealed(token))
	if err != nil {
		return nil, err
	}
	return decodeClaims([]byte(plain))
}

// canonicalToken says whether token is written as Seal writes it: base64 has
// bits at its end, and line breaks, that decoders pass over.
func canonicalToken(token string) bool {
	text := token[strings.LastIndexByte(token, '.')+1:]
	b, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil && base64.RawURLEncoding.EncodeToString(b) == text
}
