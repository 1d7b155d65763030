package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"outcrop"
)

// sessionPrefix begins the access key ids of temporary credentials.
const sessionPrefix = "ASIA"

// A NewSession is temporary credentials in the only moment they are shown.
type NewSession struct {
	AccessKeyID     string
	SecretAccessKey string         `json:"-"`
	Token           string         `json:"-"`
	Caller          outcrop.Caller // who the credentials speak for
	PackedPercent   int            // PackedPolicySize; 0 when neither policies nor tags were passed
}

func (s NewSession) public() string { return "session " + s.AccessKeyID }

// Format implements fmt.Formatter.
func (s NewSession) Format(f fmt.State, _ rune) { io.WriteString(f, s.public()) }

// LogValue implements slog.LogValuer.
func (s NewSession) LogValue() slog.Value { return slog.StringValue(s.public()) }

// SecretForSession finds the key that a request is signed with: a user's own
// when sessionToken is empty, else that of temporary credentials. An access
// key of one kind used as the other is refused. The session ends at its
// expiry, and when its role or user is deleted, even if another of the same
// name takes its place.
func (d *Directory) SecretForSession(ctx context.Context, accessKey, sessionToken string) (Key, error) {
	temporary := strings.HasPrefix(accessKey, sessionPrefix)
	switch {
	case temporary != (sessionToken != ""):
		return Key{}, unrecognized()
	case !temporary:
		return d.SecretFor(ctx, accessKey)
	}
	k, err := d.sessions.get(ctx, sessionDigest(accessKey, sessionToken), func(ctx context.Context, _ string) (Key, error) {
		return d.loadSession(ctx, accessKey, sessionToken)
	})
	if err == nil && !d.now().Before(k.Caller.Session.Expires) {
		return Key{}, expiredSession()
	}
	return k, err
}

// sessionDigest names a session in memory without keeping its token there.
func sessionDigest(accessKey, token string) string {
	sum := sha256.Sum256([]byte(accessKey + " " + token))
	return string(sum[:])
}

func (d *Directory) loadSession(ctx context.Context, accessKey, token string) (Key, error) {
	c, err := d.openSession(accessKey, token)
	if err != nil {
		return Key{}, unrecognized().Because(err)
	}
	if !d.now().Before(c.session.Expires) { // before the store is asked
		return Key{}, expiredSession()
	}
	principal, err := d.livePrincipal(ctx, c)
	if err != nil {
		return Key{}, err
	}
	if err := d.addManagedPolicies(ctx, c); err != nil {
		return Key{}, err
	}
	return Key{Secret: c.secretText(), Caller: c.caller(accessKey, principal), Active: true}, nil
}

// livePrincipal is who a session speaks for. It refuses the session of a role
// or user that is no more: ids are never used again, as names are.
func (d *Directory) livePrincipal(ctx context.Context, c *sessionClaims) (outcrop.ARN, error) {
	if c.principalID == string(c.account) {
		return RootARN(c.account), nil
	}
	e, err := d.store.EntryByID(ctx, c.principalID)
	if err != nil {
		return "", mustExist(wrap("find principal of session", err), unrecognized())
	}
	if c.session.Role != "" {
		return c.rolePrincipal(), nil
	}
	u, err := UserOf(e) // its name may have changed
	return u.ARN(), err
}

// rolePrincipal names the session itself. The role's path is left out of it.
func (c *sessionClaims) rolePrincipal() outcrop.ARN {
	return outcrop.ARNParts{Partition: "aws", Service: "sts", Account: c.account,
		Resource: "assumed-role/" + lastSegment(c.session.Role) + "/" + c.session.Name}.ARN()
}

// caller is who the session's requests come from.
func (c *sessionClaims) caller(accessKey string, principal outcrop.ARN) outcrop.Caller {
	who := outcrop.Caller{Account: c.account, Principal: principal, UserID: c.principalID, AccessKey: accessKey, Session: &c.session}
	if c.session.Role != "" {
		who.UserID += ":" + c.session.Name
	}
	return who
}

// lastSegment is the name at the end of an ARN whose resource has a path.
func lastSegment(a outcrop.ARN) string {
	return string(a[strings.LastIndexByte(string(a), '/')+1:])
}

// issueSession seals c into principal's temporary credentials that last for life.
func (d *Directory) issueSession(c *sessionClaims, principal outcrop.ARN, life time.Duration) (*NewSession, error) {
	c.session.Issued = d.stamp()
	c.session.Expires = c.session.Issued.Add(life)
	rand.Read(c.secret[:]) // never fails (crypto/rand)
	packed, err := c.pack()
	if err != nil {
		return nil, fmt.Errorf("pack session: %w", err)
	}
	percent := (len(packed)*100 + maxPackedBytes - 1) / maxPackedBytes
	if len(packed) > maxPackedBytes {
		return nil, packedTooLarge(len(c.session.Policies)+len(c.policyARNs) > 0, percent)
	}
	id := newSessionKeyID(c.account)
	token, err := d.sealSession(id, c, packed)
	if err != nil {
		return nil, err
	}
	return &NewSession{AccessKeyID: id, SecretAccessKey: c.secretText(), Token: token, Caller: c.caller(id, principal), PackedPercent: percent}, nil
}

// newSessionKeyID makes an access key id that tells its account the way AWS's
// do, so that GetAccessKeyInfo answers although no session is stored: the 40
// bits from the second bit on are the account number.
func newSessionKeyID(account outcrop.AccountID) string {
	var b [10]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	n, _ := strconv.ParseUint(string(account), 10, 40)
	head := binary.BigEndian.Uint64(b[:8])
	head = head&^(accountMask<<accountShift) | n<<accountShift
	binary.BigEndian.PutUint64(b[:8], head)
	return sessionPrefix + base32.StdEncoding.EncodeToString(b[:])
}

const (
	accountMask  = 1<<40 - 1
	accountShift = 64 - 1 - 40
)

// accountOfKeyID reads the account out of a temporary access key's id.
func accountOfKeyID(id string) (outcrop.AccountID, bool) {
	b, err := base32.StdEncoding.DecodeString(strings.TrimPrefix(id, sessionPrefix))
	if err != nil || len(b) != 10 || !strings.HasPrefix(id, sessionPrefix) {
		return "", false
	}
	n := binary.BigEndian.Uint64(b[:8]) >> accountShift & accountMask
	a := fmt.Sprintf("%012d", n)
	return outcrop.AccountID(a), len(a) == 12
}
