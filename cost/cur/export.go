package cur

import (
	"context"
	"fmt"
	"strings"
	"time"

	"outcrop"
	"outcrop/cost"
)

// An Export is what an account asked to be delivered.
type Export struct {
	ARN         outcrop.ARN
	Account     outcrop.AccountID
	Name        string
	Description string
	Statement   string
	Properties  map[string]map[string]string // by table, as they were given
	To          Destination
	Tags        outcrop.Tags
	Report      *Report // of an export made by the operations of the first form of reports
	Created     time.Time
	Updated     time.Time
	Refreshed   time.Time           // last delivery; zero before the first
	Failure     string              // reason why the last delivery failed; empty is healthy
	Delivered   map[string]Delivery // by month, "2026-11"
}

// A Destination is where and how an export is written.
type Destination struct {
	Bucket, Owner, Prefix, Region string
	Output                        string // CUSTOM, ATHENA or REDSHIFT
	Format                        string // TEXT_OR_CSV or PARQUET
	Compression                   string // GZIP or PARQUET
	Overwrite                     string // OVERWRITE_REPORT or CREATE_NEW_REPORT
}

// The values of a Destination.
const (
	CSV       = "TEXT_OR_CSV"
	Parquet   = "PARQUET"
	Overwrite = "OVERWRITE_REPORT"
	Zip       = "ZIP" // of the first form of reports only
)

// A Report is what the first form of reports has beyond an Export.
type Report struct {
	Elements       []string // AdditionalSchemaElements
	Artifacts      []string // AdditionalArtifacts
	Compression    string   // ZIP, GZIP or Parquet
	Unit           string   // HOURLY, DAILY or MONTHLY
	RefreshClosed  bool
	BillingViewARN string
}

// A Delivery is what lies in the bucket for one month.
type Delivery struct {
	Digest  string // of the files' contents
	Keys    []string
	Rows    uint64
	Bytes   int64
	At      time.Time
	Checked time.Time // when the month was last made anew
}

// An Execution is one delivery under way or done.
type Execution struct {
	ID        string
	Export    Export // as it was
	Month     string
	Status    string
	Reason    string
	Created   time.Time
	Updated   time.Time
	Completed time.Time
}

// The states of an Execution, and the reasons why one failed.
const (
	Querying        = "QUERY_IN_PROCESS"
	QueryFailed     = "QUERY_FAILURE"
	Delivering      = "DELIVERY_IN_PROCESS"
	DeliveryFailed  = "DELIVERY_FAILURE"
	DeliverySucceed = "DELIVERY_SUCCESS"

	NoPermission = "INSUFFICIENT_PERMISSION"
	Internal     = "INTERNAL_FAILURE"
)

// Store keeps exports and their executions.
type Store interface {
	// Exports of an account in order of name; of all accounts when it is empty.
	Exports(ctx context.Context, account outcrop.AccountID) ([]Export, error)
	// Put adds or replaces the export of this ARN. A second export of an
	// account by the same name is a Conflict.
	Put(ctx context.Context, e Export) error
	// Delete forgets an export and its executions; NotFound when there is none.
	Delete(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN) error
	// Executions of an export, newest first, at most KeptExecutions.
	Executions(ctx context.Context, arn outcrop.ARN) ([]Execution, error)
	// PutExecution adds or replaces an execution, and lets go of the oldest.
	PutExecution(ctx context.Context, e Execution) error
}

// KeptExecutions is how many executions of an export are remembered.
const KeptExecutions = 300

// query reads the export's statement.
func (e *Export) query() (*Query, error) { return Parse(e.Statement) }

// property is the value that holds for the query's table.
func (e *Export) property(q *Query, name string) string {
	for table, given := range e.Properties {
		if t, ok := TableNamed(table); ok && t == q.Table && given[name] != "" {
			return strings.ToUpper(given[name])
		}
	}
	for _, p := range q.Table.Properties {
		if p.Name == name {
			return p.Default
		}
	}
	return ""
}

// scope of one month of the export.
func (e *Export) scope(q *Query, month cost.Period) Scope {
	return Scope{
		Account: e.Account, Month: month, Granularity: cost.Granularity(e.property(q, TimeGranularity)),
		Resources:  q.Table == focusTable || e.property(q, IncludeResources) == "TRUE",
		Principals: e.property(q, IncludePrincipals) == "TRUE",
	}
}

