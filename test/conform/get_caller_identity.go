package conform

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const opIdentity = "GetCallerIdentity"

func getCallerIdentityChecks() []Check {
	const source = "runtime-metering-billing.md §0, §9.1, 23"
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
	return []Check{
		{opIdentity, "tells an SDK account, ARN and user id", source, Nothing, identityBySDK},
		{opIdentity, "answers in the query protocol's XML, with the request id in the body too", source, Nothing, identityRaw},
		asks(opIdentity, "refuses an unknown action", "framework", Nothing, ask{service: "sts", method: "POST", path: "/", header: form, body: "Action=GetNobody&Version=2011-06-15"}, refused(400, "InvalidAction")),
		asks(opIdentity, "refuses an unknown access key, in the query protocol's words", "framework", Nothing,
			ask{service: "sts", method: "POST", path: "/", header: form, body: "Action=GetCallerIdentity&Version=2011-06-15", auth: unknownKey}, refused(403, "InvalidClientTokenId")),
		asks(opIdentity, "refuses a wrong signature, in the query protocol's words", "framework", Nothing,
			ask{service: "sts", method: "POST", path: "/", header: form, body: "Action=GetCallerIdentity&Version=2011-06-15", auth: wrongSecret}, refused(403, "SignatureDoesNotMatch")),
	}
}

var awsAccount = regexp.MustCompile(`^\d{12}$`)

func identityBySDK(ctx context.Context, s *Subject) error {
	who, err := s.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return err
	}
	arn := aws.ToString(who.Arn)
	return errors.Join(
		holds("Account", awsAccount.MatchString(aws.ToString(who.Account)), "12 digits", aws.ToString(who.Account)),
		holds("Arn", strings.HasPrefix(arn, "arn:") && strings.Contains(arn, "::"+aws.ToString(who.Account)+":"), "an ARN of the account", arn),
		holds("UserId", aws.ToString(who.UserId) != "", "an id", ""))
}

func identityRaw(ctx context.Context, s *Subject) error {
	got, err := s.expect(ctx, ask{service: "sts", method: "POST", path: "/", body: "Action=GetCallerIdentity&Version=2011-06-15",
		header: map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}}, answer{status: 200})
	if err != nil {
		return err
	}
	body := string(got.body)
	return errors.Join(
		holds("Content-Type", strings.HasPrefix(got.header.Get("Content-Type"), "text/xml"), "text/xml", got.header.Get("Content-Type")),
		holds("body", strings.Contains(body, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">`), "GetCallerIdentityResponse with its namespace", body),
		holds("body", strings.Contains(body, "<Account>"+s.facts.account+"</Account>"), "the account", body),
		holds("body", strings.Contains(body, "<RequestId>"+got.header.Get("x-amzn-RequestId")+"</RequestId>"), "the request id of the header", body))
}
