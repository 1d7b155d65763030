package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"outcrop"
	"outcrop/identity"
	"outcrop/server"
	"outcrop/test/conform"
)

type conformCommand struct {
	Endpoint  string   `help:"Endpoint to check (default: that of the data folder)." placeholder:"URL"`
	Data      string   `help:"Data folder whose credentials are used." default:"./outcrop-data" placeholder:"DIR"`
	Region    string   `help:"Region to check (default: that of the credentials)." placeholder:"REGION"`
	CA        string   `help:"PEM file of a certificate authority to trust (default: that of the data folder)." name:"ca" placeholder:"FILE"`
	Operation []string `help:"Check this operation only; may be repeated, and may come without the flag." short:"o" placeholder:"NAME"`
	Names     []string `arg:"" optional:"" name:"operation" help:"More operations to check."`
	AWS       bool     `help:"Check AWS itself, with the SDKs' usual credentials. Makes and deletes application profiles of its own; nothing that costs money, unless --spend allows it." name:"aws"`
	Spend     bool     `help:"With --aws: also make calls that AWS charges for (a few cents)."`
	JSON      bool     `help:"Write the report as JSON." name:"json"`
	List      bool     `help:"List the checks and run none."`
}

// Run checks an endpoint. It fails when a check does.
func (c *conformCommand) Run(ctx context.Context) error {
	checks, err := conform.Select(conform.All(), append(c.Operation, c.Names...))
	if err != nil {
		return err
	}
	if c.List {
		return conform.WriteList(os.Stdout, checks)
	}
	endpoint, err := c.endpoint(ctx)
	if err != nil {
		return err
	}
	subject, err := conform.Open(ctx, endpoint)
	if err != nil {
		return err
	}
	report := subject.Report()
	bar := progress(len(checks))
	subject.Run(ctx, checks, func(r conform.Result) {
		report.Add(r)
		bar.Describe(r.Operation)
		bar.Add(1)
	})
	bar.Finish()
	err = errors.Join(subject.Close(ctx), c.write(report))
	if len(report.Results) < len(checks) {
		return errors.Join(err, fmt.Errorf("stopped after %d of %d checks", len(report.Results), len(checks)))
	}
	return errors.Join(err, report.Err())
}

// endpoint finds where to go and with which credentials: the data folder's
// or, for AWS and for endpoints without a data folder, the SDKs' usual ones.
func (c *conformCommand) endpoint(ctx context.Context) (conform.Endpoint, error) {
	if c.AWS {
		return c.usual(ctx)
	}
	known, err := identity.ReadCredentials(c.Data)
	switch {
	case errors.Is(err, fs.ErrNotExist) && c.Endpoint != "":
		return c.usual(ctx)
	case err != nil:
		return conform.Endpoint{}, fmt.Errorf("%w\nStart the server first (outcrop serve), name its data folder with --data, or an endpoint with --endpoint", err)
	}
	e := conform.Endpoint{URL: known.Endpoint, Region: known.Region, APIKey: known.APIKey,
		Credentials: credentials.NewStaticCredentialsProvider(known.AccessKeyID, known.SecretAccessKey, "")}
	return c.override(e)
}

// usual asks the SDKs' chain: environment, shared files, roles.
func (c *conformCommand) usual(ctx context.Context) (conform.Endpoint, error) {
	loaded, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return conform.Endpoint{}, fmt.Errorf("find credentials: %w", err)
	}
	e := conform.Endpoint{Region: outcrop.Region(loaded.Region), Credentials: loaded.Credentials,
		APIKey: os.Getenv("AWS_BEARER_TOKEN_BEDROCK"), AWS: c.AWS, Spend: c.Spend}
	return c.override(e)
}

// override puts the flags over what was found.
func (c *conformCommand) override(e conform.Endpoint) (conform.Endpoint, error) {
	override(&e.URL, c.Endpoint)
	if c.Region != "" {
		e.Region = outcrop.Region(c.Region)
	}
	if e.Region == "" {
		return e, errors.New("no Region is set: name one with --region or AWS_REGION")
	}
	var err error
	e.Roots, err = c.roots(e.URL)
	return e, err
}

// roots reads the authority to trust, if there is one of our own.
func (c *conformCommand) roots(url string) ([]byte, error) {
	switch {
	case c.CA != "":
		return os.ReadFile(c.CA)
	case c.AWS || !strings.HasPrefix(url, "https:"):
		return nil, nil
	}
	pem, err := os.ReadFile(filepath.Join(c.Data, server.CAFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return pem, err
}

func (c *conformCommand) write(r *conform.Report) error {
	if c.JSON {
		return r.WriteJSON(os.Stdout)
	}
	paint := func(s conform.Status) string { return string(s) }
	if term.IsTerminal(int(os.Stdout.Fd())) && os.Getenv("NO_COLOR") == "" {
		paint = coloured
	}
	return r.WriteTable(os.Stdout, paint)
}

// coloured shows a status in green, red or yellow.
func coloured(s conform.Status) string {
	codes := map[conform.Status]string{conform.Pass: "32", conform.Fail: "31;1", conform.Skip: "33"}
	return "\x1b[" + codes[s] + "m" + string(s) + "\x1b[0m"
}

// progress is a bar on a terminal, and nothing elsewhere.
func progress(total int) *progressbar.ProgressBar {
	return progressbar.NewOptions(total,
		progressbar.OptionSetWriter(os.Stderr),
		progressbar.OptionSetVisibility(term.IsTerminal(int(os.Stderr.Fd()))),
		progressbar.OptionShowCount(),
		progressbar.OptionSetWidth(30),
		progressbar.OptionClearOnFinish(),
	)
}
