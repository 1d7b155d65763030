package access

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

// Budgets calls an operation of AWS Budgets. out may be nil.
func (c *Client) Budgets(ctx context.Context, operation string, in map[string]any, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := c.send(ctx, "budgets", http.MethodPost, "/", string(body), map[string]string{
		"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AWSBudgetServiceGateway." + operation,
	})
	if err != nil || out == nil {
		return err
	}
	return wrap(operation, json.Unmarshal(answer, out))
}

// Account is that of the client's keys.
func (c *Client) Account(ctx context.Context) (string, error) {
	var out struct {
		Result struct{ Account string } `xml:"GetCallerIdentityResult"`
	}
	err := c.form(ctx, "sts", "GetCallerIdentity", nil, &out)
	return out.Result.Account, err
}

// CodeOf is the code of an error that the server answered, or empty.
func CodeOf(err error) string {
	var f *Failure
	if errors.As(err, &f) {
		return f.Code
	}
	return ""
}
