package main

import (
	"context"
	"fmt"
	"os"

	"outcrop/server"
)

type reissueCommand struct {
	Data   string `help:"Data folder of the stopped server (default ./outcrop-data)." placeholder:"DIR"`
	Config string `help:"Its configuration file." placeholder:"FILE"`
}

// Run makes the credentials and shows them once.
func (r *reissueCommand) Run(ctx context.Context) error {
	config, err := server.ReadConfig(r.Config)
	if err != nil {
		return err
	}
	override(&config.DataDir, r.Data)
	b, err := server.Reissue(ctx, *config)
	if err != nil {
		return err
	}
	fmt.Print("The administrator's old access key and Bedrock API key no longer work. The new ones, shown here once:\n\n")
	server.ShowCredentials(os.Stdout, b)
	return nil
}

type rotateKeyCommand struct {
	Data   string `help:"Data folder of the stopped server (default ./outcrop-data)." placeholder:"DIR"`
	Config string `help:"Its configuration file." placeholder:"FILE"`
}

// Run seals every secret anew.
func (r *rotateKeyCommand) Run(ctx context.Context) error {
	config, err := server.ReadConfig(r.Config)
	if err != nil {
		return err
	}
	override(&config.DataDir, r.Data)
	if err := server.RotateKey(ctx, *config); err != nil {
		return err
	}
	fmt.Println("Every secret is sealed with a new envelope key. Back up envelope-keys.json again; temporary credentials have ended.")
	return nil
}
