package iam

import (
	"strings"

	"outcrop"
)

// A Compiled is a caller's Policies in the order they are asked, made once and
// kept as long as the policies are. It is safe for concurrent use.
type Compiled struct {
	root    bool
	lenient bool
	has     [layers]bool // which layers have to allow
	levels  [layers]int  // of the organisational layers
	asked   []asked
	trust   bool // the resource is a role: its trust policy has to allow, whoever owns it
	reads   Reading
}

// An asked policy has a layer and, in an organisation, a level in it.
type asked struct {
	layer  Layer
	level  int
	policy *Policy
}

// Compile lays p out for Decide. It costs little beside ParsePolicy; keep the
// result for a caller who comes back.
func Compile(p Policies) *Compiled {
	c := &Compiled{root: p.Root, lenient: !p.StrictLists}
	c.addLevels(RCPLayer, p.RCPs)
	c.addLevels(SCPLayer, p.SCPs)
	for _, r := range p.Resource {
		layer := ResourceLayer
		if r.Kind == TrustPolicy {
			layer, c.trust = TrustLayer, true
		}
		c.asked = append(c.asked, asked{layer, 0, r})
	}
	c.add(IdentityLayer, p.Identity)
	c.add(BoundaryLayer, p.Boundary)
	c.add(SessionLayer, p.Session)
	c.has[BoundaryLayer], c.has[SessionLayer] = p.Boundary != nil, p.Session != nil
	for _, a := range c.asked {
		c.reads.add(a.policy.reads)
	}
	return c
}

func (c *Compiled) add(layer Layer, policies []*Policy) {
	for _, p := range policies {
		c.asked = append(c.asked, asked{layer, 0, p})
	}
}

func (c *Compiled) addLevels(layer Layer, levels [][]*Policy) {
	c.has[layer], c.levels[layer] = levels != nil, len(levels)
	for i, policies := range levels {
		for _, p := range policies {
			c.asked = append(c.asked, asked{layer, i, p})
		}
	}
}

// Decide asks p once. Use Compile for a caller who comes back.
func Decide(p Policies, req Request) Decision { return Compile(p).Decide(req) }

// Decide answers the request: an explicit Deny anywhere refuses; then every
// layer that is there has to allow (reference/control-plane.md §6.5). The
// Reasons are all statements that spoke, in the order of the layers.
func (c *Compiled) Decide(req Request) Decision {
	d, _ := c.decide(&req)
	return d
}

func (c *Compiled) decide(req *Request) (Decision, int) {
	e := newEvaluation(req)
	var d Decision
	var t tally
	for i := range c.asked {
		a := &c.asked[i]
		for j := range a.policy.Statements {
			s := &a.policy.Statements[j]
			if grip, ok := s.applies(e, c.lenient); ok {
				t.hear(a, s.Effect, grip)
				d.Reasons = append(d.Reasons, Reason{s.Effect, a.layer, a.level, a.policy.Name, s.Sid, j})
			}
		}
	}
	d.Effect, d.Layer = c.verdict(&t, e)
	return d, e.steps
}

func newEvaluation(req *Request) *evaluation {
	e := &evaluation{req: *req, action: strings.ToLower(req.Action), resource: string(req.Resource), caller: newCaller(req)}
	if e.resource == "" {
		e.resource = "*"
	}
	return e
}

// A tally is who spoke, by layer.
type tally struct {
	denied  [layers]bool
	allowed [layers]bool
	heard   [layers]int // levels with an Allow; they come in order
	last    [layers]int // the last of them, from 1
	grip    grip        // the tightest of the resource's Allows
}

func (t *tally) hear(a *asked, effect Effect, grip grip) {
	if effect == Deny {
		t.denied[a.layer] = true
		return
	}
	t.allowed[a.layer] = true
	if t.last[a.layer] != a.level+1 {
		t.last[a.layer] = a.level + 1
		t.heard[a.layer]++
	}
	if a.layer == ResourceLayer || a.layer == TrustLayer {
		t.grip = max(t.grip, grip)
	}
}

func (c *Compiled) verdict(t *tally, e *evaluation) (Effect, Layer) {
	for layer := RCPLayer; layer < layers; layer++ {
		if t.denied[layer] {
			return Deny, layer
		}
	}
	for _, layer := range []Layer{RCPLayer, SCPLayer} {
		if c.has[layer] && (c.levels[layer] == 0 || t.heard[layer] < c.levels[layer]) {
			return ImplicitDeny, layer
		}
	}
	foreign := e.caller.kind == outsideCaller || e.foreign()
	if (foreign || c.trust) && t.grip == noGrip {
		return ImplicitDeny, c.resourceLayer()
	}
	granted := t.grip
	if foreign && e.caller.kind != outsideCaller {
		granted = byAccount // across accounts both sides have to allow
	}
	return c.own(t, granted)
}

// own asks the caller's own policies, as far as the resource's grant does not
// make them unnecessary.
func (c *Compiled) own(t *tally, granted grip) (Effect, Layer) {
	allowed := IdentityLayer // names the layer of an Allow
	if granted > byAccount {
		allowed = c.resourceLayer()
	}
	switch {
	case c.root, granted == byPrincipal:
	case granted < byRole && !t.allowed[IdentityLayer]:
		return ImplicitDeny, IdentityLayer
	case c.has[BoundaryLayer] && !t.allowed[BoundaryLayer]:
		return ImplicitDeny, BoundaryLayer
	case c.has[SessionLayer] && !t.allowed[SessionLayer]:
		return ImplicitDeny, SessionLayer
	}
	return Allow, allowed
}

func (c *Compiled) resourceLayer() Layer {
	if c.trust {
		return TrustLayer
	}
	return ResourceLayer
}

// foreign says whether another account owns the resource. Resources of no
// account, such as foundation models, and of AWS are everyone's.
func (e *evaluation) foreign() bool {
	owner := e.req.ResourceAccount
	if owner == "" {
		part, _ := splitARN(e.resource)
		owner = outcrop.AccountID(part[4])
	}
	return owner != e.caller.account && accountIDs.MatchString(string(owner))
}
