package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"outcrop"
	"outcrop/access"
	"outcrop/librechat"
	"outcrop/sigv4"
)

type librechatCommand struct {
	Init   librechatInit   `cmd:"" help:"Create one tagged profile per model and write endpoints.bedrock and the matching .env lines."`
	Doctor librechatDoctor `cmd:"" help:"Check librechat.yaml and .env, and what answers them: each mistake with its line and its cure."`
	Status librechatStatus `cmd:"" help:"List the calls that missed the profile they meant, as the running server has seen them."`
	Key    librechatKey    `cmd:"" help:"Make a Bedrock API key for one person, for BEDROCK_AWS_BEARER_TOKEN=user_provided: cost is then known per person."`
}

// librechatFiles are the two files of a LibreChat.
type librechatFiles struct {
	Config string `help:"LibreChat's configuration." default:"librechat.yaml" placeholder:"FILE"`
	Env    string `help:"LibreChat's .env file." default:".env" placeholder:"FILE"`
}

type librechatInit struct {
	accessCommand
	librechatFiles
	Models      []string          `help:"Models to offer, as ids of system-defined profiles; default: those that the configuration lists." placeholder:"ID"`
	List        bool              `help:"List the models there are, and do nothing else."`
	TitleModel  string            `help:"Model for titles; default: the configuration's, else the last of --models." placeholder:"ID"`
	Prefix      string            `help:"Beginning of the profiles' names." default:"LibreChat-" placeholder:"TEXT"`
	Tags        map[string]string `help:"Tags of the profiles, separated by commas." mapsep:"," default:"Application=LibreChat" placeholder:"KEY=VALUE"`
	User        string            `help:"User whose key LibreChat gets; made where there is none." default:"librechat" placeholder:"NAME"`
	Key         string            `help:"Kind of that key: bearer (a Bedrock API key), access (an access key) or none." enum:"bearer,access,none" default:"bearer" placeholder:"KIND"`
	EndpointURL string            `help:"The server as LibreChat reaches it, such as http://outcrop:4599 from a container (default: as this command does)." placeholder:"URL"`
	Merge       bool              `help:"Edit existing files: their comments and order are kept, and the changes are shown first."`
	Yes         bool              `help:"Write without asking." short:"y"`
}

// Run makes profiles and key, then shows and writes the files.
func (l *librechatInit) Run(ctx context.Context) error {
	client, err := l.client("")
	if err != nil {
		return err
	}
	if l.List {
		return listOffers(ctx, client)
	}
	oldYAML, err := l.existing(l.Config)
	if err != nil {
		return err
	}
	oldEnv, err := l.existing(l.Env)
	if err != nil {
		return err
	}
	i := librechat.Init{
		Client: client, Models: l.Models, TitleModel: l.TitleModel, Prefix: l.Prefix, Tags: l.Tags, User: l.User, Key: l.Key, EndpointURL: l.EndpointURL,
		Say: func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) },
	}
	i.Old.YAML, i.Old.Env = oldYAML, oldEnv
	if i.CAFile, err = l.authority(); err != nil {
		return err
	}
	made, err := i.Run(ctx)
	if err != nil {
		return err
	}
	err = l.write(map[string][2]string{l.Config: {oldYAML, made.YAML}, l.Env: {oldEnv, made.Env}})
	if err != nil {
		return errors.Join(err, made.Forget(ctx))
	}
	return nil
}

// authority is the file that LibreChat must trust, if any.
func (l *librechatInit) authority() (string, error) {
	there, err := l.find()
	if err != nil || there.caFile == "" || !strings.HasPrefix(there.endpoint, "https:") {
		return "", err
	}
	return filepath.Abs(there.caFile)
}

// existing reads a file that --merge may change. Without --merge there must be
// none.
func (l *librechatInit) existing(name string) (string, error) {
	b, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", err
	case !l.Merge:
		return "", fmt.Errorf("%s exists: give --merge to have it edited, with its comments kept, or name another file", name)
	}
	return string(b), nil
}

