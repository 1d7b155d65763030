package report

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"outcrop/access"
	"outcrop/sigv4"
)

// maxAnswerBytes bounds what is read of an answer.
const maxAnswerBytes = 64 << 20

// A Signed is a Server that is asked over the wire, as any client asks it.
type Signed struct{ *access.Client }

// CostExplorer calls an operation of Cost Explorer.
func (s Signed) CostExplorer(ctx context.Context, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Endpoint+"/", strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AWSInsightsIndexService."+operation)
	if err := sigv4.Sign(r, sigv4.PayloadHash(body), s.Keys, sigv4.Scope{Region: s.Region, Service: "ce"}, time.Now()); err != nil {
		return err
	}
	answer, err := s.HTTP.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswerBytes))
	if err != nil {
		return err
	}
	if answer.StatusCode/100 != 2 {
		return refusal(operation, answer, text)
	}
	return json.Unmarshal(text, out)
}

func refusal(operation string, answer *http.Response, text []byte) error {
	var e struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	if json.Unmarshal(text, &e) != nil || e.Message == "" {
		return fmt.Errorf("%s: %s", operation, answer.Status)
	}
	_, code, ok := strings.Cut(e.Type, "#")
	if !ok {
		code = e.Type
	}
	return fmt.Errorf("%s: %s: %s", operation, code, e.Message)
}
