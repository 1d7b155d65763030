package server

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"outcrop"
	"outcrop/internal/strictyaml"
	"outcrop/profile"
)

// Config is everything an operator can turn. Its zero value runs: a server on
// loopback, a SQLite file beside it, and the simulator as sole upstream.
type Config struct {
	Listen    string              `yaml:"listen"`     // address shared by every AWS endpoint; default 127.0.0.1:4599
	DataDir   string              `yaml:"data"`       // where ledger, settings and keys live; default ./outcrop-data
	Account   outcrop.AccountID   `yaml:"account"`    // account made on the first start; default 123456789012
	Region    outcrop.Region      `yaml:"region"`     // Region of calls that name none; default us-east-1
	TLS       bool                `yaml:"tls"`        // also answer TLS on the same port, with a CA of our own
	Drain     strictyaml.Duration `yaml:"drain"`      // how long open streams may finish on shutdown; default 30s
	Log       string              `yaml:"log"`        // debug, info, warn or error; default info
	Ledger    LedgerOptions       `yaml:"-"`          // for tests, which put a disk with faults in the place of the folder
	LogFormat string              `yaml:"log_format"` // text or json; default text

	Catalog   CatalogConfig             `yaml:"catalog"`
	Profiles  ProfilesConfig            `yaml:"profiles"`
	Runtime   RuntimeConfig             `yaml:"runtime"`
	Audit     AuditConfig               `yaml:"audit"`
	Quotas    QuotasConfig              `yaml:"quotas"`
	Budgets   BudgetsConfig             `yaml:"budgets"`
	Billing   BillingConfig             `yaml:"billing"`
	Objects   ObjectsConfig             `yaml:"objects"`
	Logging   LoggingConfig             `yaml:"invocation_logs"`
	Routing   RoutingConfig             `yaml:"routing"`
	Alarms    AlarmsConfig              `yaml:"alarms"`
	LibreChat LibreChatConfig           `yaml:"librechat"`
	Metrics   MetricsConfig             `yaml:"metrics"`
	Traces    TracesConfig              `yaml:"traces"`
	Upstreams map[string]UpstreamConfig `yaml:"upstreams"` // by name; none means the simulator alone

	file  string // it was read from; empty for none
	text  []byte // of the file
	fixed []profile.Binding
	bound bool // fixed has been set
}

// CatalogConfig turns which models, Regions and prices there are.
type CatalogConfig struct {
	Overlay        string `yaml:"overlay"`         // folder of YAML files that add models, Regions and prices
	IncludeRetired *bool  `yaml:"include_retired"` // keep what AWS has retired, so that published guides run; default true
}

// ProfilesConfig turns the rules of application profiles.
type ProfilesConfig struct {
	PerRegion   strictyaml.Whole `yaml:"per_region"`   // quota per account and Region; default 1000 (AWS's L-40EC9882)
	UniqueNames bool             `yaml:"unique_names"` // refuse a second profile of the same name
}

// RuntimeConfig turns how models are invoked.
type RuntimeConfig struct {
	AcceptBareProfileID bool  `yaml:"accept_bare_profile_id"` // take an application profile's id without its ARN, which AWS refuses
	StreamPadding       *bool `yaml:"stream_padding"`         // blur the sizes of stream events as AWS does; default true

	StrictEndpoints bool `yaml:"strict_endpoints"` // refuse what AWS's compatible endpoints refuse: application profiles in the Responses API

	// DrainOnHangup is how long a model is listened to after its client has
	// gone, to bill what it counts and not what was seen; 0s cuts off at once.
	DrainOnHangup *strictyaml.Duration `yaml:"drain_on_hangup"` // default 10s
}

// AuditConfig turns the audit trail, which keeps every control-plane call and
// every refusal.
type AuditConfig struct {
	DataEvents bool             `yaml:"data_events"` // also keep every invocation of a model
	Stdout     bool             `yaml:"stdout"`      // also write each line to standard output
	KeepFiles  strictyaml.Whole `yaml:"keep_files"`  // files of 64 MiB or a day each; default 30
}

