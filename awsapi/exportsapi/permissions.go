package exportsapi

import (
	"context"

	"outcrop"
	"outcrop/cost/cur"
	"outcrop/iam"
)

// on asks about the export that a request names, with its tags. One that is
// not there is asked about all the same: who may not look does not learn what
// exists.
func on[In any](a *API, arn func(*In) string) func(context.Context, outcrop.Caller, iam.Operation, *In) []iam.Check {
	return func(ctx context.Context, who outcrop.Caller, op iam.Operation, in *In) []iam.Check {
		return []iam.Check{a.onExport(ctx, who, op, arn(in))}
	}
}

func (a *API) onExport(ctx context.Context, who outcrop.Caller, op iam.Operation, arn string) iam.Check {
	check := iam.Check{Action: op.Action, Resource: outcrop.ARN(arn)}
	if e, err := a.Exports.Get(ctx, who.Account, check.Resource); err == nil {
		check.Context.SetTags(iam.KeyResourceTag, e.Tags)
	}
	return check
}

// onCreate asks about the table that the new export reads.
func onCreate(_ context.Context, who outcrop.Caller, op iam.Operation, in *CreateExportInput) []iam.Check {
	check := iam.Check{Action: op.Action, Resource: tableARN(op, who, &in.Export)}
	check.Context.SetRequestTags(tagsOf(in.ResourceTags))
	return []iam.Check{check}
}

func (a *API) onUpdate(ctx context.Context, who outcrop.Caller, op iam.Operation, in *UpdateExportInput) []iam.Check {
	return []iam.Check{a.onExport(ctx, who, op, in.ExportArn), {Action: op.Action, Resource: tableARN(op, who, &in.Export)}}
}

func onTable(_ context.Context, who outcrop.Caller, op iam.Operation, in *GetTableInput) []iam.Check {
	t, _ := op.ResourceType("table")
	return []iam.Check{{Action: op.Action, Resource: t.ARN(who.Region, who.Account, in.TableName)}}
}

// tableARN is the table that an export reads. A statement that cannot be read
// asks about all tables, and is refused for what it is afterwards.
func tableARN(op iam.Operation, who outcrop.Caller, e *Export) outcrop.ARN {
	name := "*"
	if q, err := cur.Parse(e.DataQuery.QueryStatement); err == nil {
		name = q.Table.Name
	}
	t, _ := op.ResourceType("table")
	return t.ARN(who.Region, who.Account, name)
}

func (a *API) onTag(ctx context.Context, who outcrop.Caller, op iam.Operation, in *TagResourceInput) []iam.Check {
	check := a.onExport(ctx, who, op, in.ResourceArn)
	check.Context.SetRequestTags(tagsOf(in.ResourceTags))
	return []iam.Check{check}
}

func (a *API) onUntag(ctx context.Context, who outcrop.Caller, op iam.Operation, in *UntagResourceInput) []iam.Check {
	check := a.onExport(ctx, who, op, in.ResourceArn)
	check.Context.SetMulti(iam.KeyTagKeys, in.ResourceTagKeys...)
	return []iam.Check{check}
}
