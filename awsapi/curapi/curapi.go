// Package curapi answers the AWS Cost and Usage Report Service: reports in
// their first form, which are exports under another name.
package curapi

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/cost/cur"
	"outcrop/iam"
)

// An API is the reports of each caller's account.
type API struct {
	Exports *cur.Exports
	// Bucket says why an account cannot deliver into a bucket; nil when it can.
	Bucket func(ctx context.Context, who outcrop.Caller, bucket string) error
}

// Operations are what is served.
func (a *API) Operations() []awsapi.Handler {
	return []awsapi.Handler{
		awsapi.OpOn("PutReportDefinition", onReport(func(in *PutReportDefinitionInput) string { return in.ReportDefinition.ReportName }), a.put),
		awsapi.Op("DescribeReportDefinitions", a.describe),
		awsapi.OpOn("ModifyReportDefinition", onReport(func(in *ModifyReportDefinitionInput) string { return in.ReportName }), a.modify),
		awsapi.OpOn("DeleteReportDefinition", onReport(func(in *DeleteReportDefinitionInput) string { return in.ReportName }), a.delete),
		awsapi.OpOn("ListTagsForResource", onReport(func(in *ListTagsForResourceInput) string { return in.ReportName }), a.listTags),
		awsapi.OpOn("TagResource", onTag, a.tag),
		awsapi.OpOn("UntagResource", onUntag, a.untag),
	}
}

// onReport asks about the report that a request names.
func onReport[In any](name func(*In) string) func(context.Context, outcrop.Caller, iam.Operation, *In) []iam.Check {
	return func(_ context.Context, who outcrop.Caller, op iam.Operation, in *In) []iam.Check {
		return []iam.Check{reportCheck(who, op, name(in))}
	}
}

func reportCheck(who outcrop.Caller, op iam.Operation, name string) iam.Check {
	t, _ := op.ResourceType("cur")
	return iam.Check{Action: op.Action, Resource: t.ARN(who.Region, who.Account, name)}
}

func onTag(_ context.Context, who outcrop.Caller, op iam.Operation, in *TagResourceInput) []iam.Check {
	check := reportCheck(who, op, in.ReportName)
	check.Context.SetRequestTags(tagsOf(in.Tags))
	return []iam.Check{check}
}

func onUntag(_ context.Context, who outcrop.Caller, op iam.Operation, in *UntagResourceInput) []iam.Check {
	check := reportCheck(who, op, in.ReportName)
	check.Context.SetMulti(iam.KeyTagKeys, in.TagKeys...)
	return []iam.Check{check}
}

// maxReports is how many reports AWS lets an account have.
const maxReports = 10

func (a *API) put(ctx context.Context, who outcrop.Caller, in *PutReportDefinitionInput) (*PutReportDefinitionOutput, error) {
	e, err := exportOf(&in.ReportDefinition)
	if err != nil {
		return nil, err
	}
	e.Account, e.Tags = who.Account, tagsOf(in.Tags)
	all, err := a.reports(ctx, who)
	if err != nil {
		return nil, err
	}
	if len(all) >= maxReports {
		return nil, coded(outcrop.Invalid, "ReportLimitReachedException", "An account can have at most 10 reports. Delete one first.")
	}
	if err := a.Bucket(ctx, who, e.To.Bucket); err != nil {
		return nil, err
	}
	if _, err := a.Exports.Create(ctx, e); outcrop.KindOf(err) == outcrop.Conflict {
		return nil, coded(outcrop.Invalid, "DuplicateReportNameException", "There is a report or an export with the name "+e.Name+" already. Choose another name.")
	} else if err != nil {
		return nil, err
	}
	return &PutReportDefinitionOutput{}, nil
}

func coded(kind outcrop.Kind, code, message string) error {
	e := outcrop.Errorf(kind, "%s", message)
	e.Code = code
	return e
}

// reports are the account's exports that were made here.
func (a *API) reports(ctx context.Context, who outcrop.Caller) ([]cur.Export, error) {
	all, err := a.Exports.List(ctx, who.Account)
	return slices.DeleteFunc(all, func(e cur.Export) bool { return e.Report == nil }), err
}

