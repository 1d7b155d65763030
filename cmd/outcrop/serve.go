package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"outcrop/server"
)

type serveCommand struct {
	Listen    string `help:"Address for every AWS endpoint (default 127.0.0.1:4599)." placeholder:"HOST:PORT"`
	Data      string `help:"Folder for ledger, settings and keys (default ./outcrop-data)." placeholder:"DIR"`
	Config    string `help:"Configuration file; an empty one is valid." placeholder:"FILE"`
	TLS       bool   `help:"Also answer TLS on the same port, with a certificate authority made for this data folder."`
	LibreChat string `name:"librechat" help:"LibreChat's configuration, whose mapping from model ids to profiles then holds for every client." placeholder:"FILE"`
	Env       string `help:"LibreChat's .env file (default .env)." placeholder:"FILE"`
	Log       string `help:"Least level to log: debug, info, warn or error (default info)." placeholder:"LEVEL"`
	LogFormat string `help:"Form of the log: text or json (default text)." placeholder:"FORMAT"`
}

// Run starts the server. Flags win over the configuration file.
func (s *serveCommand) Run(ctx context.Context) error {
	config, err := server.ReadConfig(s.Config)
	if err != nil {
		return err
	}
	override(&config.Listen, s.Listen)
	override(&config.DataDir, s.Data)
	override(&config.Log, s.Log)
	override(&config.LibreChat.Config, s.LibreChat)
	override(&config.LibreChat.Env, s.Env)
	override(&config.LogFormat, s.LogFormat)
	config.TLS = config.TLS || s.TLS
	log, err := newLog(config.Log, config.LogFormat)
	if err != nil {
		return err
	}
	if err := bindLibreChat(config, log); err != nil {
		return err
	}
	tendMemory(ctx, log)
	stop, err := profileRun()
	if err != nil {
		return err
	}
	return errors.Join(server.Run(ctx, *config, log, os.Stdout), stop())
}

func override(setting *string, flag string) {
	if flag != "" {
		*setting = flag
	}
}

func newLog(level, format string) (*slog.Logger, error) {
	least := slog.LevelInfo
	if level != "" {
		if err := least.UnmarshalText([]byte(level)); err != nil {
			return nil, fmt.Errorf("log level %q: want debug, info, warn or error", level)
		}
	}
	options := &slog.HandlerOptions{Level: least}
	switch format {
	case "", "text":
		return slog.New(slog.NewTextHandler(os.Stderr, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(os.Stderr, options)), nil
	}
	return nil, fmt.Errorf("log format %q: want text or json", format)
}
