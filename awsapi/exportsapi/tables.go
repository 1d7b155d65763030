package exportsapi

import (
	"context"
	"strings"

	"outcrop"
	"outcrop/cost/cur"
)

func (a *API) listTables(_ context.Context, _ outcrop.Caller, in *ListTablesInput) (*ListTablesOutput, error) {
	page, next, err := pageOf(cur.Tables(), in.MaxResults, in.NextToken, func(t **cur.Table) string { return (*t).Name })
	if err != nil {
		return nil, err
	}
	out := &ListTablesOutput{Tables: []Table{}, NextToken: next}
	for _, t := range page {
		shown := Table{TableName: t.Name, Description: t.Description, TableProperties: []TablePropertyDescription{}}
		for _, p := range t.Properties {
			shown.TableProperties = append(shown.TableProperties, TablePropertyDescription{Name: p.Name, ValidValues: p.Values, DefaultValue: p.Default, Description: p.Description})
		}
		out.Tables = append(out.Tables, shown)
	}
	return out, nil
}

// getTable shows the columns that the given properties bring.
func (a *API) getTable(_ context.Context, _ outcrop.Caller, in *GetTableInput) (*GetTableOutput, error) {
	t, ok := cur.TableNamed(in.TableName)
	if !ok {
		return nil, outcrop.Errorf(outcrop.Invalid, "There is no table %q. ListTables lists what there is.", in.TableName)
	}
	if err := t.Check(in.TableProperties); err != nil {
		return nil, err
	}
	out := &GetTableOutput{TableName: t.Name, Description: t.Description, TableProperties: map[string]string{}, Schema: []Column{}}
	for _, p := range t.Properties {
		value := p.Default
		if given := in.TableProperties[p.Name]; given != "" {
			value = strings.ToUpper(given)
		}
		out.TableProperties[p.Name] = value
	}
	for i := range t.Columns {
		if c := &t.Columns[i]; c.Shown(out.TableProperties) {
			out.Schema = append(out.Schema, Column{Name: c.Name, Type: string(c.Type), Description: c.Description})
		}
	}
	return out, nil
}
