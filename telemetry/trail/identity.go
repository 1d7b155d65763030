package trail

import (
	"strings"
	"time"

	"outcrop"
	"outcrop/internal/textform"
)

// A userIdentity is who made the request, in CloudTrail's words.
type userIdentity struct {
	Type             string          `json:"type"`
	PrincipalID      string          `json:"principalId,omitempty"`
	ARN              outcrop.ARN     `json:"arn,omitempty"`
	AccountID        string          `json:"accountId,omitempty"`
	AccessKeyID      string          `json:"accessKeyId,omitempty"`
	UserName         string          `json:"userName,omitempty"`
	IdentityProvider string          `json:"identityProvider,omitempty"`
	Session          *sessionContext `json:"sessionContext,omitempty"`
}

type sessionContext struct {
	Issuer         *sessionIssuer    `json:"sessionIssuer,omitempty"`
	WebIdentity    *webIdentity      `json:"webIdFederationData,omitempty"`
	Attributes     map[string]string `json:"attributes"`
	SourceIdentity string            `json:"sourceIdentity,omitempty"`
}

type sessionIssuer struct {
	Type        string      `json:"type"`
	PrincipalID string      `json:"principalId"`
	ARN         outcrop.ARN `json:"arn"`
	AccountID   string      `json:"accountId"`
	UserName    string      `json:"userName"`
}

type webIdentity struct {
	Provider   outcrop.ARN       `json:"federatedProvider"`
	Attributes map[string]string `json:"attributes"`
}

func identityOf(e *outcrop.AuditEvent) userIdentity {
	switch {
	case !e.Admitted:
		return stranger(e)
	case e.Caller.Principal == "":
		return webIdentityUser(e)
	}
	return known(&e.Caller)
}

func known(who *outcrop.Caller) userIdentity {
	u := userIdentity{
		Type: "IAMUser", PrincipalID: who.UserID, ARN: who.Principal, AccountID: string(who.Account), AccessKeyID: who.AccessKey,
		Session: sessionOf(who),
	}
	switch kind := who.Principal.Parts().ResourceType(); kind {
	case "user":
		u.UserName = lastSegment(who.Principal)
	case "assumed-role":
		u.Type = "AssumedRole"
	case "root":
		u.Type, u.PrincipalID = "Root", string(who.Account)
	default:
		u.Type = "Unknown"
	}
	return u
}

// sessionOf describes temporary credentials. Nobody has an MFA device here.
func sessionOf(who *outcrop.Caller) *sessionContext {
	s := who.Session
	if s == nil {
		return nil
	}
	c := &sessionContext{SourceIdentity: s.SourceIdentity, Attributes: map[string]string{
		"creationDate": s.Issued.UTC().Format(time.RFC3339), "mfaAuthenticated": "false",
	}}
	if s.Role != "" {
		id, _, _ := strings.Cut(who.UserID, ":")
		c.Issuer = &sessionIssuer{Type: "Role", PrincipalID: id, ARN: s.Role, AccountID: string(s.Role.Parts().Account), UserName: lastSegment(s.Role)}
	}
	if s.Provider != "" {
		host := s.Provider.Parts().ResourceID()
		c.WebIdentity = &webIdentity{s.Provider, map[string]string{host + ":aud": s.Audience, host + ":sub": s.Subject}}
	}
	return c
}

// webIdentityUser is one who signs in with a token: known only once that was
// accepted.
func webIdentityUser(e *outcrop.AuditEvent) userIdentity {
	u := userIdentity{Type: "WebIdentityUser"}
	of := func(name string) string { s, _ := e.Output[name].(string); return s }
	if sub := of("subjectFromWebIdentityToken"); sub != "" {
		u.PrincipalID = of("provider") + ":" + of("audience") + ":" + sub
		u.UserName, u.IdentityProvider = sub, of("provider")
	}
	return u
}

// accessKeyID is what an access key id looks like. What does not may be a
// secret that was put in its place.
var accessKeyID = textform.Of(`[A-Z0-9]*`, 16, 128)

// stranger is one who was not let in. The key is what it claimed to have.
func stranger(e *outcrop.AuditEvent) userIdentity {
	u := userIdentity{Type: "Unknown", AccountID: string(e.Caller.Account)}
	if accessKeyID.MatchString(e.ClaimedKey) {
		u.AccessKeyID = e.ClaimedKey
	}
	return u
}

func lastSegment(a outcrop.ARN) string { return string(a[strings.LastIndexByte(string(a), '/')+1:]) }
