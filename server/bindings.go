package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"outcrop"
	"outcrop/awsapi/adminapi"
	"outcrop/gateway"
	"outcrop/librechat"
	"outcrop/profile"
)

// LibreChatConfig names a LibreChat's files, whose mapping from model ids to
// profiles then holds for every client.
type LibreChatConfig struct {
	Config string `yaml:"config"` // its librechat.yaml
	Env    string `yaml:"env"`    // its .env file, for ${VAR}; default .env beside the working folder
}

// openBindings reads which model ids stand for application profiles, before
// the gateway opens.
func (e *engines) openBindings(ctx context.Context, c *Config, log *slog.Logger) error {
	fixed, err := c.LibreChat.bindings(log)
	if err != nil {
		return fmt.Errorf("librechat: %w", err)
	}
	e.bindings, err = profile.OpenBindings(ctx, e.store, e.profiles, time.Now, fixed...)
	return err
}

// bindings are those that the files' section says. What it maps to something
// else than an application profile LibreChat sends as it stands, and so may
// others.
func (l *LibreChatConfig) bindings(log *slog.Logger) (list []profile.Binding, err error) {
	if l.Config == "" {
		return nil, nil
	}
	config, err := os.ReadFile(l.Config)
	if err != nil {
		return nil, err
	}
	setDefault(&l.Env, ".env")
	env, err := os.ReadFile(l.Env)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	mappings, err := librechat.Mappings(l.Config, config, l.Env, env)
	if err != nil {
		return nil, err
	}
	for _, m := range mappings {
		ref := outcrop.ParseModelRef(m.Profile)
		if ref.Kind != outcrop.RefApplicationProfile {
			log.Warn("a mapping is to no application profile, and is left to LibreChat", "file", l.Config, "line", m.Line, "model", m.Model, "to", m.Profile)
			continue
		}
		list = append(list, profile.Binding{
			BindingKey: profile.BindingKey{Account: ref.ARN.Account, Region: ref.ARN.Region, ModelID: m.Model},
			Profile:    outcrop.ARN(m.Profile), Created: time.Now(), Origin: l.Config,
		})
	}
	return list, nil
}

// adopt gives the gateway what clients' mistakes are told by.
func (e *engines) adopt(g *gateway.Gateway) {
	g.Bindings, g.Mistakes = e.bindings, new(gateway.Mistakes)
}

// admin is Outcrop's own service.
func (e *engines) admin() *adminapi.API {
	return &adminapi.API{Bindings: e.bindings, Mistakes: e.gateway.Mistakes, Routes: routes{e.router, e}}
}
