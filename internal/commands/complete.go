package commands

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A Completion prints the script with which a shell completes the program's
// commands, flags and values.
type Completion struct {
	Shell string `arg:"" enum:"bash,zsh,fish,powershell" help:"The shell: bash, zsh, fish or powershell."`
	root  *cobra.Command
}

// Run prints the script.
func (c *Completion) Run(context.Context) error {
	switch c.Shell {
	case "bash":
		return c.root.GenBashCompletionV2(os.Stdout, true)
	case "zsh":
		return c.root.GenZshCompletion(os.Stdout)
	case "fish":
		return c.root.GenFishCompletion(os.Stdout, true)
	case "powershell":
		return c.root.GenPowerShellCompletionWithDesc(os.Stdout)
	}
	return fmt.Errorf("no script for %q", c.Shell)
}

// prepareCompletion tells cobra what may follow a flag. It keeps that in a
// variable of its own, for good: so it is told only when a shell asks.
func (l *leaf) prepareCompletion(cmd *cobra.Command) {
	groups := map[string][]string{}
	for _, o := range l.flags {
		cmd.RegisterFlagCompletionFunc(o.name, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return o.complete()
		})
		if o.required {
			cmd.MarkFlagRequired(o.name)
		}
		if o.xor != "" {
			groups[o.xor] = append(groups[o.xor], o.name)
		}
	}
	for _, names := range groups {
		cmd.MarkFlagsMutuallyExclusive(names...)
	}
	cmd.Flags().VisitAll(func(f *pflag.Flag) { f.Usage = wrap(f.Usage, mostHint)[0] })
}

// mostHint bounds what a shell shows beside a flag.
const mostHint = 60

// completeArgument is what may stand where an argument is expected.
func (l *leaf) completeArgument(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	for i, o := range l.args {
		if i == len(args) || o.many {
			return o.complete()
		}
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

func (o *option) complete() ([]string, cobra.ShellCompDirective) {
	switch {
	case o.enum != nil:
		return o.enum, cobra.ShellCompDirectiveNoFileComp
	case o.existing || o.placeholder == "FILE":
		return nil, cobra.ShellCompDirectiveDefault
	case o.placeholder == "DIR":
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}
