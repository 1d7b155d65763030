package access

import (
	"context"
	"encoding/json"
	"net/http"
)

// CostExplorer calls an operation of Cost Explorer.
func (c *Client) CostExplorer(ctx context.Context, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := c.send(ctx, "ce", http.MethodPost, "/", string(body), map[string]string{
		"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AWSInsightsIndexService." + operation,
	})
	if err != nil || out == nil {
		return wrap(operation, err)
	}
	return wrap(operation, json.Unmarshal(answer, out))
}
