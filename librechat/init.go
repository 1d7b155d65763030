package librechat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"outcrop"
	"outcrop/access"
	"outcrop/iam"
	"outcrop/internal/slip"
)

// An Init makes one tagged application profile per model and the lines that
// lead LibreChat to them. What exists already is used.
type Init struct {
	Client      *access.Client
	Models      []string // ids of system-defined profiles or models
	TitleModel  string   // default: the last of Models
	Prefix      string   // of the profiles' names; default LibreChat-
	Tags        outcrop.Tags
	User        string // whose key LibreChat uses; default librechat
	Key         string // bearer, access or none
	EndpointURL string // as LibreChat sees it; default the client's
	CAFile      string // certificate that Node is to trust; empty for plain HTTP
	Old         struct{ YAML, Env string }

	Say func(format string, args ...any) // told what is made; may be nil

	forget func(context.Context) error // deletes the key that Run made
}

// A Result is what the files are to be.
type Result struct {
	YAML, Env string

	forget func(context.Context) error // deletes the key that was made; nil when none was
}

// Forget deletes the key that was made, for files that are not written: nobody
// would have it, and a user may have two.
func (r *Result) Forget(ctx context.Context) error {
	if r.forget == nil {
		return nil
	}
	return r.forget(ctx)
}

// An Offer is a model that a profile can be made of.
type Offer struct{ ID, Name string }

// Offers lists the system-defined profiles of the Region whose models chat.
func Offers(ctx context.Context, c *access.Client) ([]Offer, error) {
	var out struct {
		Profiles []struct {
			ID     string `json:"inferenceProfileId"`
			Name   string `json:"inferenceProfileName"`
			Models []struct {
				ARN outcrop.ARN `json:"modelArn"`
			} `json:"models"`
		} `json:"inferenceProfileSummaries"`
	}
	if err := c.Bedrock(ctx, "GET", "/inference-profiles?maxResults=1000&type=SYSTEM_DEFINED", nil, &out); err != nil {
		return nil, fmt.Errorf("list models: %w", err)
	}
	chats, err := chatModels(ctx, c)
	if err != nil {
		return nil, err
	}
	var offers []Offer
	for _, p := range out.Profiles {
		if len(p.Models) > 0 && chats[p.Models[0].ARN.Parts().ResourceID()] {
			offers = append(offers, Offer{p.ID, p.Name})
		}
	}
	return offers, nil
}

// chatModels are those of the Region that take and give text.
func chatModels(ctx context.Context, c *access.Client) (map[string]bool, error) {
	var out struct {
		Models []struct {
			ID  string   `json:"modelId"`
			In  []string `json:"inputModalities"`
			Out []string `json:"outputModalities"`
		} `json:"modelSummaries"`
	}
	if err := c.Bedrock(ctx, "GET", "/foundation-models?byOutputModality=TEXT", nil, &out); err != nil {
		return nil, fmt.Errorf("list models: %w", err)
	}
	chats := map[string]bool{}
	for _, m := range out.Models {
		chats[m.ID] = slices.Contains(m.In, "TEXT")
	}
	return chats, nil
}

// Run makes what is missing and returns the files as they are to be. Nothing
// is written to them.
func (i *Init) Run(ctx context.Context) (*Result, error) {
	i.complete()
	s, err := i.section()
	if err != nil {
		return nil, err
	}
	for n := range s.Profiles {
		if s.Profiles[n].ARN, err = i.profile(ctx, s.Profiles[n].Model); err != nil {
			return nil, err
		}
	}
	yaml, err := MergeYAML(i.Old.YAML, s)
	if err != nil {
		return nil, fmt.Errorf("edit configuration: %w", err)
	}
	vars, err := i.variables(ctx, s)
	if err != nil {
		return nil, err
	}
	return &Result{yaml, MergeEnv(i.Old.Env, vars), i.forget}, nil
}

func (i *Init) complete() {
	if i.Say == nil {
		i.Say = func(string, ...any) {}
	}
	if i.Prefix == "" {
		i.Prefix = "LibreChat-"
	}
	if i.User == "" {
		i.User = "librechat"
	}
	if i.EndpointURL == "" {
		i.EndpointURL = i.Client.Endpoint
	}
	if i.Tags == nil {
		i.Tags = outcrop.Tags{"Application": "LibreChat"}
	}
}

