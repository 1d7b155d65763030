package cur

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"time"

	"outcrop/cost"
)

// A layout is where a delivery lies in its bucket.
type layout struct {
	folder      string // of the data
	name        string
	extension   string
	contentType string
	manifests   []string // keys
}

func (l *layout) part(n int) string {
	return path.Join(l.folder, fmt.Sprintf("%s-%05d%s", l.name, n, l.extension))
}

// layout of a month: PREFIX/NAME/data/BILLING_PERIOD=YYYY-MM/NAME-00001.csv.gz,
// with a folder for each execution when deliveries are kept apart (reference
// §7.5).
func (e *Export) layout(month cost.Period, run Execution) layout {
	if e.Report != nil {
		return e.reportLayout(month, run)
	}
	l := e.format()
	period := "BILLING_PERIOD=" + monthName(month.Start)
	l.folder = path.Join(e.To.Prefix, e.Name, "data", period)
	l.manifests = []string{path.Join(e.To.Prefix, e.Name, "metadata", period, e.Name+"-Manifest.json")}
	if e.To.Overwrite != Overwrite {
		folder := run.Created.Format("2006-01-02T15:04:05.000Z") + "-" + run.ID
		l.folder = path.Join(l.folder, folder)
		l.manifests = append(l.manifests, path.Join(e.To.Prefix, e.Name, "metadata", period, folder, e.Name+"-Manifest.json"))
	}
	return l
}

func (e *Export) format() layout {
	if e.To.Format == Parquet {
		return layout{name: e.Name, extension: ".snappy.parquet", contentType: "application/octet-stream"}
	}
	if e.To.Compression == Zip {
		return layout{name: e.Name, extension: ".csv.zip", contentType: "application/zip"}
	}
	return layout{name: e.Name, extension: ".csv.gz", contentType: "application/gzip"}
}

// reportLayout is that of the first form of reports:
// PREFIX/NAME/YYYYMMDD-YYYYMMDD/[ASSEMBLY/]NAME-00001.csv.gz, and for Athena
// PREFIX/NAME/NAME/year=2026/month=11/NAME-00001.snappy.parquet.
func (e *Export) reportLayout(month cost.Period, run Execution) layout {
	l := e.format()
	top := path.Join(e.To.Prefix, e.Name, compactDay(month.Start)+"-"+compactDay(month.End))
	l.manifests = []string{path.Join(top, e.Name+"-Manifest.json")}
	switch {
	case e.To.Format == Parquet:
		l.folder = path.Join(e.To.Prefix, e.Name, e.Name, fmt.Sprintf("year=%d/month=%d", month.Start.Year(), month.Start.Month()))
	case e.To.Overwrite == Overwrite:
		l.folder = top
	default:
		l.folder = path.Join(top, assembly(run))
		l.manifests = append(l.manifests, path.Join(l.folder, e.Name+"-Manifest.json"))
	}
	return l
}

func compactDay(t time.Time) string { return t.Format("20060102") }

// assembly is the id of a delivery in the first form: digits and letters only.
func assembly(run Execution) string {
	return run.Created.Format("20060102T150405Z") + strings.ReplaceAll(run.ID, "-", "")[:8]
}

// A manifest tells what a delivery consists of.
type manifest struct {
	key  string
	body []byte
}

func (e *Export) manifests(at layout, d Delivery, month cost.Period, run Execution) ([]manifest, error) {
	q, err := e.query()
	if err != nil {
		return nil, err
	}
	var told any = e.describe(q, d, month, run)
	if e.Report != nil {
		told = e.describeReport(q, d, month, run)
	}
	body, err := json.MarshalIndent(told, "", "  ")
	if err != nil {
		return nil, err
	}
	var all []manifest
	for _, key := range at.manifests {
		all = append(all, manifest{key, body})
	}
	return all, nil
}

type manifestColumn struct {
	Category string `json:"category,omitempty"`
	Name     string `json:"name"`
	Type     string `json:"type"`
}

type manifestPeriod struct {
	Start string `json:"start"`
	End   string `json:"end"`
}

// An exportManifest is the definition of the export as it was, with the files
// that the month's data is in.
type exportManifest struct {
	ExportARN     string                       `json:"exportArn"`
	ExportName    string                       `json:"exportName"`
	ExecutionID   string                       `json:"executionId"`
	Account       string                       `json:"account"`
	Query         string                       `json:"queryStatement"`
	Properties    map[string]map[string]string `json:"tableConfigurations,omitempty"`
	Partition     map[string]string            `json:"partition"`
	BillingPeriod manifestPeriod               `json:"billingPeriod"`
	Format        string                       `json:"format"`
	Compression   string                       `json:"compression"`
	Bucket        string                       `json:"bucket"`
	DataFiles     []string                     `json:"dataFiles"`
	Rows          uint64                       `json:"rows"`
	Columns       []manifestColumn             `json:"columns"`
	CreatedAt     string                       `json:"createdAt"`
}

func (e *Export) describe(q *Query, d Delivery, month cost.Period, run Execution) exportManifest {
	m := exportManifest{
		ExportARN: string(e.ARN), ExportName: e.Name, ExecutionID: run.ID, Account: string(e.Account),
		Query: e.Statement, Properties: e.Properties, Partition: map[string]string{"BILLING_PERIOD": monthName(month.Start)},
		BillingPeriod: manifestPeriod{iso(month.Start), iso(month.End)},
		Format:        e.To.Format, Compression: e.To.Compression, Bucket: e.To.Bucket, Rows: d.Rows, CreatedAt: iso(run.Created),
	}
	for _, key := range d.Keys {
		m.DataFiles = append(m.DataFiles, "s3://"+e.To.Bucket+"/"+key)
	}
	for _, f := range q.Fields {
		m.Columns = append(m.Columns, manifestColumn{Name: f.Name, Type: string(f.Type())})
	}
	return m
}