func (l *librechatInit) write(files map[string][2]string) error {
	changed := false
	for _, name := range []string{l.Config, l.Env} {
		diff := librechat.Diff(name, files[name][0], files[name][1])
		changed = changed || diff != ""
		fmt.Print(hideKeys(diff))
	}
	if !changed {
		fmt.Fprintln(os.Stderr, "Both files say all this already.")
		return nil
	}
	if !l.Yes && !agreed(os.Stdin, "Write this? [y/N] ") {
		return errors.New("the files were not changed: answer yes, or give --yes. The profiles stay for the next time; a key that was made is deleted again")
	}
	for _, name := range []string{l.Config, l.Env} {
		if err := replaceFile(name, files[name][1]); err != nil {
			return err
		}
	}
	fmt.Fprintf(os.Stderr, "Written: %s, %s. Restart LibreChat, then: outcrop librechat doctor --config %s --env %s\n", l.Config, l.Env, l.Config, l.Env)
	return nil
}

// hideKeys keeps secrets out of what is shown.
func hideKeys(diff string) string {
	var out strings.Builder
	for line := range strings.Lines(diff) {
		for _, name := range []string{"BEDROCK_AWS_BEARER_TOKEN", "BEDROCK_AWS_SECRET_ACCESS_KEY"} {
			if at := strings.Index(line, name+"="); at >= 0 && len(strings.TrimSpace(line)) > at+len(name)+1 {
				line = line[:at+len(name)+1] + "…\n"
			}
		}
		out.WriteString(line)
	}
	return out.String()
}

