// Command outcrop serves inference profiles over the AWS APIs.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"outcrop/tour"
)

// cli is every command and flag there is.
type cli struct {
	Serve     serveCommand     `cmd:"" help:"Run the server: every AWS endpoint on one port."`
	Env       envCommand       `cmd:"" help:"Print the environment that points AWS tools at the server: eval \"$(outcrop env)\"."`
	Tour      tourCommand      `cmd:"" help:"Play the main story against the running server: profile, call, cost by tag."`
	Conform   conformCommand   `cmd:"" help:"Check an endpoint, Outcrop or AWS itself, against the recorded behaviour of each operation."`
	Usage     usageCommand     `cmd:"" help:"Follow, find, add up and export usage records."`
	Audit     auditCommand     `cmd:"" help:"Compare the counts that must be equal (invocations, records, cost lines, metric samples), and with an upstream's count or a bill. Exit status: 0 equal, 1 differs, 2 cannot tell."`
	Ledger    ledgerCommand    `cmd:"" help:"Check a damaged ledger, and salvage what can be read of it. The server must be stopped."`
	Reissue   reissueCommand   `cmd:"" help:"Make new credentials for the administrator, when the first are lost. The server must be stopped."`
	Grant     grantCommand     `cmd:"" help:"Print the least IAM policy for invoking a profile and, once agreed, give it to a user, role or group."`
	Explain   explainCommand   `cmd:"" help:"Say why somebody may or may not invoke a profile: each check, its decision and the statement behind it."`
	Bind      bindCommand      `cmd:"" help:"Make a plain model id stand for an application profile, for clients that cannot pass an ARN."`
	Unbind    unbindCommand    `cmd:"" help:"Forget what a model id stands for."`
	Bindings  bindingsCommand  `cmd:"" help:"List the model ids that stand for application profiles."`
	Profile   profileCommand   `cmd:"" help:"Show or set what an application profile says where calls are silent."`
	Upstream  upstreamCommand  `cmd:"" help:"List, drain and enable the upstreams of the running server."`
	Route     routeCommand     `cmd:"" help:"Explain where calls go."`
	Simulate  simulateCommand  `cmd:"" help:"Play routing policies in a simulated world of Regions, outages and clients, and compare them."`
	LibreChat librechatCommand `cmd:"" name:"librechat" help:"Set LibreChat up, check it, and see what its calls missed."`
	Cost      costCommand      `cmd:"" help:"Show what was spent, by tag, team, profile or anything else; write reports."`
	Price     priceCommand     `cmd:"" help:"List, compare and import prices, and price past usage again."`
	Budget    budgetCommand    `cmd:"" help:"Show, make and delete budgets, which can refuse calls before the money is spent."`
	RotateKey rotateKeyCommand `cmd:"" name:"rotate-key" help:"Seal every secret with a new envelope key. The server must be stopped."`
	Version   versionCommand   `cmd:"" help:"Print the version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	parsed := kong.Parse(&c,
		kong.Name("outcrop"),
		kong.Description("A self-hosted control plane and gateway for Amazon Bedrock inference profiles."),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Vars{"tourModel": tour.DefaultModel},
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	run := func() error { return parsed.Run() }
	if parsed.Command() == "serve" { // which lasts: what reading the command line took is not kept meanwhile
		run = func() error { return c.Serve.Run(ctx) }
	}
	if err := run(); err != nil {
		var code exitCode
		if errors.As(err, &code) { // all was said
			os.Exit(int(code))
		}
		fmt.Fprintln(os.Stderr, "outcrop:", err)
		os.Exit(1)
	}
}
