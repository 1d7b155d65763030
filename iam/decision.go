package iam

import (
	"fmt"
	"strings"

	"outcrop"
)

// A Layer is a kind of policy that a request has to pass.
type Layer uint8

// The layers in the order they are asked and, of several that forbid, named.
const (
	NoLayer Layer = iota
	RCPLayer
	SCPLayer
	ResourceLayer
	TrustLayer
	IdentityLayer
	BoundaryLayer
	SessionLayer

	layers // how many
)

// layerNames are as AWS's messages have them.
var layerNames = [layers]string{
	"policy", "resource control policy", "service control policy", "resource-based policy", "role trust policy",
	"identity-based policy", "permissions boundary", "session policy",
}

// String is the layer's name in denial messages, such as "identity-based policy".
func (l Layer) String() string { return layerNames[l%layers] }

// A Decision is the answer to a Request.
type Decision struct {
	Effect  Effect
	Layer   Layer    // that refused or, of an Allow, that granted
	Reasons []Reason // every statement that spoke
}

// A Reason is one statement that is about the request.
type Reason struct {
	Effect Effect
	Layer  Layer
	Level  int    // in an organisation: 0 is its root
	Policy string // the policy's Name
	Sid    string // empty when the statement has none
	Index  int    // of the statement in its policy, from 0
}

// Allowed says whether the request may go on.
func (d Decision) Allowed() bool { return d.Effect == Allow }

// Deciding are the Reasons that settled it: the Denies of the layer that
// refused, or the Allows of an allowed request. An implicit denial has none:
// nothing spoke where something had to.
func (d Decision) Deciding() []Reason {
	var deciding []Reason
	for _, r := range d.Reasons {
		if r.Effect == d.Effect && (d.Effect == Allow || r.Layer == d.Layer) {
			deciding = append(deciding, r)
		}
	}
	return deciding
}

// String is a line for people, such as
// explicit deny in service control policy p-1, statement "NoGlobal".
func (r Reason) String() string {
	effect := "allow"
	if r.Effect == Deny {
		effect = "explicit deny"
	}
	statement := fmt.Sprintf("%d", r.Index+1)
	if r.Sid != "" {
		statement = fmt.Sprintf("%q", r.Sid)
	}
	return fmt.Sprintf("%s in %s %s, statement %s", effect, r.Layer, r.Policy, statement)
}

// Message says why the request was refused, in AWS's words; it is empty when
// it was not. An action without resources is reported without "on resource"
// (reference/control-plane.md §6.2, §6.4).
func (d Decision) Message(principal, action, resource string) string {
	if d.Allowed() {
		return ""
	}
	on := ""
	if resource != "" && resource != "*" {
		on = " on resource: " + resource
	}
	return fmt.Sprintf("User: %s is not authorized to perform: %s%s %s", principal, action, on, d.because(action))
}

// because is the last part of the message. An organisation's policy is named
// by its ARN, as AWS does since 2026.
func (d Decision) because(action string) string {
	if d.Effect == ImplicitDeny {
		return fmt.Sprintf("because no %s allows the %s action", d.Layer, action)
	}
	phrase := "with an explicit deny in " + article(d.Layer) + " " + d.Layer.String()
	if d.Layer != SCPLayer && d.Layer != RCPLayer {
		return phrase
	}
	for _, r := range d.Deciding() {
		if strings.HasPrefix(r.Policy, "arn:") {
			return phrase + ": " + r.Policy
		}
	}
	return phrase
}

func article(l Layer) string {
	switch l {
	case TrustLayer:
		return "the"
	case IdentityLayer:
		return "an"
	}
	return "a"
}

// Err is the refusal as an error of kind outcrop.Denied with the Message, nil
// when the request is allowed.
func (d Decision) Err(req Request) error {
	if d.Allowed() {
		return nil
	}
	e := outcrop.Errorf(outcrop.Denied, "%s", d.Message(req.caller(), req.Action, string(req.Resource)))
	e.Auth = true
	return e
}

// caller is how messages call the principal.
func (r Request) caller() string {
	if r.Principal != "" {
		return string(r.Principal)
	}
	return r.Service + r.Federated
}
