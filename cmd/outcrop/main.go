// Command outcrop serves inference profiles over the AWS APIs.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"outcrop/internal/commands"
	"outcrop/tour"
)

// cli is every command and flag there is.
type cli struct {
	Serve      serveCommand        `cmd:"" group:"To start" help:"Run the server: every AWS endpoint on one port."`
	Env        envCommand          `cmd:"" help:"Print the environment that points AWS tools at the server: eval \"$(outcrop env)\"."`
	Tour       tourCommand         `cmd:"" help:"Play the main story against the running server: profile, call, cost by tag."`
	LibreChat  librechatCommand    `cmd:"" name:"librechat" help:"Set LibreChat up, check it, and see what its calls missed."`
	Usage      usageCommand        `cmd:"" group:"Usage and cost" help:"Follow, find, add up and export usage records."`
	Cost       costCommand         `cmd:"" help:"Show what was spent, by tag, team, profile or anything else; write reports."`
	Price      priceCommand        `cmd:"" help:"List, compare and import prices, and price past usage again."`
	Budget     budgetCommand       `cmd:"" help:"Show, make and delete budgets, which can refuse calls before the money is spent."`
	Audit      auditCommand        `cmd:"" help:"Compare the counts that must be equal (invocations, records, cost lines, metric samples), and with an upstream's count or a bill. Exit status: 0 equal, 1 differs, 2 cannot tell."`
	Profile    profileCommand      `cmd:"" group:"Profiles and access" help:"Show or set what an application profile says where calls are silent."`
	Grant      grantCommand        `cmd:"" help:"Print the least IAM policy for invoking a profile and, once agreed, give it to a user, role or group."`
	Explain    explainCommand      `cmd:"" help:"Say why somebody may or may not invoke a profile: each check, its decision and the statement behind it."`
	Bind       bindCommand         `cmd:"" help:"Make a plain model id stand for an application profile, for clients that cannot pass an ARN."`
	Unbind     unbindCommand       `cmd:"" help:"Forget what a model id stands for."`
	Bindings   bindingsCommand     `cmd:"" help:"List the model ids that stand for application profiles."`
	Upstream   upstreamCommand     `cmd:"" group:"Routing" help:"List, drain and enable the upstreams of the running server."`
	Route      routeCommand        `cmd:"" help:"Explain where calls go."`
	Simulate   simulateCommand     `cmd:"" help:"Play routing policies in a simulated world of Regions, outages and clients, and compare them."`
	Conform    conformCommand      `cmd:"" group:"Upkeep" help:"Check an endpoint, Outcrop or AWS itself, against the recorded behaviour of each operation."`
	Ledger     ledgerCommand       `cmd:"" help:"Check a damaged ledger, and salvage what can be read of it. The server must be stopped."`
	Reissue    reissueCommand      `cmd:"" help:"Make new credentials for the administrator, when the first are lost. The server must be stopped."`
	RotateKey  rotateKeyCommand    `cmd:"" help:"Seal every secret with a new envelope key. The server must be stopped."`
	Completion commands.Completion `cmd:"" help:"Print the script with which bash, zsh, fish or PowerShell completes outcrop's commands, flags and values."`
	Version    versionCommand      `cmd:"" help:"Print the version."`
}

// Exit statuses: what a command says itself (an exitCode) comes before these.
const (
	failed  = 1
	misused = 2 // as of shells and most tools
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	args := os.Args[1:]
	if slices.Equal(args, []string{"--version"}) {
		args = []string{"version"}
	}
	command, err := program().Parse(args) // of which the command alone is kept: serve lasts
	if err != nil {
		os.Exit(explainMisuse(err))
	}
	if command == nil { // help was asked for
		return
	}
	if err := command.Run(ctx); err != nil {
		var code exitCode
		if errors.As(err, &code) { // all was said
			os.Exit(int(code))
		}
		fmt.Fprintln(os.Stderr, "outcrop:", err)
		os.Exit(failed)
	}
}

func program() *commands.Program {
	return commands.New[cli]("outcrop", "A self-hosted control plane and gateway for Amazon Bedrock inference profiles.", vars)
}

var vars = map[string]string{"tourModel": tour.DefaultModel}

// explainMisuse says what is wrong with the command line, and how it is right.
func explainMisuse(err error) int {
	fmt.Fprintln(os.Stderr, "outcrop: error:", err)
	var wrong *commands.UsageError
	if errors.As(err, &wrong) {
		fmt.Fprint(os.Stderr, wrong.Usage)
	}
	return misused
}
