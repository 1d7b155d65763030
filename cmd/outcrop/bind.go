package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"outcrop"
	"outcrop/access"
)

type bindCommand struct {
	accessCommand
	Model   string `arg:"" help:"Model id as clients send it, such as us.amazon.nova-lite-v1:0 or my-sonnet."`
	Profile string `arg:"" help:"Application inference profile that answers: id or ARN."`
	For     string `help:"Only for calls of this principal: ARN of a user or role, or user/NAME, role/NAME, or a user's NAME (default: everybody in the account)." placeholder:"PRINCIPAL"`
}

// Run binds at once: the next call follows it.
func (b *bindCommand) Run(ctx context.Context) error {
	client, err := b.client(b.Profile)
	if err != nil {
		return err
	}
	who, err := principalOf(ctx, client, b.For)
	if err != nil {
		return err
	}
	var out struct{ Binding binding }
	if err := client.Admin(ctx, "PutModelBinding", bindingInput(b.Model, who, "ProfileArn", b.Profile), &out); err != nil {
		return err
	}
	fmt.Printf("%s stands for %s, for %s in %s.\n", out.Binding.ModelID, out.Binding.Profile, cmp.Or(string(who), "everybody in the account"), client.Region)
	return nil
}

type unbindCommand struct {
	accessCommand
	Model string `arg:"" help:"Model id."`
	For   string `help:"The principal it was bound for (default: everybody in the account)." placeholder:"PRINCIPAL"`
}

// Run forgets one binding.
func (u *unbindCommand) Run(ctx context.Context) error {
	client, err := u.client("")
	if err != nil {
		return err
	}
	who, err := principalOf(ctx, client, u.For)
	if err != nil {
		return err
	}
	if err := client.Admin(ctx, "DeleteModelBinding", bindingInput(u.Model, who), nil); err != nil {
		return err
	}
	fmt.Printf("%s is itself again in %s.\n", u.Model, client.Region)
	return nil
}

type bindingsCommand struct {
	accessCommand
	JSON bool `help:"Write them as JSON." name:"json"`
}

// A binding as the server lists it.
type binding struct {
	ModelID   string      `json:"ModelId"`
	Profile   outcrop.ARN `json:"ProfileArn"`
	Principal outcrop.ARN `json:"Principal,omitempty"`
	Created   float64     `json:"Created,omitempty"` // seconds since 1970
	Origin    string      `json:"Origin,omitempty"`
}

// Run lists the bindings of one Region.
func (b *bindingsCommand) Run(ctx context.Context) error {
	client, err := b.client("")
	if err != nil {
		return err
	}
	var out struct{ Bindings []binding }
	if err := client.Admin(ctx, "ListModelBindings", map[string]any{}, &out); err != nil {
		return err
	}
	if b.JSON {
		return writeJSON(out.Bindings)
	}
	if len(out.Bindings) == 0 {
		fmt.Printf("No model id is bound in %s. Bind one: outcrop bind MODEL PROFILE\n", client.Region)
		return nil
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "MODEL ID\tSTANDS FOR\tFOR\tSINCE")
	for _, one := range out.Bindings {
		since := cmp.Or(one.Origin, time.Unix(int64(one.Created), 0).UTC().Format(time.DateTime))
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", one.ModelID, one.Profile, cmp.Or(string(one.Principal), "everybody"), since)
	}
	return table.Flush()
}

// principalOf is the ARN of a user or role that a person named; empty stays so.
func principalOf(ctx context.Context, c *access.Client, text string) (outcrop.ARN, error) {
	if text == "" {
		return "", nil
	}
	p, _, err := c.Find(ctx, text)
	if err != nil {
		return "", err
	}
	if p.Kind == "Group" {
		return "", errors.New("a binding is for a user or a role: a group makes no calls")
	}
	return p.ARN, nil
}

// bindingInput leaves out an empty principal: the model wants none or an ARN.
func bindingInput(model string, who outcrop.ARN, more ...any) map[string]any {
	in := map[string]any{"ModelId": model}
	if who != "" {
		in["Principal"] = who
	}
	for i := 0; i+1 < len(more); i += 2 {
		in[more[i].(string)] = more[i+1]
	}
	return in
}

func writeJSON(v any) error {
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	return out.Encode(v)
}
