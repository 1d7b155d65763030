package librechat

import (
	"context"
	"encoding/base64"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"outcrop"
	"outcrop/access"
	"outcrop/iam"
)

func checkWho(ctx context.Context, p *patient) {
	l := p.reach()
	switch {
	case l.client == nil:
		p.undecided("%s names no credentials that can be tried here (AWS's default chain, a profile or user_provided).", p.EnvName)
		return
	case l.client.Bearer != "":
		if l.who = ownerOf(l.client.Bearer); l.who == "" {
			p.undecided("the Bedrock API key does not say whose it is; LC48 tries it.")
			return
		}
		p.sayAs(Info, place{}, "", "LibreChat calls with a Bedrock API key of %s.", l.who)
		return
	}
	var out struct {
		ARN outcrop.ARN `xml:"GetCallerIdentityResult>Arn"`
	}
	err := l.client.Form(ctx, "sts", "GetCallerIdentity", nil, &out)
	var f *access.Failure
	switch {
	case errors.As(err, &f):
		p.say(p.envAt(varKey), "Correct the keys: copy both, of one access key.", "the credentials are refused: %s.", f.Message)
	case err != nil:
		p.undecided("who the credentials are: the endpoint cannot be reached (%v).", err)
	default:
		l.who = out.ARN
		p.sayAs(Info, place{}, "", "LibreChat calls as %s.", out.ARN)
	}
}

// laterKey ends the name of all but a user's first key: ann+1-at-ACCOUNT.
var laterKey = regexp.MustCompile(`\+[0-9]{1,2}$`)

// ownerOf reads whose a long-term Bedrock API key says it is: NAME-at-ACCOUNT.
// A user whose own name ends like a later key's is taken for the shorter name.
func ownerOf(key string) outcrop.ARN {
	coded, long := strings.CutPrefix(key, "ABSK")
	raw, err := base64.StdEncoding.DecodeString(coded)
	alias, _, _ := strings.Cut(string(raw), ":")
	at := strings.LastIndex(alias, "-at-")
	if !long || err != nil || at < 1 || !accountID.MatchString(alias[at+4:]) {
		return ""
	}
	return outcrop.ARN("arn:aws:iam::" + alias[at+4:] + ":user/" + laterKey.ReplaceAllString(alias[:at], ""))
}

// A profileView is what GetInferenceProfile answers.
type profileView struct {
	ARN    outcrop.ARN `json:"inferenceProfileArn"`
	ID     string      `json:"inferenceProfileId"`
	Status string      `json:"status"`
	Type   string      `json:"type"`
	Models []struct {
		ARN outcrop.ARN `json:"modelArn"`
	} `json:"models"`
}

func (v *profileView) model() string {
	if len(v.Models) == 0 {
		return ""
	}
	return v.Models[0].ARN.Parts().ResourceID()
}

// askable are the mappings whose profile can be asked about, each ARN once.
func (p *patient) askable() (list []mapEntry) {
	seen := map[string]bool{}
	for _, m := range p.mapped {
		if m.isARN && m.arn.Region != "" && m.arn.Service == "bedrock" && !seen[m.resolved] {
			seen[m.resolved] = true
			list = append(list, m)
		}
	}
	return list
}

func profilePath(id string) string { return "/inference-profiles/" + url.PathEscape(id) }

func checkProfiles(ctx context.Context, p *patient) {
	for _, m := range p.askable() {
		c := p.asker(m.arn.Region)
		if c == nil {
			return
		}
		var v profileView
		err := c.Bedrock(ctx, "GET", profilePath(m.resolved), nil, &v)
		var f *access.Failure
		switch {
		case err == nil:
			p.checkView(m, &v)
		case errors.As(err, &f) && f.Code == "ResourceNotFoundException":
			p.missing(ctx, c, m)
		case errors.As(err, &f) && f.Code == "ValidationException":
			p.say(p.profileAt(m), "Copy the ARN that create-inference-profile answered.", "the profile of '%s' is refused: %s.", m.model, f.Message)
		default:
			p.unable(err, "the profile of "+m.model)
		}
	}
}

func (p *patient) checkView(m mapEntry, v *profileView) {
	switch {
	case v.Status != "ACTIVE":
		p.say(p.profileAt(m), "Wait until it is ACTIVE, or create another.", "the profile of '%s' is %s.", m.model, v.Status)
	case v.Type != "APPLICATION":
		p.sayAs(Warn, p.profileAt(m), "Create an application inference profile from it.", "the profile of '%s' is %s: no cost tags.", m.model, v.Type)
	}
}

// missing looks for the profile's id in the other Regions that are in play.
func (p *patient) missing(ctx context.Context, c *access.Client, m mapEntry) {
	others := append(p.regions(), p.env.get(varRegion), "us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-central-1", "ap-northeast-1")
	slices.Sort(others)
	for _, r := range slices.Compact(others) {
		if r == "" || r == string(m.arn.Region) {
			continue
		}
		there := *c
		there.Region = outcrop.Region(r)
		var v profileView
		if there.Bedrock(ctx, "GET", profilePath(m.arn.ResourceID()), nil, &v) == nil {
			p.say(p.profileAt(m), "Use "+string(v.ARN)+" and "+varRegion+"="+r+".", "the profile of '%s' does not exist in %s; it exists in %s.", m.model, m.arn.Region, r)
			return
		}
	}
	p.say(p.profileAt(m), "Create it (outcrop librechat init), or copy the ARN of one that exists (list-inference-profiles --type-equals APPLICATION).",
		"the profile of '%s' does not exist in %s, as account %s sees it.", m.model, m.arn.Region, m.arn.Account)
}