// UpstreamConfig is one backend.
type UpstreamConfig struct {
	Kind    string                                    `yaml:"kind"`    // simulator, openai, anthropic or bedrock
	BaseURL string                                    `yaml:"baseURL"` // openai: http://host:port/v1; anthropic, bedrock: default their own, bedrock's with {region} for the Region
	APIKey  string                                    `yaml:"apiKey"`  // openai: bearer key; anthropic: required; usually ${VAR}
	Headers map[string]string                         `yaml:"headers"` // openai, anthropic: sent with every call
	Regions []outcrop.Region                          `yaml:"regions"` // Regions it serves; empty is all
	Models  map[outcrop.ModelID]outcrop.UpstreamModel `yaml:"models"`  // Bedrock's name to the backend's own; empty is all, by Bedrock's name. bedrock: exceptions only, all others are served too
	Timeout strictyaml.Duration                       `yaml:"timeout"` // of one whole call; default 10m
	Limits  LaneLimits                                `yaml:"limits"`  // how much it can take

	Weight strictyaml.Whole `yaml:"weight"` // share of the calls beside upstreams that are as good; default 1
	Health HealthConfig     `yaml:"health"` // openai: how it is asked whether it is alive

	// bedrock: models called through InvokeModel, by their form: native, the name of a family
	// such as llama3 or chat, or converse for none (docs/dialects.md)
	Forms       map[outcrop.ModelID]string `yaml:"forms"`
	Credentials BedrockCredentials         `yaml:"credentials"` // bedrock: how calls are signed; empty is the AWS SDK's default chain
	CAFile      string                     `yaml:"caFile"`      // bedrock: PEM certificates to trust beside the system's

	OpenAI         OpenAIConfig        `yaml:"openai"`              // openai: what its server takes
	MaxTokensField string              `yaml:"max_tokens_field"`    // openai: max_tokens (default) or max_completion_tokens
	FirstToken     strictyaml.Duration `yaml:"time_to_first_token"` // simulator: pause before the first event
	TokenPace      strictyaml.Duration `yaml:"token_pace"`          // simulator: pause between events

	Faults   []FaultConfig                 `yaml:"faults"`   // simulator: what goes wrong, where and when
	Capacity map[outcrop.Region]LaneLimits `yaml:"capacity"` // simulator: what each Region takes before it throttles
}

// BedrockCredentials sign calls to AWS, in one of three ways: a profile of the
// shared configuration, keys written here, or a Bedrock API key.
type BedrockCredentials struct {
	Profile         string `yaml:"profile"`
	AccessKeyID     string `yaml:"accessKeyId"`
	SecretAccessKey string `yaml:"secretAccessKey"` // usually ${VAR}
	SessionToken    string `yaml:"sessionToken"`
	APIKey          string `yaml:"apiKey"`
}

// Defaults of a Config.
const (
	DefaultListen  = "127.0.0.1:4599"
	DefaultDataDir = "./outcrop-data"
	DefaultAccount = outcrop.AccountID("123456789012")
	DefaultRegion  = outcrop.Region("us-east-1")

	defaultDrain  = strictyaml.Duration(30 * time.Second)
	defaultHangup = strictyaml.Duration(10 * time.Second)
)

// ReadConfig reads a configuration file. An empty name is an empty file.
func ReadConfig(name string) (*Config, error) {
	if name == "" {
		return new(Config), nil
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no configuration file %s", name)
	}
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return parseConfig(name, text)
}

// parseConfig reads the text of a file; paths in it start from the file.
func parseConfig(name string, text []byte) (*Config, error) {
	c := &Config{file: name, text: text}
	if err := strictyaml.Decode(name, text, c, os.LookupEnv); err != nil {
		return nil, err
	}
	for _, path := range []*string{&c.Catalog.Overlay, &c.LibreChat.Config, &c.LibreChat.Env, &c.Budgets.SMTP.CAFile} {
		*path = beside(name, *path)
	}
	for which, u := range c.Upstreams {
		u.CAFile = beside(name, u.CAFile)
		c.Upstreams[which] = u
	}
	return c, nil
}

