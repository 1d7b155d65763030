package iam

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"outcrop"
)

// Every operation of every service model that Outcrop reads has a line: no
// operation can be reached about which nobody knows what to ask.
func TestEveryOperationIsDescribed(t *testing.T) {
	services := 0
	for _, f := range strings.Fields("bedrock bedrock-runtime sts iam organizations ce budgets cloudwatch logs service-quotas resourcegroupstaggingapi bcm-data-exports") {
		text, err := os.ReadFile("../awsapi/model/" + f + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var model struct{ Operations map[string]json.RawMessage }
		if err := json.Unmarshal(text, &model); err != nil {
			t.Fatal(err)
		}
		services++
		for name := range model.Operations {
			o, ok := OperationOf(f, name)
			if !ok {
				t.Errorf("%s.%s has no line in operations.txt", f, name)
				continue
			}
			if actionFault(o.Action) != "" || strings.ContainsAny(o.Action, "*?") {
				t.Errorf("%s.%s: action %q", f, name, o.Action)
			}
			for _, r := range o.Resources {
				arn := r.ARN("eu-west-1", account, "name")
				if fault := resourceFault(string(arn)); fault != "" || len(strings.SplitN(string(arn), ":", 6)) != 6 || strings.ContainsAny(string(arn), "${}") {
					t.Errorf("%s.%s: %s is %q: %s", f, name, r.Name, arn, fault)
				}
			}
		}
	}
	if _, ok := OperationOf("bedrock", "Nonsense"); ok || services == 0 {
		t.Error("an unknown operation was found")
	}
}

func TestOperations(t *testing.T) {
	for _, v := range []struct {
		service, name, action, resources string
		tags                             bool
	}{
		{"bedrock-runtime", "Converse", "bedrock:InvokeModel", "", false},
		{"bedrock-runtime", "ConverseStream", "bedrock:InvokeModelWithResponseStream", "", false},
		{"bedrock-runtime", "CountTokens", "bedrock:CountTokens", "foundation-model*", false},
		{"bedrock", "CreateInferenceProfile", "bedrock:CreateInferenceProfile", "application-inference-profile* foundation-model* inference-profile*", true},
		{"bedrock", "ListInferenceProfiles", "bedrock:ListInferenceProfiles", "", false},
		{"bedrock", "DeleteInferenceProfile", "bedrock:DeleteInferenceProfile", "application-inference-profile*", false},
		{"bedrock", "GetFoundationModelAvailability", "bedrock:GetFoundationModelAvailability", "", false},
		{"budgets", "CreateBudget", "budgets:ModifyBudget", "budget*", true},
		{"budgets", "DescribeBudgets", "budgets:ViewBudget", "budget*", false},
		{"iam", "CreateUser", "iam:CreateUser", "user*", true},
		{"sts", "AssumeRole", "sts:AssumeRole", "role*", true},
		{"ce", "UpdateCostAllocationTagsStatus", "ce:UpdateCostAllocationTagsStatus", "", false},
		{"service-quotas", "ListServiceQuotas", "servicequotas:ListServiceQuotas", "", false},
		{"resourcegroupstaggingapi", "GetResources", "tag:GetResources", "", false},
		{"cloudwatch", "GetMetricData", "cloudwatch:GetMetricData", "", false},
		{"cloudwatch", "PutMetricAlarm", "cloudwatch:PutMetricAlarm", "alarm*", true},
	} {
		o, ok := OperationOf(v.service, v.name)
		var names []string
		for _, r := range o.Resources {
			if r.Required {
				names = append(names, r.Name+"*")
			}
		}
		if got := strings.Join(names, " "); !ok || o.Action != v.action || got != v.resources || o.RequestTags != v.tags {
			t.Errorf("%s.%s: %+v", v.service, v.name, o)
		}
	}
	if o, _ := OperationOf("sts", "GetCallerIdentity"); !o.Free {
		t.Error("GetCallerIdentity needs a permission")
	}
	if o, _ := OperationOf("bedrock", "UntagResource"); !o.TagKeys || o.RequestTags {
		t.Errorf("UntagResource: %+v", o)
	}
}

func TestResourceARNs(t *testing.T) {
	for _, v := range []struct {
		service, operation, kind string
		region                   outcrop.Region
		names                    []string
		want                     outcrop.ARN
	}{
		{"bedrock", "DeleteInferenceProfile", "application-inference-profile", "us-east-1", []string{"abc"}, "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abc"},
		{"bedrock", "CreateInferenceProfile", "application-inference-profile", "us-gov-west-1", nil, "arn:aws-us-gov:bedrock:us-gov-west-1:111122223333:application-inference-profile/*"},
		{"bedrock-runtime", "CountTokens", "foundation-model", "us-east-1", []string{"m"}, "arn:aws:bedrock:us-east-1::foundation-model/m"},
		{"logs", "DescribeLogStreams", "log-group", "us-east-1", []string{"/aws/bedrock/x"}, "arn:aws:logs:us-east-1:111122223333:log-group:/aws/bedrock/x:log-stream:"},
		{"iam", "CreateUser", "user", "", []string{"team/alice"}, "arn:aws:iam::111122223333:user/team/alice"},
	} {
		o, _ := OperationOf(v.service, v.operation)
		r, ok := o.ResourceType(v.kind)
		if got := r.ARN(v.region, account, v.names...); !ok || got != v.want {
			t.Errorf("%s %s: %s, want %s", v.operation, v.kind, got, v.want)
		}
	}
}
