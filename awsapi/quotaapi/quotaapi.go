// Package quotaapi answers Service Quotas: what the quotas of Bedrock are for
// an account in a Region, and requests to change them.
package quotaapi

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/iam"
	"outcrop/quota"
)

// An API is Service Quotas for the account and Region of each caller.
type API struct {
	Quotas *quota.Values
	Manual bool // requests wait for the operator's approval instead of holding at once
	Now    func() time.Time
	// Changed is told once other values hold.
	Changed func()
}

// Operations are what is served.
func (a *API) Operations() []awsapi.Handler {
	return []awsapi.Handler{
		awsapi.Op("ListServices", a.listServices),
		awsapi.Op("ListServiceQuotas", a.listServiceQuotas),
		awsapi.Op("ListAWSDefaultServiceQuotas", a.listDefaults),
		awsapi.OpOn("GetServiceQuota", on(func(in *GetServiceQuotaInput) (string, string) { return in.ServiceCode, in.QuotaCode }), a.getServiceQuota),
		awsapi.Op("GetAWSDefaultServiceQuota", a.getDefault),
		awsapi.OpOn("RequestServiceQuotaIncrease", on(func(in *RequestServiceQuotaIncreaseInput) (string, string) { return in.ServiceCode, in.QuotaCode }), a.request),
		awsapi.Op("GetRequestedServiceQuotaChange", a.getRequest),
		awsapi.Op("ListRequestedServiceQuotaChangeHistory", a.listRequests),
		awsapi.OpOn("ListRequestedServiceQuotaChangeHistoryByQuota",
			on(func(in *ListRequestedServiceQuotaChangeHistoryByQuotaInput) (string, string) {
				return in.ServiceCode, in.QuotaCode
			}), a.listRequestsByQuota),
	}
}

// The one service whose quotas are kept.
const (
	serviceCode = "bedrock"
	serviceName = "Amazon Bedrock"
)

// on asks about the quota that a request names.
func on[In any](of func(*In) (service, code string)) func(context.Context, outcrop.Caller, iam.Operation, *In) []iam.Check {
	return func(_ context.Context, who outcrop.Caller, op iam.Operation, in *In) []iam.Check {
		service, code := of(in)
		return []iam.Check{{Action: op.Action, Resource: arnOf(who, service, code)}}
	}
}

func arnOf(who outcrop.Caller, service, code string) outcrop.ARN {
	return outcrop.ARNParts{Partition: who.Region.Partition(), Service: "servicequotas", Region: who.Region, Account: who.Account, Resource: service + "/" + code}.ARN()
}

func (a *API) listServices(_ context.Context, _ outcrop.Caller, in *ListServicesInput) (*ListServicesOutput, error) {
	services, next, err := cut([]ServiceInfo{{ServiceCode: serviceCode, ServiceName: serviceName}}, in.NextToken, in.MaxResults, func(s ServiceInfo) string { return s.ServiceCode })
	return &ListServicesOutput{Services: services, NextToken: next}, err
}

func (a *API) listServiceQuotas(_ context.Context, who outcrop.Caller, in *ListServiceQuotasInput) (*ListServiceQuotasOutput, error) {
	if err := known(in.ServiceCode); err != nil {
		return nil, err
	}
	list := a.Quotas.Book().List()
	if in.QuotaCode != "" {
		q, err := a.find(in.ServiceCode, in.QuotaCode)
		if err != nil {
			return nil, err
		}
		list = []quota.Quota{*q}
	}
	some, next, err := cut(list, in.NextToken, in.MaxResults, byName)
	out := &ListServiceQuotasOutput{Quotas: []ServiceQuota{}, NextToken: next}
	for i := range some {
		value, _ := a.Quotas.Value(who.Account, who.Region, &some[i])
		out.Quotas = append(out.Quotas, describe(who, &some[i], value))
	}
	return out, err
}

func (a *API) listDefaults(_ context.Context, who outcrop.Caller, in *ListAWSDefaultServiceQuotasInput) (*ListAWSDefaultServiceQuotasOutput, error) {
	if err := known(in.ServiceCode); err != nil {
		return nil, err
	}
	some, next, err := cut(a.Quotas.Book().List(), in.NextToken, in.MaxResults, byName)
	out := &ListAWSDefaultServiceQuotasOutput{Quotas: []ServiceQuota{}, NextToken: next}
	for i := range some {
		out.Quotas = append(out.Quotas, describe(who, &some[i], some[i].Default))
	}
	return out, err
}

