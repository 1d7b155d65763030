package cur

import "outcrop/cost"

// focusTable is FOCUS 1.2 with the columns that AWS adds to it (x_). Every
// column of the specification is there; commitments, capacity reservations and
// the like are null, since inference has none.
var focusTable = &Table{
	Name:        "FOCUS_1_2_AWS",
	Description: "Cost and usage in the form of the FinOps Open Cost and Usage Specification 1.2.",
	Properties:  []Property{{TimeGranularity, "How fine rows are in time.", "HOURLY", []string{"HOURLY", "DAILY", "MONTHLY"}}},
	Columns: []Column{
		{"AvailabilityZone", Text, "Availability Zone.", nil},
		{"BilledCost", Number, "What is invoiced.", costOf},
		{"BillingAccountId", Text, "Account that pays.", dim(cost.DimPayerAccount)},
		{"BillingAccountName", Text, "Name of the account that pays.", func(r *Row) Value { return text(r.words.account(r.Line.Account)) }},
		{"BillingAccountType", Text, "Kind of the account that pays.", func(*Row) Value { return text("BillingAccount") }},
		{"BillingCurrency", Text, "Currency.", func(*Row) Value { return text("USD") }},
		{"BillingPeriodEnd", Time, "End of the month of this bill.", func(r *Row) Value { return instant(r.bill.End) }},
		{"BillingPeriodStart", Time, "Start of the month of this bill.", func(r *Row) Value { return instant(r.bill.Start) }},
		{"CapacityReservationId", Text, "Capacity reservation.", nil},
		{"CapacityReservationStatus", Text, "Whether a reservation was used.", nil},
		{"ChargeCategory", Text, "Kind of charge.", func(*Row) Value { return text("Usage") }},
		{"ChargeClass", Text, "Correction, or null.", nil},
		{"ChargeDescription", Text, "What is charged for, in words.", func(r *Row) Value { return text(describe(r)) }},
		{"ChargeFrequency", Text, "How often it is charged.", func(*Row) Value { return text("Usage-Based") }},
		{"ChargePeriodEnd", Time, "End of the time of usage.", func(r *Row) Value { return instant(r.Period.End) }},
		{"ChargePeriodStart", Time, "Start of the time of usage.", func(r *Row) Value { return instant(r.Period.Start) }},
		{"CommitmentDiscountCategory", Text, "Kind of commitment.", nil},
		{"CommitmentDiscountId", Text, "Commitment.", nil},
		{"CommitmentDiscountName", Text, "Name of a commitment.", nil},
		{"CommitmentDiscountQuantity", Number, "Size of a commitment.", nil},
		{"CommitmentDiscountStatus", Text, "Whether a commitment was used.", nil},
		{"CommitmentDiscountType", Text, "Type of a commitment.", nil},
		{"CommitmentDiscountUnit", Text, "Unit of a commitment.", nil},
		{"ConsumedQuantity", Number, "Usage in units of ConsumedUnit.", func(r *Row) Value { return number(r.amount) }},
		{"ConsumedUnit", Text, "Unit of usage.", func(r *Row) Value { return text(r.unit) }},
		{"ContractedCost", Number, "Cost at the contracted price.", costOf},
		{"ContractedUnitPrice", Number, "Contracted price of one unit.", rateOf},
		{"EffectiveCost", Number, "Cost with commitments spread out. There are none.", costOf},
		{"InvoiceId", Text, "Number of the invoice. Outcrop issues none.", nil},
		{"InvoiceIssuerName", Text, "Who invoices.", dim(cost.DimInvoicingEntity)},
		{"ListCost", Number, "Cost at the public price.", costOf},
		{"ListUnitPrice", Number, "Public price of one unit.", rateOf},
		{"PricingCategory", Text, "Kind of price.", func(*Row) Value { return text("Standard") }},
		{"PricingCurrency", Text, "Currency of the price.", func(*Row) Value { return text("USD") }},
		{"PricingCurrencyContractedUnitPrice", Number, "Contracted price in that currency.", rateOf},
		{"PricingCurrencyEffectiveCost", Number, "Effective cost in that currency.", costOf},
		{"PricingCurrencyListUnitPrice", Number, "Public price in that currency.", rateOf},
		{"PricingQuantity", Number, "Usage in units of PricingUnit.", func(r *Row) Value { return number(r.amount) }},
		{"PricingUnit", Text, "Unit of the price.", func(r *Row) Value { return text(r.unit) }},
		{"ProviderName", Text, "Who provides the service.", func(*Row) Value { return text("AWS") }},
		{"PublisherName", Text, "Who made it.", dim(cost.DimLegalEntity)},
		{"RegionId", Text, "Region whose price holds.", dim(cost.DimRegion)},
		{"RegionName", Text, "Where the Region is.", func(r *Row) Value { return text(r.words.location(r.Line.Region)) }},
		{"ResourceId", Text, "ARN of the application inference profile.", func(r *Row) Value { return text(string(r.Line.Profile)) }},
		{"ResourceName", Text, "Name of the resource.", nil},
		{"ResourceType", Text, "Type of the resource.", func(r *Row) Value {
			if r.Line.Profile == "" {
				return Value{}
			}
			return text("Application inference profile")
		}},
		{"ServiceCategory", Text, "Category of the service.", func(*Row) Value { return text("AI and Machine Learning") }},
		{"ServiceName", Text, "Name of the service.", dim(cost.DimService)},
		{"ServiceSubcategory", Text, "Finer category of the service.", func(*Row) Value { return text("Generative AI") }},
		{"SkuId", Text, "SKU of the product.", func(r *Row) Value { return text(sku(r)) }},
		{"SkuMeter", Text, "What is metered.", func(r *Row) Value { return text(kindWords(r.Line.Kind)) }},
		{"SkuPriceDetails", Map, "Attributes of the product.", func(r *Row) Value { return pairs(product(r)) }},
		{"SkuPriceId", Text, "Name of the price that was used.", func(r *Row) Value { return text(r.Line.Price) }},
		{"SubAccountId", Text, "Account that used.", dim(cost.DimLinkedAccount)},
		{"SubAccountName", Text, "Name of the account that used.", func(r *Row) Value { return text(r.words.account(r.Line.Account)) }},
		{"SubAccountType", Text, "Kind of the account that used.", func(*Row) Value { return text("LinkedAccount") }},
		{"Tags", Map, "Active cost allocation tags, as the profile has them.", func(r *Row) Value { return pairs(r.Tags) }},
		{"x_CostCategories", Map, "Cost categories by name.", func(r *Row) Value { return pairs(r.Categories) }},
		{"x_Discounts", Map, "Discounts. There are none.", func(*Row) Value { return pairs(nil) }},
		{"x_Operation", Text, "What was called.", dim(cost.DimOperation)},
		{"x_ServiceCode", Text, "Code of the service.", dim(cost.DimServiceCode)},
		{"x_UsageType", Text, "What was used, as bills of AWS name it.", func(r *Row) Value { return text(r.usageType()) }},
	},
}

func rateOf(r *Row) Value {
	if !r.Line.Priced {
		return Value{}
	}
	return number(r.rate.String())
}
