package librechat

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"outcrop"
	"outcrop/access"
	"outcrop/internal/eventstream"
)

func modelPath(id, operation string) string { return "/model/" + url.PathEscape(id) + "/" + operation }

// callable are the models on offer with what LibreChat would put into the
// path for each.
func (p *patient) callable() map[string]string {
	calls := map[string]string{}
	for _, m := range p.mapped {
		if slices.Contains(p.names(), m.model) {
			calls[m.model] = m.resolved
		}
	}
	return calls
}

func checkChat(ctx context.Context, p *patient) {
	l := p.reach()
	if l.client == nil {
		p.undecided("no credentials to call with.")
		return
	}
	calls := p.callable()
	for _, m := range p.mapped {
		id, ok := calls[m.model]
		if !ok || strings.Contains(id, "${") {
			continue
		}
		if err := stream(ctx, l.client, id, chatBody(m.model)); err != nil {
			p.refusedCall(m, err)
			continue
		}
		l.called[m.resolved] = true
	}
}

func (p *patient) refusedCall(m mapEntry, err error) {
	var f *access.Failure
	if !errors.As(err, &f) {
		p.undecided("a call of '%s': %v.", m.model, plain(err))
		return
	}
	fix := "Read the message: LibreChat shows it in the chat."
	switch {
	case strings.Contains(f.Message, "aws-marketplace"):
		fix = "Accept the model agreement and wait some minutes (LC46)."
	case f.Code == "AccessDeniedException":
		fix = "Allow bedrock:InvokeModel* on the profile and on its models (LC45)."
	case f.Status == http.StatusForbidden:
		fix = "Correct the credentials (LC42)."
	}
	p.say(p.yamlAt(m.line), fix, "what LibreChat would send for '%s' is refused: %s: %s", m.model, f.Code, f.Message)
}

// stream calls ConverseStream and reads it to the end.
func stream(ctx context.Context, c *access.Client, id string, in body) error {
	answer, err := c.Stream(ctx, modelPath(id, "converse-stream"), in)
	if err != nil {
		return err
	}
	for frames := eventstream.NewDecoder(bytes.NewReader(answer)); ; {
		m, err := frames.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read stream: %w", err)
		case m.Headers.Text(":message-type") == "exception":
			return &access.Failure{Code: m.Headers.Text(":exception-type"), Message: string(m.Payload)}
		}
	}
}

func checkTitleCall(ctx context.Context, p *patient) {
	title := p.bedrock.get("titleModel")
	if title.value() == "" || title.value() == "current_model" {
		return
	}
	l := p.reach()
	if l.client == nil {
		p.undecided("no credentials to call with.")
		return
	}
	id := title.value()
	if m := p.mapping(id); m != nil {
		id = m.resolved
	}
	err := l.client.Bedrock(ctx, "POST", modelPath(id, "converse"), titleBody(), nil)
	var f *access.Failure
	switch {
	case errors.As(err, &f):
		p.say(p.yamlAt(title.line), "Name a model that answers, or map it to its profile.", "the title call to '%s' is refused: %s: %s", title.value(), f.Code, f.Message)
	case err != nil:
		p.undecided("the title call: %v.", plain(err))
	}
}

// logPoll is how often an invocation log is looked at.
const logPoll = 2 * time.Second

func checkLog(ctx context.Context, p *patient) {
	l := p.reach()
	if len(l.called) == 0 {
		p.undecided("no call of LC48 was answered, so there is nothing to look for.")
		return
	}
	c := p.asker("")
	if c == nil {
		return
	}
	var out struct {
		Config *struct {
			CloudWatch *struct {
				Group string `json:"logGroupName"`
			} `json:"cloudWatchConfig"`
		} `json:"loggingConfig"`
	}
	if err := c.Bedrock(ctx, "GET", "/logging/modelinvocations", nil, &out); err != nil {
		if !p.unable(err, "invocation logging") {
			p.undecided("invocation logging: %v.", err)
		}
		return
	}
	if out.Config == nil || out.Config.CloudWatch == nil || out.Config.CloudWatch.Group == "" {
		p.sayAs(Info, place{}, "Switch it on (put-model-invocation-logging-configuration) to verify calls by their log.", "invocation logging to CloudWatch is off in %s.", c.Region)
		return
	}
	p.awaitLog(ctx, c, out.Config.CloudWatch.Group)
}

