package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"outcrop"
	"outcrop/profile"
)

type profileCommand struct {
	Defaults defaultsCommand `cmd:"" help:"Show the defaults of an application profile, or set them: a call's own value always wins."`
}

type defaultsCommand struct {
	accessCommand
	Profile          string   `arg:"" help:"Application inference profile: id or ARN."`
	Temperature      *float64 `help:"From 0 to 1." placeholder:"X"`
	TopP             *float64 `help:"From 0 to 1." placeholder:"X" name:"top-p"`
	TopK             *int64   `help:"How many tokens are considered at each step, for models that have it." placeholder:"N" name:"top-k"`
	MaxTokens        *int64   `help:"The most tokens of an answer." placeholder:"N"`
	Stop             []string `help:"A sequence at which answers end; repeat it for more." placeholder:"TEXT" sep:"none"`
	AnthropicVersion string   `help:"Of InvokeModel bodies of Anthropic's models: bedrock-2023-05-31." placeholder:"VERSION"`
	ResponseFormat   string   `help:"File with a JSON Schema that answers follow, or json for any JSON object." placeholder:"FILE"`
	Unset            []string `help:"Forget these settings: temperature, topP, topK, maxTokens, stopSequences, anthropicVersion, responseFormat." placeholder:"NAME"`
	JSON             bool     `help:"Write the defaults as JSON." name:"json"`
}

// Run sets what its flags say, then shows what holds.
func (d *defaultsCommand) Run(ctx context.Context) error {
	client, err := d.client(d.Profile)
	if err != nil {
		return err
	}
	set, err := d.asked()
	if err != nil {
		return err
	}
	if set != nil {
		if err := client.SetDefaults(ctx, d.Profile, set, d.Unset); err != nil {
			return err
		}
	}
	arn, now, err := client.Defaults(ctx, d.Profile)
	if err != nil {
		return err
	}
	if now == nil {
		now = new(outcrop.Defaults)
	}
	if d.JSON {
		return writeJSON(shownDefaults(now))
	}
	lines := shownDefaults(now)
	if len(lines) == 0 {
		fmt.Printf("%s has no defaults: calls say everything themselves. Set some: outcrop profile defaults ID --temperature 0.2\n", arn)
		return nil
	}
	fmt.Printf("Where a call to %s is silent:\n", arn)
	for _, name := range profile.DefaultNames {
		if v, ok := lines[name]; ok {
			text, err := json.Marshal(v)
			if err != nil {
				return err
			}
			fmt.Printf("  %s = %s\n", name, text)
		}
	}
	return nil
}

// asked is what the flags say; nil when they say nothing.
func (d *defaultsCommand) asked() (*outcrop.Defaults, error) {
	for _, name := range d.Unset {
		if !slices.ContainsFunc(profile.DefaultNames, func(known string) bool { return strings.EqualFold(known, name) }) {
			return nil, fmt.Errorf("--unset %s: the settings are %s", name, strings.Join(profile.DefaultNames, ", "))
		}
	}
	set := &outcrop.Defaults{
		Temperature: d.Temperature, TopP: d.TopP, TopK: d.TopK, MaxTokens: d.MaxTokens, StopSequences: d.Stop, AnthropicVersion: d.AnthropicVersion,
	}
	if d.ResponseFormat != "" {
		doc := []byte(d.ResponseFormat)
		if d.ResponseFormat != "json" {
			var err error
			if doc, err = os.ReadFile(d.ResponseFormat); err != nil {
				return nil, err
			}
		}
		schema, err := profile.ParseResponseFormat(doc)
		if err != nil {
			return nil, fmt.Errorf("--response-format %s: %w", strconv.Quote(d.ResponseFormat), err)
		}
		set.ResponseFormat = schema
	}
	if tags, err := profile.DefaultTags(set); err != nil || len(tags) == 0 && len(d.Unset) == 0 {
		return nil, err
	}
	return set, nil
}

// shownDefaults are the settings by name.
func shownDefaults(d *outcrop.Defaults) map[string]any {
	shown := map[string]any{}
	if d.Temperature != nil {
		shown["temperature"] = *d.Temperature
	}
	if d.TopP != nil {
		shown["topP"] = *d.TopP
	}
	if d.TopK != nil {
		shown["topK"] = *d.TopK
	}
	if d.MaxTokens != nil {
		shown["maxTokens"] = *d.MaxTokens
	}
	if d.StopSequences != nil {
		shown["stopSequences"] = d.StopSequences
	}
	if d.AnthropicVersion != "" {
		shown["anthropicVersion"] = d.AnthropicVersion
	}
	if d.ResponseFormat != nil {
		shown["responseFormat"] = d.ResponseFormat
	}
	return shown
}
