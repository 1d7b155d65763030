// Package exportsapi answers AWS Billing and Cost Management Data Exports:
// which bills are delivered into which buckets.
package exportsapi

import (
	"context"
	"slices"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/cost/cur"
)

// An API is the data exports of each caller's account.
type API struct {
	Exports *cur.Exports
	// Bucket says why an account cannot deliver into a bucket; nil when it can.
	Bucket func(ctx context.Context, who outcrop.Caller, bucket string) error
}

// Operations are what is served.
func (a *API) Operations() []awsapi.Handler {
	return []awsapi.Handler{
		awsapi.OpOn("CreateExport", onCreate, a.createExport),
		awsapi.OpOn("GetExport", on(a, func(in *GetExportInput) string { return in.ExportArn }), a.getExport),
		awsapi.Op("ListExports", a.listExports),
		awsapi.OpOn("UpdateExport", a.onUpdate, a.updateExport),
		awsapi.OpOn("DeleteExport", on(a, func(in *DeleteExportInput) string { return in.ExportArn }), a.deleteExport),
		awsapi.OpOn("ListExecutions", on(a, func(in *ListExecutionsInput) string { return in.ExportArn }), a.listExecutions),
		awsapi.OpOn("GetExecution", on(a, func(in *GetExecutionInput) string { return in.ExportArn }), a.getExecution),
		awsapi.Op("ListTables", a.listTables),
		awsapi.OpOn("GetTable", onTable, a.getTable),
		awsapi.OpOn("ListTagsForResource", on(a, func(in *ListTagsForResourceInput) string { return in.ResourceArn }), a.listTags),
		awsapi.OpOn("TagResource", a.onTag, a.tagResource),
		awsapi.OpOn("UntagResource", a.onUntag, a.untagResource),
	}
}

func (a *API) createExport(ctx context.Context, who outcrop.Caller, in *CreateExportInput) (*CreateExportOutput, error) {
	e := exportOf(&in.Export)
	e.Account, e.Tags = who.Account, tagsOf(in.ResourceTags)
	if err := a.Bucket(ctx, who, e.To.Bucket); err != nil {
		return nil, err
	}
	made, err := a.Exports.Create(ctx, e)
	if err != nil {
		return nil, asValidation(err)
	}
	return &CreateExportOutput{ExportArn: string(made.ARN)}, nil
}

// asValidation renders a conflict as this service does, which has no error of
// that name.
func asValidation(err error) error {
	if outcrop.KindOf(err) == outcrop.Conflict {
		return outcrop.Errorf(outcrop.Invalid, "%s", awsapi.MessageOf(err))
	}
	return err
}

func (a *API) getExport(ctx context.Context, who outcrop.Caller, in *GetExportInput) (*GetExportOutput, error) {
	e, err := a.Exports.Get(ctx, who.Account, outcrop.ARN(in.ExportArn))
	if err != nil {
		return nil, err
	}
	shown, status := describe(e), statusOf(e)
	return &GetExportOutput{Export: &shown, ExportStatus: &status}, nil
}

func (a *API) listExports(ctx context.Context, who outcrop.Caller, in *ListExportsInput) (*ListExportsOutput, error) {
	all, err := a.Exports.List(ctx, who.Account)
	if err != nil {
		return nil, err
	}
	page, next, err := pageOf(all, in.MaxResults, in.NextToken, func(e *cur.Export) string { return string(e.ARN) })
	if err != nil {
		return nil, err
	}
	out := &ListExportsOutput{Exports: []ExportReference{}, NextToken: next}
	for i := range page {
		e := &page[i]
		out.Exports = append(out.Exports, ExportReference{ExportArn: string(e.ARN), ExportName: e.Name, ExportStatus: statusOf(e)})
	}
	return out, nil
}

func (a *API) updateExport(ctx context.Context, who outcrop.Caller, in *UpdateExportInput) (*UpdateExportOutput, error) {
	want := exportOf(&in.Export)
	if err := a.Bucket(ctx, who, want.To.Bucket); err != nil {
		return nil, err
	}
	err := a.Exports.Change(ctx, who.Account, outcrop.ARN(in.ExportArn), func(e *cur.Export) error {
		if want.Name != e.Name {
			return outcrop.Errorf(outcrop.Invalid, "The name of an export cannot change: it is %s.", e.Name)
		}
		e.Description, e.Statement, e.Properties = want.Description, want.Statement, want.Properties
		if e.To != want.To {
			e.To, e.Delivered = want.To, nil // another place has nothing yet
		}
		return nil
	})
	return &UpdateExportOutput{ExportArn: in.ExportArn}, asValidation(err)
}

func (a *API) deleteExport(ctx context.Context, who outcrop.Caller, in *DeleteExportInput) (*DeleteExportOutput, error) {
	if err := a.Exports.Delete(ctx, who.Account, outcrop.ARN(in.ExportArn)); err != nil {
		return nil, err
	}
	return &DeleteExportOutput{ExportArn: in.ExportArn}, nil
}

func (a *API) listExecutions(ctx context.Context, who outcrop.Caller, in *ListExecutionsInput) (*ListExecutionsOutput, error) {
	all, err := a.Exports.Executions(ctx, who.Account, outcrop.ARN(in.ExportArn))
	if err != nil {
		return nil, err
	}
	page, next, err := pageOf(all, in.MaxResults, in.NextToken, func(x *cur.Execution) string { return x.ID })
	if err != nil {
		return nil, err
	}
	out := &ListExecutionsOutput{Executions: []ExecutionReference{}, NextToken: next}
	for i := range page {
		out.Executions = append(out.Executions, ExecutionReference{ExecutionId: page[i].ID, ExecutionStatus: executionStatus(&page[i])})
	}
	return out, nil
}

func (a *API) getExecution(ctx context.Context, who outcrop.Caller, in *GetExecutionInput) (*GetExecutionOutput, error) {
	all, err := a.Exports.Executions(ctx, who.Account, outcrop.ARN(in.ExportArn))
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(x cur.Execution) bool { return x.ID == in.ExecutionId })
	if i < 0 {
		return nil, outcrop.Errorf(outcrop.NotFound, "The export has no execution %s.", in.ExecutionId)
	}
	shown, status := describe(&all[i].Export), executionStatus(&all[i])
	return &GetExecutionOutput{ExecutionId: all[i].ID, Export: &shown, ExecutionStatus: &status}, nil
}