// replaceFile writes beside and renames, so that a crash leaves one of the two
// texts. What holds keys is its owner's only.
func replaceFile(name, text string) error {
	mode := fs.FileMode(0o600)
	if info, err := os.Stat(name); err == nil {
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already when it was renamed
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Chmod(mode), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

func listOffers(ctx context.Context, c *access.Client) error {
	offers, err := librechat.Offers(ctx, c)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, o := range offers {
		fmt.Fprintf(table, "%s\t%s\n", o.ID, o.Name)
	}
	return table.Flush()
}

type librechatDoctor struct {
	librechatFiles
	Endpoint string `help:"Endpoint of every service to ask (default: what the .env file leads to; AWS itself when it names none)." placeholder:"URL"`
	Data     string `help:"Data folder of the running Outcrop: its administrator may ask more than LibreChat's key." placeholder:"DIR"`
	Static   bool   `help:"Look at the files only."`
	Strict   bool   `help:"Warnings count: exit code 1."`
	Process  int    `help:"Process id of the running LibreChat: its environment goes before the .env file, and its start is compared with the files' age." placeholder:"PID"`
	Log      string `help:"What LibreChat wrote at its start." placeholder:"FILE"`
	Version  string `help:"LibreChat's version, such as v0.8.6." placeholder:"VERSION"`
	AppURL   string `help:"The running LibreChat." name:"librechat-url" placeholder:"URL"`
	AppToken string `help:"Token of one of its users." name:"librechat-token" env:"LIBRECHAT_TOKEN" placeholder:"TOKEN"`
	LogWait  string `help:"How long the invocation log is waited for." default:"60s" placeholder:"DURATION"`
	JSON     bool   `help:"Write the findings as JSON." name:"json"`
}

// Run examines the files. Its exit code is 2 for failures, and with --strict 1
// for warnings.
func (l *librechatDoctor) Run(ctx context.Context) error {
	o, err := l.options()
	if err != nil {
		return err
	}
	report := librechat.Examine(ctx, *o)
	if l.JSON {
		err = writeJSON(report)
	} else {
		err = report.Write(os.Stdout)
	}
	if err != nil {
		return err
	}
	if code := report.Exit(l.Strict); code != 0 {
		return exitCode(code)
	}
	return nil
}

// An exitCode ends the program without another word.
type exitCode int

func (c exitCode) Error() string { return "exit code " + strconv.Itoa(int(c)) }

func (l *librechatDoctor) options() (*librechat.Options, error) {
	o := &librechat.Options{
		ConfigName: l.Config, EnvName: l.Env, Live: !l.Static, Endpoint: l.Endpoint, Version: l.Version, AppURL: l.AppURL, AppToken: l.AppToken,
		Modified: map[string]time.Time{}, Ambient: ambientKeys,
	}
	var err error
	if o.LogWait, err = time.ParseDuration(l.LogWait); err != nil {
		return nil, fmt.Errorf("--log-wait: %w", err)
	}
	for _, file := range []struct {
		name, flag string
		to         *[]byte
	}{{l.Config, "--config", &o.Config}, {l.Env, "--env", &o.Env}} {
		info, err := os.Stat(file.name)
		if err == nil {
			o.Modified[file.name] = info.ModTime()
			*file.to, err = os.ReadFile(file.name)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no file %s: name it with %s", file.name, file.flag)
		}
		if err != nil {
			return nil, err
		}
	}
	if l.Log != "" {
		if o.Log, err = os.ReadFile(l.Log); err != nil {
			return nil, err
		}
	}
	if l.Process != 0 {
		if o.Process, o.Started, err = librechat.Process(l.Process); err != nil {
			return nil, err
		}
	}
	return o, l.administrator(o)
}

// ambientTimeout bounds the search for credentials on this machine.
const ambientTimeout = 5 * time.Second

// ambientKeys are those that the AWS SDK inside LibreChat would find by
// itself, as far as they are the same on this machine.
func ambientKeys(profile string) *librechat.Keys {
	ctx, cancel := context.WithTimeout(context.Background(), ambientTimeout)
	defer cancel()
	c, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithSharedConfigProfile(profile))
	if err != nil {
		return nil
	}
	k, err := c.Credentials.Retrieve(ctx)
	if err != nil {
		return nil
	}
	return &librechat.Keys{Credentials: sigv4.Credentials{AccessKey: k.AccessKeyID, Secret: k.SecretAccessKey, SessionToken: k.SessionToken}}
}

// administrator gives the examination the keys of the running Outcrop.
func (l *librechatDoctor) administrator(o *librechat.Options) error {
	if l.Data == "" {
		return nil
	}
	admin, err := (&accessCommand{serverFlag: serverFlag{Data: l.Data}}).client("")
	if err != nil {
		return err
	}
	o.Admin, o.HTTP = admin, admin.HTTP
	return nil
}

type librechatStatus struct {
	accessCommand
	JSON bool `help:"Write them as JSON." name:"json"`
}

// Run lists what the server has seen since its start.
func (l *librechatStatus) Run(ctx context.Context) error {
	client, err := l.client("")
	if err != nil {
		return err
	}
	var out struct{ Mistakes []librechat.SeenMistake }
	if err := client.Admin(ctx, "ListClientMistakes", map[string]any{}, &out); err != nil {
		return err
	}
	if l.JSON {
		return writeJSON(out.Mistakes)
	}
	if len(out.Mistakes) == 0 {
		fmt.Println("Since the server started, no call has missed the profile that it meant.")
		return nil
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "MISTAKE\tMODEL ID\tFROM\tCALLS\tLAST")
	for _, m := range out.Mistakes {
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\n", m.Kind, m.ModelID, m.Principal, m.Count, time.Unix(int64(m.Last), 0).UTC().Format(time.DateTime))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	told := map[string]bool{}
	for _, m := range out.Mistakes {
		if !told[m.Kind] {
			told[m.Kind] = true
			fmt.Printf("\n%s: %s\n", m.Kind, m.Cure)
		}
	}
	return nil
}

type librechatKey struct {
	accessCommand
	librechatFiles
	User string `arg:"" help:"IAM user name of the person, made where there is none."`
}

// Run gives one person a key for the profiles of the configuration. The key
// alone goes to standard output.
func (l *librechatKey) Run(ctx context.Context) error {
	client, err := l.client("")
	if err != nil {
		return err
	}
	profiles, err := l.profiles()
	if err != nil {
		return err
	}
	if err := librechat.Allow(ctx, client, l.User, profiles); err != nil {
		return err
	}
	key, err := librechat.BearerKey(ctx, client, l.User)
	if err != nil {
		return err
	}
	fmt.Println(key)
	fmt.Fprintf(os.Stderr, "Give this key to %s, who enters it in LibreChat. It may invoke the %d profiles of %s and nothing else.\n", l.User, len(profiles), l.Config)
	return nil
}

func (l *librechatKey) profiles() ([]string, error) {
	mappings, err := readMappings(l.Config, l.Env)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var arns []string
	for _, m := range mappings {
		if outcrop.ParseModelRef(m.Profile).Kind == outcrop.RefApplicationProfile && !seen[m.Profile] {
			seen[m.Profile] = true
			arns = append(arns, m.Profile)
		}
	}
	if len(arns) == 0 {
		return nil, fmt.Errorf("%s maps no model to an application profile: outcrop librechat init does", l.Config)
	}
	return arns, nil
}
