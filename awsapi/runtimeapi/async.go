package runtimeapi

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/converse/native"
	"outcrop/gateway"
	"outcrop/iam"
	"outcrop/offline"
)

// startAsyncInvoke keeps an invocation for the background. Whether its caller
// may have it is asked now and, since policies change, when it runs.
func (a *API) startAsyncInvoke(ctx context.Context, who outcrop.Caller, in *StartAsyncInvokeInput) (*StartAsyncInvokeOutput, error) {
	to := in.OutputDataConfig.S3OutputDataConfig
	if to == nil {
		return nil, outcrop.Errorf(outcrop.Invalid, "1 validation error detected: Value at 'outputDataConfig' failed to satisfy constraint: Member must not be null")
	}
	bucket, prefix, err := s3Place(to.S3Uri)
	if err != nil {
		return nil, err
	}
	if len(in.ModelInput) > maxInvokeBodyBytes {
		return nil, outcrop.Errorf(outcrop.Invalid, "1 validation error detected: Value at 'modelInput' failed to satisfy constraint: Member must have length less than or equal to %d", maxInvokeBodyBytes)
	}
	call := &gateway.Call{Operation: outcrop.OpInvokeModel, Caller: who, Ref: outcrop.ParseModelRef(in.ModelId)}
	if who.Bearer {
		call.BearerTokenType = awsapi.BearerTokenType(who)
	}
	target, err := a.Gateway.Allowed(ctx, call)
	if err != nil {
		return nil, err
	}
	if err := readable(target, in.ModelInput); err != nil {
		return nil, err
	}
	if err := a.MayWrite(ctx, who, bucket, below(prefix)); err != nil {
		return nil, err
	}
	tags := make(outcrop.Tags, len(in.Tags))
	for _, t := range in.Tags {
		tags[t.Key] = t.Value
	}
	job, err := a.Offline.Start(ctx, offline.Job{
		Caller: who, Token: in.ClientRequestToken, ModelRef: in.ModelId, Model: target.Model.ID, Input: slices.Clone(in.ModelInput),
		Bucket: bucket, Prefix: prefix, KMSKey: to.KmsKeyId, Owner: to.BucketOwner, Tags: tags,
	})
	if err != nil {
		return nil, err
	}
	return &StartAsyncInvokeOutput{InvocationArn: string(job.ARN())}, nil
}

// readable refuses a body now that would be refused later. Bodies of models
// that are not known here are for an upstream of kind bedrock to judge.
func readable(t *outcrop.Target, body []byte) error {
	if _, ok, err := native.DecodeTask(t.Model.ID, body); ok {
		return err
	}
	family, ok := native.FamilyOf(t.Model.ID)
	if !ok {
		return nil
	}
	_, err := family.Decode(native.Silent(body, t))
	return err
}

// s3Place takes an s3:// address apart.
func s3Place(uri string) (bucket, prefix string, err error) {
	rest, ok := strings.CutPrefix(uri, "s3://")
	bucket, prefix, _ = strings.Cut(rest, "/")
	if !ok || bucket == "" {
		return "", "", outcrop.Errorf(outcrop.Invalid, "The s3Uri %.300s is not of the form s3://bucket/prefix.", uri)
	}
	return bucket, prefix, nil
}

// below is every key under prefix, as it is written: nothing of it means a
// folder above.
func below(prefix string) string {
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	return prefix + "*"
}

// onAsyncInvoke is the job that a request names.
func onAsyncInvoke(_ context.Context, _ outcrop.Caller, op iam.Operation, in *GetAsyncInvokeInput) []iam.Check {
	return []iam.Check{{Action: op.Action, Resource: outcrop.ARN(in.InvocationArn)}}
}

