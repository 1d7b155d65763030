package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"outcrop"
	"outcrop/librechat"
	"outcrop/profile"
	"outcrop/server"
)

// bindLibreChat has the server bind what LibreChat's files map. A mapping to
// something else than an application profile is sent by LibreChat as it
// stands, and so it may be by others.
func bindLibreChat(c *server.Config, log *slog.Logger) error {
	if c.LibreChat.Config == "" {
		return nil
	}
	mappings, err := readMappings(c.LibreChat.Config, cmp.Or(c.LibreChat.Env, ".env"))
	if err != nil {
		return fmt.Errorf("librechat: %w", err)
	}
	var list []profile.Binding
	for _, m := range mappings {
		ref := outcrop.ParseModelRef(m.Profile)
		if ref.Kind != outcrop.RefApplicationProfile {
			log.Warn("a mapping is to no application profile, and is left to LibreChat", "file", c.LibreChat.Config, "line", m.Line, "model", m.Model, "to", m.Profile)
			continue
		}
		list = append(list, profile.Binding{
			BindingKey: profile.BindingKey{Account: ref.ARN.Account, Region: ref.ARN.Region, ModelID: m.Model},
			Profile:    outcrop.ARN(m.Profile), Created: time.Now(), Origin: c.LibreChat.Config,
		})
	}
	c.Bind(list)
	return nil
}

// readMappings reads LibreChat's files. Without an .env file, variables stay
// unresolved.
func readMappings(config, env string) ([]librechat.Mapping, error) {
	c, err := os.ReadFile(config)
	if err != nil {
		return nil, err
	}
	e, err := os.ReadFile(env)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return librechat.Mappings(config, c, env, e)
}
