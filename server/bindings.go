package server

import (
	"context"
	"time"

	"outcrop/awsapi/adminapi"
	"outcrop/gateway"
	"outcrop/profile"
)

// openBindings reads which model ids stand for application profiles, before
// the gateway opens.
func (e *engines) openBindings(ctx context.Context) (err error) {
	e.bindings, err = profile.OpenBindings(ctx, e.store, e.profiles, time.Now)
	return err
}

// adopt gives the gateway what clients' mistakes are told by.
func (e *engines) adopt(g *gateway.Gateway) {
	g.Bindings, g.Mistakes = e.bindings, new(gateway.Mistakes)
}

// admin is Outcrop's own service.
func (e *engines) admin() *adminapi.API {
	return &adminapi.API{Bindings: e.bindings, Mistakes: e.gateway.Mistakes, Routes: routes{e.router, e}}
}
