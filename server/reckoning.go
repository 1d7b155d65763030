package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"outcrop/awsapi/adminapi"
	"outcrop/cost"
	"outcrop/ledger"
	"outcrop/reconcile"
	"outcrop/sqlite"
	"outcrop/usage"
)

// LedgerOptions are the ledger's own.
type LedgerOptions = ledger.Options

func (c *Config) ledgerOptions(log *slog.Logger, told func(time.Duration)) ledger.Options {
	o := c.Ledger
	o.Log = log
	if o.Committed == nil {
		o.Committed = told
	}
	return o
}

// A reckoning is what compares counts and shows usage.
type reckoning struct {
	meter adminapi.Meter
	watch *reconcile.Watch
}

// openReckoning makes what compares the counts that must be equal, and lists
// usage records.
func (e *engines) openReckoning(log *slog.Logger) {
	records := e.store.Usage()
	auditor := &reconcile.Auditor{
		Sync:    e.ledger.Sync,
		Settled: reconcile.Source{Name: "invocations settled", Counted: records.Settled},
		Others: []reconcile.Source{
			{Name: "ledger records", Counted: records.Present},
			{Name: "cost lines", Counted: foldedBy(e.costs.CatchUp, e.store.Costs().Counted)},
			{Name: "metric samples", Counted: e.metrics.Counted},
		},
	}
	e.meter = adminapi.Meter{Records: &usage.Reader{Sync: e.ledger.Sync, Records: records}, Auditor: auditor, Ledger: e.ledger.Stats}
	e.watch = &reconcile.Watch{Auditor: auditor, Log: log}
}

// foldedBy counts after a fold has caught up.
func foldedBy(catchUp func(context.Context) error, count func(ctx context.Context, from, to time.Time) (uint64, error)) func(context.Context, time.Time, time.Time) (uint64, error) {
	return func(ctx context.Context, from, to time.Time) (uint64, error) {
		if err := catchUp(ctx); err != nil {
			return 0, err
		}
		return count(ctx, from, to)
	}
}

// auditDetail is the line of /readyz about the audit of usage. Counts that
// differ are for the operator to look into: the server goes on, because to
// refuse calls would mend nothing.
func (e *engines) auditDetail() string {
	switch s := e.watch.Stats(); {
	case s.Problem != nil:
		return "no verdict: " + s.Problem.Error()
	case s.Audits == 0:
		return "not yet made"
	default:
		return fmt.Sprintf("%s at %s", s.Last.Verdict, s.Last.At.Format(time.RFC3339))
	}
}

// auditEqual is the audit as a number to alarm on.
func (e *engines) auditEqual() float64 {
	if e.watch.Health() != nil {
		return 0
	}
	return 1
}

// A Stopped is the usage in the data folder of a server that is not running.
type Stopped struct {
	Records *usage.Reader
	Auditor *reconcile.Auditor
	close   []func() error
}

// CheckLedger says what is damaged in the ledger of a server that is not
// running, and changes nothing.
func CheckLedger(config Config) (_ []ledger.Finding, err error) {
	if err := config.complete(); err != nil {
		return nil, err
	}
	dir := filepath.Join(config.DataDir, "ledger")
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("there is no ledger in %s: name the server's data folder with --data", config.DataDir)
	}
	release, err := lock(config.DataDir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, release()) }()
	return ledger.Check(dir)
}

// SalvageLedger gives up what CheckLedger found damaged. Damaged files are kept
// beside their mended ones.
func SalvageLedger(ctx context.Context, config Config, log *slog.Logger) error {
	if err := config.complete(); err != nil {
		return err
	}
	return withStore(ctx, &config, func(store *sqlite.DB) error {
		kept, err := ledger.Start(filepath.Join(config.DataDir, "ledger"), store.Usage(), ledger.Options{Log: log, Salvage: true})
		if err != nil {
			return err
		}
		return errors.Join(kept.Sync(ctx), kept.Close())
	})
}

// OpenStopped opens it. What a process that died left open is settled first, as
// its next start would. Nobody else may open the folder until Close.
func OpenStopped(ctx context.Context, config Config, log *slog.Logger) (*Stopped, error) {
	if err := config.complete(); err != nil {
		return nil, err
	}
	release, err := lock(config.DataDir)
	if err != nil {
		return nil, err
	}
	s := &Stopped{close: []func() error{release}}
	if err := s.open(ctx, &config, log); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Stopped) open(ctx context.Context, config *Config, log *slog.Logger) error {
	store, err := sqlite.Open(ctx, filepath.Join(config.DataDir, databaseFile))
	if err != nil {
		return err
	}
	s.close = append(s.close, store.Close)
	kept, err := ledger.Start(filepath.Join(config.DataDir, "ledger"), store.Usage(), ledger.Options{Log: log})
	if err != nil {
		return err
	}
	s.close = append(s.close, kept.Close)
	e := &engines{store: store, ledger: kept, costs: cost.New(kept, store.Costs(), time.Now, log), log: log}
	if err := e.openCatalogs(config, log); err != nil {
		return err
	}
	e.openMetrics(config, log)
	s.close = append(s.close, e.closers...)
	s.Records, s.Auditor = e.meter.Records, e.meter.Auditor
	return nil
}

// Close lets go of the folder.
func (s *Stopped) Close() error {
	var errs []error
	for i := len(s.close) - 1; i >= 0; i-- {
		errs = append(errs, s.close[i]())
	}
	return errors.Join(errs...)
}
