package profile

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"outcrop"
	"outcrop/catalog"
)

// Resolve finds what a modelId names for a call of account in region: every
// row of reference/runtime-metering-billing.md §1.4. The Target is shared
// between calls and must not be changed; its Tags are those of this moment.
func (p *Profiles) Resolve(ctx context.Context, account outcrop.AccountID, region outcrop.Region, ref outcrop.ModelRef) (*outcrop.Target, error) {
	now := p.catalog()
	k := cacheKey{account, region, ref.Text}
	t, changes := p.cache.get(k, now)
	if t != nil {
		return t, nil
	}
	t, err := (&resolution{Profiles: p, now: now, account: account, region: region, ref: ref}).target(ctx)
	if err != nil {
		return nil, err
	}
	p.cache.put(k, now, t, changes)
	return t, nil
}

// Countable finds what a modelId names for CountTokens, which invokes nothing:
// a model by its own id is good for that even where calls must go through a
// profile (reference/runtime-metering-billing.md §1.4).
func (p *Profiles) Countable(ctx context.Context, account outcrop.AccountID, region outcrop.Region, ref outcrop.ModelRef) (*outcrop.Target, error) {
	t, err := p.Resolve(ctx, account, region, ref)
	if err == nil || ref.Kind != outcrop.RefBare && ref.Kind != outcrop.RefFoundationModel {
		return t, err
	}
	return (&resolution{Profiles: p, now: p.catalog(), account: account, region: region, ref: ref, counting: true}).target(ctx)
}

// forget drops every Target that may have been resolved from a profile.
func (p *Profiles) forget(k Key) {
	p.cache.forget(cacheKey{k.Account, k.Region, string(outcrop.ApplicationProfileARN(k.Region, k.Account, k.ID))})
	p.cache.forget(cacheKey{k.Account, k.Region, k.ID})
}

// A resolution is one modelId on its way to a Target.
type resolution struct {
	*Profiles
	now     *catalog.Catalog
	account outcrop.AccountID
	region  outcrop.Region
	ref     outcrop.ModelRef

	counting bool // nothing will be invoked
}

func (r *resolution) target(ctx context.Context) (*outcrop.Target, error) {
	switch r.ref.Kind {
	case outcrop.RefBare:
		return r.bare(ctx)
	case outcrop.RefFoundationModel:
		return r.modelARN()
	case outcrop.RefSystemProfile:
		return r.systemARN()
	case outcrop.RefApplicationProfile:
		return r.applicationARN(ctx)
	}
	return nil, r.unserved()
}

// bare resolves an id: a system-defined profile's or a model's. AWS refuses
// an application profile's, though it fits the pattern.
func (r *resolution) bare(ctx context.Context) (*outcrop.Target, error) {
	if s, ok := r.now.SystemProfile(r.region, r.ref.ID); ok {
		return r.profile(s.For(r.account))
	}
	if _, ok := r.now.Model(r.region, outcrop.ModelID(r.ref.ID)); ok {
		return r.model(outcrop.ModelID(r.ref.ID), nil)
	}
	if base, ok := r.sized(); ok {
		return nil, profileOnly(base)
	}
	if !r.opts.AcceptBareProfileID {
		return nil, r.invalid("no model or system-defined profile of the Region has this id")
	}
	return r.application(ctx)
}

// A sizedID is a model id with a context size, such as "…-v1:0:200k". Such
// ids are sold as provisioned throughput only.
var sizedID = regexp.MustCompile(`^(.+):[0-9]+[km]$`)

func (r *resolution) sized() (string, bool) {
	m := sizedID.FindStringSubmatch(r.ref.ID)
	if m == nil {
		return "", false
	}
	_, ok := r.now.Model(r.region, outcrop.ModelID(m[1]))
	return r.ref.ID, ok
}

func (r *resolution) modelARN() (*outcrop.Target, error) {
	if !owned(r.ref.ARN, "", r.region) {
		return nil, r.invalid("the model's ARN is of another Region")
	}
	return r.model(outcrop.ModelID(r.ref.ID), nil)
}

func (r *resolution) systemARN() (*outcrop.Target, error) {
	if !owned(r.ref.ARN, r.account, r.region) {
		return nil, r.invalid("the profile's ARN is of another Region or account")
	}
	s, ok := r.now.SystemProfile(r.region, r.ref.ID)
	if !ok {
		return nil, r.invalid("the Region offers no such system-defined profile")
	}
	return r.profile(s.For(r.account))
}