func (a *API) getAsyncInvoke(ctx context.Context, who outcrop.Caller, in *GetAsyncInvokeInput) (*GetAsyncInvokeOutput, error) {
	job, err := a.Offline.Get(ctx, who, in.InvocationArn)
	if err != nil {
		return nil, err
	}
	out := GetAsyncInvokeOutput(summaryOf(job))
	return &out, nil
}

func summaryOf(j *offline.Job) AsyncInvokeSummary {
	return AsyncInvokeSummary{
		InvocationArn: string(j.ARN()), ModelArn: string(outcrop.FoundationModelARN("aws", j.Caller.Region, j.Model)), ClientRequestToken: j.Token,
		Status: j.Status, FailureMessage: j.Failure, SubmitTime: j.Submitted, LastModifiedTime: j.Modified, EndTime: j.Ended,
		OutputDataConfig: AsyncInvokeOutputDataConfig{S3OutputDataConfig: &AsyncInvokeS3OutputDataConfig{
			S3Uri: "s3://" + j.Bucket + "/" + j.Prefix, KmsKeyId: j.KMSKey, BucketOwner: j.Owner}},
	}
}

const defaultAsyncInvokes = 100 // of a page

func (a *API) listAsyncInvokes(ctx context.Context, who outcrop.Caller, in *ListAsyncInvokesInput) (*ListAsyncInvokesOutput, error) {
	jobs, err := a.Offline.List(ctx, who)
	if err != nil {
		return nil, err
	}
	if in.SortOrder != "Ascending" {
		slices.Reverse(jobs)
	}
	jobs = slices.DeleteFunc(jobs, func(j *offline.Job) bool {
		return in.StatusEquals != "" && j.Status != in.StatusEquals ||
			!in.SubmitTimeAfter.IsZero() && !j.Submitted.After(in.SubmitTimeAfter) || !in.SubmitTimeBefore.IsZero() && !j.Submitted.Before(in.SubmitTimeBefore)
	})
	size := int64(defaultAsyncInvokes)
	if in.MaxResults != nil {
		size = *in.MaxResults
	}
	from := 0
	if in.NextToken != "" {
		at := slices.IndexFunc(jobs, func(j *offline.Job) bool { return token(j) == in.NextToken })
		if at < 0 {
			return nil, outcrop.Errorf(outcrop.Invalid, "The nextToken is not one that this list was given. Begin again without it.")
		}
		from = at + 1
	}
	out := &ListAsyncInvokesOutput{AsyncInvokeSummaries: []AsyncInvokeSummary{}}
	for _, j := range jobs[from:] {
		if int64(len(out.AsyncInvokeSummaries)) == size {
			out.NextToken = token(jobs[from+int(size)-1])
			break
		}
		out.AsyncInvokeSummaries = append(out.AsyncInvokeSummaries, summaryOf(j))
	}
	return out, nil
}

// token names the last job of a page, so that jobs that come in the meantime
// shift nothing.
func token(j *offline.Job) string {
	return j.ID + "." + strconv.FormatInt(j.Submitted.UnixMicro(), 36)
}

// Invoke carries out a job: InvokeModel without a client.
func (a *API) Invoke(ctx context.Context, j *offline.Job) ([]byte, error) {
	in := &invocation{call: &gateway.Call{
		Invocation: awsapi.NewInvocationID(), Operation: outcrop.OpInvokeModel, Caller: j.Caller, Received: a.Gateway.Now(), Ref: outcrop.ParseModelRef(j.ModelRef),
	}}
	if j.Caller.Bearer {
		in.call.BearerTokenType = awsapi.BearerTokenType(j.Caller)
	}
	in.answer.ID, in.answer.Created = string(in.call.Invocation), in.call.Received
	in.reads(json.RawMessage(j.Input), outcrop.OpInvokeModel)
	answer, err := a.Gateway.Converse(ctx, in.call)
	if err != nil {
		return nil, err
	}
	if answer.Forwarded != nil {
		return answer.Forwarded.Body, nil
	}
	in.answer.Response = answer.Response
	return in.body(answer)
}