func (a *API) getServiceQuota(_ context.Context, who outcrop.Caller, in *GetServiceQuotaInput) (*GetServiceQuotaOutput, error) {
	q, err := a.find(in.ServiceCode, in.QuotaCode)
	if err != nil {
		return nil, err
	}
	value, _ := a.Quotas.Value(who.Account, who.Region, q)
	shown := describe(who, q, value)
	return &GetServiceQuotaOutput{Quota: &shown}, nil
}

func (a *API) getDefault(_ context.Context, who outcrop.Caller, in *GetAWSDefaultServiceQuotaInput) (*GetAWSDefaultServiceQuotaOutput, error) {
	q, err := a.find(in.ServiceCode, in.QuotaCode)
	if err != nil {
		return nil, err
	}
	shown := describe(who, q, q.Default)
	return &GetAWSDefaultServiceQuotaOutput{Quota: &shown}, nil
}

// request asks for another value, larger or smaller: nobody else could make a
// quota smaller here. A request that waits is approved by a second one for the
// same value, from somebody who may do that and is another principal.
func (a *API) request(ctx context.Context, who outcrop.Caller, in *RequestServiceQuotaIncreaseInput) (*RequestServiceQuotaIncreaseOutput, error) {
	q, err := a.find(in.ServiceCode, in.QuotaCode)
	if err != nil {
		return nil, err
	}
	if in.DesiredValue < 0 || in.DesiredValue != float64(uint64(in.DesiredValue)) {
		return nil, fault("IllegalArgumentException", outcrop.Invalid, "DesiredValue must be a whole number, 0 or more.")
	}
	now := a.Now().UTC().Truncate(time.Second)
	r := quota.Request{ID: newID(), Set: quota.Set{Account: who.Account, Region: who.Region, Code: q.Code},
		Value: in.DesiredValue, Status: quota.Approved, Who: who.Principal, Created: now, Updated: now}
	if a.Manual {
		if r, err = a.second(ctx, r); err != nil {
			return nil, err
		}
	}
	if err := a.Quotas.Put(ctx, r); err != nil {
		return nil, err
	}
	if r.Status == quota.Approved && a.Changed != nil {
		a.Changed()
	}
	shown := describeRequest(who, q, &r)
	return &RequestServiceQuotaIncreaseOutput{RequestedQuota: &shown}, nil
}

// second finds the waiting request that r approves, or lets r wait.
func (a *API) second(ctx context.Context, r quota.Request) (quota.Request, error) {
	list, err := a.Quotas.Requests(ctx, r.Account, r.Region)
	if err != nil {
		return r, err
	}
	for _, old := range list {
		switch {
		case old.Code != r.Code || old.Status != quota.Waiting:
		case old.Value == r.Value && old.Who != r.Who:
			old.Status, old.Updated = quota.Approved, r.Created
			return old, nil
		case old.Who == r.Who:
			return r, fault("ResourceAlreadyExistsException", outcrop.Conflict, "Only one open service quota increase request is allowed per quota: %s waits for approval by another principal, who asks for the same value.", old.ID)
		}
	}
	r.Status = quota.Waiting
	return r, nil
}

func (a *API) getRequest(ctx context.Context, who outcrop.Caller, in *GetRequestedServiceQuotaChangeInput) (*GetRequestedServiceQuotaChangeOutput, error) {
	list, err := a.requests(ctx, who, func(r *quota.Request) bool { return r.ID == in.RequestId })
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, noSuch("The request %s does not exist.", in.RequestId)
	}
	return &GetRequestedServiceQuotaChangeOutput{RequestedQuota: &list[0]}, nil
}

func (a *API) listRequests(ctx context.Context, who outcrop.Caller, in *ListRequestedServiceQuotaChangeHistoryInput) (*ListRequestedServiceQuotaChangeHistoryOutput, error) {
	list, err := a.requests(ctx, who, func(r *quota.Request) bool {
		return (in.Status == "" || in.Status == r.Status) && (in.ServiceCode == "" || in.ServiceCode == serviceCode)
	})
	if err != nil {
		return nil, err
	}
	some, next, err := cut(list, in.NextToken, in.MaxResults, byID)
	return &ListRequestedServiceQuotaChangeHistoryOutput{RequestedQuotas: some, NextToken: next}, err
}

