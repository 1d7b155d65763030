package iam

import (
	"fmt"
	"testing"
)

// TestConditionOperators is the table of reference/control-plane.md §6.5 with
// its details. A condition is asked over a context in which
// one=a, many=[a b], none is empty, and the typed keys are what they say.
func TestConditionOperators(t *testing.T) {
	for _, v := range []struct {
		condition string
		want      bool
	}{
		// Positive and negated, present and missing.
		{`{"StringEquals":{"k:one":"a"}}`, true},
		{`{"StringEquals":{"k:one":"A"}}`, false},
		{`{"StringEquals":{"K:ONE":"a"}}`, true},
		{`{"StringEquals":{"k:one":["b","a"]}}`, true},
		{`{"StringEquals":{"k:one":[]}}`, false},
		{`{"StringEquals":{"k:missing":"a"}}`, false},
		{`{"StringEquals":{"k:none":"a"}}`, false},
		{`{"StringEquals":{"k:empty":""}}`, true},
		{`{"StringEquals":{"k:missing":""}}`, false},
		{`{"StringEquals":{"k:one":"*"}}`, false},
		{`{"StringNotEquals":{"k:one":"b"}}`, true},
		{`{"StringNotEquals":{"k:one":["b","a"]}}`, false},
		{`{"StringNotEquals":{"k:one":[]}}`, true},
		{`{"StringNotEquals":{"k:missing":"a"}}`, true},
		{`{"StringEqualsIgnoreCase":{"k:one":"A"}}`, true},
		{`{"StringNotEqualsIgnoreCase":{"k:one":"A"}}`, false},
		{`{"StringLike":{"k:text":"team-*"}}`, true},
		{`{"StringLike":{"k:text":"team-????"}}`, true},
		{`{"StringLike":{"k:text":"team-???"}}`, false},
		{`{"StringLike":{"k:text":"TEAM-*"}}`, false},
		{`{"StringNotLike":{"k:text":"team-*"}}`, false},
		{`{"StringNotLike":{"k:missing":"team-*"}}`, true},
		// IfExists.
		{`{"StringEqualsIfExists":{"k:missing":"a"}}`, true},
		{`{"StringEqualsIfExists":{"k:one":"b"}}`, false},
		{`{"StringNotEqualsIfExists":{"k:one":"a"}}`, false},
		{`{"ForAnyValue:StringEqualsIfExists":{"k:missing":"a"}}`, true},
		// Null.
		{`{"Null":{"k:one":"true"}}`, false},
		{`{"Null":{"k:one":"false"}}`, true},
		{`{"Null":{"k:one":false}}`, true},
		{`{"Null":{"k:missing":"true"}}`, true},
		{`{"Null":{"k:missing":true}}`, true},
		{`{"Null":{"k:missing":"false"}}`, false},
		{`{"Null":{"k:none":"true"}}`, true},
		{`{"Null":{"k:empty":"true"}}`, false},
		// Sets.
		{`{"ForAllValues:StringEquals":{"k:many":["a","b","c"]}}`, true},
		{`{"ForAllValues:StringEquals":{"k:many":["a","c"]}}`, false},
		{`{"ForAllValues:StringEquals":{"k:missing":["a"]}}`, true},
		{`{"ForAllValues:StringEquals":{"k:none":["a"]}}`, true},
		{`{"ForAllValues:StringEquals":{"k:one":["a"]}}`, true},
		{`{"ForAnyValue:StringEquals":{"k:many":["b","c"]}}`, true},
		{`{"ForAnyValue:StringEquals":{"k:many":["c"]}}`, false},
		{`{"ForAnyValue:StringEquals":{"k:missing":["a"]}}`, false},
		{`{"ForAllValues:StringNotEquals":{"k:many":["c"]}}`, true},
		{`{"ForAllValues:StringNotEquals":{"k:many":["a"]}}`, false},
		{`{"ForAllValues:StringNotEquals":{"k:missing":["a"]}}`, true},
		{`{"ForAnyValue:StringNotEquals":{"k:many":["a"]}}`, true},
		{`{"ForAnyValue:StringNotEquals":{"k:many":["a","b"]}}`, false},
		{`{"ForAnyValue:StringNotEquals":{"k:missing":["a"]}}`, false},
		{`{"StringEquals":{"k:many":"b"}}`, true},
		{`{"StringNotEquals":{"k:many":"b"}}`, false},
		// Several operators and keys.
		{`{"StringEquals":{"k:one":"a","k:text":"x"}}`, false},
		{`{"StringEquals":{"k:one":"a"},"Bool":{"k:bool":"true"}}`, true},
		{`{"StringEquals":{"k:one":"a"},"Bool":{"k:bool":"false"}}`, false},
		{`{}`, true},
		// Numbers.
		{`{"NumericEquals":{"k:number":"10.0"}}`, true},
		{`{"NumericEquals":{"k:number":10}}`, true},
		{`{"NumericNotEquals":{"k:number":"10"}}`, false},
		{`{"NumericLessThan":{"k:number":"10"}}`, false},
		{`{"NumericLessThanEquals":{"k:number":"10"}}`, true},
		{`{"NumericGreaterThan":{"k:number":"9.5"}}`, true},
		{`{"NumericGreaterThanEquals":{"k:number":"1e1"}}`, true},
		{`{"NumericEquals":{"k:number":"0xA"}}`, false},
		{`{"NumericLessThan":{"k:text":"10"}}`, false},
		{`{"NumericNotEquals":{"k:text":"10"}}`, false},
		{`{"NumericNotEquals":{"k:missing":"10"}}`, true},
		{`{"NumericLessThanIfExists":{"k:missing":"10"}}`, true},
		// Dates.
		{`{"DateEquals":{"k:date":"2026-02-03T04:05:06Z"}}`, true},
		{`{"DateEquals":{"k:date":"1770091506"}}`, true},
		{`{"DateEquals":{"k:date":"2026-02-03T05:05:06+01:00"}}`, true},
		{`{"DateGreaterThan":{"k:date":"2026-02-03"}}`, true},
		{`{"DateLessThan":{"k:date":"2026-02-03T04:05:07.5Z"}}`, true},
		{`{"DateLessThanEquals":{"k:epoch":"2026-02-03T04:05:06Z"}}`, true},
		{`{"DateGreaterThanEquals":{"k:date":"2026-03"}}`, false},
		{`{"DateNotEquals":{"k:date":"2026-02-03"}}`, true},
		{`{"DateGreaterThan":{"k:text":"2026-02-03"}}`, false},
		{`{"DateLessThan":{"k:missing":"2026-02-03"}}`, false},
		// Bool, bytes, addresses.
		{`{"Bool":{"k:bool":"TRUE"}}`, true},
		{`{"Bool":{"k:bool":false}}`, false},
		{`{"Bool":{"k:text":"true"}}`, false},
		{`{"BinaryEquals":{"k:bytes":"QmluYXJ5"}}`, true},
		{`{"BinaryEquals":{"k:bytes":"Binary"}}`, false},
		{`{"IpAddress":{"k:ip":"203.0.113.0/24"}}`, true},
		{`{"IpAddress":{"k:ip":"203.0.113.9"}}`, true},
		{`{"IpAddress":{"k:ip":["10.0.0.0/8","2001:db8::/32"]}}`, false},
		{`{"IpAddress":{"k:ip6":["10.0.0.0/8","2001:db8::/32"]}}`, true},
		{`{"IpAddress":{"k:mapped":"203.0.113.0/24"}}`, true},
		{`{"NotIpAddress":{"k:ip":"203.0.113.0/24"}}`, false},
		{`{"NotIpAddress":{"k:missing":"203.0.113.0/24"}}`, true},
		{`{"IpAddress":{"k:text":"0.0.0.0/0"}}`, false},
		// ARNs part by part.
		{`{"ArnLike":{"k:arn":"arn:aws:bedrock:*:*:inference-profile/us.*"}}`, true},
		{`{"ArnEquals":{"k:arn":"arn:aws:bedrock:*:*:inference-profile/us.*"}}`, true},
		{`{"ArnEquals":{"k:arn":"arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.amazon.nova-lite-v1:0"}}`, true},
		{`{"ArnLike":{"k:arn":"arn:aws:bedrock:*:inference-profile/us.*"}}`, false},
		{`{"ArnLike":{"k:arn":"arn:aws:*:inference-profile/us.*"}}`, false},
		{`{"ArnLike":{"k:arn":"arn:*:*:*:*:*"}}`, true},
		{`{"ArnLike":{"k:arn":"*"}}`, true},
		{`{"ArnLike":{"k:fm":"arn:aws:bedrock:*:*:foundation-model/*"}}`, true},
		{`{"ArnLike":{"k:text":"*"}}`, false},
		{`{"ArnNotLike":{"k:arn":"arn:aws:bedrock:*:*:inference-profile/eu.*"}}`, true},
		{`{"ArnNotEquals":{"k:arn":"arn:aws:bedrock:*:*:inference-profile/us.*"}}`, false},
		{`{"ArnNotLike":{"k:missing":"arn:aws:bedrock:*:*:inference-profile/us.*"}}`, true},
		{`{"StringLike":{"k:arn":"arn:aws:*:inference-profile/us.*"}}`, true},
		// Variables.
		{`{"StringEquals":{"k:one":"${k:same}"}}`, true},
		{`{"StringEquals":{"k:one":"${K:Same}"}}`, true},
		{`{"StringEquals":{"k:text":"team-${k:color}"}}`, true},
		{`{"StringEquals":{"k:text":"team-${k:missing}"}}`, false},
		{`{"StringEquals":{"k:text":"team-${k:missing, 'blue'}"}}`, true},
		{`{"StringEquals":{"k:text":"team-${k:color,'red'}"}}`, true},
		{`{"StringNotEquals":{"k:text":"team-${k:missing}"}}`, true},
		{`{"StringEquals":{"k:one":"${k:many}"}}`, false},
		{`{"StringLike":{"k:text":"${k:wild}"}}`, false},
		{`{"StringLike":{"k:wild":"${k:wild}"}}`, true},
		{`{"StringLike":{"k:wild":"team-${*}"}}`, true},
		{`{"StringLike":{"k:text":"team-${*}"}}`, false},
		{`{"StringEquals":{"k:signs":"${$}${?}${*}"}}`, true},
		{`{"StringLike":{"k:signs":"${$}??"}}`, true},
		{`{"ArnLike":{"k:arn":"arn:aws:bedrock:*:${k:account}:*"}}`, true},
		{`{"ArnEquals":{"k:arn":"${k:arn}"}}`, true},
		{`{"ArnLike":{"k:arn":"${k:missing}"}}`, false},
	} {
		p := identity(t, `{"Effect":"Allow","Action":"s3:Get","Resource":"*","Condition":`+v.condition+`}`)
		if got := Decide(Policies{Identity: p}, operatorRequest()).Allowed(); got != v.want {
			t.Errorf("%s = %v, want %v", v.condition, got, v.want)
		}
	}
}

