package cur

import (
	"slices"
	"strings"

	"outcrop/cost"
)

// The first form of reports (service cur) has fixed columns, named
// category/Name in text and category_name in Parquet, and a column for each
// active tag.

// reportColumns are the columns of a report, as AWS orders them: category,
// name, and the column of COST_AND_USAGE_REPORT that tells it.
var reportColumns = []struct{ category, name, of string }{
	{"identity", "LineItemId", "identity_line_item_id"}, {"identity", "TimeInterval", "identity_time_interval"},
	{"bill", "InvoiceId", "bill_invoice_id"}, {"bill", "InvoicingEntity", "bill_invoicing_entity"}, {"bill", "BillingEntity", "bill_billing_entity"},
	{"bill", "BillType", "bill_bill_type"}, {"bill", "PayerAccountId", "bill_payer_account_id"},
	{"bill", "BillingPeriodStartDate", "bill_billing_period_start_date"}, {"bill", "BillingPeriodEndDate", "bill_billing_period_end_date"},
	{"lineItem", "UsageAccountId", "line_item_usage_account_id"}, {"lineItem", "LineItemType", "line_item_line_item_type"},
	{"lineItem", "UsageStartDate", "line_item_usage_start_date"}, {"lineItem", "UsageEndDate", "line_item_usage_end_date"},
	{"lineItem", "ProductCode", "line_item_product_code"}, {"lineItem", "UsageType", "line_item_usage_type"}, {"lineItem", "Operation", "line_item_operation"},
	{"lineItem", "AvailabilityZone", "line_item_availability_zone"}, {"lineItem", "ResourceId", "line_item_resource_id"},
	{"lineItem", "UsageAmount", "line_item_usage_amount"}, {"lineItem", "NormalizationFactor", "line_item_normalization_factor"},
	{"lineItem", "NormalizedUsageAmount", "line_item_normalized_usage_amount"}, {"lineItem", "CurrencyCode", "line_item_currency_code"},
	{"lineItem", "UnblendedRate", "line_item_unblended_rate"}, {"lineItem", "UnblendedCost", "line_item_unblended_cost"},
	{"lineItem", "BlendedRate", "line_item_blended_rate"}, {"lineItem", "BlendedCost", "line_item_blended_cost"},
	{"lineItem", "LineItemDescription", "line_item_line_item_description"}, {"lineItem", "TaxType", "line_item_tax_type"}, {"lineItem", "LegalEntity", "line_item_legal_entity"},
	{"product", "location", "product_location"}, {"product", "locationType", "product_location_type"}, {"product", "operation", "product_operation"},
	{"product", "productFamily", "product_product_family"}, {"product", "regionCode", "product_region_code"}, {"product", "servicecode", "product_servicecode"},
	{"product", "sku", "product_sku"}, {"product", "usagetype", "product_usagetype"},
	{"pricing", "RateCode", "pricing_rate_code"}, {"pricing", "currency", "pricing_currency"}, {"pricing", "publicOnDemandCost", "pricing_public_on_demand_cost"},
	{"pricing", "publicOnDemandRate", "pricing_public_on_demand_rate"}, {"pricing", "term", "pricing_term"}, {"pricing", "unit", "pricing_unit"},
}

// ReportStatement is the query that makes a report of the first form: all its
// columns, and one for each of the given tags.
func ReportStatement(parquet, resources bool, tags []string) string {
	var b strings.Builder
	b.WriteString("SELECT ")
	for i, c := range reportColumns {
		if c.name == "ResourceId" && !resources {
			continue
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(c.of + ` AS "` + reportName(c.category, c.name, parquet) + `"`)
	}
	for _, tag := range slices.Sorted(slices.Values(tags)) {
		key := strings.ReplaceAll("resourceTags/"+tag, "'", "''")
		name := "resourceTags/user:" + tag
		if parquet {
			name = "resource_tags_" + userTag(tag)
		}
		b.WriteString(", tags['" + key + `'] AS "` + strings.ReplaceAll(name, `"`, `""`) + `"`)
	}
	b.WriteString(" FROM COST_AND_USAGE_REPORT")
	return b.String()
}

func (r *Report) statement(parquet bool, tags []string) string {
	return ReportStatement(parquet, slices.Contains(r.Elements, "RESOURCES"), tags)
}

// reportName is lineItem/UsageType, or line_item_usage_type in Parquet.
func reportName(category, name string, parquet bool) string {
	if !parquet {
		return category + "/" + name
	}
	return snake(category) + "_" + snake(name)
}

func snake(camel string) string {
	var b strings.Builder
	for i, c := range camel {
		if c >= 'A' && c <= 'Z' {
			if i > 0 {
				b.WriteByte('_')
			}
			c += 'a' - 'A'
		}
		b.WriteRune(c)
	}
	return b.String()
}

// A reportManifest is that of the first form of reports.
type reportManifest struct {
	AssemblyID             string           `json:"assemblyId"`
	Account                string           `json:"account"`
	Columns                []manifestColumn `json:"columns"`
	Charset                string           `json:"charset"`
	Compression            string           `json:"compression"`
	ContentType            string           `json:"contentType"`
	ReportID               string           `json:"reportId"`
	ReportName             string           `json:"reportName"`
	BillingPeriod          manifestPeriod   `json:"billingPeriod"`
	Bucket                 string           `json:"bucket"`
	ReportKeys             []string         `json:"reportKeys"`
	AdditionalArtifactKeys []string         `json:"additionalArtifactKeys"`
}

func (e *Export) describeReport(q *Query, d Delivery, month cost.Period, run Execution) reportManifest {
	const form = "20060102T150405.000Z"
	m := reportManifest{
		AssemblyID: assembly(run), Account: string(e.Account), Charset: "UTF-8", Compression: e.Report.Compression, ContentType: "text/csv",
		ReportID: string(e.ARN), ReportName: e.Name, BillingPeriod: manifestPeriod{month.Start.Format(form), month.End.Format(form)},
		Bucket: e.To.Bucket, ReportKeys: d.Keys, AdditionalArtifactKeys: []string{},
	}
	if e.To.Format == Parquet {
		m.ContentType = "Parquet"
	}
	for _, f := range q.Fields {
		category, name, ok := strings.Cut(f.Name, "/")
		if !ok {
			category, name = "", f.Name
		}
		m.Columns = append(m.Columns, manifestColumn{Category: category, Name: name, Type: reportTypes[f.Type()]})
	}
	return m
}

// reportTypes are the names of types in a report's manifest.
var reportTypes = map[Type]string{Text: "String", Number: "BigDecimal", Time: "DateTime", Map: "Map"}
