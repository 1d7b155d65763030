package iam

import (
	"strings"

	"outcrop"
)

// An Invocation is what is asked about before a model is called. Two that
// compare equal ask the same Checks, as long as nobody changes a Target.
type Invocation struct {
	Target *outcrop.Target
	Action string
	Rules  InvocationRules
}

// Checks are the questions, in AWS's order.
func (i Invocation) Checks() []Check { return i.Rules.Checks(i.Target, i.Action) }

// A Reading is which of the keys that differ between requests of one caller a
// policy looks at, in a condition or by a variable. A decision by policies that
// look at none of them is the same for every such request.
type Reading struct{ Time, SourceIP, UserAgent bool }

// Reads are what the caller's policies look at, all of them together.
func (c *Compiled) Reads() Reading { return c.reads }

func (r *Reading) add(more Reading) {
	r.Time = r.Time || more.Time
	r.SourceIP = r.SourceIP || more.SourceIP
	r.UserAgent = r.UserAgent || more.UserAgent
}

// reading finds what p looks at. What it names without ever looking at it
// counts too.
func (p *Policy) reading() (r Reading) {
	for _, key := range p.ContextKeys() {
		switch strings.ToLower(key) {
		case KeyCurrentTime, KeyEpochTime:
			r.Time = true
		case KeySourceIP:
			r.SourceIP = true
		case KeyUserAgent:
			r.UserAgent = true
		}
	}
	return r
}
