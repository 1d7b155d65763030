package cost

import (
	"strings"

	"outcrop"
)

// A Dimension is a Cost Explorer dimension, in AWS's spelling.
type Dimension string

// The dimensions that inference has a value for.
const (
	DimService         Dimension = "SERVICE"
	DimServiceCode     Dimension = "SERVICE_CODE"
	DimUsageType       Dimension = "USAGE_TYPE"
	DimUsageTypeGroup  Dimension = "USAGE_TYPE_GROUP"
	DimOperation       Dimension = "OPERATION"
	DimRegion          Dimension = "REGION"
	DimLinkedAccount   Dimension = "LINKED_ACCOUNT"
	DimLinkedName      Dimension = "LINKED_ACCOUNT_NAME"
	DimPayerAccount    Dimension = "PAYER_ACCOUNT"
	DimRecordType      Dimension = "RECORD_TYPE"
	DimResourceID      Dimension = "RESOURCE_ID"
	DimBillingEntity   Dimension = "BILLING_ENTITY"
	DimLegalEntity     Dimension = "LEGAL_ENTITY_NAME"
	DimInvoicingEntity Dimension = "INVOICING_ENTITY"
	DimPurchaseType    Dimension = "PURCHASE_TYPE"
)

// dimensions are all that a question may name, in the order errors list them.
// Those with a text exist for other services: inference has no value for them
// and Cost Explorer shows that text.
var dimensions = []struct {
	Dimension
	none string
}{
	{"AZ", "NoAZ"}, {"INSTANCE_TYPE", "NoInstanceType"}, {DimLinkedAccount, ""}, {DimLinkedName, ""}, {DimPayerAccount, ""},
	{DimOperation, ""}, {DimPurchaseType, ""}, {DimRegion, ""}, {DimService, ""}, {DimServiceCode, ""}, {DimUsageType, ""},
	{DimUsageTypeGroup, ""}, {DimRecordType, ""}, {DimResourceID, "NoResourceId"}, {DimLegalEntity, ""}, {DimBillingEntity, ""},
	{DimInvoicingEntity, ""}, {"OPERATING_SYSTEM", "NoOperatingSystem"}, {"TENANCY", "NoTenancy"}, {"SCOPE", "NoScope"},
	{"PLATFORM", "NoPlatform"}, {"SUBSCRIPTION_ID", "NoSubscriptionId"}, {"DEPLOYMENT_OPTION", "NoDeploymentOption"},
	{"DATABASE_ENGINE", "NoDatabaseEngine"}, {"CACHE_ENGINE", "NoCacheEngine"}, {"INSTANCE_TYPE_FAMILY", "NoInstanceTypeFamily"},
	{"RESERVATION_ID", "NoReservationId"}, {"SAVINGS_PLANS_TYPE", "NoSavingsPlansType"}, {"SAVINGS_PLAN_ARN", "NoSavingsPlanArn"},
	{"PAYMENT_OPTION", "NoPaymentOption"},
}

// known says whether d may be named, and what an absent value is shown as.
func (d Dimension) known() (none string, ok bool) {
	for _, row := range dimensions {
		if row.Dimension == d {
			return row.none, true
		}
	}
	return "", false
}

func dimensionNames() string {
	names := make([]string, len(dimensions))
	for i, row := range dimensions {
		names[i] = string(row.Dimension)
	}
	return strings.Join(names, ", ")
}

// The fixed words of a bill.
const (
	serviceBedrock   = "Amazon Bedrock"
	codeBedrock      = "AmazonBedrock"
	editionSuffix    = " (Amazon Bedrock Edition)"
	entityAWS        = "AWS"
	entityMarket     = "AWS Marketplace"
	legalAWS         = "Amazon Web Services, Inc."
	recordUsage      = "Usage"
	purchaseOnDemand = "On Demand"
	noPriceSuffix    = "-no-price"
)

