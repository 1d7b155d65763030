package profile

import (
	"context"
	"fmt"
	"slices"

	"outcrop"
	"outcrop/catalog"
)

// Get finds a profile by its id or ARN, of either kind.
func (p *Profiles) Get(ctx context.Context, account outcrop.AccountID, region outcrop.Region, identifier string) (*outcrop.InferenceProfile, error) {
	id, kind, err := locate(account, region, identifier)
	if err != nil {
		return nil, err
	}
	if kind != outcrop.Application {
		if found, ok := p.catalog().SystemProfile(region, id); ok {
			return found.For(account), nil
		}
	}
	if kind == outcrop.SystemDefined {
		return nil, notFound(identifier, region)
	}
	found, err := p.store.Profile(ctx, Key{account, region, id})
	return found, absent(err, identifier, region)
}

// Delete removes an application profile, named by its id or ARN. Its tags go
// with it; usage recorded under it stays.
func (p *Profiles) Delete(ctx context.Context, account outcrop.AccountID, region outcrop.Region, identifier string) error {
	id, kind, err := locate(account, region, identifier)
	if err != nil {
		return err
	}
	if kind != outcrop.Application {
		if _, ok := p.catalog().SystemProfile(region, id); ok {
			return outcrop.Errorf(outcrop.Invalid, "The inference profile %s is system-defined and cannot be deleted.", identifier)
		}
	}
	if kind == outcrop.SystemDefined {
		return notFound(identifier, region)
	}
	k := Key{account, region, id}
	defer p.forget(k) // even when the store fails: it may have committed
	return absent(p.store.DeleteProfile(ctx, k), identifier, region)
}

// locate reads an inferenceProfileIdentifier. The kind is empty for a bare id,
// which may be of either kind.
func locate(account outcrop.AccountID, region outcrop.Region, identifier string) (id string, kind outcrop.ProfileKind, err error) {
	ref := outcrop.ParseModelRef(identifier)
	switch ref.Kind {
	case outcrop.RefBare:
		return ref.ID, "", nil
	case outcrop.RefSystemProfile:
		kind = outcrop.SystemDefined
	case outcrop.RefApplicationProfile:
		kind = outcrop.Application
	default:
		return "", "", outcrop.Errorf(outcrop.Invalid, "The inferenceProfileIdentifier %s is neither the ID nor the ARN of an inference profile.", identifier)
	}
	if !owned(ref.ARN, account, region) {
		return "", "", notFound(identifier, region)
	}
	return ref.ID, kind, nil
}

// A ListRequest is ListInferenceProfiles' input.
type ListRequest struct {
	Account   outcrop.AccountID
	Region    outcrop.Region
	Kind      outcrop.ProfileKind // empty lists system-defined profiles only, as AWS does
	Limit     int                 // profiles on a page; 0 is MaxPage
	NextToken string              // of the page before
}

// MaxPage is the most profiles a page holds, and the default: scripts look
// for a system-defined profile on the first page only.
const MaxPage = 1000

// List gives one page, ordered by creation and then by id, and the token that
// asks for the next; the token is empty on the last page.
func (p *Profiles) List(ctx context.Context, req ListRequest) ([]*outcrop.InferenceProfile, string, error) {
	if req.Kind == "" {
		req.Kind = outcrop.SystemDefined
	}
	if req.Limit <= 0 || req.Limit > MaxPage {
		req.Limit = MaxPage
	}
	after, err := openToken(req)
	if err != nil {
		return nil, "", err
	}
	list, err := p.from(ctx, req, after)
	if err != nil {
		return nil, "", fmt.Errorf("list inference profiles: %w", err)
	}
	if len(list) <= req.Limit {
		return list, "", nil
	}
	list = list[:req.Limit]
	return list, sealToken(req, list[len(list)-1]), nil
}

// from lists what follows after: one more than fits the page where there is
// more to come.
func (p *Profiles) from(ctx context.Context, req ListRequest, after Position) ([]*outcrop.InferenceProfile, error) {
	if req.Kind == outcrop.Application {
		return p.store.ProfilePage(ctx, req.Account, req.Region, after, req.Limit+1)
	}
	all := p.catalog().SystemProfiles(req.Region)
	all = all[place(all, after):]
	list := make([]*outcrop.InferenceProfile, min(len(all), req.Limit+1))
	for i := range list {
		list[i] = all[i].For(req.Account)
	}
	return list, nil
}

// place finds where a page begins in the catalogue's order. A profile that
// left the catalogue between two pages is stood in for by its time.
func place(all []*catalog.SystemProfile, after Position) int {
	if after == (Position{}) {
		return 0
	}
	if i := slices.IndexFunc(all, func(s *catalog.SystemProfile) bool { return s.ID == after.ID }); i >= 0 {
		return i + 1
	}
	later := func(s *catalog.SystemProfile) bool { return s.UpdatedAt.After(after.Created) }
	if i := slices.IndexFunc(all, later); i >= 0 {
		return i
	}
	return len(all)
}