// Check says what is wrong with an export, before it is kept.
func (e *Export) Check() error {
	q, err := e.query()
	if err != nil {
		return err
	}
	for name, given := range e.Properties {
		t, ok := TableNamed(name)
		if !ok {
			return outcrop.Errorf(outcrop.Invalid, "TableConfigurations names the table %q, which does not exist. The tables are %s.", name, tableNames())
		}
		if t != q.Table {
			return outcrop.Errorf(outcrop.Invalid, "TableConfigurations is for the table %s, and the query is from %s.", t.Name, q.Table.Name)
		}
		if err := t.Check(given); err != nil {
			return err
		}
	}
	if err := e.checkColumns(q); err != nil {
		return err
	}
	return e.To.check(e.Report != nil)
}

// Check says what is wrong with the values given for the table's properties.
func (t *Table) Check(given map[string]string) error {
	for name, value := range given {
		p, ok := t.property(name)
		if !ok {
			return outcrop.Errorf(outcrop.Invalid, "The table %s has no property %q. Its properties are %s.", t.Name, name, t.propertyNames())
		}
		if p.Values != nil && !containsFold(p.Values, value) {
			return outcrop.Errorf(outcrop.Invalid, "The property %s cannot be %q. Its values are %s.", name, value, strings.Join(p.Values, ", "))
		}
	}
	return nil
}

func (t *Table) property(name string) (Property, bool) {
	for _, p := range t.Properties {
		if p.Name == name {
			return p, true
		}
	}
	return Property{}, false
}

func (t *Table) propertyNames() string {
	names := make([]string, len(t.Properties))
	for i, p := range t.Properties {
		names[i] = p.Name
	}
	return strings.Join(names, ", ")
}

func containsFold(all []string, one string) bool {
	for _, s := range all {
		if strings.EqualFold(s, one) {
			return true
		}
	}
	return false
}

// checkColumns refuses columns that a property would have to bring in.
func (e *Export) checkColumns(q *Query) error {
	for i := range q.Fields {
		column := q.Fields[i].Column.Name
		if property, ok := broughtBy[column]; ok && e.property(q, property) != "TRUE" {
			return outcrop.Errorf(outcrop.Invalid, "The column %s needs the table property %s to be TRUE.", column, property)
		}
	}
	return nil
}

// broughtBy are the columns that a property brings in.
var broughtBy = map[string]string{"line_item_resource_id": IncludeResources, "line_item_iam_principal": IncludePrincipals}

// Shown says whether the column is there under these properties.
func (c *Column) Shown(properties map[string]string) bool {
	property, ok := broughtBy[c.Name]
	return !ok || properties[property] == "TRUE"
}

func (d *Destination) check(report bool) error {
	switch {
	case d.Format == CSV && report && d.Compression == Zip:
	case d.Format == CSV && d.Compression != "GZIP", d.Format == Parquet && d.Compression != "PARQUET":
		return outcrop.Errorf(outcrop.Invalid, "The format %s does not go with the compression %s: TEXT_OR_CSV takes GZIP, and PARQUET takes PARQUET.", d.Format, d.Compression)
	case d.Bucket == "":
		return outcrop.Errorf(outcrop.Invalid, "S3Bucket is empty.")
	case strings.Contains("/"+d.Prefix+"/", "/../") || strings.HasPrefix(d.Prefix, "/"):
		return outcrop.Errorf(outcrop.Invalid, "S3Prefix %q must not begin with a slash or go upwards.", d.Prefix)
	}
	return nil
}

// monthName is how deliveries name the month of t.
func monthName(t time.Time) string { return t.UTC().Format("2006-01") }

// monthOf is the month that holds t.
func monthOf(t time.Time) cost.Period {
	start := time.Date(t.UTC().Year(), t.UTC().Month(), 1, 0, 0, 0, 0, time.UTC)
	return cost.Period{Start: start, End: start.AddDate(0, 1, 0)}
}

// exportARN names a new export.
func exportARN(region outcrop.Region, account outcrop.AccountID, name, id string) outcrop.ARN {
	return outcrop.ARN(fmt.Sprintf("arn:aws:bcm-data-exports:%s:%s:export/%s-%s", region, account, name, id))
}
