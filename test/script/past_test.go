package script

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"outcrop"
	"outcrop/ledger"
	"outcrop/sqlite"
)

// past puts calls of the last days into the data folder, before the server
// first starts: one on each day before today for each project, at noon, of so
// many dollars.
//
//	past 21 app01=1 app02=3
func past(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: past DAYS PROJECT=DOLLARS...")
	}
	days, err := strconv.Atoi(args[0])
	ts.Check(err)
	dir := ts.MkAbs("outcrop-data")
	ts.Check(os.MkdirAll(filepath.Join(dir, "ledger"), 0o700))
	ctx := context.Background()
	store, err := sqlite.Open(ctx, filepath.Join(dir, "outcrop.db"))
	ts.Check(err)
	defer store.Close()
	kept, err := ledger.Start(filepath.Join(dir, "ledger"), store.Usage(), ledger.Options{Log: slog.New(slog.DiscardHandler)})
	ts.Check(err)
	noon := time.Now().UTC().Truncate(24 * time.Hour).Add(-12 * time.Hour)
	for day := range days {
		for _, arg := range args[1:] {
			project, dollars, _ := strings.Cut(arg, "=")
			n, err := strconv.ParseUint(dollars, 10, 32)
			ts.Check(err)
			r := called(noon.AddDate(0, 0, -day), project, n)
			ts.Check(kept.Open(ctx, r))
			ts.Check(kept.Settle(ctx, r))
		}
	}
	ts.Check(kept.Sync(ctx))
	ts.Check(kept.Close())
}

// called is a call of a project, at a dollar for a million tokens.
func called(at time.Time, project string, dollars uint64) outcrop.UsageRecord {
	r := outcrop.UsageRecord{
		Invocation: outcrop.InvocationID(fmt.Sprintf("past-%s-%d", project, at.Unix())), Operation: outcrop.OpConverse, Account: "123456789012",
		Started: at, Ended: at.Add(time.Second), Region: "us-east-1", ServedIn: "us-east-1", Model: "amazon.nova-lite-v1:0", Geography: "us",
		Tags: outcrop.Tags{"project": project}, Profile: outcrop.ApplicationProfileARN("us-east-1", "123456789012", "past"+project),
	}
	r.Outcome.Status = 200
	r.Usage.Set(outcrop.InputTokens, outcrop.Tokens(dollars*1_000_000))
	r.Quote.Price = "past#nova"
	r.Quote.Rates.Set(outcrop.InputTokens, 1_000_000)
	return r
}
