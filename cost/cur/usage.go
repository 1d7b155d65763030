package cur

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"outcrop"
	"outcrop/cost"
)

// onOff are the values of a property that is a switch.
var onOff = []string{"TRUE", "FALSE"}

// The properties of COST_AND_USAGE_REPORT.
const (
	TimeGranularity   = "TIME_GRANULARITY"
	IncludeResources  = "INCLUDE_RESOURCES"
	IncludePrincipals = "INCLUDE_IAM_PRINCIPAL_DATA"
)

// usageTable is COST_AND_USAGE_REPORT, with the columns of AWS's dictionary of
// the Cost and Usage Report 2.0. Columns that inference has nothing to say in
// are null, as they are in AWS's files.
var usageTable = &Table{
	Name:        "COST_AND_USAGE_REPORT",
	Description: "Cost and usage of every invocation, added up by hour, day or month (CUR 2.0).",
	Properties: []Property{
		{TimeGranularity, "How fine rows are in time.", "HOURLY", []string{"HOURLY", "DAILY", "MONTHLY"}},
		{IncludeResources, "A row for each application inference profile.", "FALSE", onOff},
		{IncludePrincipals, "A row for each principal, with its ARN and tags.", "FALSE", onOff},
		{"INCLUDE_SPLIT_COST_ALLOCATION_DATA", "Cost of containers by task. Inference has none.", "FALSE", onOff},
		{"INCLUDE_MANUAL_DISCOUNT_COMPATIBILITY", "Discounts in the form of older reports. Inference has none.", "FALSE", onOff},
		{"INCLUDE_CAPACITY_RESERVATION_DATA", "Capacity reservations. Inference has none.", "FALSE", onOff},
		{"BILLING_VIEW_ARN", "The account's own bill is the only view.", "", nil},
	},
	Columns: usageColumns(),
}