func (p *patient) awaitLog(ctx context.Context, c *access.Client, group string) {
	wait := p.LogWait
	if wait == 0 {
		wait = time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	since := p.Now().Add(-10 * time.Minute).UnixMilli()
	for {
		found, err := p.logged(ctx, c, group, since)
		if err != nil && ctx.Err() == nil {
			if !p.unable(err, "the log group "+group) {
				p.undecided("the log group %s: %v.", group, err)
			}
			return
		}
		if found {
			return
		}
		select {
		case <-ctx.Done():
			p.say(place{}, "Check the logging role's trust and permissions, and the log group's name.", "no record of these calls within %s in %s.", wait, group)
			return
		case <-time.After(logPoll):
		}
	}
}

// logged says whether every profile that was called is in the log by its ARN.
func (p *patient) logged(ctx context.Context, c *access.Client, group string, since int64) (bool, error) {
	var out struct {
		Events []struct {
			Message string `json:"message"`
		} `json:"events"`
	}
	in := map[string]any{"logGroupName": group, "startTime": since}
	if err := c.JSON(ctx, "logs", "Logs_20140328.FilterLogEvents", in, &out); err != nil {
		return false, err
	}
	for arn := range p.reach().called {
		if !slices.ContainsFunc(out.Events, func(e struct {
			Message string `json:"message"`
		}) bool {
			return strings.Contains(e.Message, arn)
		}) {
			return false, nil
		}
	}
	return true, nil
}

func checkTags(ctx context.Context, p *patient) {
	c := p.signer("us-east-1")
	if c == nil {
		return
	}
	active, err := activeTags(ctx, c)
	if err != nil {
		if !p.unable(err, "cost allocation tags") {
			p.undecided("cost allocation tags: %v.", err)
		}
		return
	}
	told := map[string]bool{}
	p.views(ctx, func(m mapEntry, v *profileView, c *access.Client) {
		tags, err := tagsOf(ctx, c, v.ARN)
		if err != nil {
			p.unable(err, "the tags of "+string(v.ARN))
			return
		}
		if len(tags) == 0 {
			p.say(p.profileAt(m), "Tag it: aws bedrock tag-resource.", "the profile of '%s' has no tags: its cost cannot be allocated by one.", m.model)
		}
		for _, tag := range tags {
			if !active[tag] && !told[tag] && !strings.HasPrefix(tag, "outcrop:default:") {
				told[tag] = true
				p.say(p.profileAt(m), "aws ce update-cost-allocation-tags-status --cost-allocation-tags-status TagKey="+tag+",Status=Active",
					"tag %s is on the profile of '%s' but not active for cost allocation.", tag, m.model)
			}
		}
	})
}

func activeTags(ctx context.Context, c *access.Client) (map[string]bool, error) {
	active := map[string]bool{}
	in := map[string]any{"Status": "Active"}
	for {
		var out struct {
			CostAllocationTags []struct{ TagKey string }
			NextToken          string
		}
		if err := c.JSON(ctx, "ce", "AWSInsightsIndexService.ListCostAllocationTags", in, &out); err != nil {
			return nil, err
		}
		for _, t := range out.CostAllocationTags {
			active[t.TagKey] = true
		}
		if out.NextToken == "" {
			return active, nil
		}
		in["NextToken"] = out.NextToken
	}
}

func tagsOf(ctx context.Context, c *access.Client, arn outcrop.ARN) (keys []string, err error) {
	var out struct {
		Tags []struct{ Key string } `json:"tags"`
	}
	err = c.Bedrock(ctx, "POST", "/listTagsForResource", map[string]any{"resourceARN": arn}, &out)
	for _, t := range out.Tags {
		keys = append(keys, t.Key)
	}
	return keys, err
}
