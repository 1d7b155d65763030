package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

type grantCommand struct {
	accessCommand
	Profile string `arg:"" help:"Inference profile to invoke: id or ARN."`
	To      string `help:"Who may: ARN of a user, role or group, or user/NAME, role/NAME, group/NAME, or a user's NAME." required:"" placeholder:"PRINCIPAL"`
	Yes     bool   `help:"Write the policy without asking." short:"y"`
}

// Run prints the least policy, and writes it once the operator agrees. The
// policy alone goes to standard output.
func (g *grantCommand) Run(ctx context.Context) error {
	client, err := g.client(g.Profile)
	if err != nil {
		return err
	}
	grant, err := client.Grant(ctx, g.Profile, g.To)
	if err != nil {
		return err
	}
	fmt.Printf("%s", grant.Policy)
	if !g.Yes && !agreed(os.Stdin, fmt.Sprintf("Make this the inline policy %s of %s? [y/N] ", grant.PolicyName, grant.Principal.ARN)) {
		return errors.New("nothing was changed: answer yes, or give --yes")
	}
	if err := grant.Write(ctx); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "Written: inline policy %s of %s.\n", grant.PolicyName, grant.Principal.ARN)
	return nil
}

// agreed asks on standard error. Silence is no.
func agreed(in io.Reader, question string) bool {
	fmt.Fprint(os.Stderr, question)
	answer, _ := bufio.NewReader(in).ReadString('\n') // an answer without its line's end is one
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes"
}
