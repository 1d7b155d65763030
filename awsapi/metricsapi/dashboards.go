package metricsapi

import (
	"context"
	"encoding/json"

	"outcrop"
	"outcrop/internal/textform"
)

// Dashboards keeps dashboards; *sqlite.DB does.
type Dashboards interface {
	PutDashboard(context.Context, outcrop.Dashboard) error
	Dashboards(ctx context.Context, account outcrop.AccountID, prefix string) ([]outcrop.Dashboard, error)
	DeleteDashboards(ctx context.Context, account outcrop.AccountID, names []string) (missing string, err error)
}

const (
	maxDashboardBytes = 1 << 20
	dashboardPage     = 1000
)

var dashboardName = textform.Of(`[A-Za-z0-9_-]*`, 1, 255)

func dashboardARN(who outcrop.Caller, name string) string {
	return "arn:" + who.Region.Partition() + ":cloudwatch::" + string(who.Account) + ":dashboard/" + name
}

func (a *API) putDashboard(ctx context.Context, who outcrop.Caller, in *PutDashboardInput) (*PutDashboardOutput, error) {
	var body map[string]json.RawMessage
	switch {
	case !dashboardName.MatchString(in.DashboardName):
		return nil, refuse("InvalidParameterInput", "The dashboard name %q has characters other than letters, digits, '-' and '_', or more than 255 of them.", in.DashboardName)
	case len(in.DashboardBody) > maxDashboardBytes:
		return nil, refuse("InvalidParameterInput", "The dashboard body is larger than %d bytes.", maxDashboardBytes)
	case json.Unmarshal([]byte(in.DashboardBody), &body) != nil:
		return nil, refuse("InvalidParameterInput", "The field DashboardBody must be a valid JSON object.")
	}
	tags := outcrop.Tags{}
	for _, t := range in.Tags {
		tags[t.Key] = t.Value
	}
	out := &PutDashboardOutput{DashboardValidationMessages: []DashboardValidationMessage{}}
	if _, ok := body["widgets"]; !ok {
		out.DashboardValidationMessages = append(out.DashboardValidationMessages, DashboardValidationMessage{DataPath: "/", Message: "The dashboard has no widgets."})
	}
	return out, a.Dashboards.PutDashboard(ctx, outcrop.Dashboard{Account: who.Account, Name: in.DashboardName, Body: in.DashboardBody, Modified: a.Now(), Tags: tags})
}

func (a *API) getDashboard(ctx context.Context, who outcrop.Caller, in *GetDashboardInput) (*GetDashboardOutput, error) {
	all, err := a.Dashboards.Dashboards(ctx, who.Account, in.DashboardName)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 || all[0].Name != in.DashboardName { // the shortest name is first
		return nil, noDashboard(in.DashboardName)
	}
	return &GetDashboardOutput{DashboardArn: dashboardARN(who, in.DashboardName), DashboardBody: all[0].Body, DashboardName: in.DashboardName}, nil
}

func noDashboard(name string) error {
	e := outcrop.Errorf(outcrop.NotFound, "Dashboard %s does not exist.", name)
	e.Code = "DashboardNotFoundError"
	return e
}

func (a *API) listDashboards(ctx context.Context, who outcrop.Caller, in *ListDashboardsInput) (*ListDashboardsOutput, error) {
	all, err := a.Dashboards.Dashboards(ctx, who.Account, in.DashboardNamePrefix)
	if err != nil {
		return nil, err
	}
	page, next, err := pageAfter(all, in.NextToken, dashboardPage, func(d outcrop.Dashboard) string { return d.Name })
	if err != nil {
		return nil, err
	}
	out := &ListDashboardsOutput{DashboardEntries: []DashboardEntry{}, NextToken: next}
	for _, d := range page {
		out.DashboardEntries = append(out.DashboardEntries, DashboardEntry{DashboardName: d.Name, DashboardArn: dashboardARN(who, d.Name), LastModified: d.Modified, Size: ptr(int64(len(d.Body)))})
	}
	return out, nil
}

func (a *API) deleteDashboards(ctx context.Context, who outcrop.Caller, in *DeleteDashboardsInput) (*DeleteDashboardsOutput, error) {
	missing, err := a.Dashboards.DeleteDashboards(ctx, who.Account, in.DashboardNames)
	if err == nil && missing != "" {
		err = noDashboard(missing)
	}
	return &DeleteDashboardsOutput{}, err
}
