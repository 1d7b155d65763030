package bedrockapi

import (
	"context"

	"outcrop"
)

// Logging keeps where accounts log the calls of their models
// (telemetry/invocationlog).
type Logging interface {
	// SetLogging refuses, with the reason, a place where it could not deliver.
	SetLogging(context.Context, outcrop.LoggingPlace, outcrop.InvocationLogging) error
	Logging(outcrop.LoggingPlace) (outcrop.InvocationLogging, bool)
	DeleteLogging(context.Context, outcrop.LoggingPlace) error
}

func placeOf(who outcrop.Caller) outcrop.LoggingPlace {
	return outcrop.LoggingPlace{Account: who.Account, Region: who.Region}
}

func (a *API) putLogging(ctx context.Context, who outcrop.Caller, in *PutModelInvocationLoggingConfigurationInput) (*PutModelInvocationLoggingConfigurationOutput, error) {
	l := in.LoggingConfig
	c := outcrop.InvocationLogging{
		Text: given(l.TextDataDeliveryEnabled), Image: given(l.ImageDataDeliveryEnabled), Embedding: given(l.EmbeddingDataDeliveryEnabled),
		Video: given(l.VideoDataDeliveryEnabled), Audio: given(l.AudioDataDeliveryEnabled), Bucket: bucketOf(l.S3Config),
	}
	if w := l.CloudWatchConfig; w != nil {
		c.LogGroup, c.Role, c.LargeData = w.LogGroupName, outcrop.ARN(w.RoleArn), bucketOf(w.LargeDataDeliveryS3Config)
	}
	if c.LogGroup == "" && c.Bucket.Name == "" {
		return nil, outcrop.Errorf(outcrop.Invalid, "The logging configuration must have a cloudWatchConfig, an s3Config, or both.")
	}
	return &PutModelInvocationLoggingConfigurationOutput{}, a.Config.Logging.SetLogging(ctx, placeOf(who), c)
}

// given is a flag as AWS takes it: absent is true
// (reference/runtime-metering-billing.md §6.1).
func given(flag *bool) bool { return flag == nil || *flag }

func bucketOf(c *S3Config) outcrop.Bucket {
	if c == nil {
		return outcrop.Bucket{}
	}
	return outcrop.Bucket{Name: c.BucketName, Prefix: c.KeyPrefix}
}

func (a *API) getLogging(_ context.Context, who outcrop.Caller, _ *GetModelInvocationLoggingConfigurationInput) (*GetModelInvocationLoggingConfigurationOutput, error) {
	c, ok := a.Config.Logging.Logging(placeOf(who))
	if !ok {
		return &GetModelInvocationLoggingConfigurationOutput{}, nil
	}
	l := &LoggingConfig{
		S3Config: s3Config(c.Bucket), TextDataDeliveryEnabled: &c.Text, ImageDataDeliveryEnabled: &c.Image,
		EmbeddingDataDeliveryEnabled: &c.Embedding, VideoDataDeliveryEnabled: &c.Video, AudioDataDeliveryEnabled: &c.Audio,
	}
	if c.LogGroup != "" {
		l.CloudWatchConfig = &CloudWatchConfig{LogGroupName: c.LogGroup, RoleArn: string(c.Role), LargeDataDeliveryS3Config: s3Config(c.LargeData)}
	}
	return &GetModelInvocationLoggingConfigurationOutput{LoggingConfig: l}, nil
}

func s3Config(b outcrop.Bucket) *S3Config {
	if b.Name == "" {
		return nil
	}
	return &S3Config{BucketName: b.Name, KeyPrefix: b.Prefix}
}

func (a *API) deleteLogging(ctx context.Context, who outcrop.Caller, _ *DeleteModelInvocationLoggingConfigurationInput) (*DeleteModelInvocationLoggingConfigurationOutput, error) {
	return &DeleteModelInvocationLoggingConfigurationOutput{}, a.Config.Logging.DeleteLogging(ctx, placeOf(who))
}
