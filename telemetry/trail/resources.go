package trail

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"outcrop"
)

// resourceTypes are the members that name a resource, by service.
var resourceTypes = map[string]map[string]string{
	"iam.amazonaws.com": {
		"userName": "AWS::IAM::User", "roleName": "AWS::IAM::Role", "groupName": "AWS::IAM::Group", "policyArn": "AWS::IAM::Policy",
		"accessKeyId": "AWS::IAM::AccessKey", "openIDConnectProviderArn": "AWS::IAM::OIDCProvider",
	},
	"sts.amazonaws.com": {"roleArn": "AWS::IAM::Role"},
	"bedrock.amazonaws.com": {
		"inferenceProfileIdentifier": applicationProfile, "inferenceProfileName": applicationProfile, "inferenceProfileArn": applicationProfile,
		"resourceARN": applicationProfile, "modelId": foundationModel, "modelIdentifier": foundationModel,
	},
	"organizations.amazonaws.com": {
		"policyId": "AWS::Organizations::Policy", "accountId": "AWS::Organizations::Account",
		"organizationalUnitId": "AWS::Organizations::OrganizationalUnit",
	},
}

const (
	applicationProfile = "AWS::Bedrock::ApplicationInferenceProfile"
	systemProfile      = "AWS::Bedrock::InferenceProfile"
	foundationModel    = "AWS::Bedrock::FoundationModel"
)

// resources are what the event was about, as its parameters and its answer
// name it.
func (e *stored) resources() []outcrop.AuditResource {
	types := resourceTypes[e.Source]
	if types == nil {
		return nil
	}
	var all []outcrop.AuditResource
	for _, raw := range []json.RawMessage{e.Parameters, e.Response} {
		var tree map[string]any
		if json.Unmarshal(raw, &tree) == nil {
			all = named(all, tree, types)
		}
	}
	return all
}

// named collects names from tree and from the structures right below it, such
// as the accessKey that CreateAccessKey answers.
func named(all []outcrop.AuditResource, tree map[string]any, types map[string]string) []outcrop.AuditResource {
	for _, member := range slices.Sorted(maps.Keys(tree)) {
		switch v := tree[member].(type) {
		case map[string]any:
			for _, inner := range slices.Sorted(maps.Keys(v)) {
				all = name(all, inner, v[inner], types)
			}
		default:
			all = name(all, member, v, types)
		}
	}
	return all
}

func name(all []outcrop.AuditResource, member string, value any, types map[string]string) []outcrop.AuditResource {
	text, _ := value.(string)
	kind := types[member]
	if text == "" || kind == "" {
		return all
	}
	if r := (outcrop.AuditResource{Type: precise(kind, text), Name: text}); !slices.Contains(all, r) {
		all = append(all, r)
	}
	return all
}

// precise tells a profile from a model where one member may name either.
func precise(kind, name string) string {
	switch {
	case strings.Contains(name, ":application-inference-profile/"):
		return applicationProfile
	case strings.Contains(name, ":inference-profile/"):
		return systemProfile
	}
	return kind
}
