package bedrockapi

import "outcrop/awsapi"

// Operations are what the door serves of service "bedrock".
func (a *API) Operations() []awsapi.Handler {
	return []awsapi.Handler{
		awsapi.OpOn("CreateInferenceProfile", a.onCreate, a.createInferenceProfile),
		awsapi.OpOn("GetInferenceProfile", a.onGet, a.getInferenceProfile),
		awsapi.Op("ListInferenceProfiles", a.listInferenceProfiles),
		awsapi.OpOn("DeleteInferenceProfile", a.onDelete, a.deleteInferenceProfile),
		awsapi.OpOn("TagResource", a.onTag, a.tagResource),
		awsapi.OpOn("UntagResource", a.onUntag, a.untagResource),
		awsapi.OpOn("ListTagsForResource", a.onListTags, a.listTagsForResource),
		awsapi.Op("ListFoundationModels", a.listFoundationModels),
		awsapi.OpOn("GetFoundationModel", a.onModel, a.getFoundationModel),
		awsapi.Op("GetFoundationModelAvailability", a.getFoundationModelAvailability),
		awsapi.Op("ListFoundationModelAgreementOffers", a.listFoundationModelAgreementOffers),
		awsapi.Op("CreateFoundationModelAgreement", a.createFoundationModelAgreement),
		awsapi.Op("DeleteFoundationModelAgreement", a.deleteFoundationModelAgreement),
		awsapi.Op("PutUseCaseForModelAccess", a.putUseCaseForModelAccess),
		awsapi.Op("GetUseCaseForModelAccess", a.getUseCaseForModelAccess),
		awsapi.Op("PutModelInvocationLoggingConfiguration", a.putLogging),
		awsapi.Op("GetModelInvocationLoggingConfiguration", a.getLogging),
		awsapi.Op("DeleteModelInvocationLoggingConfiguration", a.deleteLogging),
	}
}
