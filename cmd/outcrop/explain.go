package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"outcrop/access"
	"outcrop/iam"
)

type explainCommand struct {
	accessCommand
	Principal string `help:"Who asks: ARN of a user, role or group, or user/NAME, role/NAME, group/NAME, or a user's NAME." required:"" placeholder:"PRINCIPAL"`
	Action    string `help:"What they ask for." default:"bedrock:InvokeModel" placeholder:"ACTION"`
	Profile   string `help:"Inference profile: id or ARN." required:"" placeholder:"ID"`
	Key       string `help:"Explain a call with a Bedrock API key of this kind: long-term or short-term." enum:",long-term,short-term" default:"" placeholder:"KIND"`
	JSON      bool   `help:"Write the explanation as JSON." name:"json"`
}

var tokenTypes = map[string]string{"long-term": iam.LongTermToken, "short-term": iam.ShortTermToken}

// Run prints the decision for everything that has to be allowed. To explain a
// refusal is not to fail.
func (e *explainCommand) Run(ctx context.Context) error {
	client, err := e.client(e.Profile)
	if err != nil {
		return err
	}
	why, err := client.Explain(ctx, access.Question{Principal: e.Principal, Action: e.Action, Profile: e.Profile, Bearer: tokenTypes[e.Key]})
	if err != nil {
		return err
	}
	if e.JSON {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(why)
	}
	return writeExplanation(os.Stdout, why)
}

func writeExplanation(w io.Writer, e *access.Explanation) error {
	verdict := "may"
	if !e.Allowed {
		verdict = "may not"
	}
	fmt.Fprintf(w, "%s %s %s with %s in %s.\n\n", e.Principal, verdict, e.Action, e.Profile, e.Region)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "CHECK\tREGION\tDECISION\tBECAUSE OF")
	for _, c := range e.Checks {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", c.What, c.Region, c.Decision, c.Because())
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(e.Defaults) > 0 {
		fmt.Fprintln(w, "\nWhere a call is silent, the profile says:")
		for _, name := range e.Defaults.Keys() {
			fmt.Fprintf(w, "  %s = %s\n", name, e.Defaults[name])
		}
	}
	if e.Message != "" {
		fmt.Fprintf(w, "\n%s\n", e.Message)
	}
	return nil
}
