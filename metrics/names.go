package metrics

import "slices"

// Namespace is where the metrics of invocations are.
const Namespace = "AWS/Bedrock"

// The metrics of AWS/Bedrock (docs/monitoring.md says when each is recorded).
const (
	Invocations            = "Invocations"
	InvocationLatency      = "InvocationLatency"
	InvocationClientErrors = "InvocationClientErrors"
	InvocationServerErrors = "InvocationServerErrors"
	InvocationThrottles    = "InvocationThrottles"
	InputTokenCount        = "InputTokenCount"
	OutputTokenCount       = "OutputTokenCount"
	CacheReadTokenCount    = "CacheReadInputTokenCount"
	CacheWriteTokenCount   = "CacheWriteInputTokenCount"
	OutputImageCount       = "OutputImageCount"
	LegacyModelInvocations = "LegacyModelInvocations"
	TimeToFirstToken       = "TimeToFirstToken"
	EstimatedTPMQuotaUsage = "EstimatedTPMQuotaUsage"
	recordsFolded          = "\x00records" // one for each record: never listed, counted by Counted
	LogsToCloudWatch       = "ModelInvocationLogsCloudWatchDeliverySuccess"
	LogsToCloudWatchFailed = "ModelInvocationLogsCloudWatchDeliveryFailure"
	LogsToS3               = "ModelInvocationLogsS3DeliverySuccess"
	LogsToS3Failed         = "ModelInvocationLogsS3DeliveryFailure"
	LargeDataToS3          = "ModelInvocationLargeDataS3DeliverySuccess"
	LargeDataToS3Failed    = "ModelInvocationLargeDataS3DeliveryFailure"
)

// numberedNames are written to disk by their place: append, never reorder.
var numberedNames = []string{
	"", recordsFolded, Invocations, InvocationLatency, InvocationClientErrors, InvocationServerErrors, InvocationThrottles,
	InputTokenCount, OutputTokenCount, CacheReadTokenCount, CacheWriteTokenCount, OutputImageCount, LegacyModelInvocations,
	TimeToFirstToken, EstimatedTPMQuotaUsage, LogsToCloudWatch, LogsToCloudWatchFailed, LogsToS3, LogsToS3Failed,
	LargeDataToS3, LargeDataToS3Failed,
}

var nameNumbers = func() map[string]uint64 {
	m := map[string]uint64{}
	for i, name := range numberedNames[1:] {
		m[name] = uint64(i + 1)
	}
	return m
}()

// alsoCalled are the names that the guide's table has for what the service
// sends under another: a question may use either.
var alsoCalled = map[string]string{"CacheReadInputTokens": CacheReadTokenCount, "CacheWriteInputTokens": CacheWriteTokenCount}

// Units that AWS/Bedrock uses.
const (
	UnitCount        = "Count"
	UnitMilliseconds = "Milliseconds"
	UnitNone         = "None"
)

// unitMark stands between a metric's name and its unit in a Block, for metrics
// that others put.
const unitMark = "\x1f"

// UnitOf is the unit of a metric of AWS/Bedrock.
func UnitOf(metric string) string {
	if slices.Contains([]string{InvocationLatency, TimeToFirstToken}, metric) {
		return UnitMilliseconds
	}
	return UnitCount
}
