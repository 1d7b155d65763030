// Package stsapi answers the operations of AWS STS.
package stsapi

import (
	"context"
	"strings"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/identity"
	"outcrop/identity/oidc"
)

// An API answers STS.
type API struct {
	Identity *identity.Directory
	Issuers  *oidc.Verifier
}

// Operations are what is served.
func (a *API) Operations() []awsapi.Handler {
	return []awsapi.Handler{
		awsapi.Op("GetCallerIdentity", a.getCallerIdentity),
		awsapi.Op("GetAccessKeyInfo", a.getAccessKeyInfo),
		awsapi.Op("DecodeAuthorizationMessage", a.decodeAuthorizationMessage),
		awsapi.Op("GetSessionToken", a.getSessionToken),
		awsapi.Own("AssumeRole", a.assumeRole),
		awsapi.Open("AssumeRoleWithWebIdentity", a.assumeRoleWithWebIdentity),
	}
}

func (a *API) getCallerIdentity(_ context.Context, who outcrop.Caller, _ *GetCallerIdentityInput) (*GetCallerIdentityOutput, error) {
	return &GetCallerIdentityOutput{UserId: who.UserID, Account: string(who.Account), Arn: string(who.Principal)}, nil
}

func (a *API) getAccessKeyInfo(ctx context.Context, _ outcrop.Caller, in *GetAccessKeyInfoInput) (*GetAccessKeyInfoOutput, error) {
	account, err := a.Identity.AccountOfAccessKey(ctx, in.AccessKeyId)
	if err != nil {
		return nil, err
	}
	return &GetAccessKeyInfoOutput{Account: string(account)}, nil
}

// decodeAuthorizationMessage knows no message: Outcrop's refusals say their
// reason in the open, none comes with an encoded message as some of EC2's do.
func (a *API) decodeAuthorizationMessage(context.Context, outcrop.Caller, *DecodeAuthorizationMessageInput) (*DecodeAuthorizationMessageOutput, error) {
	e := outcrop.Errorf(outcrop.Invalid, "The message is not one that Outcrop has encoded: its refusals name their reason in plain text.")
	e.Code = "InvalidAuthorizationMessageException"
	return nil, e
}

func (a *API) getSessionToken(ctx context.Context, who outcrop.Caller, in *GetSessionTokenInput) (*GetSessionTokenOutput, error) {
	if err := noDevice(in.SerialNumber, in.TokenCode); err != nil {
		return nil, err
	}
	s, err := a.Identity.GetSessionToken(ctx, who, seconds(in.DurationSeconds))
	if err != nil {
		return nil, err
	}
	return &GetSessionTokenOutput{Credentials: credentials(s)}, nil
}

func (a *API) assumeRole(ctx context.Context, who outcrop.Caller, in *AssumeRoleInput) (*AssumeRoleOutput, error) {
	if err := noDevice(in.SerialNumber, in.TokenCode); err != nil {
		return nil, err
	}
	if len(in.ProvidedContexts) > 0 {
		return nil, invalid("ValidationError", "Outcrop does not serve ProvidedContexts.")
	}
	if err := isRole(in.RoleArn); err != nil {
		return nil, err
	}
	tags, err := sessionTags(in.Tags)
	if err != nil {
		return nil, err
	}
	s, err := a.Identity.AssumeRole(ctx, who, identity.AssumeRequest{
		Role: outcrop.ARN(in.RoleArn), Name: in.RoleSessionName, Life: seconds(in.DurationSeconds), Policy: in.Policy, PolicyARNs: arns(in.PolicyArns),
		Tags: tags, Transitive: in.TransitiveTagKeys, ExternalID: in.ExternalId, SourceIdentity: in.SourceIdentity,
	})
	if err != nil {
		return nil, err
	}
	return &AssumeRoleOutput{
		Credentials: credentials(s), AssumedRoleUser: assumed(s), PackedPolicySize: packed(s), SourceIdentity: s.Caller.Session.SourceIdentity,
	}, nil
}

func (a *API) assumeRoleWithWebIdentity(ctx context.Context, who outcrop.Caller, in *AssumeRoleWithWebIdentityInput) (*AssumeRoleWithWebIdentityOutput, error) {
	if in.ProviderId != "" { // names an OAuth 2.0 provider of AWS's early days
		return nil, invalid("InvalidIdentityToken", "Outcrop knows OpenID Connect providers only: leave ProviderId out.")
	}
	if err := isRole(in.RoleArn); err != nil {
		return nil, err
	}
	s, id, err := a.Identity.AssumeRoleWithWebIdentity(ctx, a.Issuers, who, in.WebIdentityToken, identity.AssumeRequest{
		Role: outcrop.ARN(in.RoleArn), Name: in.RoleSessionName, Life: seconds(in.DurationSeconds), Policy: in.Policy, PolicyARNs: arns(in.PolicyArns),
	})
	if err != nil {
		return nil, err
	}
	return &AssumeRoleWithWebIdentityOutput{
		Credentials: credentials(s), AssumedRoleUser: assumed(s), PackedPolicySize: packed(s), SourceIdentity: s.Caller.Session.SourceIdentity,
		SubjectFromWebIdentityToken: id.Subject, Provider: string(id.Provider), Audience: id.Audience,
	}, nil
}

// noDevice refuses a code of an MFA device: nobody has one here.
func noDevice(serial, code string) error {
	if serial == "" && code == "" {
		return nil
	}
	return outcrop.Errorf(outcrop.Denied, "MultiFactorAuthentication failed with invalid MFA one time pass code.")
}

func isRole(arn string) error {
	if p := outcrop.ARN(arn).Parts(); p.Service == "iam" && strings.HasPrefix(p.Resource, "role/") {
		return nil
	}
	return invalid("ValidationError", "%s is invalid", arn)
}

func sessionTags(list []Tag) (outcrop.Tags, error) {
	if len(list) == 0 {
		return nil, nil
	}
	tags := outcrop.Tags{}
	for _, t := range list {
		if _, twice := tags[t.Key]; twice {
			return nil, identity.DuplicateSessionTags()
		}
		tags[t.Key] = t.Value
	}
	return tags, nil
}

func arns(list []PolicyDescriptorType) []outcrop.ARN {
	var out []outcrop.ARN
	for _, p := range list {
		out = append(out, outcrop.ARN(p.Arn))
	}
	return out
}

func credentials(s *identity.NewSession) *Credentials {
	return &Credentials{AccessKeyId: s.AccessKeyID, SecretAccessKey: s.SecretAccessKey, SessionToken: s.Token, Expiration: s.Caller.Session.Expires}
}

func assumed(s *identity.NewSession) *AssumedRoleUser {
	return &AssumedRoleUser{AssumedRoleId: s.Caller.UserID, Arn: string(s.Caller.Principal)}
}

// packed is absent when nothing was packed.
func packed(s *identity.NewSession) *int64 {
	if s.PackedPercent == 0 {
		return nil
	}
	n := int64(s.PackedPercent)
	return &n
}

// seconds is zero when n is absent.
func seconds(n *int64) time.Duration {
	if n == nil {
		return 0
	}
	return time.Duration(*n) * time.Second
}

func invalid(code, format string, args ...any) error {
	e := outcrop.Errorf(outcrop.Invalid, format, args...)
	e.Code = code
	return e
}