func (a *API) report(ctx context.Context, who outcrop.Caller, name string) (*cur.Export, error) {
	e, err := a.Exports.Named(ctx, who.Account, name)
	if err == nil && e.Report == nil {
		err = cur.ErrNoExport(outcrop.ARN(name))
	}
	return e, err
}

// pageSize is the one size of a page that the service model allows.
const pageSize = 5

func (a *API) describe(ctx context.Context, who outcrop.Caller, in *DescribeReportDefinitionsInput) (*DescribeReportDefinitionsOutput, error) {
	all, err := a.reports(ctx, who)
	if err != nil {
		return nil, err
	}
	if in.NextToken != "" {
		all = slices.DeleteFunc(all, func(e cur.Export) bool { return e.Name <= in.NextToken })
	}
	out := &DescribeReportDefinitionsOutput{ReportDefinitions: []ReportDefinition{}}
	if len(all) > pageSize {
		all = all[:pageSize]
		out.NextToken = all[pageSize-1].Name
	}
	for i := range all {
		out.ReportDefinitions = append(out.ReportDefinitions, definition(&all[i]))
	}
	return out, nil
}

func (a *API) modify(ctx context.Context, who outcrop.Caller, in *ModifyReportDefinitionInput) (*ModifyReportDefinitionOutput, error) {
	want, err := exportOf(&in.ReportDefinition)
	if err != nil {
		return nil, err
	}
	e, err := a.report(ctx, who, in.ReportName)
	if err != nil {
		return nil, asValidation(err)
	}
	if want.Name != e.Name {
		return nil, outcrop.Errorf(outcrop.Invalid, "The name of a report cannot change: it is %s.", e.Name)
	}
	if err := a.Bucket(ctx, who, want.To.Bucket); err != nil {
		return nil, err
	}
	return &ModifyReportDefinitionOutput{}, a.Exports.Change(ctx, who.Account, e.ARN, func(e *cur.Export) error {
		if e.To != want.To {
			e.Delivered = nil
		}
		e.Statement, e.Properties, e.To, e.Report = want.Statement, want.Properties, want.To, want.Report
		return nil
	})
}

// asValidation renders a report that is not there as these operations do,
// whose model has no error of that name.
func asValidation(err error) error {
	if outcrop.KindOf(err) == outcrop.NotFound {
		return outcrop.Errorf(outcrop.Invalid, "%s", awsapi.MessageOf(err))
	}
	return err
}

func (a *API) delete(ctx context.Context, who outcrop.Caller, in *DeleteReportDefinitionInput) (*DeleteReportDefinitionOutput, error) {
	e, err := a.report(ctx, who, in.ReportName)
	if err != nil {
		return nil, asValidation(err)
	}
	if err := a.Exports.Delete(ctx, who.Account, e.ARN); err != nil {
		return nil, asValidation(err)
	}
	return &DeleteReportDefinitionOutput{ResponseMessage: "Report " + in.ReportName + " was deleted. What it delivered stays in its bucket."}, nil
}

func (a *API) listTags(ctx context.Context, who outcrop.Caller, in *ListTagsForResourceInput) (*ListTagsForResourceOutput, error) {
	e, err := a.report(ctx, who, in.ReportName)
	if err != nil {
		return nil, err
	}
	out := &ListTagsForResourceOutput{Tags: []Tag{}}
	for _, key := range slices.Sorted(maps.Keys(e.Tags)) {
		out.Tags = append(out.Tags, Tag{key, e.Tags[key]})
	}
	return out, nil
}

// maxTags is the model's limit.
const maxTags = 200

func (a *API) tag(ctx context.Context, who outcrop.Caller, in *TagResourceInput) (*TagResourceOutput, error) {
	return &TagResourceOutput{}, a.retag(ctx, who, in.ReportName, func(tags outcrop.Tags) { maps.Copy(tags, tagsOf(in.Tags)) })
}

func (a *API) untag(ctx context.Context, who outcrop.Caller, in *UntagResourceInput) (*UntagResourceOutput, error) {
	return &UntagResourceOutput{}, a.retag(ctx, who, in.ReportName, func(tags outcrop.Tags) {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
	})
}

