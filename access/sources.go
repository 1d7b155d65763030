package access

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"

	"outcrop"
	"outcrop/iam"
)

// A source is the text of a policy that a simulation named.
type source struct {
	layer iam.Layer
	text  string
}

// readSources reads the principal's policies, the groups' of a user and the
// boundary, under the names that simulations give them: managed ones by name,
// inline ones by whose they are.
func (q *inquiry) readSources(ctx context.Context) error {
	if q.sources != nil {
		return nil
	}
	q.sources = map[string]source{}
	if q.principal.Boundary != "" {
		if err := q.readManaged(ctx, q.principal.Boundary, iam.BoundaryLayer); err != nil {
			return err
		}
	}
	names := []string{q.principal.Name}
	if err := q.readOf(ctx, q.principal.Kind, names); err != nil || q.principal.Kind != "User" {
		return err
	}
	var groups struct {
		Names []string `xml:"ListGroupsForUserResult>Groups>member>GroupName"`
	}
	if err := q.client.form(ctx, "iam", "ListGroupsForUser", url.Values{"UserName": names}, &groups); err != nil {
		return err
	}
	return q.readOf(ctx, "Group", groups.Names)
}

func (q *inquiry) readOf(ctx context.Context, kind string, names []string) error {
	for _, name := range names {
		if err := q.readInline(ctx, kind, name); err != nil {
			return err
		}
		if err := q.readAttached(ctx, kind, name); err != nil {
			return err
		}
	}
	return nil
}

// page is how lists of IAM end.
type page struct {
	Truncated bool `xml:"IsTruncated"`
	Marker    string
}

func (q *inquiry) readInline(ctx context.Context, kind, name string) error {
	for marker := ""; ; {
		var list struct {
			Result struct {
				page
				Names []string `xml:"PolicyNames>member"`
			} `xml:",any"`
		}
		if err := q.client.form(ctx, "iam", "List"+kind+"Policies", pageOf(kind, name, marker), &list); err != nil {
			return err
		}
		for _, policy := range list.Result.Names {
			var got struct {
				Result struct{ PolicyDocument string } `xml:",any"`
			}
			if err := q.client.form(ctx, "iam", "Get"+kind+"Policy", url.Values{kind + "Name": {name}, "PolicyName": {policy}}, &got); err != nil {
				return err
			}
			q.keep(strings.ToLower(kind)+"_"+name+"_"+policy, iam.IdentityLayer, got.Result.PolicyDocument)
		}
		if marker = list.Result.Marker; !list.Result.Truncated {
			return nil
		}
	}
}

func (q *inquiry) readAttached(ctx context.Context, kind, name string) error {
	for marker := ""; ; {
		var list struct {
			Result struct {
				page
				ARNs []outcrop.ARN `xml:"AttachedPolicies>member>PolicyArn"`
			} `xml:",any"`
		}
		if err := q.client.form(ctx, "iam", "ListAttached"+kind+"Policies", pageOf(kind, name, marker), &list); err != nil {
			return err
		}
		for _, arn := range list.Result.ARNs {
			if err := q.readManaged(ctx, arn, iam.IdentityLayer); err != nil {
				return err
			}
		}
		if marker = list.Result.Marker; !list.Result.Truncated {
			return nil
		}
	}
}

func pageOf(kind, name, marker string) url.Values {
	in := url.Values{kind + "Name": {name}}
	if marker != "" {
		in.Set("Marker", marker)
	}
	return in
}

func (q *inquiry) readManaged(ctx context.Context, arn outcrop.ARN, layer iam.Layer) error {
	var policy struct {
		Name    string `xml:"GetPolicyResult>Policy>PolicyName"`
		Version string `xml:"GetPolicyResult>Policy>DefaultVersionId"`
	}
	if err := q.client.form(ctx, "iam", "GetPolicy", url.Values{"PolicyArn": {string(arn)}}, &policy); err != nil {
		return err
	}
	var version struct {
		Document string `xml:"GetPolicyVersionResult>PolicyVersion>Document"`
	}
	if err := q.client.form(ctx, "iam", "GetPolicyVersion", url.Values{"PolicyArn": {string(arn)}, "VersionId": {policy.Version}}, &version); err != nil {
		return err
	}
	q.keep(policy.Name, layer, version.Document)
	return nil
}

// keep remembers a policy's text, which IAM's answers have percent-encoded.
func (q *inquiry) keep(id string, layer iam.Layer, encoded string) {
	if text, err := url.PathUnescape(encoded); err == nil {
		q.sources[id] = source{layer, text}
	}
}

// statement finds the statement that a simulation points at: its index in the
// policy, from 0, and its Sid.
func (s source) statement(m matched) (index int, sid string) {
	var policy struct{ Statement json.RawMessage }
	if json.Unmarshal([]byte(s.text), &policy) != nil {
		return 0, ""
	}
	var list []json.RawMessage
	if json.Unmarshal(policy.Statement, &list) != nil {
		list = []json.RawMessage{policy.Statement}
	}
	found := strings.TrimSpace(s.between(m.Start, m.End))
	for i, one := range list {
		if found == string(one) || len(list) == 1 {
			var named struct{ Sid string }
			json.Unmarshal(one, &named) // a statement without a Sid has none to show
			return i, named.Sid
		}
	}
	return 0, ""
}

// between is the text from one line and column to another, both from 1.
func (s source) between(from, to position) string {
	text := []rune(s.text)
	start, end := offset(text, from), offset(text, to)
	return string(text[min(start, end):end])
}

func offset(text []rune, p position) int {
	at := 0
	for line := 1; line < p.Line && at < len(text); at++ {
		if text[at] == '\n' {
			line++
		}
	}
	return min(at+max(p.Column-1, 0), len(text))
}
