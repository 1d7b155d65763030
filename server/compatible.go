package server

import (
	"context"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/awsapi/compatapi"
	"outcrop/profile"
)

// serveCompatible answers in the forms of other providers.
func (e *engines) serveCompatible(mux *awsapi.Mux, c *Config) {
	api := &compatapi.API{Gateway: e.gateway, Models: e.nameable, Responses: e.store, Strict: c.Runtime.StrictEndpoints}
	mux.Serve("openai", api.OpenAI()...)
	mux.Serve("anthropic", api.Anthropic()...)
}

// nameable is all that a caller may name as a model: his application profiles
// first, then the system-defined ones, then models.
func (e *engines) nameable(ctx context.Context, who outcrop.Caller) ([]compatapi.Model, error) {
	var all []compatapi.Model
	for _, kind := range []outcrop.ProfileKind{outcrop.Application, outcrop.SystemDefined} {
		for page := ""; ; {
			list, next, err := e.profiles.List(ctx, profile.ListRequest{Account: who.Account, Region: who.Region, Kind: kind, NextToken: page})
			if err != nil {
				return nil, err
			}
			for _, p := range list {
				all = append(all, e.profileModel(p))
			}
			if page = next; page == "" {
				break
			}
		}
	}
	for _, m := range e.catalog.Current().Models(who.Region) {
		if m.OnDemand() {
			all = append(all, compatapi.Model{ID: string(m.ID), Name: m.Name, Provider: m.Provider, Created: m.Lifecycle.StartOfLife})
		}
	}
	return all, nil
}

// profileModel is a profile under the name that an invocation takes.
func (e *engines) profileModel(p *outcrop.InferenceProfile) compatapi.Model {
	m := compatapi.Model{ID: p.ID, Name: p.Name, Created: p.CreatedAt, Profile: true}
	if p.Kind == outcrop.Application {
		m.ID = string(p.ARN)
	}
	if model, ok := e.anyModel(p.Model); ok {
		m.Provider = model.Provider
	}
	if m.Created.IsZero() {
		m.Created = time.Unix(0, 0)
	}
	return m
}
