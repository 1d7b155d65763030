package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/awsapi/bedrockapi"
	"outcrop/awsapi/costapi"
	"outcrop/awsapi/iamapi"
	"outcrop/awsapi/orgapi"
	"outcrop/awsapi/runtimeapi"
	"outcrop/awsapi/stsapi"
	"outcrop/awsapi/trailapi"
	"outcrop/budget"
	"outcrop/catalog"
	"outcrop/cost"
	"outcrop/cost/cur"
	"outcrop/gateway"
	"outcrop/identity"
	"outcrop/identity/oidc"
	"outcrop/identity/sealing"
	"outcrop/ledger"
	"outcrop/objects"
	"outcrop/pricing"
	"outcrop/profile"
	"outcrop/quota"
	"outcrop/routing"
	"outcrop/sqlite"
	"outcrop/telemetry/trail"
	"outcrop/upstream"
	"outcrop/upstream/anthropic"
	"outcrop/upstream/bedrock"
	"outcrop/upstream/openai"
	"outcrop/upstream/simulator"
)

// databaseFile is the embedded store's name in the data folder.
const databaseFile = "outcrop.db"

// engines are everything behind the door, started.
type engines struct {
	logging
	watching // metrics, alarms, Prometheus and traces

	reckoning
	trail    *trail.Trail
	store    *sqlite.DB
	disk     diskMetrics
	ledger   *ledger.Ledger
	identity *identity.Directory
	issuers  *oidc.Verifier
	catalog  *catalog.Live
	prices   *pricing.Live
	profiles *profile.Profiles
	bindings *profile.Bindings
	costs    *cost.Costs
	folder   *objects.Folder // buckets that the S3 endpoint serves
	objects  objects.Stores  // where deliveries go
	exports  *cur.Exports
	gateway  *gateway.Gateway
	runtime  *runtimeapi.API
	router   *routing.Router
	backends *backends
	checks   *checks
	inUse    upstreamSet
	log      *slog.Logger
	quotas   *quota.Gate
	limits   *quota.Values
	budgets  *budget.Budgets

	stop    context.CancelFunc
	running sync.WaitGroup
	closers []func() error // in the order of their start
}

// open starts the engines over the data folder, lowest first. On the first
// start it makes the account, its administrator and their credentials.
func open(ctx context.Context, c *Config, endpoint string, log *slog.Logger) (e *engines, first *identity.Bootstrapped, err error) {
	e = &engines{log: log}
	begun := e // a failing return sets e to nil before the deferred call runs
	defer func() {
		if err != nil {
			err = errors.Join(err, begun.close())
		}
	}()
	if err := e.openTrail(c, log); err != nil {
		return nil, nil, err
	}
	if err := e.openStores(ctx, c, log); err != nil {
		return nil, nil, err
	}
	if first, err = e.openIdentity(ctx, c, endpoint); err != nil {
		return nil, nil, err
	}
	if err := e.openCatalogs(c, log); err != nil {
		return nil, nil, err
	}
	if err := e.openObjects(ctx, c); err != nil {
		return nil, nil, err
	}
	e.profiles = profile.New(e.store, e.catalog.Current, time.Now, profile.Options{
		Quota: int(c.Profiles.PerRegion), UniqueNames: c.Profiles.UniqueNames, AcceptBareProfileID: c.Runtime.AcceptBareProfileID,
	})
	e.openCosts(c, log)
	if err := e.openExports(c, log); err != nil {
		return nil, nil, err
	}
	e.openMetrics(c, log)
	if err := e.openBindings(ctx, c); err != nil {
		return nil, nil, err
	}
	if err := e.openLimits(ctx, c); err != nil {
		return nil, nil, err
	}
	if err := e.openGateway(ctx, c); err != nil {
		return nil, nil, err
	}
	if err := e.openLogging(ctx, c, log); err != nil {
		return nil, nil, err
	}
	if err := e.observe(ctx, c, log); err != nil {
		return nil, nil, err
	}
	e.openRuntime(c, log)
	e.run(c, log)
	return e, first, nil
}

// openTrail opens the audit trail, which is closed last: what ends the other
// engines may still be told.
func (e *engines) openTrail(c *Config, log *slog.Logger) (err error) {
	o := trail.Options{Account: c.Account, DataEvents: c.Audit.DataEvents, KeepFiles: int(c.Audit.KeepFiles), Log: log}
	if c.Audit.Stdout {
		o.Mirror = os.Stdout
	}
	if e.trail, err = trail.Open(filepath.Join(c.DataDir, "audit"), o); err != nil {
		return err
	}
	e.closers = append(e.closers, e.trail.Close)
	return nil
}

