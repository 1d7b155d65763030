// Package access tells who may invoke an inference profile and why, and lets
// somebody invoke it, through a running server's own APIs.
package access

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"outcrop"
	"outcrop/sigv4"
)

// maxAnswerBytes bounds what is read of an answer.
const maxAnswerBytes = 16 << 20

// A Client calls one server with one set of keys in one Region.
type Client struct {
	Endpoint string
	Region   outcrop.Region
	Keys     sigv4.Credentials
	HTTP     *http.Client // trusts the server's CA
	Bearer   string       // Bedrock API key to call with, in place of Keys
	// At is the endpoint of a service, where each has its own; nil means
	// Endpoint for all.
	At func(service string, region outcrop.Region) string
}

// A Failure is an error that the server answered.
type Failure struct {
	Status        int
	Code, Message string
}

func (f *Failure) Error() string { return f.Code + ": " + f.Message }

// form calls an operation of a query service, IAM or STS, whose answers are
// XML. out may be nil.
func (c *Client) form(ctx context.Context, service, action string, in url.Values, out any) error {
	versions := map[string]string{"iam": "2010-05-08", "sts": "2011-06-15"}
	if in == nil {
		in = url.Values{}
	}
	in.Set("Action", action)
	in.Set("Version", versions[service])
	answer, err := c.send(ctx, service, http.MethodPost, "/", in.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
	if err != nil || out == nil {
		return wrap(action, err)
	}
	return wrap(action, xml.Unmarshal(answer, out))
}

// organizations calls an operation of AWS Organizations.
func (c *Client) organizations(ctx context.Context, operation string, in map[string]any, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := c.send(ctx, "organizations", http.MethodPost, "/", string(body), map[string]string{
		"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AWSOrganizationsV20161128." + operation,
	})
	if err != nil {
		return wrap(operation, err)
	}
	return wrap(operation, json.Unmarshal(answer, out))
}

// bedrock calls the control plane. path is escaped already; out may be nil.
func (c *Client) bedrock(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	answer, err := c.send(ctx, "bedrock", method, path, string(body), map[string]string{"Content-Type": "application/json"})
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(answer, out)
}

// Admin calls an operation of Outcrop's own service. out may be nil.
func (c *Client) Admin(ctx context.Context, operation string, in map[string]any, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := c.send(ctx, "outcrop", http.MethodPost, "/", string(body), map[string]string{
		"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Outcrop_20261128." + operation,
	})
	if err != nil || out == nil {
		return err
	}
	return wrap(operation, json.Unmarshal(answer, out))
}

// Bedrock calls the control plane or the runtime. path is escaped already; out
// may be nil.
func (c *Client) Bedrock(ctx context.Context, method, path string, in, out any) error {
	return c.bedrock(ctx, method, path, in, out)
}

// Form calls an operation of IAM or STS; out may be nil.
func (c *Client) Form(ctx context.Context, service, action string, in url.Values, out any) error {
	return c.form(ctx, service, action, in, out)
}

// JSON calls an operation of a service that is told it in X-Amz-Target.
func (c *Client) JSON(ctx context.Context, service, target string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := c.send(ctx, service, http.MethodPost, "/", string(body), map[string]string{
		"Content-Type": "application/x-amz-json-" + jsonVersions[service], "X-Amz-Target": target,
	})
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(answer, out)
}

// Stream calls the runtime and returns the answer as it is written.
func (c *Client) Stream(ctx context.Context, path string, in any) ([]byte, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	return c.send(ctx, "bedrock", http.MethodPost, path, string(body), map[string]string{"Content-Type": "application/json"})
}

// jsonVersions are what the services that speak JSON by target call theirs.
var jsonVersions = map[string]string{"logs": "1.1", "ce": "1.1", "monitoring": "1.0", "servicequotas": "1.1", "outcrop": "1.1"}

func (c *Client) endpoint(service, path string) string {
	if c.At == nil {
		return c.Endpoint
	}
	if service == "bedrock" && strings.HasPrefix(path, "/model/") {
		service = "bedrock-runtime"
	}
	return c.At(service, c.Region)
}

func (c *Client) send(ctx context.Context, service, method, path, body string, header map[string]string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.endpoint(service, path)+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	scope := sigv4.Scope{Region: c.Region, Service: service}
	if c.Bearer != "" && service == "bedrock" {
		r.Header.Set("Authorization", "Bearer "+c.Bearer)
	} else if err := sigv4.Sign(r, sigv4.PayloadHash([]byte(body)), c.Keys, scope, time.Now()); err != nil {
		return nil, err
	}
	answer, err := c.HTTP.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswerBytes))
	if err == nil && answer.StatusCode/100 != 2 {
		err = failure(answer, text)
	}
	return text, err
}

// failure reads an error in any of the forms that services have.
func failure(answer *http.Response, text []byte) error {
	f := &Failure{Status: answer.StatusCode, Code: answer.Header.Get("x-amzn-ErrorType")}
	var inXML struct {
		Code    string `xml:"Error>Code"`
		Message string `xml:"Error>Message"`
	}
	var inJSON struct {
		Type    string `json:"__type"`
		Message string `json:"message"` // names are matched whatever their case
	}
	switch {
	case xml.Unmarshal(text, &inXML) == nil:
		f.Code, f.Message = inXML.Code, inXML.Message
	case json.Unmarshal(text, &inJSON) == nil:
		f.Message = inJSON.Message
		if f.Code == "" {
			f.Code = inJSON.Type
		}
	}
	f.Code, _, _ = strings.Cut(f.Code, ":")
	if _, after, ok := strings.Cut(f.Code, "#"); ok {
		f.Code = after
	}
	if f.Code == "" {
		f.Code = answer.Status
	}
	return f
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
