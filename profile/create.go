package profile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"outcrop"
)

// A CreateRequest is CreateInferenceProfile's input. Its parts have passed
// the constraints of the service model.
type CreateRequest struct {
	Account     outcrop.AccountID
	Region      outcrop.Region
	Name        string
	Description string // empty when not given
	Token       string // clientRequestToken, empty when not given
	CopyFrom    string
	Tags        []Tag
}

// idDraws bounds how often an id that is taken is drawn anew.
const idDraws = 4

// Create makes an application profile, or returns the one that the same
// request with the same token made before.
func (p *Profiles) Create(ctx context.Context, req CreateRequest) (*outcrop.InferenceProfile, error) {
	tags, err := collect(req.Tags)
	if err != nil {
		return nil, err
	}
	if len(tags) > outcrop.MaxTagsPerResource {
		return nil, tooManyTags(req.Name)
	}
	made, err := p.copied(req)
	if err != nil {
		return nil, err
	}
	if err := p.checkDefaults(tags, made.Model); err != nil {
		return nil, err
	}
	made.Name, made.Description, made.Tags = req.Name, req.Description, tags
	made.CreatedAt = p.now().UTC().Truncate(time.Microsecond)
	made.UpdatedAt = made.CreatedAt
	return p.keep(ctx, req, made)
}

func (p *Profiles) keep(ctx context.Context, req CreateRequest, made *outcrop.InferenceProfile) (*outcrop.InferenceProfile, error) {
	c := Creation{
		Profile: made, Token: req.Token, Fingerprint: fingerprint(req, made.Tags),
		TokensSince: made.CreatedAt.Add(-p.opts.TokenTTL), Quota: p.opts.Quota, UniqueName: p.opts.UniqueNames,
	}
	for draw := 1; ; draw++ {
		made.ID = newID()
		made.ARN = outcrop.ApplicationProfileARN(req.Region, req.Account, made.ID)
		c.Key = Key{req.Account, req.Region, made.ID}
		kept, err := p.store.CreateProfile(ctx, c)
		switch {
		case err == nil:
			return kept, nil
		case errors.Is(err, ErrIDTaken) && draw < idDraws:
			continue
		}
		return nil, p.refusal(err, req)
	}
}

// refusal words what the store refused to keep.
func (p *Profiles) refusal(err error, req CreateRequest) error {
	switch {
	case errors.Is(err, ErrTokenReused):
		return outcrop.Errorf(outcrop.Conflict, "The clientRequestToken %s was already used with other parameters. Repeat the first request unchanged, or send a new token.", req.Token)
	case errors.Is(err, ErrNameTaken):
		return outcrop.Errorf(outcrop.Conflict, "An inference profile with the name %s already exists in %s.", req.Name, req.Region)
	case errors.Is(err, ErrQuota):
		return outcrop.Errorf(outcrop.QuotaExceeded, "The account already has %d application inference profiles in %s, which is its quota (Inference profiles per account, L-40EC9882). Delete some, or have the operator raise profiles.per_region.", p.opts.Quota, req.Region)
	}
	return fmt.Errorf("create inference profile: %w", err)
}

// fingerprint tells whether two requests ask for the same profile.
func fingerprint(req CreateRequest, tags outcrop.Tags) string {
	text, _ := json.Marshal([]any{req.Name, req.Description, req.CopyFrom, tags}) // a map's keys come sorted
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// copied is a profile with what it takes over from the source that copyFrom
// names (reference/control-plane.md §1.4).
func (p *Profiles) copied(req CreateRequest) (*outcrop.InferenceProfile, error) {
	if r, known := p.catalog().Region(req.Region); known && !r.ApplicationProfiles {
		return nil, outcrop.Errorf(outcrop.Invalid, "Application inference profiles are not offered in %s.", req.Region)
	}
	ref := outcrop.ParseModelRef(req.CopyFrom)
	if ref.ARN.Region != req.Region || ref.ARN.Partition != req.Region.Partition() {
		return nil, badSource(req.CopyFrom)
	}
	switch ref.Kind {
	case outcrop.RefFoundationModel:
		return p.fromModel(req, ref)
	case outcrop.RefSystemProfile:
		return p.fromSystemProfile(req, ref)
	}
	return nil, badSource(req.CopyFrom)
}

// fromModel accepts a model that cannot be invoked on demand unless told
// otherwise: examples in the wild use such ARNs, and the invocation says why
// it fails.
func (p *Profiles) fromModel(req CreateRequest, ref outcrop.ModelRef) (*outcrop.InferenceProfile, error) {
	id := outcrop.ModelID(ref.ID)
	m, ok := p.catalog().Model(req.Region, id)
	if !ok || ref.ARN.Account != "" || p.opts.RejectProfileOnlyModels && !m.OnDemand() {
		return nil, badSource(req.CopyFrom)
	}
	arn := outcrop.FoundationModelARN(req.Region.Partition(), req.Region, id)
	return &outcrop.InferenceProfile{
		Kind: outcrop.Application, Source: arn, Model: id,
		Models: []outcrop.ARN{arn}, Destinations: []outcrop.Destination{{Region: req.Region, Model: id}},
	}, nil
}

// fromSystemProfile takes an ARN without an account for the caller's own: the
// service model's pattern allows it.
func (p *Profiles) fromSystemProfile(req CreateRequest, ref outcrop.ModelRef) (*outcrop.InferenceProfile, error) {
	if a := ref.ARN.Account; a != "" && a != req.Account {
		return nil, badSource(req.CopyFrom)
	}
	found, ok := p.catalog().SystemProfile(req.Region, ref.ID)
	if !ok {
		return nil, badSource(req.CopyFrom)
	}
	source := found.For(req.Account)
	return &outcrop.InferenceProfile{
		Kind: outcrop.Application, Source: source.ARN, Geography: source.Geography, Model: source.Model,
		Models: source.Models, Destinations: source.Destinations,
	}, nil
}

// badSource keeps AWS's words, seen in aws-solutions-constructs issue 1387.
func badSource(copyFrom string) error {
	const words = "copyFrom must be a valid inference profile model source ARN."
	if name, ok := unexpanded(copyFrom); ok {
		return outcrop.Errorf(outcrop.Invalid, "%s %s was not replaced by its value: set the variable where the client starts.", words, name)
	}
	return outcrop.Errorf(outcrop.Invalid, words)
}

// unexpanded finds a ${VAR} that a configuration should have replaced.
func unexpanded(text string) (name string, ok bool) {
	_, after, ok := strings.Cut(text, "${")
	if !ok {
		return "", false
	}
	name, _, ok = strings.Cut(after, "}")
	return "${" + name + "}", ok && name != ""
}