func usageColumns() []Column {
	columns := []Column{
		{"bill_bill_type", Text, "Kind of bill.", func(*Row) Value { return text("Anniversary") }},
		{"bill_billing_entity", Text, "Who sells: AWS or AWS Marketplace.", dim(cost.DimBillingEntity)},
		{"bill_billing_period_end_date", Time, "End of the month of this bill.", func(r *Row) Value { return instant(r.bill.End) }},
		{"bill_billing_period_start_date", Time, "Start of the month of this bill.", func(r *Row) Value { return instant(r.bill.Start) }},
		{"bill_invoice_id", Text, "Number of the invoice. Outcrop issues none.", nil},
		{"bill_invoicing_entity", Text, "Who invoices.", dim(cost.DimInvoicingEntity)},
		{"bill_payer_account_id", Text, "Account that pays.", dim(cost.DimPayerAccount)},
		{"bill_payer_account_name", Text, "Name of the account that pays.", func(r *Row) Value { return text(r.words.account(r.Line.Account)) }},
		{"cost_category", Map, "Cost categories by name.", func(r *Row) Value { return pairs(r.Categories) }},
		{"discount", Map, "Discounts. There are none.", func(*Row) Value { return pairs(nil) }},
		{"discount_bundled_discount", Number, "Bundled discount.", nil},
		{"discount_total_discount", Number, "Sum of the discounts.", nil},
		{"identity_line_item_id", Text, "Name of this row, the same in each refresh.", func(r *Row) Value { return text(r.id) }},
		{"identity_time_interval", Text, "Time that this row is about, as start/end.", func(r *Row) Value { return text(r.interval()) }},
		{"line_item_availability_zone", Text, "Availability Zone.", nil},
		{"line_item_blended_cost", Number, "Cost at the blended rate, which is the unblended one.", costOf},
		{"line_item_blended_rate", Text, "Blended rate of one unit.", rateText},
		{"line_item_currency_code", Text, "Currency.", func(*Row) Value { return text("USD") }},
		{"line_item_iam_principal", Text, "ARN of the principal that called, with INCLUDE_IAM_PRINCIPAL_DATA.", func(r *Row) Value { return text(string(r.Line.Principal)) }},
		{"line_item_legal_entity", Text, "Seller of record.", dim(cost.DimLegalEntity)},
		{"line_item_line_item_description", Text, "What is charged for, in words.", func(r *Row) Value { return text(describe(r)) }},
		{"line_item_line_item_type", Text, "Kind of row.", dim(cost.DimRecordType)},
		{"line_item_net_unblended_cost", Number, "Cost after discounts.", nil},
		{"line_item_net_unblended_rate", Text, "Rate after discounts.", nil},
		{"line_item_normalization_factor", Number, "Size of an instance.", nil},
		{"line_item_normalized_usage_amount", Number, "Usage by size of instance.", nil},
		{"line_item_operation", Text, "What was called.", dim(cost.DimOperation)},
		{"line_item_product_code", Text, "Code of the product.", dim(cost.DimServiceCode)},
		{"line_item_resource_id", Text, "ARN of the application inference profile, with INCLUDE_RESOURCES.", func(r *Row) Value { return text(string(r.Line.Profile)) }},
		{"line_item_tax_type", Text, "Kind of tax.", nil},
		{"line_item_unblended_cost", Number, "Usage times rate. Null when no price is known.", costOf},
		{"line_item_unblended_rate", Text, "Rate of one unit.", rateText},
		{"line_item_usage_account_id", Text, "Account that used.", dim(cost.DimLinkedAccount)},
		{"line_item_usage_account_name", Text, "Name of the account that used.", func(r *Row) Value { return text(r.words.account(r.Line.Account)) }},
		{"line_item_usage_amount", Number, "Usage in units of pricing_unit.", func(r *Row) Value { return number(r.amount) }},
		{"line_item_usage_end_date", Time, "End of the time of usage.", func(r *Row) Value { return instant(r.Period.End) }},
		{"line_item_usage_start_date", Time, "Start of the time of usage.", func(r *Row) Value { return instant(r.Period.Start) }},
		{"line_item_usage_type", Text, "What was used.", func(r *Row) Value { return text(r.usageType()) }},
		{"pricing_currency", Text, "Currency of the price.", func(*Row) Value { return text("USD") }},
		{"pricing_lease_contract_length", Text, "Length of a lease.", nil},
		{"pricing_offering_class", Text, "Class of an offering.", nil},
		{"pricing_public_on_demand_cost", Number, "Cost at the public price.", costOf},
		{"pricing_public_on_demand_rate", Text, "Public price of one unit.", rateText},
		{"pricing_purchase_option", Text, "How a lease is paid.", nil},
		{"pricing_rate_code", Text, "Name of the price that was used.", func(r *Row) Value { return text(r.Line.Price) }},
		{"pricing_rate_id", Text, "Number of the rate.", nil},
		{"pricing_term", Text, "Kind of price.", func(*Row) Value { return text("OnDemand") }},
		{"pricing_unit", Text, "Unit of usage and rate.", func(r *Row) Value { return text(r.unit) }},
		{"product", Map, "Attributes of the product.", func(r *Row) Value { return pairs(product(r)) }},
		{"product_comment", Text, "Comment.", nil},
		{"product_fee_code", Text, "Code of a fee.", nil},
		{"product_fee_description", Text, "What a fee is for.", nil},
		{"product_from_location", Text, "Where data came from.", nil},
		{"product_from_location_type", Text, "Kind of place that data came from.", nil},
		{"product_from_region_code", Text, "Region that data came from.", nil},
		{"product_instance_family", Text, "Family of an instance.", nil},
		{"product_instance_type", Text, "Type of an instance.", nil},
		{"product_instancesku", Text, "SKU of an instance.", nil},
		{"product_location", Text, "Where the Region is.", func(r *Row) Value { return text(r.words.location(r.Line.Region)) }},
		{"product_location_type", Text, "Kind of place.", func(*Row) Value { return text("AWS Region") }},
		{"product_operation", Text, "Operation of the product.", dim(cost.DimOperation)},
		{"product_pricing_unit", Text, "Unit of the product's price.", func(r *Row) Value { return text(r.unit) }},
		{"product_product_family", Text, "Family of the product.", func(*Row) Value { return text("Amazon Bedrock") }},
		{"product_region_code", Text, "Region whose price holds: the one that was called.", dim(cost.DimRegion)},
		{"product_servicecode", Text, "Code of the service.", dim(cost.DimServiceCode)},
		{"product_sku", Text, "SKU of the product.", func(r *Row) Value { return text(sku(r)) }},
		{"product_to_location", Text, "Where data went to.", nil},
		{"product_to_location_type", Text, "Kind of place that data went to.", nil},
		{"product_to_region_code", Text, "Region that data went to.", nil},
		{"product_usagetype", Text, "What was used.", func(r *Row) Value { return text(r.usageType()) }},
	}
	columns = append(columns, empty("reservation_", reservationColumns)...)
	columns = append(columns, Column{"resource_tags", Map, "Active cost allocation tags of the profile, as user_key.", func(r *Row) Value { return pairs(resourceTags(r)) }})
	columns = append(columns, empty("savings_plan_", savingsPlanColumns)...)
	columns = append(columns, empty("split_line_item_", splitColumns)...)
	return append(columns, Column{"tags", Map, "Active cost allocation tags as resourceTags/key, and a principal's as iamPrincipal/key.", func(r *Row) Value { return pairs(allTags(r)) }})
}

