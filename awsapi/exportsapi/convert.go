package exportsapi

import (
	"maps"
	"slices"

	"outcrop"
	"outcrop/cost/cur"
)

// exportOf reads what a request says an export should be.
func exportOf(in *Export) cur.Export {
	s3 := in.DestinationConfigurations.S3Destination
	return cur.Export{
		Name: in.Name, Description: in.Description, Statement: in.DataQuery.QueryStatement, Properties: in.DataQuery.TableConfigurations,
		To: cur.Destination{
			Bucket: s3.S3Bucket, Owner: s3.S3BucketOwner, Prefix: s3.S3Prefix, Region: s3.S3Region,
			Output: s3.S3OutputConfigurations.OutputType, Format: s3.S3OutputConfigurations.Format,
			Compression: s3.S3OutputConfigurations.Compression, Overwrite: s3.S3OutputConfigurations.Overwrite,
		},
	}
}

func describe(e *cur.Export) Export {
	return Export{
		ExportArn: string(e.ARN), Name: e.Name, Description: e.Description,
		DataQuery: DataQuery{QueryStatement: e.Statement, TableConfigurations: e.Properties},
		DestinationConfigurations: DestinationConfigurations{S3Destination: S3Destination{
			S3Bucket: e.To.Bucket, S3BucketOwner: e.To.Owner, S3Prefix: e.To.Prefix, S3Region: e.To.Region,
			S3OutputConfigurations: S3OutputConfigurations{OutputType: e.To.Output, Format: e.To.Format, Compression: e.To.Compression, Overwrite: e.To.Overwrite},
		}},
		RefreshCadence: RefreshCadence{Frequency: "SYNCHRONOUS"},
	}
}

func statusOf(e *cur.Export) ExportStatus {
	s := ExportStatus{StatusCode: "HEALTHY", StatusReason: e.Failure, CreatedAt: e.Created, LastUpdatedAt: e.Updated, LastRefreshedAt: e.Refreshed}
	if e.Failure != "" {
		s.StatusCode = "UNHEALTHY"
	}
	return s
}

func executionStatus(x *cur.Execution) ExecutionStatus {
	return ExecutionStatus{StatusCode: x.Status, StatusReason: x.Reason, CreatedAt: x.Created, CompletedAt: x.Completed, LastUpdatedAt: x.Updated}
}

func tagsOf(list []ResourceTag) outcrop.Tags {
	tags := make(outcrop.Tags, len(list))
	for _, t := range list {
		tags[t.Key] = t.Value
	}
	return tags
}

func tagList(tags outcrop.Tags) []ResourceTag {
	list := []ResourceTag{}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, ResourceTag{key, tags[key]})
	}
	return list
}

// maxPage is the model's limit of MaxResults.
const maxPage = 300

// pageOf cuts one page of all. Its token is the name of the last item shown.
func pageOf[T any](all []T, limit *int64, token string, name func(*T) string) (page []T, next string, err error) {
	from := 0
	if token != "" {
		i := slices.IndexFunc(all, func(one T) bool { return name(&one) == token })
		if i < 0 {
			return nil, "", outcrop.Errorf(outcrop.Invalid, "NextToken is not one that was given out, or what it stands for is gone. Begin again without it.")
		}
		from = i + 1
	}
	size := maxPage
	if limit != nil {
		size = int(*limit)
	}
	end := min(from+size, len(all))
	if end < len(all) {
		next = name(&all[end-1])
	}
	return all[from:end], next, nil
}