func (a *API) listRequestsByQuota(ctx context.Context, who outcrop.Caller, in *ListRequestedServiceQuotaChangeHistoryByQuotaInput) (*ListRequestedServiceQuotaChangeHistoryByQuotaOutput, error) {
	if _, err := a.find(in.ServiceCode, in.QuotaCode); err != nil {
		return nil, err
	}
	list, err := a.requests(ctx, who, func(r *quota.Request) bool {
		return r.Code == in.QuotaCode && (in.Status == "" || in.Status == r.Status)
	})
	if err != nil {
		return nil, err
	}
	some, next, err := cut(list, in.NextToken, in.MaxResults, byID)
	return &ListRequestedServiceQuotaChangeHistoryByQuotaOutput{RequestedQuotas: some, NextToken: next}, err
}

func (a *API) requests(ctx context.Context, who outcrop.Caller, keep func(*quota.Request) bool) ([]RequestedServiceQuotaChange, error) {
	all, err := a.Quotas.Requests(ctx, who.Account, who.Region)
	if err != nil {
		return nil, err
	}
	list := []RequestedServiceQuotaChange{}
	for i := range all {
		q, ok := a.Quotas.Book().Find(all[i].Code)
		if !ok { // of a model that is in the catalogue no more
			q = &quota.Quota{Code: all[i].Code, Name: all[i].Code}
		}
		if keep(&all[i]) {
			list = append(list, describeRequest(who, q, &all[i]))
		}
	}
	return list, nil
}

func (a *API) find(service, code string) (*quota.Quota, error) {
	if err := known(service); err != nil {
		return nil, err
	}
	if q, ok := a.Quotas.Book().Find(code); ok {
		return q, nil
	}
	return nil, noSuch("The request failed because the specified service quota %s does not exist. ListServiceQuotas lists those of %s.", code, serviceCode)
}

func known(service string) error {
	if service == serviceCode {
		return nil
	}
	return noSuch("The request failed because the specified service %s does not exist. The quotas of %s are kept here.", service, serviceCode)
}

func describe(who outcrop.Caller, q *quota.Quota, value float64) ServiceQuota {
	yes, no, one, unit := true, false, int64(1), "MINUTE"
	if q.Of == quota.DailyTokens {
		unit = "DAY"
	}
	return ServiceQuota{ServiceCode: serviceCode, ServiceName: serviceName, QuotaArn: string(arnOf(who, serviceCode, q.Code)), QuotaCode: q.Code, QuotaName: q.Name,
		Value: &value, Unit: "None", Adjustable: &yes, GlobalQuota: &no, Period: &QuotaPeriod{PeriodValue: &one, PeriodUnit: unit}, QuotaAppliedAtLevel: "ACCOUNT"}
}

func describeRequest(who outcrop.Caller, q *quota.Quota, r *quota.Request) RequestedServiceQuotaChange {
	no := false
	return RequestedServiceQuotaChange{Id: r.ID, ServiceCode: serviceCode, ServiceName: serviceName, QuotaCode: q.Code, QuotaName: q.Name,
		DesiredValue: &r.Value, Status: r.Status, Created: r.Created, LastUpdated: r.Updated, Requester: string(r.Who),
		QuotaArn: string(arnOf(who, serviceCode, q.Code)), GlobalQuota: &no, Unit: "None", QuotaRequestedAtLevel: "ACCOUNT"}
}

func byName(q quota.Quota) string               { return q.Code }
func byID(r RequestedServiceQuotaChange) string { return r.Id }

const pageSize = 100 // default and maximum

// cut takes a page: what follows the item that the token names.
func cut[T any](all []T, token string, most *int64, key func(T) string) (some []T, next string, err error) {
	from := 0
	if token != "" {
		after, err := base64.StdEncoding.DecodeString(token)
		i := slices.IndexFunc(all, func(x T) bool { return key(x) == string(after) })
		if err != nil || i < 0 {
			return nil, "", fault("InvalidPaginationTokenException", outcrop.Invalid, "NextToken is invalid. Begin again without it.")
		}
		from = i + 1
	}
	n := pageSize
	if most != nil {
		n = int(*most)
	}
	if some = all[from:]; len(some) > n {
		some = some[:n]
		next = base64.StdEncoding.EncodeToString([]byte(key(some[n-1])))
	}
	return some, next, nil
}

func newID() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:]) + "Outcrop"
}

func noSuch(format string, args ...any) error {
	return fault("NoSuchResourceException", outcrop.NotFound, format, args...)
}

func fault(code string, kind outcrop.Kind, format string, args ...any) error {
	e := outcrop.Errorf(kind, format, args...)
	e.Code = code
	return e
}