// section is what the file is to say. A model that is mapped through a
// variable already keeps it, and models that are on offer already are kept.
func (i *Init) section() (*Section, error) {
	root, err := parseYAML([]byte(i.Old.YAML))
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	b := root.get("endpoints", "bedrock")
	models := slices.Clone(i.Models)
	if len(models) == 0 {
		for _, n := range b.get("models").strings() {
			models = append(models, n.value())
		}
	}
	if len(models) == 0 {
		return nil, errors.New("no models are named: give --models, or list them in endpoints.bedrock.models; outcrop librechat init --list shows what there is")
	}
	title := i.TitleModel
	if had := b.get("titleModel").value(); had != "" && had != "current_model" {
		title = had
	}
	if title == "" {
		title = models[len(models)-1]
	}
	if !slices.Contains(models, title) {
		models = append(models, title)
	}
	s := &Section{Models: models, TitleModel: title, Regions: []string{string(i.Client.Region)}}
	taken := map[string]bool{}
	for _, m := range models {
		name := ""
		if w := whole.FindStringSubmatch(strings.TrimSpace(b.get("inferenceProfiles").get(m).value())); w != nil && variableName.MatchString(w[1]) && !deny[w[1]] {
			name = w[1]
		}
		if name == "" {
			name = variableFor(m, taken)
		}
		taken[name] = true
		s.Profiles = append(s.Profiles, ProfileVar{Model: m, Variable: name})
	}
	return s, nil
}

var (
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	dated        = regexp.MustCompile(`-20[0-9]{6}`)
	notInName    = regexp.MustCompile(`[^A-Z0-9]+`)
)

// variableFor makes a name such as BEDROCK_CLAUDE_SONNET_4_5_PROFILE; with the
// geography and the date where another model has that one.
func variableFor(model string, taken map[string]bool) string {
	name, _, _ := strings.Cut(model, ":")
	short := dated.ReplaceAllString(foundation(name), "")
	if _, rest, ok := strings.Cut(short, "."); ok {
		short = rest
	}
	short = strings.TrimSuffix(short, "-v1")
	for _, s := range []string{short, name} {
		v := "BEDROCK_" + strings.Trim(notInName.ReplaceAllString(strings.ToUpper(s), "_"), "_") + "_PROFILE"
		if !taken[v] {
			return v
		}
	}
	return "BEDROCK_" + strings.Trim(notInName.ReplaceAllString(strings.ToUpper(model), "_"), "_") + "_PROFILE"
}

// maxNameBytes is CreateInferenceProfile's.
const maxNameBytes = 64

func (i *Init) profileName(model string) string {
	name := i.Prefix + strings.NewReplacer(".", "-", ":", "-").Replace(model)
	return strings.TrimRight(name[:min(len(name), maxNameBytes)], "-")
}

// profile finds the application profile of a model by its name, or makes it.
func (i *Init) profile(ctx context.Context, model string) (string, error) {
	name := i.profileName(model)
	found, err := i.named(ctx, name)
	if err != nil || found != "" {
		if err != nil {
			return "", err
		}
		i.Say("Using   %s  %s", name, found)
		return found, i.tag(ctx, name, found)
	}
	source, err := i.source(ctx, model)
	if err != nil {
		return "", err
	}
	var out struct {
		ARN string `json:"inferenceProfileArn"`
	}
	in := map[string]any{"inferenceProfileName": name, "description": "LibreChat", "modelSource": map[string]string{"copyFrom": source}, "tags": tagList(i.Tags)}
	if err := i.Client.Bedrock(ctx, "POST", "/inference-profiles", in, &out); err != nil {
		return "", fmt.Errorf("create profile of %s: %w", model, err)
	}
	i.Say("Created %s  %s", name, out.ARN)
	return out.ARN, nil
}