// Value is what a bill shows for d on line l. ok is false when l has none.
func (s Settings) Value(l *Line, d Dimension) (value string, ok bool) {
	market := s.Marketplace && sellers[provider(l.Model)] != ""
	switch d {
	case DimService:
		return pick(market, nameOf(l.Model).display()+editionSuffix, serviceBedrock), true
	case DimServiceCode:
		return pick(market, productCode(l.Model), codeBedrock), true
	case DimUsageType:
		return s.UsageType(l), true
	case DimUsageTypeGroup:
		return kindGroup(l.Kind), true
	case DimOperation:
		return billedOperation(l.Operation), true
	case DimRegion:
		return string(l.Region), l.Region != ""
	case DimLinkedAccount, DimPayerAccount:
		return string(l.Account), true
	case DimLinkedName:
		return s.accountName(l.Account), true
	case DimRecordType:
		return recordUsage, true
	case DimResourceID:
		return string(l.Profile), l.Profile != ""
	case DimBillingEntity:
		return pick(market, entityMarket, entityAWS), true
	case DimLegalEntity, DimInvoicingEntity:
		return pick(market, sellers[provider(l.Model)], legalAWS), true
	case DimPurchaseType:
		return purchaseOnDemand, true
	}
	return "", false
}

// Shown is what answers show for d: a line's value, or the text that stands for
// none.
func (s Settings) Shown(l *Line, d Dimension) (text string, present bool) {
	if value, ok := s.Value(l, d); ok {
		return value, true
	}
	none, _ := d.known()
	return none, false
}

// UsageType is l's usage type in the grammar of reference §7.1. Tokens that
// have no price carry the suffix "-no-price", because Cost Explorer has no
// other way to tell an unknown cost from a cost of nothing.
func (s Settings) UsageType(l *Line) string {
	kind := "-" + l.Kind.String()
	tier := pick(l.Tier == "", "", "-"+l.Tier)
	global := l.Geography.Class() == outcrop.GlobalClass
	unpriced := pick(l.Priced, "", noPriceSuffix)
	code, p := regionCode(l.Region), provider(l.Model)
	if s.Marketplace && sellers[p] != "" {
		tier = pick(l.Tier == "", "", "_"+title(l.Tier))
		return code + "-MP:" + code + "_" + marketKind(l.Kind) + pick(global, "_Global", "") + tier + "-Units" + unpriced
	}
	return code + "-" + nameOf(l.Model).compact(p) + kind + tier + pick(global, "-cross-region-global", "") + unpriced
}

// Unit of UsageQuantity for l: a thousand tokens as in AWS's price list, also
// where Marketplace lines call it Units.
func (s Settings) Unit(l *Line) string {
	if s.Marketplace && sellers[provider(l.Model)] != "" {
		return unitMarket
	}
	return unitOf(l.Kind)
}

// billedOperation is the operation that bills show since 2026-01-15
// (reference §7.1).
func billedOperation(op outcrop.Operation) string {
	if op.Streaming() {
		return "InvokeModelStreamingInference"
	}
	return "InvokeModelInference"
}

func marketKind(k outcrop.TokenKind) string {
	switch k {
	case outcrop.InputTokens:
		return "InputTokenCount"
	case outcrop.OutputTokens:
		return "OutputTokenCount"
	case outcrop.CacheReadTokens:
		return "CacheReadInputTokenCount"
	case outcrop.CacheWrite5mTokens:
		return "CacheWriteInputTokenCount"
	case outcrop.CacheWrite1hTokens:
		return "CacheWrite1hInputTokenCount"
	case outcrop.ReasoningTokens:
		return "ReasoningOutputTokenCount"
	}
	return k.String()
}

func kindGroup(k outcrop.TokenKind) string {
	switch k {
	case outcrop.InputTokens:
		return "Bedrock: Input Tokens"
	case outcrop.OutputTokens:
		return "Bedrock: Output Tokens"
	case outcrop.ReasoningTokens:
		return "Bedrock: Reasoning Tokens"
	case outcrop.InputImages, outcrop.OutputImages:
		return "Bedrock: Images"
	case outcrop.InputAudioTokens, outcrop.OutputAudioTokens:
		return "Bedrock: Audio Tokens"
	case outcrop.SearchUnits:
		return "Bedrock: Search Units"
	case outcrop.ComputeMillis:
		return "Bedrock: Compute Time"
	case outcrop.CacheReadTokens:
		return "Bedrock: Cache Read Tokens"
	case outcrop.CacheWrite5mTokens, outcrop.CacheWrite1hTokens:
		return "Bedrock: Cache Write Tokens"
	}
	return "Bedrock: " + k.String()
}

func pick(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}
