package sigv4

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// read reads a request from wire bytes as net/http's server would.
func read(wire []byte) (*http.Request, []byte, error) {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(wire)))
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(r.Body)
	return r, body, err
}

func receive(t interface{ Fatal(...any) }, wire []byte) (*http.Request, []byte) {
	r, body, err := read(wire)
	if err != nil {
		t.Fatal(err)
	}
	return r, body
}

// TestCaptured verifies requests as unmodified clients sent them over plain
// HTTP: boto3 1.43.11, the aws CLI 1.45.11, the JavaScript SDK 3.1161.0 and the
// Go SDK 1.63.11.
func TestCaptured(t *testing.T) {
	files, err := filepath.Glob("testdata/*.http")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d captured requests, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			wire, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r, body := receive(t, wire)
			s, err := Parse(r)
			if err != nil || s == nil {
				t.Fatal(s, err)
			}
			v := Verifier{AllowUnsignedPayload: s.Service == "s3" && s.Presigned}
			if err := v.Verify(s, r, body, exampleSecret, s.Time); err != nil {
				t.Error(err)
			}
			if s.AccessKey != "AKIAIOSFODNN7EXAMPLE" || s.Region != "us-east-1" || s.Service == "" {
				t.Errorf("parsed %v", s)
			}
			if strings.Contains(file, "token") && s.SecurityToken != "IQoJb3JpZ2luX2VjEXAMPLE//+token==" {
				t.Errorf("security token %q", s.SecurityToken)
			}
			if err := v.Verify(s, r, append(body, ' '), exampleSecret, s.Time); err == nil && !v.AllowUnsignedPayload {
				t.Error("another body passed")
			}
		})
	}
}

// TestUnsignedPayload is refused unless asked for.
func TestUnsignedPayload(t *testing.T) {
	wire, err := os.ReadFile("testdata/boto3-s3-presigned.http")
	if err != nil {
		t.Fatal(err)
	}
	r, body := receive(t, wire)
	s, err := Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.Verify(r, body, exampleSecret, s.Time), "InvalidSignatureException", "UNSIGNED-PAYLOAD")
}

// TestGoSDK verifies what the Go SDK sends: unlike boto3 it signs
// content-length and its own amz-sdk headers, and does not tidy the path.
func TestGoSDK(t *testing.T) {
	seen := make(chan error, 8)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = verify(r, body, exampleSecret, time.Now())
		}
		seen <- err
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, "{}")
	}))
	defer server.Close()
	provider := credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", exampleSecret, "session/token+==")
	runtime := bedrockruntime.New(bedrockruntime.Options{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: provider, RetryMaxAttempts: 1})
	control := bedrock.New(bedrock.Options{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: provider, RetryMaxAttempts: 1})
	arn := aws.String("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123def456")
	for name, call := range map[string]func(context.Context) error{
		"Converse": func(ctx context.Context) error {
			_, err := runtime.Converse(ctx, &bedrockruntime.ConverseInput{ModelId: arn, Messages: []types.Message{{
				Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "hi é"}},
			}}})
			return err
		},
		"InvokeModel": func(ctx context.Context) error {
			_, err := runtime.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: aws.String("us.amazon.nova-lite-v1:0"), Body: []byte("{}")})
			return err
		},
		"ListInferenceProfiles": func(ctx context.Context) error {
			_, err := control.ListInferenceProfiles(ctx, &bedrock.ListInferenceProfilesInput{NextToken: aws.String("a+b/c= d~é*"), MaxResults: aws.Int32(3)})
			return err
		},
	} {
		callErr := call(t.Context())
		select {
		case err := <-seen:
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		default:
			t.Errorf("%s sent nothing: %v", name, callErr)
		}
	}
}

// TestJavaScriptSDK verifies the shape of the JavaScript client: HTTP/2, so
// that the host is the :authority, and a long list of signed headers
// (reference/runtime-metering-billing.md §4.1).
func TestJavaScriptSDK(t *testing.T) {
	body := []byte(`{"messages":[]}`)
	sent := httptest.NewRequest("POST", "http://127.0.0.1:4599/model/us.amazon.nova-lite-v1%3A0/converse-stream", bytes.NewReader(body))
	sent.ProtoMajor, sent.ProtoMinor, sent.Proto = 2, 0, "HTTP/2.0"
	for name, value := range map[string]string{
		"amz-sdk-invocation-id": "409f6cda-0fda-4ca8-a9db-cf3fba48a5a7", "amz-sdk-request": "attempt=1; max=3",
		"content-type": "application/json", "content-length": "15", "x-amz-content-sha256": PayloadHash(body),
		"x-amz-user-agent": "aws-sdk-js/3.1161.0",
	} {
		sent.Header.Set(name, value)
	}
	now := time.Now()
	by := Credentials{AccessKey: "AKIAIOSFODNN7EXAMPLE", Secret: exampleSecret}
	if err := Sign(sent, PayloadHash(body), by, Scope{"us-east-1", "bedrock"}, now); err != nil {
		t.Fatal(err)
	}
	const want = "SignedHeaders=amz-sdk-invocation-id;amz-sdk-request;content-length;content-type;host;x-amz-content-sha256;x-amz-date;x-amz-user-agent,"
	if a := sent.Header.Get("Authorization"); !strings.Contains(a, want) {
		t.Errorf("authorization %s", a)
	}
	sent.Header.Del("Content-Length") // a server may keep it in r.ContentLength only
	if err := verify(sent, body, exampleSecret, now); err != nil {
		t.Error(err)
	}
}

// TestOverHTTP2 signs for a real HTTP/2 connection without TLS.
func TestOverHTTP2(t *testing.T) {
	seen := make(chan error, 1)
	var both http.Protocols
	both.SetUnencryptedHTTP2(true)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = verify(r, body, exampleSecret, time.Now())
		}
		if r.ProtoMajor != 2 {
			t.Errorf("protocol %s", r.Proto)
		}
		seen <- err
	}))
	server.Config.Protocols = &both
	server.Start()
	defer server.Close()
	r, err := http.NewRequest("POST", server.URL+"/model/arn%3Aaws%3Abedrock%2Fx/converse?b=2&a=%2F+c", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "a  b")
	if err := Sign(r, PayloadHash([]byte("{}")), Credentials{AccessKey: "AKIAIOSFODNN7EXAMPLE", Secret: exampleSecret}, Scope{"us-east-1", "bedrock"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{Protocols: &both}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if err := <-seen; err != nil {
		t.Error(err)
	}
}
