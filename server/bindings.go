package server

import (
	"context"
	"errors"
	"time"

	"outcrop/awsapi/adminapi"
	"outcrop/gateway"
	"outcrop/profile"
)

// LibreChatConfig names a LibreChat's files, whose mapping from model ids to
// profiles then holds for every client. The command reads them, and tells the
// server with Bind.
type LibreChatConfig struct {
	Config string `yaml:"config"` // its librechat.yaml
	Env    string `yaml:"env"`    // its .env file, for ${VAR}; default .env
}

// Bind gives the server bindings that hold as long as it runs, beside those
// that its store keeps.
func (c *Config) Bind(fixed []profile.Binding) { c.fixed, c.bound = fixed, true }

// openBindings reads which model ids stand for application profiles, before
// the gateway opens.
func (e *engines) openBindings(ctx context.Context, c *Config) (err error) {
	if c.LibreChat.Config != "" && !c.bound {
		return errors.New("librechat: the files were not read")
	}
	e.bindings, err = profile.OpenBindings(ctx, e.store, e.profiles, time.Now, c.fixed...)
	return err
}

// adopt gives the gateway what clients' mistakes are told by.
func (e *engines) adopt(g *gateway.Gateway) {
	g.Bindings, g.Mistakes = e.bindings, new(gateway.Mistakes)
}

// admin is Outcrop's own service.
func (e *engines) admin() *adminapi.API {
	return &adminapi.API{Bindings: e.bindings, Mistakes: e.gateway.Mistakes, Meter: e.meter, Routes: routes{e.router, e}}
}