func (e *engines) openStores(ctx context.Context, c *Config, log *slog.Logger) (err error) {
	if e.store, err = sqlite.Open(ctx, filepath.Join(c.DataDir, databaseFile)); err != nil {
		return err
	}
	e.closers = append(e.closers, e.store.Close)
	e.disk = newDiskMetrics()
	e.store.Told(e.disk.stored)
	e.ledger, err = ledger.Start(filepath.Join(c.DataDir, "ledger"), e.store.Usage(), c.ledgerOptions(log, e.disk.committed))
	if err != nil {
		return fmt.Errorf("start ledger: %w", err)
	}
	e.closers = append(e.closers, e.ledger.Close)
	return nil
}

func (e *engines) openIdentity(ctx context.Context, c *Config, endpoint string) (*identity.Bootstrapped, error) {
	sealer, err := sealing.NewSealer(c.DataDir)
	if err != nil {
		return nil, err
	}
	e.identity = identity.New(e.store.Identities(), sealer, time.Now)
	e.issuers = oidc.New(oidc.Client(), time.Now)
	e.closers = append(e.closers, e.issuers.Close)
	admin, created, err := e.identity.Bootstrap(ctx, c.Account)
	if err != nil {
		return nil, fmt.Errorf("first start: %w", err)
	}
	if created {
		return admin, identity.WriteCredentials(c.DataDir, admin.Credentials(c.Region, endpoint))
	}
	return nil, updateEndpoint(c.DataDir, endpoint)
}

// updateEndpoint keeps the credentials file pointing at where the server now
// listens. A file that its owner has taken away stays away.
func updateEndpoint(dir, endpoint string) error {
	have, err := identity.ReadCredentials(dir)
	if err != nil || have.Endpoint == endpoint {
		return nil
	}
	have.Endpoint = endpoint
	return identity.WriteCredentials(dir, have)
}

func (e *engines) openCatalogs(c *Config, log *slog.Logger) (err error) {
	var options []catalog.Option
	if keep := c.Catalog.IncludeRetired; keep != nil && !*keep {
		options = append(options, catalog.WithoutRetired())
	}
	if e.catalog, err = catalog.NewLive(c.Catalog.Overlay, log, options...); err != nil {
		return err
	}
	e.prices, err = pricing.NewLive(c.Catalog.Overlay, log)
	return err
}

func (e *engines) openGateway(ctx context.Context, c *Config) error {
	if err := e.openRouting(ctx, c); err != nil {
		return err
	}
	e.gateway = &gateway.Gateway{
		Hangup:   gateway.Hangup{Wait: time.Duration(*c.Runtime.DrainOnHangup)},
		Profiles: e.profiles, Policy: e.identity, Ledger: e.ledger, Upstreams: e.backends, Now: time.Now,
		Router: e.router, Deadlines: c.Routing.deadlines(), NewInvocation: awsapi.NewInvocationID,
		Quote: e.quote, Refused: e.refused,
		Quota: e.quotas, Budgets: e.budgets, Burndown: e.burndown,
	}
	e.adopt(e.gateway)
	return nil
}

// quote finds the price that held for a record.
func (e *engines) quote(r *outcrop.UsageRecord) outcrop.Quote {
	return e.prices.Quote(pricing.Query{
		Model: r.Model, Geography: r.Geography, Region: r.Region, At: r.Started, Tier: cost.BilledTier(r), Input: r.Usage.Input(),
	})
}

func (e *engines) backend(ctx context.Context, u *UpstreamConfig) (gateway.Upstreams, error) {
	switch u.Kind {
	case "bedrock":
		return e.bedrock(ctx, u)
	case "simulator":
		return simulator.New(e.simulated(u)), nil
	case "anthropic":
		return anthropic.New(anthropic.Config{
			BaseURL: u.BaseURL, APIKey: u.APIKey, Headers: u.Headers, Limits: upstream.Limits{Timeout: time.Duration(u.Timeout)}, MaxOutput: e.maxOutput,
		}, nil)
	}
	return openai.New(u.openAI(), nil)
}

// maxOutput is the most that a model can answer with, 0 when unknown.
func (e *engines) maxOutput(id outcrop.ModelID) outcrop.Tokens {
	m, _ := e.anyModel(id)
	return m.MaxOutput
}

func (e *engines) bedrock(ctx context.Context, u *UpstreamConfig) (gateway.Upstreams, error) {
	names := make(map[outcrop.ModelID]string, len(u.Models))
	for id, name := range u.Models {
		names[id] = string(name)
	}
	return bedrock.New(ctx, bedrock.Config{
		BaseURL: u.BaseURL, Credentials: bedrock.Credentials(u.Credentials), CAFile: u.CAFile,
		Models: names, Forms: u.Forms, Catalog: e.catalog.Current, Limits: upstream.Limits{Timeout: time.Duration(u.Timeout)},
	}, nil)
}

