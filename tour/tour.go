// Package tour plays the main story against a running server, with the AWS SDK
// for Go as a plain client: a tagged profile, calls through it, cost by tag.
package tour

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Options say where the tour goes.
type Options struct {
	Endpoint, Region             string
	AccessKeyID, SecretAccessKey string
	SessionToken                 string       // empty for long-lived keys
	HTTP                         *http.Client // trusts the server's CA; nil is the default client
	Model                        string       // system-defined profile to copy; default DefaultModel
	Keep                         bool         // leave the profile behind
	Out                          io.Writer
}

// DefaultModel is copied unless another is named.
const DefaultModel = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"

// tagKey is what the tour tags and bills by.
const tagKey = "project"

// A guide is one tour under way.
type guide struct {
	Options
	sts     *sts.Client
	bedrock *bedrock.Client
	runtime *bedrockruntime.Client
	costs   *costexplorer.Client
	step    int

	source, profile string // ARNs
	tag             string // value of tagKey: one of its own for each tour
}

// Run plays the tour. It stops at the first step that fails, and removes the
// profile that it made all the same.
func Run(ctx context.Context, o Options) (err error) {
	g := newGuide(o)
	defer func() {
		if g.profile != "" && !o.Keep {
			err = errors.Join(err, g.remove(context.WithoutCancel(ctx)))
		}
	}()
	for _, s := range []struct {
		title string
		play  func(context.Context) error
	}{
		{"Who am I?  sts:GetCallerIdentity", g.whoAmI},
		{"Which profiles does AWS define here?  bedrock:ListInferenceProfiles", g.listSystem},
		{"Make one of our own, with a tag  bedrock:CreateInferenceProfile", g.create},
		{"Look at it  bedrock:GetInferenceProfile, ListTagsForResource", g.look},
		{"Call it  bedrock-runtime:Converse", g.converse},
		{"Call it in a stream  bedrock-runtime:ConverseStream", g.stream},
		{"Call it with a model's own body  bedrock-runtime:InvokeModel", g.invoke},
		{"Bill by that tag, from now on  ce:UpdateCostAllocationTagsStatus", g.activate},
		{"What did it cost?  ce:GetCostAndUsage", g.cost},
	} {
		g.title(s.title)
		if err := s.play(ctx); err != nil {
			return fmt.Errorf("step %d: %w", g.step, err)
		}
	}
	return nil
}

func newGuide(o Options) *guide {
	if o.Model == "" {
		o.Model = DefaultModel
	}
	config := aws.Config{
		Region:       o.Region,
		BaseEndpoint: aws.String(o.Endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider(o.AccessKeyID, o.SecretAccessKey, o.SessionToken),
	}
	if o.HTTP != nil {
		config.HTTPClient = o.HTTP
	}
	return &guide{
		Options: o, tag: "tour-" + strings.ToLower(rand.Text()[:6]),
		sts: sts.NewFromConfig(config), bedrock: bedrock.NewFromConfig(config),
		runtime: bedrockruntime.NewFromConfig(config), costs: costexplorer.NewFromConfig(config),
	}
}

func (g *guide) title(text string) {
	g.step++
	fmt.Fprintf(g.Out, "\n%d. %s\n", g.step, text)
}

func (g *guide) say(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	fmt.Fprintf(g.Out, "   %s\n", strings.ReplaceAll(text, "\n", "\n   "))
}

// period is today, as Cost Explorer counts days.
func period(now time.Time) (start, end string) {
	return now.UTC().Format(time.DateOnly), now.UTC().AddDate(0, 0, 1).Format(time.DateOnly)
}