// The columns of what inference does not have, with their types: # is a number,
// @ a time.
var (
	reservationColumns = []string{
		"#amortized_upfront_cost_for_usage", "#amortized_upfront_fee_for_billing_period", "availability_zone", "#effective_cost", "end_time", "modification_status",
		"#net_amortized_upfront_cost_for_usage", "#net_amortized_upfront_fee_for_billing_period", "#net_effective_cost", "#net_recurring_fee_for_usage",
		"#net_unused_amortized_upfront_fee_for_billing_period", "#net_unused_recurring_fee", "#net_upfront_value", "normalized_units_per_reservation",
		"number_of_reservations", "#recurring_fee_for_usage", "reservation_a_r_n", "start_time", "subscription_id", "total_reserved_normalized_units",
		"total_reserved_units", "units_per_reservation", "#unused_amortized_upfront_fee_for_billing_period", "#unused_normalized_unit_quantity",
		"#unused_quantity", "#unused_recurring_fee", "#upfront_value",
	}
	savingsPlanColumns = []string{
		"#amortized_upfront_commitment_for_billing_period", "end_time", "instance_type_family", "#net_amortized_upfront_commitment_for_billing_period",
		"#net_recurring_commitment_for_billing_period", "#net_savings_plan_effective_cost", "offering_type", "payment_option", "purchase_term",
		"#recurring_commitment_for_billing_period", "region", "savings_plan_a_r_n", "#savings_plan_effective_cost", "#savings_plan_rate", "start_time",
		"#total_commitment_to_date", "#used_commitment",
	}
	splitColumns = []string{
		"#actual_usage", "#net_split_cost", "#net_unused_cost", "parent_resource_id", "#public_on_demand_split_cost", "#public_on_demand_unused_cost",
		"#reserved_usage", "#split_cost", "#split_usage", "#split_usage_ratio", "#unused_cost",
	}
)

func empty(prefix string, names []string) []Column {
	columns := make([]Column, len(names))
	for i, name := range names {
		kind := Text
		if bare, ok := strings.CutPrefix(name, "#"); ok {
			name, kind = bare, Number
		}
		columns[i] = Column{Name: prefix + name, Type: kind, Description: "Inference has none: always null."}
	}
	return columns
}

func dim(d cost.Dimension) func(*Row) Value {
	return func(r *Row) Value { return text(r.dimension(d)) }
}

// costOf is null where no price is known: unknown is not zero.
func costOf(r *Row) Value {
	if !r.Line.Priced {
		return Value{}
	}
	return number(r.Cost.String())
}

func rateText(r *Row) Value {
	if !r.Line.Priced {
		return Value{}
	}
	return text(r.rate.String())
}

func describe(r *Row) string {
	what := fmt.Sprintf("%s of %s in %s", kindWords(r.Line.Kind), r.words.model(r.Line.Model), r.words.location(r.Line.Region))
	if !r.Line.Priced {
		return "No price is known for " + what
	}
	return fmt.Sprintf("$%s per %s for %s", r.rate, r.unit, what)
}

func kindWords(k outcrop.TokenKind) string { return strings.ReplaceAll(k.String(), "-", " ") }

func product(r *Row) map[string]string {
	return map[string]string{
		"product_name": r.dimension(cost.DimService), "region": string(r.Line.Region), "model": r.words.model(r.Line.Model), "modelid": string(r.Line.Model),
		"inference_type": kindWords(r.Line.Kind), "servicename": r.dimension(cost.DimService), "profile_class": string(r.Line.Geography.Class()),
	}
}

// sku stands for AWS's opaque id of what the price is of.
func sku(r *Row) string {
	code := strings.ToUpper(strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			return c
		}
		return -1
	}, r.usageType()))
	return code
}

func resourceTags(r *Row) map[string]string {
	tags := make(map[string]string, len(r.Tags))
	for _, key := range slices.Sorted(maps.Keys(r.Tags)) { // keys that become one name: the last in order holds
		tags[userTag(key)] = r.Tags[key]
	}
	return tags
}

// userTag is the name of a tag in resource_tags: lower case, all but letters
// and digits as underscores, behind user_ (aws_ for those that AWS makes).
func userTag(key string) string {
	prefix := "user_"
	if rest, ok := strings.CutPrefix(key, "aws:"); ok {
		prefix, key = "aws_", rest
	}
	return prefix + strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			return unicode.ToLower(c)
		}
		return '_'
	}, key)
}

// allTags are the row's tags under the names of the newer column, which tells
// tags of a profile from those of a principal.
func allTags(r *Row) map[string]string {
	tags := make(map[string]string, len(r.Tags)+len(r.SessionTags))
	for key, value := range r.Tags {
		tags["resourceTags/"+key] = value
	}
	for key, value := range r.SessionTags {
		tags["iamPrincipal/"+key] = value
	}
	return tags
}
