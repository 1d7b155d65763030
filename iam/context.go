package iam

import (
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"outcrop"
)

// A Context holds the condition keys of a request. Names are case-insensitive,
// tag keys inside them too; values are not. The zero value is empty and ready.
type Context struct {
	entries []entry
	below   []entry // keys that hold where entries have none; shared, never changed from here
}

// An entry is one key in lower case. A multi-valued key keeps that property
// with one value: it cannot be a policy variable.
type entry struct {
	key   string
	one   [1]string // the value of a key that is not multi: most are, and need no list of their own
	many  []string
	multi bool
}

func (e *entry) values() []string {
	if e.multi {
		return e.many
	}
	return e.one[:]
}

// Condition keys that Outcrop fills in, in lower case.
const (
	KeyCurrentTime         = "aws:currenttime"
	KeyEpochTime           = "aws:epochtime"
	KeyFederatedProvider   = "aws:federatedprovider"
	KeyMultiFactor         = "aws:multifactorauthpresent"
	KeyPrincipalAccount    = "aws:principalaccount"
	KeyPrincipalARN        = "aws:principalarn"
	KeyPrincipalIsService  = "aws:principalisawsservice"
	KeyPrincipalTag        = "aws:principaltag/"
	KeyPrincipalType       = "aws:principaltype"
	KeyRequestTag          = "aws:requesttag/"
	KeyRequestedRegion     = "aws:requestedregion"
	KeyResourceTag         = "aws:resourcetag/"
	KeySecureTransport     = "aws:securetransport"
	KeySourceIdentity      = "aws:sourceidentity"
	KeySourceIP            = "aws:sourceip"
	KeyTagKeys             = "aws:tagkeys"
	KeyTokenIssueTime      = "aws:tokenissuetime"
	KeyUserAgent           = "aws:useragent"
	KeyUserID              = "aws:userid"
	KeyUsername            = "aws:username"
	KeyViaService          = "aws:viaawsservice"
	KeyBearerTokenType     = "bedrock:bearertokentype"
	KeyGuardrailIdentifier = "bedrock:guardrailidentifier"
	KeyInferenceProfileARN = "bedrock:inferenceprofilearn"
	KeyPromptRouterARN     = "bedrock:promptrouterarn"
	KeyServiceTier         = "bedrock:servicetier"
)

// Set gives key one value in place of any it had.
func (c *Context) Set(key, value string) { c.put(entry{key: key, one: [1]string{value}}) }

// SetMulti gives a multi-valued key its values. None at all is as if the key
// were absent.
func (c *Context) SetMulti(key string, values ...string) {
	c.put(entry{key: key, many: values, multi: true})
}

func (c *Context) put(e entry) {
	c.own()
	e.key = strings.ToLower(e.key)
	for i := range c.entries {
		if c.entries[i].key == e.key {
			c.entries[i] = e
			return
		}
	}
	c.entries = append(c.entries, e)
}

// With is c and, over it, the keys of more. Neither is changed, and neither is
// copied: a call asks several questions that have most keys in common.
func (c Context) With(more Context) Context {
	c.own()
	more.own()
	return Context{slices.Clip(more.entries), slices.Clip(c.entries)}
}

// own gives c entries that are its alone, in one piece.
func (c *Context) own() {
	if len(c.below) == 0 {
		return
	}
	above := c.entries
	*c = Context{entries: append(make([]entry, 0, len(above)+len(c.below)+1), c.below...)}
	for _, e := range above {
		c.put(e)
	}
}

// Values of key, nil when it is absent.
func (c *Context) Values(key string) []string {
	if e := c.find(strings.ToLower(key)); e != nil {
		return e.values()
	}
	return nil
}

// Keys in the order they were set.
func (c *Context) Keys() []string {
	all := *c
	all.own()
	keys := make([]string, len(all.entries))
	for i, e := range all.entries {
		keys[i] = e.key
	}
	return keys
}

// find looks a lower-case key up. A request has some twenty keys: comparing
// them in turn is quicker than building a map for each request. A key without
// values is absent, and hides the one below.
func (c *Context) find(key string) *entry {
	e := within(c.entries, key)
	if e == nil {
		e = within(c.below, key)
	}
	if e == nil || len(e.values()) == 0 {
		return nil
	}
	return e
}

