package iamapi

import (
	"context"
	"strings"

	"outcrop"
	"outcrop/identity"
)

func (a *API) createOpenIDConnectProvider(ctx context.Context, who outcrop.Caller, in *CreateOpenIDConnectProviderInput) (*CreateOpenIDConnectProviderOutput, error) {
	tags, err := toTags(in.Tags)
	if err != nil {
		return nil, err
	}
	p, err := a.Identity.CreateProvider(ctx, who.Account, identity.Provider{
		URL: in.Url, ClientIDs: in.ClientIDList, Thumbprints: in.ThumbprintList, Tags: tags,
	})
	if err != nil {
		return nil, err
	}
	return &CreateOpenIDConnectProviderOutput{OpenIDConnectProviderArn: string(p.ARN()), Tags: fromTags(p.Tags)}, nil
}

// getOpenIDConnectProvider shows the URL without its scheme, as AWS does.
func (a *API) getOpenIDConnectProvider(ctx context.Context, who outcrop.Caller, in *GetOpenIDConnectProviderInput) (*GetOpenIDConnectProviderOutput, error) {
	p, err := a.Identity.Provider(ctx, who.Account, outcrop.ARN(in.OpenIDConnectProviderArn))
	if err != nil {
		return nil, err
	}
	return &GetOpenIDConnectProviderOutput{
		Url: strings.TrimPrefix(p.URL, "https://"), ClientIDList: p.ClientIDs, ThumbprintList: p.Thumbprints,
		CreateDate: p.Created, Tags: fromTags(p.Tags),
	}, nil
}

func (a *API) listOpenIDConnectProviders(ctx context.Context, who outcrop.Caller, _ *ListOpenIDConnectProvidersInput) (*ListOpenIDConnectProvidersOutput, error) {
	all, err := a.Identity.ListProviders(ctx, who.Account)
	return &ListOpenIDConnectProvidersOutput{OpenIDConnectProviderList: each(all, func(p identity.Provider) OpenIDConnectProviderListEntry {
		return OpenIDConnectProviderListEntry{Arn: string(p.ARN())}
	})}, err
}

func (a *API) deleteOpenIDConnectProvider(ctx context.Context, who outcrop.Caller, in *DeleteOpenIDConnectProviderInput) (*nothing, error) {
	return done(a.Identity.DeleteProvider(ctx, who.Account, outcrop.ARN(in.OpenIDConnectProviderArn)))
}

func (a *API) addClientID(ctx context.Context, who outcrop.Caller, in *AddClientIDToOpenIDConnectProviderInput) (*nothing, error) {
	return done(a.Identity.AddClientID(ctx, who.Account, outcrop.ARN(in.OpenIDConnectProviderArn), in.ClientID))
}

func (a *API) removeClientID(ctx context.Context, who outcrop.Caller, in *RemoveClientIDFromOpenIDConnectProviderInput) (*nothing, error) {
	return done(a.Identity.RemoveClientID(ctx, who.Account, outcrop.ARN(in.OpenIDConnectProviderArn), in.ClientID))
}

func (a *API) updateThumbprint(ctx context.Context, who outcrop.Caller, in *UpdateOpenIDConnectProviderThumbprintInput) (*nothing, error) {
	return done(a.Identity.SetThumbprints(ctx, who.Account, outcrop.ARN(in.OpenIDConnectProviderArn), in.ThumbprintList))
}

func (a *API) tagOpenIDConnectProvider(ctx context.Context, who outcrop.Caller, in *TagOpenIDConnectProviderInput) (*nothing, error) {
	tags, err := toTags(in.Tags)
	if err != nil {
		return nil, err
	}
	return done(a.Identity.SetProviderTags(ctx, who.Account, outcrop.ARN(in.OpenIDConnectProviderArn), tags))
}

func (a *API) untagOpenIDConnectProvider(ctx context.Context, who outcrop.Caller, in *UntagOpenIDConnectProviderInput) (*nothing, error) {
	return done(a.Identity.RemoveProviderTags(ctx, who.Account, outcrop.ARN(in.OpenIDConnectProviderArn), in.TagKeys))
}

func (a *API) listOpenIDConnectProviderTags(ctx context.Context, who outcrop.Caller, in *ListOpenIDConnectProviderTagsInput) (*ListOpenIDConnectProviderTagsOutput, error) {
	p, err := a.Identity.Provider(ctx, who.Account, outcrop.ARN(in.OpenIDConnectProviderArn))
	if err != nil {
		return nil, err
	}
	tags, next, err := tagPage(p.Tags, in.Marker, in.MaxItems)
	return &ListOpenIDConnectProviderTagsOutput{Tags: tags, IsTruncated: truncated(next), Marker: next}, err
}