func operatorRequest() Request {
	r := Request{Principal: user, Action: "s3:Get"}
	for k, v := range map[string]string{
		"k:one": "a", "k:same": "a", "k:empty": "", "k:text": "team-blue", "k:color": "blue", "k:wild": "team-*", "k:signs": "$?*",
		"k:number": "10", "k:date": "2026-02-03T04:05:06Z", "k:epoch": "1770091506", "k:bool": "true", "k:bytes": "QmluYXJ5",
		"k:ip": "203.0.113.9", "k:ip6": "2001:db8::1", "k:mapped": "::ffff:203.0.113.9", "k:account": "111122223333",
		"k:arn": "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.amazon.nova-lite-v1:0",
		"k:fm":  "arn:aws:bedrock:us-east-1::foundation-model/m",
	} {
		r.Context.Set(k, v)
	}
	r.Context.SetMulti("k:many", "a", "b")
	r.Context.SetMulti("k:none")
	return r
}

// Elements other than conditions (reference/control-plane.md §6.5).
func TestElements(t *testing.T) {
	const res = "arn:aws:s3:::home/alice/x:y"
	for _, v := range []struct {
		statement string
		want      bool
	}{
		{`"Action":"S3:GETObject","Resource":"*"`, true},
		{`"Action":"s3:Get*","Resource":"*"`, true},
		{`"Action":"*:GetObject","Resource":"*"`, true},
		{`"Action":"s3:GetO?ject","Resource":"*"`, true},
		{`"Action":["s3:Put*","s3:*Object"],"Resource":["*"]`, true},
		{`"Action":"s3:${aws:username}","Resource":"*"`, false},
		{`"NotAction":"s3:Put*","Resource":"*"`, true},
		{`"NotAction":["iam:*","s3:Get*"],"Resource":"*"`, false},
		{`"Action":"s3:*","Resource":"arn:aws:s3:::home/*"`, true},
		{`"Action":"s3:*","Resource":"arn:aws:s3:::HOME/*"`, false},
		{`"Action":"s3:*","Resource":"arn:*y"`, false}, // an ARN has a service
		{`"Action":"s3:*","Resource":"arn:aws:s3:*y"`, true},
		{`"Action":"s3:*","Resource":"arn:aws:s3:::home/${aws:username}/*"`, true},
		{`"Action":"s3:*","Resource":"arn:aws:s3:::home/${aws:PrincipalTag/x}/*"`, false},
		{`"Action":"s3:*","Resource":"arn:aws:s3:::home/${aws:PrincipalTag/x, 'alice'}/*"`, true},
		{`"Action":"s3:*","NotResource":"arn:aws:s3:::home/*"`, false},
		{`"Action":"s3:*","NotResource":["arn:aws:s3:::logs/*"]`, true},
	} {
		text := `{"Version":"2012-10-17","Statement":{"Effect":"Allow",` + v.statement + `}}`
		p, err := ParsePolicy([]byte(text), IdentityPolicy)
		if err != nil {
			if v.want {
				t.Errorf("%s: %v", v.statement, err)
			}
			continue
		}
		if got := Decide(Policies{Identity: []*Policy{p}}, alice("s3:GetObject", res)).Allowed(); got != v.want {
			t.Errorf("%s = %v, want %v", v.statement, got, v.want)
		}
	}
}