// beside is a path that starts from the folder of a file.
func beside(file, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(file), path)
}

var accountPattern = regexp.MustCompile(`\A[0-9]{12}\z`)

// complete fills in the defaults and checks what a type cannot say.
func (c *Config) complete() error {
	setDefault(&c.Listen, DefaultListen)
	setDefault(&c.DataDir, DefaultDataDir)
	setDefault(&c.Account, DefaultAccount)
	setDefault(&c.Region, DefaultRegion)
	setDefault(&c.Drain, defaultDrain)
	setDefault(&c.Log, "info")
	setDefault(&c.Runtime.DrainOnHangup, new(defaultHangup))
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("listen: %q is not HOST:PORT, such as %s", c.Listen, DefaultListen)
	}
	if !accountPattern.MatchString(string(c.Account)) {
		return fmt.Errorf("account: %q is not a 12-digit account number (quote it, so that YAML keeps its zeros)", c.Account)
	}
	if err := errors.Join(c.Objects.check(), c.Logging.check()); err != nil {
		return err
	}
	if c.LibreChat.Env != "" && c.LibreChat.Config == "" {
		return errors.New("librechat.env is for librechat.config: name that file too (--librechat FILE)")
	}
	if err := c.checkLimits(); err != nil {
		return err
	}
	if len(c.Upstreams) == 0 {
		c.Upstreams = map[string]UpstreamConfig{"simulator": {Kind: "simulator"}}
	}
	if err := errors.Join(c.Alarms.check(), c.Metrics.check(), c.Traces.check()); err != nil {
		return err
	}
	for name, u := range c.Upstreams {
		if err := u.check(); err != nil {
			return fmt.Errorf("upstreams.%s: %w", name, err)
		}
	}
	return nil
}

func setDefault[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

// upstreamKinds are the backends there are.
var upstreamKinds = []string{"simulator", "openai", "anthropic", "bedrock"}

func (u *UpstreamConfig) check() error {
	switch {
	case !slices.Contains(upstreamKinds, u.Kind):
		return fmt.Errorf("unknown kind %q: the kinds are %s", u.Kind, strings.Join(upstreamKinds, ", "))
	case (u.Kind == "openai" || u.BaseURL != "") && !strings.HasPrefix(u.BaseURL, "http://") && !strings.HasPrefix(u.BaseURL, "https://"):
		return fmt.Errorf("baseURL %q must begin with http:// or https://", u.BaseURL)
	case u.Kind == "anthropic" && u.APIKey == "":
		return errors.New("apiKey is empty: set it, usually to ${VAR}")
	case u.Kind != "simulator" && u.Kind != "bedrock" && len(u.Models) == 0:
		return errors.New("models is empty: map at least one Bedrock model id to the server's own model name")
	case u.Kind != "bedrock" && (u.Credentials != BedrockCredentials{} || u.CAFile != ""):
		return errors.New("credentials and caFile are for the kind bedrock")
	case u.Kind == "bedrock" && (u.APIKey != "" || len(u.Headers) > 0):
		return errors.New("apiKey stands under credentials for the kind bedrock, and headers are not taken")
	case u.Kind != "bedrock" && len(u.Forms) > 0:
		return errors.New("forms are for the kind bedrock")
	case u.Kind != "openai" && u.Health != HealthConfig{}:
		return errors.New("health checks are for the kind openai: the others are judged by their answers")
	case u.Health.Path != "" && u.Health.Path != checksOff && !strings.HasPrefix(u.Health.Path, "/"):
		return fmt.Errorf("health.path %q must begin with /, or be off", u.Health.Path)
	case u.Kind != "openai" && u.OpenAI != (OpenAIConfig{}):
		return errors.New("the section openai is for the kind openai")
	case u.MaxTokensField != "" && u.MaxTokensField != "max_tokens" && u.MaxTokensField != "max_completion_tokens":
		return fmt.Errorf("max_tokens_field %q must be max_tokens or max_completion_tokens", u.MaxTokensField)
	}
	return u.checkSimulated()
}
