package iamapi

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"outcrop"
	"outcrop/identity"
)

func (a *API) createPolicyVersion(ctx context.Context, who outcrop.Caller, in *CreatePolicyVersionInput) (*CreatePolicyVersionOutput, error) {
	chosen := in.SetAsDefault != nil && *in.SetAsDefault
	v, err := a.Identity.CreatePolicyVersion(ctx, who.Account, outcrop.ARN(in.PolicyArn), in.PolicyDocument, chosen)
	if err != nil {
		return nil, err
	}
	return &CreatePolicyVersionOutput{PolicyVersion: &PolicyVersion{VersionId: v.ID, IsDefaultVersion: &chosen, CreateDate: v.Created}}, nil
}

// getPolicyVersion is the only one of the version operations that shows the
// document.
func (a *API) getPolicyVersion(ctx context.Context, who outcrop.Caller, in *GetPolicyVersionInput) (*GetPolicyVersionOutput, error) {
	v, err := a.Identity.PolicyVersion(ctx, who.Account, outcrop.ARN(in.PolicyArn), in.VersionId)
	if err != nil {
		return nil, err
	}
	p, err := a.Identity.Policy(ctx, who.Account, outcrop.ARN(in.PolicyArn))
	if err != nil {
		return nil, err
	}
	out := listVersion(p, v)
	out.Document = document(v.Document)
	return &GetPolicyVersionOutput{PolicyVersion: &out}, nil
}

func listVersion(p identity.ManagedPolicy, v identity.PolicyVersion) PolicyVersion {
	return PolicyVersion{VersionId: v.ID, IsDefaultVersion: ptr(v.ID == p.Default), CreateDate: v.Created}
}

// listPolicyVersions lists the newest first, as AWS does.
func (a *API) listPolicyVersions(ctx context.Context, who outcrop.Caller, in *ListPolicyVersionsInput) (*ListPolicyVersionsOutput, error) {
	p, err := a.Identity.Policy(ctx, who.Account, outcrop.ARN(in.PolicyArn))
	if err != nil {
		return nil, err
	}
	all := each(p.Versions, func(v identity.PolicyVersion) PolicyVersion { return listVersion(p, v) })
	versions, next, err := cut(all, page(in.Marker, in.MaxItems), newestFirst)
	return &ListPolicyVersionsOutput{Versions: versions, IsTruncated: truncated(next), Marker: next}, err
}

// newestFirst is a key that sorts v10 before v9 before v2.
func newestFirst(v PolicyVersion) string {
	n, _ := strconv.Atoi(strings.TrimPrefix(v.VersionId, "v"))
	return fmt.Sprintf("%010d", 9_999_999_999-n)
}

func (a *API) deletePolicyVersion(ctx context.Context, who outcrop.Caller, in *DeletePolicyVersionInput) (*nothing, error) {
	return done(a.Identity.DeletePolicyVersion(ctx, who.Account, outcrop.ARN(in.PolicyArn), in.VersionId))
}

func (a *API) setDefaultPolicyVersion(ctx context.Context, who outcrop.Caller, in *SetDefaultPolicyVersionInput) (*nothing, error) {
	return done(a.Identity.SetDefaultPolicyVersion(ctx, who.Account, outcrop.ARN(in.PolicyArn), in.VersionId))
}
