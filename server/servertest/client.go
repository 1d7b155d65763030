package servertest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"outcrop"
	"outcrop/identity"
	"outcrop/sigv4"
)

// maxAnswerBytes bounds an answer that is read whole.
const maxAnswerBytes = 16 << 20

// A Client signs requests as AWS's own would.
type Client struct {
	endpoint string
	region   outcrop.Region
	keys     sigv4.Credentials
	http     *http.Client
}

func newClient(endpoint string, c identity.Credentials, h *http.Client) *Client {
	return &Client{endpoint: endpoint, region: c.Region, http: h, keys: sigv4.Credentials{AccessKey: c.AccessKeyID, Secret: c.SecretAccessKey}}
}

// As is the client with other keys, in another Region.
func (c *Client) As(keys sigv4.Credentials, r outcrop.Region) *Client {
	other := *c
	other.keys, other.region = keys, r
	return &other
}

// In is the client in another Region.
func (c *Client) In(r outcrop.Region) *Client { return c.As(c.keys, r) }

// Request makes a signed POST of a JSON body to service. path is escaped
// already. Headers are signed along.
func (c *Client) Request(ctx context.Context, service, path string, body []byte, headers map[string]string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	scope := sigv4.Scope{Region: c.region, Service: service}
	return r, sigv4.Sign(r, sigv4.PayloadHash(body), c.keys, scope, time.Now())
}

// Get makes a signed GET. path is escaped already and may hold a query.
func (c *Client) Get(ctx context.Context, service, path string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.endpoint+path, nil)
	if err != nil {
		return nil, err
	}
	return r, sigv4.Sign(r, sigv4.PayloadHash(nil), c.keys, sigv4.Scope{Region: c.region, Service: service}, time.Now())
}

// Model is the path of a runtime operation, such as "converse-stream", on a
// model, profile or ARN.
func Model(ref, operation string) string {
	return "/model/" + url.PathEscape(ref) + "/" + operation
}

// Bedrock calls an operation of the control plane.
func (c *Client) Bedrock(ctx context.Context, path string, in, out any) error {
	return c.call(ctx, "bedrock", path, nil, in, out)
}

// CostExplorer calls an operation of Cost Explorer.
func (c *Client) CostExplorer(ctx context.Context, operation string, in, out any) error {
	return c.call(ctx, "ce", "/", map[string]string{
		"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AWSInsightsIndexService." + operation,
	}, in, out)
}

// Budgets calls an operation of AWS Budgets.
func (c *Client) Budgets(ctx context.Context, operation string, in, out any) error {
	return c.call(ctx, "budgets", "/", map[string]string{
		"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AWSBudgetServiceGateway." + operation,
	}, in, out)
}

// CreateProfile makes an application profile and returns its ARN. source is an
// ARN of a model or profile.
func (c *Client) CreateProfile(ctx context.Context, name, source string, tags outcrop.Tags) (outcrop.ARN, error) {
	type tag struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	}
	in := struct {
		Name   string            `json:"inferenceProfileName"`
		Source map[string]string `json:"modelSource"`
		Tags   []tag             `json:"tags,omitempty"`
	}{Name: name, Source: map[string]string{"copyFrom": source}}
	for k, v := range tags {
		in.Tags = append(in.Tags, tag{k, v})
	}
	var out struct {
		ARN outcrop.ARN `json:"inferenceProfileArn"`
	}
	return out.ARN, c.Bedrock(ctx, "/inference-profiles", in, &out)
}

func (c *Client) call(ctx context.Context, service, path string, headers map[string]string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := c.Request(ctx, service, path, body, headers)
	if err != nil {
		return err
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswerBytes))
	if err != nil {
		return err
	}
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("%s%s: %s: %s", service, path, answer.Status, text)
	}
	return json.Unmarshal(text, out)
}
