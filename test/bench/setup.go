package main

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"

	"outcrop"
	"outcrop/server/servertest"
	"outcrop/sigv4"
)

// A gateway is an Outcrop process as users run it: a user who is not an
// administrator, with a policy of ten statements; profiles over three Regions
// of two upstreams; a quota, a budget, the durable ledger and the metrics.
type gateway struct {
	*servertest.Server
	admin   *servertest.Client
	us, eu  *servertest.Client // of the user, in either upstream's Regions
	nova    outcrop.ARN        // answered by Bedrock
	claude  outcrop.ARN        // answered by Bedrock, in Anthropic's words
	open    outcrop.ARN        // answered by an OpenAI-compatible server
	stopped bool
}

const (
	novaModel   = "amazon.nova-lite-v1:0"
	claudeModel = "anthropic.claude-haiku-4-5-20251001-v1:0"
	account     = "123456789012"
	usRegion    = outcrop.Region("us-east-1")
	euRegion    = outcrop.Region("eu-central-1")
)

const gatewayConfig = `log: error
profiles: {per_region: 200000}
quotas: {enforce: set}
upstreams:
  bedrock:
    kind: bedrock
    baseURL: %[1]q
    credentials: {accessKeyId: AKIABENCHBENCHBENCH0, secretAccessKey: not-a-secret}
    regions: [us-east-1, us-east-2, us-west-2]
    limits: {concurrency: 60000, requestsPerMinute: 100000000}
  mock:
    kind: openai
    baseURL: %[2]q
    regions: [eu-central-1, eu-west-1, eu-west-3]
    models: {%[3]q: mock}
    limits: {concurrency: 60000, requestsPerMinute: 100000000}
`

func (w *world) gateway(ctx context.Context, name string, env ...string) (g *gateway, err error) {
	g = new(gateway)
	config := fmt.Sprintf(gatewayConfig, w.mock.url(), w.mock.url()+"/v1", novaModel)
	if g.Server, err = servertest.Start(ctx, w.binary, filepath.Join(w.dir, name), config, env...); err != nil {
		return nil, err
	}
	if err := g.furnish(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("set up %s: %w", name, err), g.stop())
	}
	return g, nil
}

// furnish makes the user, the policy, the profiles, the quota and the budget.
func (g *gateway) furnish(ctx context.Context) (err error) {
	if g.admin, err = g.Client(http.DefaultClient); err != nil {
		return err
	}
	keys, err := g.user(ctx)
	if err != nil {
		return err
	}
	g.us, g.eu = g.admin.As(keys, usRegion), g.admin.As(keys, euRegion)
	for _, p := range []struct {
		arn    *outcrop.ARN
		region outcrop.Region
		name   string
		source string
	}{
		{&g.nova, usRegion, "nova", "us." + novaModel}, {&g.claude, usRegion, "claude", "us." + claudeModel}, {&g.open, euRegion, "open", "eu." + novaModel},
	} {
		source := "arn:aws:bedrock:" + string(p.region) + ":" + account + ":inference-profile/" + p.source
		if *p.arn, err = g.admin.In(p.region).CreateProfile(ctx, p.name, source, outcrop.Tags{"team": "bench"}); err != nil {
			return err
		}
	}
	if err := g.quotas(ctx); err != nil {
		return err
	}
	return g.budget(ctx)
}

// user makes a user with an access key.
func (g *gateway) user(ctx context.Context) (keys sigv4.Credentials, err error) {
	for _, form := range []url.Values{
		{"Action": {"CreateUser"}, "UserName": {"bench"}},
		{"Action": {"CreatePolicy"}, "PolicyName": {"bench"}, "PolicyDocument": {policy()}},
		{"Action": {"AttachUserPolicy"}, "UserName": {"bench"}, "PolicyArn": {"arn:aws:iam::" + account + ":policy/bench"}},
	} {
		if err := g.iam(ctx, form, nil); err != nil {
			return keys, err
		}
	}
	var made struct {
		ID     string `xml:"CreateAccessKeyResult>AccessKey>AccessKeyId"`
		Secret string `xml:"CreateAccessKeyResult>AccessKey>SecretAccessKey"`
	}
	err = g.iam(ctx, url.Values{"Action": {"CreateAccessKey"}, "UserName": {"bench"}}, &made)
	return sigv4.Credentials{AccessKey: made.ID, Secret: made.Secret}, err
}

// policy has ten statements. The last one, with conditions, lets the user in.
func policy() string {
	var s []string
	for i := range 8 {
		s = append(s, fmt.Sprintf(`{"Sid":"Team%d","Effect":"Allow","Action":["bedrock:InvokeModel","bedrock:GetInferenceProfile"],"Resource":"arn:aws:bedrock:*:%s:application-inference-profile/team%d*","Condition":{"StringEquals":{"aws:ResourceTag/team":"team%d"}}}`, i, account, i, i))
	}
	s = append(s, `{"Sid":"NoCustom","Effect":"Deny","Action":"bedrock:InvokeModel*","Resource":"arn:aws:bedrock:*:*:custom-model/*"}`,
		`{"Sid":"Bench","Effect":"Allow","Action":["bedrock:InvokeModel","bedrock:InvokeModelWithResponseStream"],"Resource":["arn:aws:bedrock:*:`+account+`:application-inference-profile/*","arn:aws:bedrock:*:`+account+`:inference-profile/*","arn:aws:bedrock:*::foundation-model/*"],"Condition":{"StringLike":{"aws:RequestedRegion":["us-*","eu-*"]}}}`)
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(s, ",") + `]}`
}

func (g *gateway) iam(ctx context.Context, form url.Values, out any) error {
	form.Set("Version", "2010-05-08")
	answer, err := g.ask(ctx, "iam", form.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
	if err != nil || out == nil {
		return err
	}
	return xml.Unmarshal(answer, out)
}

// quotas sets requests per minute of both profiles' model, where calls are
// counted, to more than the load.
func (g *gateway) quotas(ctx context.Context) error {
	for _, region := range []outcrop.Region{usRegion, euRegion} {
		in := `{"ServiceCode":"bedrock","QuotaCode":"L-89F8391A","DesiredValue":100000000}`
		if _, err := askAs(ctx, g.admin.In(region), "servicequotas", in, map[string]string{
			"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "ServiceQuotasV20190624.RequestServiceQuotaIncrease",
		}); err != nil {
			return err
		}
	}
	return nil
}

// budget holds calls before their money is spent, and has enough.
func (g *gateway) budget(ctx context.Context) error {
	in := `{"AccountId":"` + account + `","Budget":{"BudgetName":"bench","BudgetType":"COST","TimeUnit":"MONTHLY","BudgetLimit":{"Amount":"100000000","Unit":"USD"},"CostFilters":{"TagKeyValue":["user:team$bench"]}},"ResourceTags":[{"Key":"outcrop:enforce","Value":"hard"}]}`
	_, err := g.ask(ctx, "budgets", in, map[string]string{"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AWSBudgetServiceGateway.CreateBudget"})
	return err
}

func (g *gateway) ask(ctx context.Context, service, body string, headers map[string]string) ([]byte, error) {
	return askAs(ctx, g.admin, service, body, headers)
}

func askAs(ctx context.Context, c *servertest.Client, service, body string, headers map[string]string) ([]byte, error) {
	r, err := c.Request(ctx, service, "/", []byte(body), headers)
	if err != nil {
		return nil, err
	}
	return whole(r)
}

func (g *gateway) stop() error {
	if g.stopped {
		return nil
	}
	g.stopped = true
	return g.Stop()
}