func (a *API) retag(ctx context.Context, who outcrop.Caller, name string, change func(outcrop.Tags)) error {
	e, err := a.report(ctx, who, name)
	if err != nil {
		return err
	}
	return a.Exports.Tag(ctx, who.Account, e.ARN, func(e *cur.Export) error {
		tags := outcrop.Tags{}
		maps.Copy(tags, e.Tags)
		change(tags)
		if len(tags) > maxTags {
			return outcrop.Errorf(outcrop.Invalid, "A report can have at most %d tags.", maxTags)
		}
		e.Tags = tags
		return nil
	})
}

func tagsOf(list []Tag) outcrop.Tags {
	tags := make(outcrop.Tags, len(list))
	for _, t := range list {
		tags[t.Key] = t.Value
	}
	return tags
}

// exportOf is the export that makes a report.
func exportOf(in *ReportDefinition) (cur.Export, error) {
	e := cur.Export{
		Name: in.ReportName,
		Properties: map[string]map[string]string{"COST_AND_USAGE_REPORT": {
			cur.TimeGranularity: in.TimeUnit, cur.IncludeResources: strings.ToUpper(strconv.FormatBool(slices.Contains(in.AdditionalSchemaElements, "RESOURCES"))),
		}},
		To: cur.Destination{Bucket: in.S3Bucket, Prefix: in.S3Prefix, Region: in.S3Region, Output: "CUSTOM", Format: cur.CSV, Compression: in.Compression, Overwrite: in.ReportVersioning},
		Report: &cur.Report{
			Elements: in.AdditionalSchemaElements, Artifacts: in.AdditionalArtifacts, Compression: in.Compression, Unit: in.TimeUnit,
			RefreshClosed: in.RefreshClosedReports != nil && *in.RefreshClosedReports, BillingViewARN: in.BillingViewArn,
		},
	}
	if e.To.Overwrite == "" {
		e.To.Overwrite = "CREATE_NEW_REPORT"
	}
	parquet := in.Format == "Parquet"
	if parquet != (in.Compression == "Parquet") {
		return e, outcrop.Errorf(outcrop.Invalid, "The format %s does not go with the compression %s: textORcsv takes ZIP or GZIP, and Parquet takes Parquet.", in.Format, in.Compression)
	}
	if slices.Contains(in.AdditionalArtifacts, "ATHENA") && (len(in.AdditionalArtifacts) > 1 || !parquet || e.To.Overwrite != cur.Overwrite) {
		return e, outcrop.Errorf(outcrop.Invalid, "The artifact ATHENA stands alone, and needs the format Parquet and the versioning OVERWRITE_REPORT.")
	}
	if parquet {
		e.To.Format, e.To.Compression = cur.Parquet, "PARQUET"
	}
	e.Statement = cur.ReportStatement(parquet, slices.Contains(in.AdditionalSchemaElements, "RESOURCES"), nil)
	return e, nil
}

func definition(e *cur.Export) ReportDefinition {
	r := e.Report
	d := ReportDefinition{
		ReportName: e.Name, TimeUnit: r.Unit, Format: "textORcsv", Compression: r.Compression, AdditionalSchemaElements: r.Elements,
		S3Bucket: e.To.Bucket, S3Prefix: e.To.Prefix, S3Region: e.To.Region, AdditionalArtifacts: r.Artifacts,
		RefreshClosedReports: &r.RefreshClosed, ReportVersioning: e.To.Overwrite, BillingViewArn: r.BillingViewARN, ReportStatus: &ReportStatus{},
	}
	if e.To.Format == cur.Parquet {
		d.Format = "Parquet"
	}
	switch {
	case e.Failure == cur.NoPermission:
		d.ReportStatus.LastStatus = "ERROR_PERMISSIONS"
	case !e.Refreshed.IsZero():
		d.ReportStatus.LastStatus = "SUCCESS"
	}
	if !e.Refreshed.IsZero() {
		d.ReportStatus.LastDelivery = e.Refreshed.UTC().Format("20060102T150405Z")
	}
	return d
}