// views are the profiles that exist.
func (p *patient) views(ctx context.Context, each func(mapEntry, *profileView, *access.Client)) {
	for _, m := range p.askable() {
		c := p.asker(m.arn.Region)
		if c == nil {
			return
		}
		var v profileView
		if c.Bedrock(ctx, "GET", profilePath(m.resolved), nil, &v) == nil {
			each(m, &v, c)
		}
	}
}

func checkSameModel(ctx context.Context, p *patient) {
	p.views(ctx, func(m mapEntry, v *profileView, _ *access.Client) {
		have := v.model()
		if provider(m.model) == "" || family(m.model) == family(have) {
			return
		}
		p.say(p.yamlAt(m.line), "Map it to a profile of its own model, or use the id of "+have+" as key.",
			"'%s' is mapped to a profile of %s: LibreChat will send options that the model refuses.", m.model, have)
	})
}

func checkPermissions(ctx context.Context, p *patient) {
	l := p.reach()
	if l.who == "" {
		p.undecided("whose permissions to ask about is not known (LC42); LC48 tries a call.")
		return
	}
	c := p.signer("")
	if c == nil {
		return
	}
	bearer := ""
	if l.client.Bearer != "" {
		bearer = iam.LongTermToken
	}
	for _, m := range p.askable() {
		there := *c
		there.Region = m.arn.Region
		for _, action := range []string{iam.ActionInvoke, iam.ActionInvokeStream} {
			why, err := there.Explain(ctx, access.Question{Principal: string(l.who), Action: action, Profile: m.resolved, Bearer: bearer})
			if err != nil {
				var f *access.Failure
				if errors.As(err, &f) && f.Code == "ResourceNotFoundException" {
					break // of LC43
				}
				if !p.unable(err, "the permissions of "+string(l.who)) {
					p.undecided("the permissions of %s: %v. LC48 tries a call.", l.who, err)
				}
				return
			}
			if !why.Allowed {
				p.denied(m, why)
				break
			}
		}
	}
}

func (p *patient) denied(m mapEntry, why *access.Explanation) {
	for _, c := range why.Checks {
		if c.Decision == iam.Allow.String() {
			continue
		}
		what := "denied on " + string(c.Resource)
		if c.Resource != why.Profile {
			what = "allowed on the profile, denied on " + string(c.Resource)
		}
		p.say(p.profileAt(m), "Allow bedrock:InvokeModel* there: outcrop grant "+string(why.Profile)+" --to "+string(why.Principal)+".",
			"calls to '%s' are %s in %s, because of %s.", m.model, what, c.Region, c.Because())
		return
	}
}

func checkAvailability(ctx context.Context, p *patient) {
	p.views(ctx, func(m mapEntry, v *profileView, c *access.Client) {
		for _, model := range v.Models {
			at := model.ARN.Parts()
			there := *c
			if at.Region != "" {
				there.Region = at.Region
			}
			var out availability
			err := there.Bedrock(ctx, "GET", "/foundation-model-availability/"+url.PathEscape(at.ResourceID()), nil, &out)
			if err != nil {
				if !p.unable(err, "the model agreement of "+at.ResourceID()) {
					p.undecided("the model agreement of %s in %s: %v.", at.ResourceID(), there.Region, err)
				}
				return
			}
			if fault := out.fault(); fault != "" {
				p.say(p.yamlAt(m.line), "Accept the model agreement, then wait some minutes (AccessDenied mentions aws-marketplace until then).",
					"%s in %s: %s.", at.ResourceID(), there.Region, fault)
				return
			}
		}
	})
}

type availability struct {
	Agreement struct {
		Status string `json:"status"`
	} `json:"agreementAvailability"`
	Authorization string `json:"authorizationStatus"`
	Entitlement   string `json:"entitlementAvailability"`
	Region        string `json:"regionAvailability"`
}

func (a *availability) fault() string {
	for _, one := range []struct{ name, got, want string }{
		{"agreementAvailability", a.Agreement.Status, "AVAILABLE"}, {"authorizationStatus", a.Authorization, "AUTHORIZED"},
		{"entitlementAvailability", a.Entitlement, "AVAILABLE"}, {"regionAvailability", a.Region, "AVAILABLE"},
	} {
		if one.got != one.want {
			return one.name + "=" + one.got
		}
	}
	return ""
}

func checkGuardrail(ctx context.Context, p *patient) {
	g := p.bedrock.get("guardrailConfig")
	if g == nil {
		return
	}
	id, version := p.env.expand(g.get("guardrailIdentifier").value()), p.env.expand(g.get("guardrailVersion").value())
	at := p.yamlAt(g.get("guardrailIdentifier").at())
	if strings.Contains(id+version, "${") {
		p.say(at, "Set the variable.", "guardrailConfig has a variable that is not set: %s %s.", id, version)
		return
	}
	c := p.asker("")
	if c == nil {
		return
	}
	err := c.Bedrock(ctx, "GET", "/guardrails/"+url.PathEscape(id)+"?guardrailVersion="+url.QueryEscape(version), nil, nil)
	var f *access.Failure
	if err == nil || p.unable(err, "the guardrail "+id) {
		return
	}
	if errors.As(err, &f) {
		p.say(at, "Correct identifier and version (list-guardrails).", "the guardrail %s version %s is not found: %s.", id, version, f.Message)
	}
}
