package conform

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/auth/bearer"

	"outcrop"
	"outcrop/internal/sdkhttp"
)

// An Endpoint is where the checks go and who makes them.
type Endpoint struct {
	URL         string // such as http://127.0.0.1:4599; empty for AWS's own endpoints
	Region      outcrop.Region
	Credentials aws.CredentialsProvider
	APIKey      string            // long-term Bedrock API key; without one its checks are skipped
	Bearer      bool              // let the runtime's SDK client use the key, not the signature; TLS only
	Transport   http.RoundTripper // of the SDK's clients; nil for Go's default
	Roots       []byte            // PEM of the authorities to trust; empty for the system's
	AWS         bool              // AWS itself: only what is cheap and leaves nothing behind
	Spend       bool              // on AWS: also what costs money
}

// A Subject is an endpoint under check: clients, and what is known of it.
type Subject struct {
	endpoint Endpoint
	control  *bedrock.Client
	runtime  *bedrockruntime.Client
	costs    *costexplorer.Client
	sts      *sts.Client
	wire     wires
	facts    facts

	once    sync.Once
	shared  madeProfile // made when a check first speaks of it
	failure error
	mu      sync.Mutex
	made    []string // ARNs of application profiles to delete at the end
}

// Open makes the clients and looks around: who asks, and which models and
// profiles there are. Close it.
func Open(ctx context.Context, e Endpoint) (*Subject, error) {
	s := &Subject{endpoint: e}
	var err error
	if s.wire, err = newWires(&e); err != nil {
		return nil, err
	}
	through := e.Transport
	if through == nil {
		through = s.wire.any
	}
	client := &http.Client{Transport: sdkhttp.Patient(through)}
	base := func(service string) *string { return aws.String(s.base(service)) }
	// Nothing is tried again: a check wants the first answer.
	s.control = bedrock.New(bedrock.Options{
		Region: string(e.Region), BaseEndpoint: base("bedrock"), Credentials: e.Credentials, HTTPClient: client, Retryer: aws.NopRetryer{}})
	s.costs = costexplorer.New(costexplorer.Options{
		Region: "us-east-1", BaseEndpoint: base("ce"), Credentials: e.Credentials, HTTPClient: client, Retryer: aws.NopRetryer{}})
	s.sts = sts.New(sts.Options{
		Region: string(e.Region), BaseEndpoint: base("sts"), Credentials: e.Credentials, HTTPClient: client, Retryer: aws.NopRetryer{}})
	options := bedrockruntime.Options{
		Region: string(e.Region), BaseEndpoint: base("bedrock-runtime"), Credentials: e.Credentials, HTTPClient: client, Retryer: aws.NopRetryer{}}
	if e.Bearer {
		options.BearerAuthTokenProvider = bearer.StaticTokenProvider{Token: bearer.Token{Value: e.APIKey}}
		options.AuthSchemePreference = []string{"httpBearerAuth"}
	}
	s.runtime = bedrockruntime.New(options)
	if s.facts, err = s.lookAround(ctx); err != nil {
		return nil, fmt.Errorf("look around at %s: %w", s.base("bedrock"), err)
	}
	return s, nil
}

// base is the URL of a service.
func (s *Subject) base(service string) string {
	switch {
	case s.endpoint.URL != "":
		return strings.TrimSuffix(s.endpoint.URL, "/")
	case service == "ce":
		return "https://ce.us-east-1.amazonaws.com"
	}
	return "https://" + service + "." + string(s.endpoint.Region) + ".amazonaws.com"
}

// cleanupTimeout bounds the deletion of what the checks made.
const cleanupTimeout = time.Minute

// Close deletes the application profiles that the checks made, and nothing
// else.
func (s *Subject) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	var errs []error
	for _, arn := range s.made {
		_, err := s.control.DeleteInferenceProfile(ctx, &bedrock.DeleteInferenceProfileInput{InferenceProfileIdentifier: &arn})
		if err != nil && codeOf(err) != "ResourceNotFoundException" {
			errs = append(errs, fmt.Errorf("delete %s, which a check made: %w", arn, err))
		}
	}
	s.made = nil
	s.wire.close()
	return errors.Join(errs...)
}

// own notes a profile that is to be deleted at the end.
func (s *Subject) own(arn string) {
	if arn == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made = append(s.made, arn)
}
