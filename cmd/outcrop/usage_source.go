package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"outcrop"
	"outcrop/access"
	"outcrop/server"
	"outcrop/usage"
)

// A usageFilter says which records are wanted, and where they are.
type usageFilter struct {
	accessCommand
	Stopped bool   `help:"Read the data folder of a server that is not running."`
	Config  string `help:"Its configuration file, with --stopped." placeholder:"FILE"`

	From       string   `help:"Begun at this time or later: 2026-11-01, 2026-11-01T09:30:00Z, or how long ago: 15m, 24h, 7d." placeholder:"TIME"`
	To         string   `help:"Begun before this time." placeholder:"TIME"`
	Profile    string   `help:"Inference profile: id or ARN." placeholder:"ID"`
	Model      string   `help:"Model id, resolved or as it was called." placeholder:"ID"`
	Principal  string   `help:"Who called: ARN, user/NAME, or the session's name." placeholder:"PRINCIPAL"`
	Operation  string   `help:"Such as Converse." placeholder:"NAME"`
	Upstream   string   `help:"Upstream that served." placeholder:"NAME"`
	Status     string   `help:"200, 4xx, ok or error." placeholder:"STATUS"`
	SDKAttempt string   `help:"All tries of one call, by its amz-sdk-invocation-id." name:"sdk-attempt" placeholder:"ID"`
	Tag        []string `help:"Profile or session tag, KEY=VALUE; repeat for more." placeholder:"KEY=VALUE"`
	Estimated  bool     `help:"Only records whose usage is estimated."`
}

// parseTime reads a date, an instant or how long ago.
func parseTime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	if number, ok := strings.CutSuffix(text, "d"); ok {
		if days, err := strconv.Atoi(number); err == nil && days >= 0 {
			return now.AddDate(0, 0, -days), nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	return time.Time{}, fmt.Errorf("time %q is none: write 2026-11-01, 2026-11-01T09:30:00Z, or how long ago: 15m, 24h, 7d", text)
}

func (f *usageFilter) filter() (usage.Filter, error) {
	tags, err := usage.ParseTags(f.Tag)
	if err != nil {
		return usage.Filter{}, err
	}
	now := time.Now()
	from, err1 := parseTime(f.From, now)
	to, err2 := parseTime(f.To, now)
	return usage.Filter{
		From: from, To: to, Profile: f.Profile, Model: f.Model, Principal: f.Principal, Operation: f.Operation, Upstream: f.Upstream,
		Region: f.Region, Status: f.Status, SDKAttempt: f.SDKAttempt, Tags: tags, Estimated: f.Estimated,
	}, errors.Join(err1, err2)
}

// A usageSource gives records a page at a time.
type usageSource interface {
	page(ctx context.Context, after uint64) (usagePage, error)
	tail(ctx context.Context, n int) (usagePage, error)
	Close() error
}

type usagePage struct {
	rows       []usage.Row
	next, last uint64
}

// open finds the records: those of the running server, or of the folder.
func (f *usageFilter) open(ctx context.Context) (usageSource, error) {
	filter, err := f.filter()
	if err != nil {
		return nil, err
	}
	if err := filter.Check(); err != nil {
		return nil, err
	}
	if f.Stopped {
		stopped, err := openStopped(ctx, f.Config, f.Data)
		if err != nil {
			return nil, err
		}
		return &folderUsage{stopped, filter}, nil
	}
	client, err := f.client("")
	if err != nil {
		return nil, err
	}
	return &serverUsage{client, filter, f.Tag}, nil
}

func openStopped(ctx context.Context, file, data string) (*server.Stopped, error) {
	config, err := server.ReadConfig(file)
	if err != nil {
		return nil, err
	}
	override(&config.DataDir, data)
	return server.OpenStopped(ctx, *config, slog.New(slog.DiscardHandler))
}

// folderUsage reads a data folder.
type folderUsage struct {
	*server.Stopped
	filter usage.Filter
}

func (u *folderUsage) page(ctx context.Context, after uint64) (usagePage, error) {
	return rowsOf(u.Records.Page(ctx, outcrop.Seq(after), &u.filter, usage.MaxPageRows))
}

func (u *folderUsage) tail(ctx context.Context, n int) (usagePage, error) {
	return rowsOf(u.Records.Tail(ctx, &u.filter, n))
}

func rowsOf(p usage.Page, err error) (usagePage, error) {
	out := usagePage{next: uint64(p.Next), last: uint64(p.Last), rows: make([]usage.Row, len(p.Records))}
	for i := range p.Records {
		out.rows[i] = usage.RowOf(&p.Records[i])
	}
	return out, err
}

// serverUsage asks a running server.
type serverUsage struct {
	client *access.Client
	filter usage.Filter
	tags   []string
}

func (u *serverUsage) Close() error { return nil }

func (u *serverUsage) page(ctx context.Context, after uint64) (usagePage, error) {
	return u.ask(ctx, map[string]any{"After": after, "Limit": usage.MaxPageRows})
}

func (u *serverUsage) tail(ctx context.Context, n int) (usagePage, error) {
	return u.ask(ctx, map[string]any{"Tail": n})
}

func (u *serverUsage) ask(ctx context.Context, in map[string]any) (usagePage, error) {
	f := &u.filter
	for name, value := range map[string]string{"Profile": f.Profile, "Model": f.Model, "Principal": f.Principal, "Operation": f.Operation,
		"Upstream": f.Upstream, "Region": f.Region, "Status": f.Status, "SDKAttempt": f.SDKAttempt} {
		if value != "" {
			in[name] = value
		}
	}
	for name, at := range map[string]time.Time{"From": f.From, "To": f.To} {
		if !at.IsZero() {
			in[name] = float64(at.UnixMilli()) / 1000
		}
	}
	if len(u.tags) > 0 {
		in["Tags"] = u.tags
	}
	if f.Estimated {
		in["Estimated"] = true
	}
	var out struct {
		Records    []string
		Next, Last uint64
	}
	if err := u.client.Admin(ctx, "ListUsageRecords", in, &out); err != nil {
		return usagePage{}, whyUnreachable(err)
	}
	p := usagePage{next: out.Next, last: out.Last, rows: make([]usage.Row, len(out.Records))}
	for i, text := range out.Records {
		if err := json.Unmarshal([]byte(text), &p.rows[i]); err != nil {
			return p, fmt.Errorf("read a usage record: %w", err)
		}
	}
	return p, nil
}

// whyUnreachable says what to do about a server that does not answer.
func whyUnreachable(err error) error {
	var refused *net.OpError
	if errors.As(err, &refused) && refused.Op == "dial" {
		return fmt.Errorf("%w\nStart the server (outcrop serve), or read its data folder while it is stopped with --stopped", err)
	}
	return err
}