func within(entries []entry, key string) *entry {
	for i := range entries {
		if entries[i].key == key {
			return &entries[i]
		}
	}
	return nil
}

// SetTags sets one key a tag below prefix, such as KeyResourceTag. Where two
// tag keys differ in case only, the last in sorted order is seen.
func (c *Context) SetTags(prefix string, tags outcrop.Tags) {
	if len(tags) == 1 { // needs no order
		for k, v := range tags {
			c.Set(prefix+k, v)
		}
		return
	}
	for _, k := range tags.Keys() {
		c.Set(prefix+k, tags[k])
	}
}

// SetRequestTags sets aws:RequestTag/k for each tag and aws:TagKeys, as
// operations that create or tag do. UntagResource sets KeyTagKeys alone.
func (c *Context) SetRequestTags(tags outcrop.Tags) {
	c.SetTags(KeyRequestTag, tags)
	c.SetMulti(KeyTagKeys, tags.Keys()...)
}

// SetCaller sets the keys that describe who is asking, and the Region asked
// in. role is the role behind an assumed-role session, else empty.
func (c *Context) SetCaller(who outcrop.Caller, role outcrop.ARN, tags outcrop.Tags) {
	const usual = 16 // keys of a request
	c.entries = slices.Grow(c.entries, usual)
	arn := who.Principal
	if role != "" { // aws:PrincipalArn of a session is its role's ARN
		arn = role
	}
	c.Set(KeyPrincipalARN, string(arn))
	c.Set(KeyPrincipalAccount, string(who.Account))
	c.Set(KeyUserID, who.UserID)
	c.Set(KeyPrincipalIsService, "false")
	c.Set(KeyViaService, "false")
	c.Set(KeyRequestedRegion, string(who.Region))
	c.setType(who.Principal.Parts())
	c.SetTags(KeyPrincipalTag, tags)
}

// setType sets aws:PrincipalType and, for a user, aws:username: its name
// without the path.
func (c *Context) setType(p outcrop.ARNParts) {
	switch p.ResourceType() {
	case "user":
		c.Set(KeyPrincipalType, "User")
		c.Set(KeyUsername, p.Resource[strings.LastIndexByte(p.Resource, '/')+1:])
	case "assumed-role":
		c.Set(KeyPrincipalType, "AssumedRole")
	case "federated-user":
		c.Set(KeyPrincipalType, "FederatedUser")
	case "root":
		c.Set(KeyPrincipalType, "Account")
	}
}

// SetSession sets the keys that only temporary credentials have. By
// aws:TokenIssueTime sessions are revoked (the policy AWSRevokeOlderSessions
// denies those begun before a moment); what vouched for a web identity goes on
// being known by its issuer's sub and aud.
func (c *Context) SetSession(s *outcrop.Session) {
	c.Set(KeyTokenIssueTime, s.Issued.UTC().Format(timeFormat))
	c.Set(KeyMultiFactor, "false")
	if s.SourceIdentity != "" {
		c.Set(KeySourceIdentity, s.SourceIdentity)
	}
	if s.Provider == "" {
		return
	}
	c.Set(KeyFederatedProvider, string(s.Provider))
	_, issuer, _ := strings.Cut(s.Provider.Parts().Resource, "/")
	c.Set(issuer+":sub", s.Subject)
	c.Set(issuer+":aud", s.Audience)
}

// SetTime sets aws:CurrentTime and aws:EpochTime.
func (c *Context) SetTime(now time.Time) {
	s := lastSecond.Load()
	if s == nil || s.unix != now.Unix() {
		s = &second{now.Unix(), now.UTC().Format(timeFormat), strconv.FormatInt(now.Unix(), 10)}
		lastSecond.Store(s)
	}
	c.Set(KeyCurrentTime, s.current)
	c.Set(KeyEpochTime, s.epoch)
}

// timeFormat is how times stand in a context.
const timeFormat = "2006-01-02T15:04:05Z"

// A second is written out once, not for each request in it.
type second struct {
	unix           int64
	current, epoch string
}

var lastSecond atomic.Pointer[second]
