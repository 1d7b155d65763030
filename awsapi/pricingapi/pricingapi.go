// Package pricingapi serves the AWS Price List query API for the prices that
// the price book has.
package pricingapi

import (
	"cmp"
	"context"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/catalog"
	"outcrop/cost"
	"outcrop/pricing"
)

// An API lists what models cost now.
type API struct {
	Catalog  func() *catalog.Catalog
	Prices   func() *pricing.Book
	Settings func() cost.Settings // how bills name usage
	Now      func() time.Time

	mu      sync.Mutex
	made    []product
	book    *pricing.Book
	catalog *catalog.Catalog
	at      time.Time // when made was worked out
}

// Operations are what is served.
func (a *API) Operations() []awsapi.Handler {
	return []awsapi.Handler{
		awsapi.Op("DescribeServices", a.describeServices),
		awsapi.Op("GetAttributeValues", a.getAttributeValues),
		awsapi.Op("GetProducts", a.getProducts),
	}
}

const (
	serviceCode   = "AmazonBedrock"
	formatVersion = "aws_v1"
	maxResults    = 100 // of every operation
	refreshEvery  = time.Minute
)

func (a *API) describeServices(_ context.Context, _ outcrop.Caller, in *DescribeServicesInput) (*DescribeServicesOutput, error) {
	if err := known(cmp.Or(in.ServiceCode, serviceCode), in.FormatVersion); err != nil {
		return nil, err
	}
	return &DescribeServicesOutput{FormatVersion: formatVersion, Services: []Service{{ServiceCode: serviceCode, AttributeNames: attributeNames}}}, nil
}

// known refuses services whose prices nobody here knows.
func known(service, format string) error {
	if service != serviceCode {
		return &outcrop.Error{Kind: outcrop.Invalid, Code: "NotFoundException", Message: "Service " + service + " has no prices here. There is: " + serviceCode}
	}
	if format != "" && format != formatVersion {
		return invalid("FormatVersion " + format + " is invalid. There is: " + formatVersion)
	}
	return nil
}

func invalid(message string) error {
	return &outcrop.Error{Kind: outcrop.Invalid, Code: "InvalidParameterException", Message: message}
}

func (a *API) getAttributeValues(_ context.Context, _ outcrop.Caller, in *GetAttributeValuesInput) (*GetAttributeValuesOutput, error) {
	if err := known(in.ServiceCode, ""); err != nil {
		return nil, err
	}
	if !slices.Contains(attributeNames, in.AttributeName) {
		return nil, invalid("Attribute " + in.AttributeName + " is invalid. There are: " + strings.Join(attributeNames, ", "))
	}
	seen := map[string]bool{}
	var values []AttributeValue
	for _, p := range a.products() {
		if v := p.attributes[in.AttributeName]; v != "" && !seen[v] {
			seen[v] = true
			values = append(values, AttributeValue{Value: v})
		}
	}
	slices.SortFunc(values, func(a, b AttributeValue) int { return cmp.Compare(a.Value, b.Value) })
	out := &GetAttributeValuesOutput{AttributeValues: []AttributeValue{}}
	var err error
	out.AttributeValues, out.NextToken, err = page(values, in.NextToken, in.MaxResults)
	return out, err
}

func (a *API) getProducts(_ context.Context, _ outcrop.Caller, in *GetProductsInput) (*GetProductsOutput, error) {
	if err := known(in.ServiceCode, in.FormatVersion); err != nil {
		return nil, err
	}
	for _, f := range in.Filters {
		if !slices.Contains(attributeNames, f.Field) && f.Field != "ServiceCode" && f.Field != "productFamily" {
			return nil, invalid("Filter field " + f.Field + " is invalid. There are: " + strings.Join(attributeNames, ", "))
		}
	}
	var found []*product
	all := a.products()
	for i := range all {
		if !slices.ContainsFunc(in.Filters, func(f Filter) bool { return !all[i].fits(f) }) {
			found = append(found, &all[i])
		}
	}
	some, next, err := page(found, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &GetProductsOutput{FormatVersion: formatVersion, PriceList: []string{}, NextToken: next}
	for _, p := range some {
		text, err := p.text()
		if err != nil {
			return nil, err
		}
		out.PriceList = append(out.PriceList, text)
	}
	return out, nil
}

// fits compares as the filter's type says; letters count as they are.
func (p *product) fits(f Filter) bool {
	value := p.attributes[f.Field]
	switch f.Field {
	case "ServiceCode":
		value = serviceCode
	case "productFamily":
		value = productFamily
	}
	list := strings.Split(f.Value, ",")
	switch f.Type {
	case "CONTAINS":
		return strings.Contains(value, f.Value)
	case "ANY_OF":
		return slices.Contains(list, value)
	case "NONE_OF":
		return !slices.Contains(list, value)
	}
	return value == f.Value // TERM_MATCH and EQUALS
}

// page cuts a list. A token is how much of it has been shown.
func page[T any](list []T, token string, size *int64) ([]T, string, error) {
	n, from := maxResults, 0
	if size != nil {
		if *size < 1 || *size > maxResults {
			return nil, "", invalid("MaxResults must be between 1 and 100")
		}
		n = int(*size)
	}
	if token != "" {
		text, err := base64.RawURLEncoding.DecodeString(token)
		if err == nil {
			from, err = strconv.Atoi(string(text))
		}
		if err != nil || from < 0 {
			return nil, "", &outcrop.Error{Kind: outcrop.Invalid, Code: "InvalidNextTokenException", Message: "The pagination token is invalid. Try again without a pagination token."}
		}
	}
	from = min(from, len(list))
	to := min(from+n, len(list))
	if to == len(list) {
		return list[from:to], "", nil
	}
	return list[from:to], base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(to))), nil
}
