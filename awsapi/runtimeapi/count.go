package runtimeapi

import (
	"net/http"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/converse"
	"outcrop/converse/native"
)

// countTokens counts without invoking: free, and recorded nowhere.
func (a *API) countTokens(w http.ResponseWriter, r *awsapi.Request) error {
	in, err := converse.DecodeCountTokensRequest(r.Body)
	if err != nil {
		return err
	}
	if err := in.Validate(); err != nil {
		return err
	}
	c := call(r, outcrop.OpCountTokens)
	c.Request = func(t *outcrop.Target) (*converse.Request, error) { return countable(in, t) }
	n, err := a.Gateway.CountTokens(r.Context(), c)
	if err != nil {
		return refused(r, err)
	}
	writeJSON(w, (&converse.CountTokensResponse{InputTokens: int64(n)}).AppendJSON(nil))
	return nil
}

// countable is the conversation that either form of the input holds.
func countable(in *converse.CountTokensRequest, t *outcrop.Target) (*converse.Request, error) {
	if c := in.Input.Converse; c != nil {
		return &converse.Request{
			Messages: c.Messages, System: c.System, ToolConfig: c.ToolConfig,
			AdditionalModelRequestFields: c.AdditionalModelRequestFields,
		}, nil
	}
	if in.Input.InvokeModel == nil {
		return nil, outcrop.Errorf(outcrop.Invalid, "1 validation error detected: Value at 'input' failed to satisfy constraint: Member must not be null")
	}
	body, err := in.Input.InvokeModel.Body.Bytes()
	if err != nil {
		return nil, outcrop.Errorf(outcrop.Invalid, "input.invokeModel.body is not base64.")
	}
	family, ok := native.FamilyOf(t.Model.ID)
	if !ok {
		return nil, outcrop.Errorf(outcrop.Invalid, "The provided model doesn't support counting tokens.")
	}
	return family.Decode(body)
}