// tag gives a profile that was there already the tags that it lacks.
func (i *Init) tag(ctx context.Context, name, arn string) error {
	var have struct {
		Tags []struct{ Key, Value string } `json:"tags"`
	}
	if err := i.Client.Bedrock(ctx, "POST", "/listTagsForResource", map[string]any{"resourceARN": arn}, &have); err != nil {
		return fmt.Errorf("read tags of %s: %w", name, err)
	}
	missing := maps.Clone(i.Tags)
	for _, t := range have.Tags {
		if missing[t.Key] == t.Value {
			delete(missing, t.Key)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if err := i.Client.Bedrock(ctx, "POST", "/tagResource", map[string]any{"resourceARN": arn, "tags": tagList(missing)}, nil); err != nil {
		return fmt.Errorf("tag %s: %w", name, err)
	}
	i.Say("Tagged  %s  with %s", name, strings.Join(missing.Keys(), ", "))
	return nil
}

func tagList(tags outcrop.Tags) []map[string]string {
	list := make([]map[string]string, 0, len(tags))
	for _, k := range tags.Keys() {
		list = append(list, map[string]string{"key": k, "value": tags[k]})
	}
	return list
}

func (i *Init) named(ctx context.Context, name string) (string, error) {
	for token := ""; ; {
		var out struct {
			Profiles []struct {
				Name string `json:"inferenceProfileName"`
				ARN  string `json:"inferenceProfileArn"`
			} `json:"inferenceProfileSummaries"`
			Next string `json:"nextToken"`
		}
		path := "/inference-profiles?maxResults=1000&type=APPLICATION"
		if token != "" {
			path += "&nextToken=" + url.QueryEscape(token)
		}
		if err := i.Client.Bedrock(ctx, "GET", path, nil, &out); err != nil {
			return "", fmt.Errorf("list profiles: %w", err)
		}
		for _, p := range out.Profiles {
			if p.Name == name {
				return p.ARN, nil
			}
		}
		if token = out.Next; token == "" {
			return "", nil
		}
	}
}

// source is the ARN to copy: of the system-defined profile, or of the model
// where there is none.
func (i *Init) source(ctx context.Context, model string) (string, error) {
	var p profileView
	err := i.Client.Bedrock(ctx, "GET", profilePath(model), nil, &p)
	if err == nil {
		return string(p.ARN), nil
	}
	var m struct {
		Details struct {
			ARN string `json:"modelArn"`
		} `json:"modelDetails"`
	}
	if i.Client.Bedrock(ctx, "GET", "/foundation-models/"+url.PathEscape(model), nil, &m) == nil {
		return m.Details.ARN, nil
	}
	var f *access.Failure
	if !errors.As(err, &f) || f.Code != "ResourceNotFoundException" && f.Code != "ValidationException" {
		return "", err
	}
	offers, listErr := Offers(ctx, i.Client)
	if listErr != nil {
		return "", listErr
	}
	ids := make([]string, len(offers))
	for n, o := range offers {
		ids[n] = o.ID
	}
	if near := slip.Within(8, model, ids); near != "" {
		return "", fmt.Errorf("%s has no model %s; did you mean %s?", i.Client.Region, model, near)
	}
	return "", fmt.Errorf("%s has no model %s: outcrop librechat init --list shows what there is", i.Client.Region, model)
}

// variables are the lines of the .env file.
func (i *Init) variables(ctx context.Context, s *Section) ([]Var, error) {
	vars := []Var{
		{Name: varRegion, Value: string(i.Client.Region)},
		{Name: varRuntime, Value: i.EndpointURL},
	}
	if i.CAFile != "" {
		vars = append(vars, Var{Name: "NODE_EXTRA_CA_CERTS", Value: i.CAFile})
	}
	keys, err := i.keys(ctx, s)
	if err != nil {
		return nil, err
	}
	vars = append(vars, keys...)
	for _, p := range s.Profiles {
		vars = append(vars, Var{Name: p.Variable, Value: p.ARN})
	}
	return vars, nil
}

// keys makes a user who may invoke the profiles and nothing else, and its key.
// A file that has credentials already keeps them, unless they are an example's.
func (i *Init) keys(ctx context.Context, s *Section) ([]Var, error) {
	if i.Key == "none" {
		return nil, nil
	}
	arns := make([]string, len(s.Profiles))
	for n, p := range s.Profiles {
		arns[n] = p.ARN
	}
	if err := Allow(ctx, i.Client, i.User, arns); err != nil {
		return nil, err
	}
	i.Say("User    %s may invoke these profiles, and nothing else", i.User)
	env := ReadEnv("", []byte(i.Old.Env))
	if env.get(varBearer) != "" && !strings.HasPrefix(env.get(varBearer), "your-") || env.get(varKey) != "" && env.get(varSecret) != "" {
		i.Say("Key     kept: the .env file has one")
		return nil, nil
	}
	var vars []Var
	if env.get(varProfile) != "" { // a bearer key or pair goes before it; the doctor says so
		i.Say("Note    %s in the .env file has no effect any more", varProfile)
	}
	if i.Key == "access" {
		id, secret, err := accessKey(ctx, i.Client, i.User)
		i.forgetBy("DeleteAccessKey", "AccessKeyId", id)
		return append(vars, Var{Name: varKey, Value: id}, Var{Name: varSecret, Value: secret}), err
	}
	id, key, err := bearerKey(ctx, i.Client, i.User)
	i.forgetBy("DeleteServiceSpecificCredential", "ServiceSpecificCredentialId", id)
	return append(vars, Var{Name: varBearer, Value: key}), err
}

// forgetBy notes how the key that was just made is deleted.
func (i *Init) forgetBy(operation, member, id string) {
	i.forget = func(ctx context.Context) error {
		return i.Client.Form(ctx, "iam", operation, url.Values{"UserName": {i.User}, member: {id}}, nil)
	}
}

// policyName is the managed policy of one of LibreChat's users: inline ones
// have too little room for many profiles.
func policyName(user string) string { return "LibreChat-" + user }

// Allow lets a user, made where there is none, invoke the profiles and nothing
// else.
func Allow(ctx context.Context, c *access.Client, user string, profiles []string) error {
	var f *access.Failure
	err := c.Form(ctx, "iam", "CreateUser", url.Values{"UserName": {user}}, nil)
	if err != nil && !(errors.As(err, &f) && f.Code == "EntityAlreadyExists") {
		return err
	}
	policy, err := leastPolicy(ctx, c, user, profiles)
	if err != nil {
		return err
	}
	arn, err := writePolicy(ctx, c, policyName(user), policy)
	if err != nil {
		return err
	}
	return c.Form(ctx, "iam", "AttachUserPolicy", url.Values{"UserName": {user}, "PolicyArn": {arn}}, nil)
}

// leastPolicy joins the least policies of each profile, and lets a Bedrock API
// key be used.
func leastPolicy(ctx context.Context, c *access.Client, user string, profiles []string) ([]byte, error) {
	statements := []any{map[string]any{"Sid": "UseAPIKey", "Effect": "Allow", "Action": iam.ActionBearerToken, "Resource": "*"}}
	for n, arn := range profiles {
		g, err := c.Grant(ctx, arn, user)
		if err != nil {
			return nil, err
		}
		var one struct{ Statement []map[string]any }
		if err := json.Unmarshal(g.Policy, &one); err != nil {
			return nil, err
		}
		for _, s := range one.Statement {
			s["Sid"] = fmt.Sprint(s["Sid"], n+1)
			statements = append(statements, s)
		}
	}
	return json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
}

// writePolicy makes the managed policy say this, in a new version where it
// exists.
func writePolicy(ctx context.Context, c *access.Client, name string, policy []byte) (string, error) {
	var made struct {
		ARN string `xml:"CreatePolicyResult>Policy>Arn"`
	}
	err := c.Form(ctx, "iam", "CreatePolicy", url.Values{"PolicyName": {name}, "PolicyDocument": {string(policy)}}, &made)
	var f *access.Failure
	if !errors.As(err, &f) || f.Code != "EntityAlreadyExists" {
		return made.ARN, err
	}
	var who struct {
		Account string `xml:"GetCallerIdentityResult>Account"`
	}
	if err := c.Form(ctx, "sts", "GetCallerIdentity", nil, &who); err != nil {
		return "", err
	}
	arn := "arn:aws:iam::" + who.Account + ":policy/" + name
	if err := dropOldVersions(ctx, c, arn); err != nil {
		return "", err
	}
	return arn, c.Form(ctx, "iam", "CreatePolicyVersion", url.Values{"PolicyArn": {arn}, "PolicyDocument": {string(policy)}, "SetAsDefault": {"true"}}, nil)
}

// dropOldVersions leaves the version in force alone: IAM keeps five at most.
func dropOldVersions(ctx context.Context, c *access.Client, arn string) error {
	var out struct {
		Versions []struct {
			ID      string `xml:"VersionId"`
			Default bool   `xml:"IsDefaultVersion"`
		} `xml:"ListPolicyVersionsResult>Versions>member"`
	}
	if err := c.Form(ctx, "iam", "ListPolicyVersions", url.Values{"PolicyArn": {arn}}, &out); err != nil {
		return err
	}
	for _, v := range out.Versions {
		if v.Default {
			continue
		}
		if err := c.Form(ctx, "iam", "DeletePolicyVersion", url.Values{"PolicyArn": {arn}, "VersionId": {v.ID}}, nil); err != nil {
			return err
		}
	}
	return nil
}

// BearerKey makes a long-term Bedrock API key of a user.
func BearerKey(ctx context.Context, c *access.Client, user string) (string, error) {
	_, key, err := bearerKey(ctx, c, user)
	return key, err
}

func bearerKey(ctx context.Context, c *access.Client, user string) (id, key string, err error) {
	var out struct {
		ID     string `xml:"CreateServiceSpecificCredentialResult>ServiceSpecificCredential>ServiceSpecificCredentialId"`
		Secret string `xml:"CreateServiceSpecificCredentialResult>ServiceSpecificCredential>ServiceCredentialSecret"`
	}
	err = c.Form(ctx, "iam", "CreateServiceSpecificCredential", url.Values{"UserName": {user}, "ServiceName": {"bedrock.amazonaws.com"}}, &out)
	if err == nil && out.Secret == "" {
		err = errors.New("CreateServiceSpecificCredential answered no key")
	}
	return out.ID, out.Secret, err
}

func accessKey(ctx context.Context, c *access.Client, user string) (id, secret string, err error) {
	var out struct {
		ID     string `xml:"CreateAccessKeyResult>AccessKey>AccessKeyId"`
		Secret string `xml:"CreateAccessKeyResult>AccessKey>SecretAccessKey"`
	}
	err = c.Form(ctx, "iam", "CreateAccessKey", url.Values{"UserName": {user}}, &out)
	return out.ID, out.Secret, err
}