func (r *resolution) applicationARN(ctx context.Context) (*outcrop.Target, error) {
	if !owned(r.ref.ARN, r.account, r.region) {
		return nil, r.invalid("the profile's ARN is of another Region or account")
	}
	return r.application(ctx)
}

func (r *resolution) application(ctx context.Context) (*outcrop.Target, error) {
	a, err := r.store.Profile(ctx, Key{r.account, r.region, r.ref.ID})
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, r.invalid("the account has no such application profile in the Region")
	case err != nil:
		return nil, fmt.Errorf("resolve %s: %w", r.ref.Text, err)
	case a.Geography == "":
		return r.model(a.Model, a)
	}
	return r.profile(r.grown(a))
}

// grown adds the Regions that a global profile has gained since it was
// copied. Every other geography's list is fixed (reference §2.2).
func (r *resolution) grown(a *outcrop.InferenceProfile) *outcrop.InferenceProfile {
	if a.Geography != outcrop.GlobalGeography {
		return a
	}
	source, ok := r.now.SystemProfile(r.region, a.Source.Parts().ResourceID())
	if !ok {
		return a
	}
	for _, d := range source.Destinations() {
		if !slices.Contains(a.Destinations, d) {
			a.Destinations = append(a.Destinations, d)
		}
	}
	return a
}

// model is the Target of a model by itself, or of an application profile that
// copies one: it answers in the called Region only.
func (r *resolution) model(id outcrop.ModelID, a *outcrop.InferenceProfile) (*outcrop.Target, error) {
	m, ok := r.now.Model(r.region, id)
	if !ok {
		return nil, r.invalid("the Region does not offer the model " + string(id))
	}
	if !m.OnDemand() && !r.counting {
		return nil, profileOnly(string(id))
	}
	t := &outcrop.Target{
		Ref: r.ref, Profile: a, Model: *m, Region: r.region,
		Destinations: []outcrop.Destination{{Region: r.region, Model: id}},
	}
	if a != nil {
		t.Destinations, t.Tags = a.Destinations, billable(a.Tags)
	}
	var err error
	t.Defaults, err = defaultsOf(a)
	return t, err
}

// profile is the Target of a profile that spreads over a Geography. Its model
// may have left the Region's list.
func (r *resolution) profile(s *outcrop.InferenceProfile) (*outcrop.Target, error) {
	m, ok := r.now.Model(r.region, s.Model)
	if !ok {
		m, ok = r.now.AnyModel(s.Model)
	}
	if !ok {
		return nil, r.invalid("the catalogue has no model " + string(s.Model))
	}
	defaults, err := defaultsOf(s)
	return &outcrop.Target{
		Ref: r.ref, Profile: s, Model: *m, Region: r.region, Geography: s.Geography,
		Destinations: s.Destinations, Tags: billable(s.Tags), Defaults: defaults,
	}, err
}

// invalidIdentifier is AWS's answer to every modelId it cannot find; clients
// match on the words.
const invalidIdentifier = "The provided model identifier is invalid."

// invalid answers as AWS does, and says after AWS's words what the cure is. The
// log gets the reason.
func (r *resolution) invalid(reason string) error {
	message := invalidIdentifier
	if cure := r.cure(); cure != "" {
		message += " " + cure
	}
	return outcrop.Errorf(outcrop.Invalid, "%s", message).Because(errors.New(reason))
}

// profileOnly has AWS's curly apostrophe: clients match on it.
func profileOnly(id string) error {
	return outcrop.Errorf(outcrop.Invalid, "Invocation of model ID %s with on-demand throughput isn\u2019t supported. Retry your request with the ID or ARN of an inference profile that contains this model.", id)
}

// unservedKinds are forms of modelId that AWS serves and Outcrop does not.
var unservedKinds = map[outcrop.RefKind]string{
	outcrop.RefPromptRouter:     "prompt routers",
	outcrop.RefPrompt:           "managed prompts",
	outcrop.RefProvisionedModel: "provisioned models",
	outcrop.RefCustomModel:      "custom models",
	outcrop.RefImportedModel:    "imported models",
	outcrop.RefEndpoint:         "SageMaker endpoints",
}

func (r *resolution) unserved() error {
	if what, ok := unservedKinds[r.ref.Kind]; ok {
		return outcrop.Errorf(outcrop.Invalid, "%s Outcrop does not serve %s; name a model or an inference profile.", invalidIdentifier, what)
	}
	return r.invalid("not a form of modelId")
}
