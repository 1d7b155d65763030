package identity

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"outcrop"
	"outcrop/internal/loopback"
)

// CreateProvider makes an account trust an OpenID Connect issuer.
func (d *Directory) CreateProvider(ctx context.Context, account outcrop.AccountID, p Provider) (Provider, error) {
	p.Account, p.Created, p.Tags = account, d.stamp(), p.Tags.Clone()
	p.ClientIDs, p.Thumbprints = slices.Clone(p.ClientIDs), slices.Clone(p.Thumbprints)
	if err := goodProvider(p); err != nil {
		return Provider{}, err
	}
	d.changing.Lock()
	defer d.changing.Unlock()
	if err := d.room(ctx, providerEntry, account, MaxProvidersPerAccount, "OpenIdConnectProvidersPerAccount"); err != nil {
		return Provider{}, err
	}
	return p, d.add(ctx, p, clash("EntityAlreadyExists", "Provider with url %s already exists.", p.URL))
}

// goodProvider lets issuers on this machine speak http: that is where tests and
// local identity providers live, and AWS could not reach them.
func goodProvider(p Provider) error {
	u, err := url.Parse(p.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || len(p.URL) > 255 || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return invalidInput("Invalid Open ID Connect Provider URL")
	case u.Scheme == "http" && !loopback.Host(u.Hostname()):
		return invalidInput("The OpenID Connect Provider URL must begin with https://")
	case len(p.ClientIDs) > MaxClientIDsPerProvider:
		return quota("ClientIdsPerOpenIdConnectProvider", MaxClientIDsPerProvider)
	}
	for _, id := range p.ClientIDs {
		if len(id) < 1 || len(id) > 255 {
			return constraint(id, "clientID", "Member must have length between 1 and 255")
		}
	}
	if err := goodThumbprints(p.Thumbprints); err != nil {
		return err
	}
	return goodTags(p.Tags)
}

func goodThumbprints(all []string) error {
	if len(all) > MaxThumbprintsPerProvider {
		return invalidInput("Thumbprint list must contain fewer than 5 entries.")
	}
	for _, t := range all {
		if !thumbprints.MatchString(t) {
			return invalidInput("Thumbprint is invalid. It must be 40 hexadecimal digits.")
		}
	}
	return nil
}

// Provider finds an issuer by the provider's ARN.
func (d *Directory) Provider(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN) (Provider, error) {
	p, _, err := d.providerAt(ctx, account, arn)
	return p, err
}

// ProviderFor finds the provider of account whose URL is issuer, as the iss
// claim of a token has it.
func (d *Directory) ProviderFor(ctx context.Context, account outcrop.AccountID, issuer string) (Provider, error) {
	return d.Provider(ctx, account, Provider{Account: account, URL: issuer}.ARN())
}

func (d *Directory) providerAt(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN) (Provider, int64, error) {
	absent := noSuch("OpenIDConnect Provider not found for arn %s", arn)
	url, ok := strings.CutPrefix(arn.Parts().Resource, "oidc-provider/")
	if !ok || arn.Parts().Account != account {
		return Provider{}, 0, absent
	}
	p, version, err := find[Provider](ctx, d, providerEntry, string(account), url)
	return p, version, mustExist(err, absent)
}

// ListProviders lists an account's providers in order of URL.
func (d *Directory) ListProviders(ctx context.Context, account outcrop.AccountID) ([]Provider, error) {
	return all[Provider](ctx, d, providerEntry, string(account))
}

// AddClientID makes a provider's tokens for another audience welcome; twice is once.
func (d *Directory) AddClientID(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN, id string) error {
	return d.changeProvider(ctx, account, arn, func(p *Provider) error {
		if !slices.Contains(p.ClientIDs, id) {
			p.ClientIDs = append(p.ClientIDs, id)
		}
		return goodProvider(*p)
	})
}

// RemoveClientID takes an audience away; one that is not there is passed over.
func (d *Directory) RemoveClientID(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN, id string) error {
	return d.changeProvider(ctx, account, arn, func(p *Provider) error {
		p.ClientIDs = slices.DeleteFunc(p.ClientIDs, func(c string) bool { return c == id })
		return nil
	})
}

// SetThumbprints replaces a provider's certificate thumbprints.
func (d *Directory) SetThumbprints(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN, list []string) error {
	return d.changeProvider(ctx, account, arn, func(p *Provider) error {
		p.Thumbprints = slices.Clone(list)
		return goodThumbprints(list)
	})
}

// SetProviderTags adds tags to a provider.
func (d *Directory) SetProviderTags(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN, tags outcrop.Tags) error {
	return d.changeProvider(ctx, account, arn, func(p *Provider) error { return mergeTags(&p.Tags, tags) })
}

// RemoveProviderTags takes tags off a provider.
func (d *Directory) RemoveProviderTags(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN, keys []string) error {
	return d.changeProvider(ctx, account, arn, func(p *Provider) error { return dropTags(&p.Tags, keys) })
}

// DeleteProvider ends the trust; a provider that is not there is fine.
func (d *Directory) DeleteProvider(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	p, version, err := d.providerAt(ctx, account, arn)
	if outcrop.KindOf(err) == outcrop.NotFound {
		return nil // DeleteOpenIDConnectProvider is idempotent
	}
	if err != nil {
		return err
	}
	return d.remove(ctx, p, version, concurrent())
}

func (d *Directory) changeProvider(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN, change func(*Provider) error) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	p, version, err := d.providerAt(ctx, account, arn)
	if err != nil {
		return err
	}
	if err := change(&p); err != nil {
		return err
	}
	return d.replace(ctx, p, version)
}