// Version 2008-10-17 has no variables: the text is what it says, wildcards
// included.
func TestOldVersionHasNoVariables(t *testing.T) {
	for version, want := range map[string]bool{"2008-10-17": false, "2012-10-17": true} {
		p := parse(t, IdentityPolicy, version, `{"Version":"`+version+`","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::home/${aws:username}/*"}}`)
		if got := Decide(Policies{Identity: []*Policy{p}}, alice("s3:GetObject", "arn:aws:s3:::home/alice/x")).Allowed(); got != want {
			t.Errorf("%s: %v", version, got)
		}
		literally := Decide(Policies{Identity: []*Policy{p}}, alice("s3:GetObject", "arn:aws:s3:::home/${aws:username}/x")).Allowed()
		if literally == want {
			t.Errorf("%s: literal text is %v", version, literally)
		}
	}
}

// Actions without resources: only a statement on * applies.
func TestResourceless(t *testing.T) {
	for resource, want := range map[string]bool{`"*"`: true, `"arn:aws:bedrock:*:*:*"`: false, `["arn:aws:bedrock:*:*:*","*"]`: true} {
		p := identity(t, `{"Effect":"Allow","Action":"bedrock:List*","Resource":`+resource+`}`)
		if got := Decide(Policies{Identity: p}, alice("bedrock:ListFoundationModels", "")).Allowed(); got != want {
			t.Errorf("%s: %v", resource, got)
		}
	}
	d := Decide(Policies{}, alice("bedrock:ListFoundationModels", "*"))
	if got, want := d.Message("U", "bedrock:ListFoundationModels", "*"), "User: U is not authorized to perform: bedrock:ListFoundationModels because no identity-based policy allows the bedrock:ListFoundationModels action"; got != want {
		t.Error(got)
	}
}

func ExampleDecision_Message() {
	d := Decide(Policies{}, Request{Principal: user, Action: "bedrock:InvokeModel"})
	fmt.Println(d.Message("arn:aws:iam::111122223333:user/alice", "bedrock:InvokeModel", "arn:aws:bedrock:us-east-1::foundation-model/m"))
	// Output: User: arn:aws:iam::111122223333:user/alice is not authorized to perform: bedrock:InvokeModel on resource: arn:aws:bedrock:us-east-1::foundation-model/m because no identity-based policy allows the bedrock:InvokeModel action
}
