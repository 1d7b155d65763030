package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"outcrop/identity"
	"outcrop/server"
)

type envCommand struct {
	Data   string `help:"Data folder of the server." default:"./outcrop-data" placeholder:"DIR"`
	Bearer bool   `help:"Also print the Bedrock API key. It beats the access key in boto3 and the SDKs."`
}

// Run prints shell commands for eval.
func (e *envCommand) Run(context.Context) error {
	c, err := identity.ReadCredentials(e.Data)
	if err != nil {
		return fmt.Errorf("%w\nStart the server first (outcrop serve), or name its data folder with --data", err)
	}
	export("AWS_ENDPOINT_URL", c.Endpoint)
	export("AWS_ACCESS_KEY_ID", c.AccessKeyID)
	export("AWS_SECRET_ACCESS_KEY", c.SecretAccessKey)
	export("AWS_REGION", string(c.Region))
	export("AWS_DEFAULT_REGION", string(c.Region))
	// StartLiveTail would go to "stream-" and the endpoint's host, which is no name.
	export("AWS_DISABLE_HOST_PREFIX_INJECTION", "true")
	if strings.HasPrefix(c.Endpoint, "https:") {
		ca, err := filepath.Abs(filepath.Join(e.Data, server.CAFile))
		if err != nil {
			return err
		}
		export("AWS_CA_BUNDLE", ca)
		export("NODE_EXTRA_CA_CERTS", ca)
	}
	// A token or profile left over from another account would win over the keys.
	fmt.Println("unset AWS_SESSION_TOKEN AWS_PROFILE")
	if e.Bearer {
		export("AWS_BEARER_TOKEN_BEDROCK", c.APIKey)
	} else {
		fmt.Println("unset AWS_BEARER_TOKEN_BEDROCK")
	}
	return nil
}

// export quotes for any POSIX shell.
func export(name, value string) {
	fmt.Printf("export %s='%s'\n", name, strings.ReplaceAll(value, "'", `'\''`))
}
