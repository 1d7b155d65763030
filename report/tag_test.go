package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// tagged answers ListCostAllocationTags.
type tagged struct {
	status map[string]string
	err    error
}

func (s tagged) CostExplorer(_ context.Context, operation string, _, out any) error {
	if operation != "ListCostAllocationTags" {
		return fmt.Errorf("asked for %s", operation)
	}
	list := []map[string]string{}
	for key, status := range s.status {
		list = append(list, map[string]string{"TagKey": key, "Status": status})
	}
	text, err := json.Marshal(map[string]any{"CostAllocationTags": list})
	if err != nil {
		return err
	}
	return errors.Join(json.Unmarshal(text, out), s.err)
}

func TestTagAdvice(t *testing.T) {
	many := map[string]string{}
	for i := range 25 {
		many[fmt.Sprintf("t%02d", i)] = "Active"
	}
	for _, c := range []struct {
		by     string
		server Server
		want   string // a part; empty for no advice
	}{
		{"tag:Team", tagged{status: map[string]string{"Team": "Active"}}, ""},
		{"tag:Team", tagged{status: map[string]string{"Team": "Inactive", "a": "Active"}}, "'TagKey=Team,Status=Active'"},
		{"tag:team", tagged{status: map[string]string{"b": "Active", "Team": "Active"}}, "No usage had a tag team. There are: Team, b."},
		{"tag:x", tagged{status: many}, "t19, and 5 more."},
		{"tag:Team", tagged{}, "nor any other"},
		{"tag:Team", tagged{err: errors.New("not allowed")}, ""},
		{"profile", tagged{err: errors.New("nobody asks")}, ""},
	} {
		got := TagAdvice(t.Context(), c.server, Question{By: c.by})
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("by %s: %q, want %q", c.by, got, c.want)
		}
	}
}
