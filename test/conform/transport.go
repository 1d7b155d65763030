package conform

import (
	"context"
	"errors"
	"io"
	"strings"
)

// transport is no operation but how all of them are reached.
const transport = "Transport"

func transportChecks() []Check {
	call := modelAsk("converse", "no.such-model-v1%3A0", hello) // costs nothing: it is refused after the signature was verified
	return []Check{
		{transport, "speaks HTTP/1.1", "control-plane.md §0", Nothing, overProtocol(call, "HTTP/1.1", 400)},
		{transport, "speaks HTTP/2: with ALPN over TLS, with prior knowledge without", "design: the JavaScript SDK's Bedrock client speaks nothing else", Nothing, overHTTP2(call, 400)},
		{transport, "does so on the control plane, where :authority is signed too", "runtime-metering-billing.md §4.1", Own, overHTTP2(ask{path: "/inference-profiles/{%systemARN}"}, 200, profileMembers...)},
		{transport, "gives every answer its own request id", "control-plane.md §0", Nothing, ownRequestIDs},
		{transport, "answers JSON with its length known", "control-plane.md §0", Nothing, jsonAnswer},
		{transport, "takes a body of unknown length", "framework", Own, chunkedBody},
		{transport, "takes Expect: 100-continue", "runtime-metering-billing.md §4.1", Nothing, expectContinue},
		{transport, "refuses a control-plane body over 4 MiB with 413, and says the limit", "runtime-metering-billing.md §1.9 (UNVERIFIED)", Own, tooLarge},
		{transport, "puts the bare code before the first colon of x-amzn-errortype, the service's URI behind it", "runtime-metering-billing.md §1.9", Nothing, errorType},
	}
}

func overProtocol(a ask, proto string, status int, members ...string) func(context.Context, *Subject) error {
	return func(ctx context.Context, s *Subject) error {
		got, err := s.expect(ctx, a, answer{status: status, members: members})
		if err != nil {
			return err
		}
		return same("protocol", proto, got.proto)
	}
}

func overHTTP2(a ask, status int, members ...string) func(context.Context, *Subject) error {
	a.h2 = true
	return overProtocol(a, "HTTP/2.0", status, members...)
}

func ownRequestIDs(ctx context.Context, s *Subject) error {
	seen := map[string]bool{}
	for range 3 {
		got, err := s.expect(ctx, ask{path: "/inference-profiles/k3x09m2p7q1z"}, answer{status: 404})
		if err != nil {
			return err
		}
		seen[got.header.Get("x-amzn-RequestId")] = true
	}
	return same("different ids in three answers", 3, len(seen))
}

func jsonAnswer(ctx context.Context, s *Subject) error {
	got, err := s.expect(ctx, ask{path: "/inference-profiles/{%systemID}"}, answer{status: 200, members: profileMembers})
	if err != nil {
		return err
	}
	return errors.Join(same("Content-Type", "application/json", got.header.Get("Content-Type")),
		holds("Content-Length", got.header.Get("Content-Length") != "", "told", ""))
}

// chunkedBody signs what a client signs that does not know its length: the
// hash of the whole.
func chunkedBody(ctx context.Context, s *Subject) error {
	body := `{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`
	_, err := s.expect(ctx, ask{service: "bedrock-runtime", method: "POST", path: "/model/no.such-model/converse", body: body,
		stream: io.MultiReader(strings.NewReader(body[:10]), strings.NewReader(body[10:]))},
		answer{status: 400, code: "ValidationException", message: noIdentifier})
	return err
}

func expectContinue(ctx context.Context, s *Subject) error {
	_, err := s.expect(ctx, ask{method: "POST", path: "/listTagsForResource", body: `{"resourceARN":"{profile}"}`, header: map[string]string{"Expect": "100-continue"}}, answer{status: 200, members: []string{"tags"}})
	return err
}

func errorType(ctx context.Context, s *Subject) error {
	got, err := s.expect(ctx, ask{path: "/inference-profiles?type=OTHER"}, answer{status: 400, members: []string{"message"}})
	if err != nil {
		return err
	}
	return same("header x-amzn-ErrorType", "ValidationException:http://internal.amazon.com/coral/com.amazon.bedrock/", got.header.Get("x-amzn-ErrorType"))
}

const controlLimitBytes = 4 << 20

func tooLarge(ctx context.Context, s *Subject) error {
	body := strings.Repeat(" ", controlLimitBytes+1)
	_, err := s.expect(ctx, ask{method: "POST", path: "/listTagsForResource", body: body}, answer{status: 413, code: "ValidationException", words: []string{"4194304"}})
	return err
}
