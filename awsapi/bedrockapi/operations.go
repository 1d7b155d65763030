package bedrockapi

import "outcrop/awsapi"

// Operations are what the door serves of service "bedrock".
func (a *API) Operations() []awsapi.Handler {
	return []awsapi.Handler{
		awsapi.Op("CreateInferenceProfile", a.createInferenceProfile),
		awsapi.Op("GetInferenceProfile", a.getInferenceProfile),
		awsapi.Op("ListInferenceProfiles", a.listInferenceProfiles),
		awsapi.Op("DeleteInferenceProfile", a.deleteInferenceProfile),
		awsapi.Op("TagResource", a.tagResource),
		awsapi.Op("UntagResource", a.untagResource),
		awsapi.Op("ListTagsForResource", a.listTagsForResource),
		awsapi.Op("ListFoundationModels", a.listFoundationModels),
		awsapi.Op("GetFoundationModel", a.getFoundationModel),
		awsapi.Op("GetFoundationModelAvailability", a.getFoundationModelAvailability),
		awsapi.Op("ListFoundationModelAgreementOffers", a.listFoundationModelAgreementOffers),
		awsapi.Op("CreateFoundationModelAgreement", a.createFoundationModelAgreement),
		awsapi.Op("DeleteFoundationModelAgreement", a.deleteFoundationModelAgreement),
		awsapi.Op("PutUseCaseForModelAccess", a.putUseCaseForModelAccess),
		awsapi.Op("GetUseCaseForModelAccess", a.getUseCaseForModelAccess),
	}
}