func (e *engines) anyModel(id outcrop.ModelID) (outcrop.FoundationModel, bool) {
	m, ok := e.catalog.Current().AnyModel(id)
	if !ok {
		return outcrop.FoundationModel{}, false
	}
	return *m, true
}

// run starts what works in the background; close waits for it.
func (e *engines) run(c *Config, log *slog.Logger) {
	ctx, cancel := context.WithCancel(context.Background())
	e.stop = cancel
	e.running.Go(func() { e.watch.Run(ctx) })
	e.running.Go(func() { e.tellAudits(ctx, c) })
	e.running.Go(func() { e.costs.Run(ctx, e.ledger.Filled) })
	e.running.Go(func() { e.exports.Run(ctx) })
	e.running.Go(func() { e.runtime.Offline.Run(ctx) })
	e.runMetrics(ctx)
	e.runLimits(ctx)
	e.runAnomalies(ctx)
	e.running.Go(func() { e.flushUses(ctx, log) })
	e.running.Go(func() { e.logs.Run(ctx) })
	e.running.Go(func() { e.followConfig(ctx, c.file, c.text) })
	for name, watch := range map[string]func(context.Context) error{"catalog": e.catalog.Watch, "prices": e.prices.Watch} {
		e.running.Go(func() {
			if err := watch(ctx); err != nil && ctx.Err() == nil {
				log.Error("overlay is no longer watched: restart to read its changes", "of", name, "err", err)
			}
		})
	}
}

// flushEvery is how often the last uses of keys are written down.
const flushEvery = time.Minute

// flushUses writes down when keys were last used, and once more at the end.
func (e *engines) flushUses(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for open := true; open; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			open = false
		}
		if err := e.identity.Flush(context.WithoutCancel(ctx)); err != nil {
			log.Warn("last uses of keys were not written; they are tried again", "err", err)
		}
	}
}

func (e *engines) close() error {
	if e.stop != nil {
		e.stop()
		e.running.Wait()
	}
	var errs []error
	for _, c := range slices.Backward(e.closers) {
		errs = append(errs, c())
	}
	e.closers = nil
	return errors.Join(errs...)
}

// handler is everything on the port: health first, then AWS.
func (e *engines) handler(c *Config, log *slog.Logger) http.Handler {
	return e.withHealth(e.traced(e.aws(c, log)), c)
}

// aws is the routing table of every AWS service.
func (e *engines) aws(c *Config, log *slog.Logger) *awsapi.Mux {
	mux := awsapi.NewMux(awsapi.Options{
		Keys: e.identity, Policy: e.identity, DefaultRegion: c.Region, Now: time.Now, Log: log, Audit: e.trail.Record, Audits: e.trail.Wants,
		KnownRegion: func(r outcrop.Region) bool { _, ok := e.catalog.Current().Region(r); return ok },
	})
	control := bedrockapi.New(bedrockapi.Config{
		Profiles: e.profiles, Catalog: e.catalog.Current, Access: e.store, Logging: e.invocations, Price: e.price, Now: time.Now,
	})
	mux.Serve("bedrock-runtime", e.runtime.Operations()...)
	e.serveCompatible(mux, c)
	mux.Serve("bedrock", control.Operations()...)
	mux.Serve("ce", costapi.New(e.costs).Operations()...)
	mux.Serve("iam", iamapi.New(iamapi.Config{Identity: e.identity, Now: time.Now}).Operations()...)
	mux.Serve("organizations", orgapi.New(orgapi.Config{Identity: e.identity}).Operations()...)
	mux.Serve("sts", (&stsapi.API{Identity: e.identity, Issuers: e.issuers}).Operations()...)
	mux.Serve("cloudtrail", (&trailapi.API{Trail: e.trail}).Operations()...)
	mux.Serve("outcrop", append(e.admin().Operations(), e.history()...)...)
	mux.Serve("pricing", e.pricing().Operations()...)
	e.serveMetrics(mux)
	e.serveLimits(mux, c)
	e.serveObjects(mux, c)
	e.serveLogs(mux)
	e.serveExports(mux)
	for _, name := range notYetServed {
		mux.Serve(name)
	}
	return mux
}

// notYetServed are services whose requests are recognised and authenticated,
// and answered with an error that says what is missing.
var notYetServed = []string{"resourcegroupstaggingapi"}

// price is what a model costs on demand in a Region now.
func (e *engines) price(r outcrop.Region, m outcrop.ModelID) outcrop.Quote {
	return e.prices.Quote(pricing.Query{Model: m, Region: r, At: time.Now()})
}
