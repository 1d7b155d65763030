package iam

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// The oracle is a second evaluator, written from the tables of
// reference/control-plane.md §6.5 alone: it reads the JSON with maps, compiles
// nothing, recurses over wildcards, and shares no code with the package. It is
// slow and plain on purpose.
type oracle struct {
	principal, role, service, federated string
	action, resource, owner             string
	single                              map[string]string
	multi                               map[string][]string
}

// spoke is one statement that applies.
type spoke struct {
	layer, policy string
	index         int
	effect        string
}

type oraclePolicy struct {
	name string
	doc  map[string]any
}

type oracleInput struct {
	root                        bool
	identity, boundary, session []oraclePolicy
	hasBoundary, hasSession     bool
	resource                    []oraclePolicy
	trust                       bool
	scps                        [][]oraclePolicy
	hasSCPs                     bool
}

func oracleRead(name, text string) oraclePolicy {
	var doc map[string]any
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&doc); err != nil {
		panic(err)
	}
	return oraclePolicy{name, doc}
}

func many(v any) []string {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		var all []string
		for _, x := range v {
			all = append(all, many(x)...)
		}
		return all
	case string:
		return []string{v}
	case json.Number:
		return []string{v.String()}
	case bool:
		return []string{strconv.FormatBool(v)}
	}
	panic("not a value")
}

// cell is one character of a pattern: literal, or a wildcard.
type cell struct {
	r    rune
	wild bool
}

func like(p []cell, s []rune) bool {
	if len(p) == 0 {
		return len(s) == 0
	}
	if p[0].wild && p[0].r == '*' {
		for i := 0; i <= len(s); i++ {
			if like(p[1:], s[i:]) {
				return true
			}
		}
		return false
	}
	if len(s) == 0 {
		return false
	}
	if p[0].wild && p[0].r == '?' || !p[0].wild && p[0].r == s[0] {
		return like(p[1:], s[1:])
	}
	return false
}

// cells writes a policy text out, variables replaced; ok is false where one
// has no value.
func (o *oracle) cells(text string, variables bool) ([]cell, bool) {
	var out []cell
	for i := 0; i < len(text); {
		if variables && strings.HasPrefix(text[i:], "${") && strings.Contains(text[i:], "}") {
			end := i + strings.Index(text[i:], "}")
			inside := text[i+2 : end]
			i = end + 1
			if inside == "*" || inside == "?" || inside == "$" {
				out = append(out, cell{r: rune(inside[0])})
				continue
			}
			name, fallback, has := inside, "", false
			if comma := strings.Index(inside, ","); comma >= 0 {
				name = inside[:comma]
				quoted := strings.TrimSpace(inside[comma+1:])
				fallback, has = strings.Trim(quoted, "'"), strings.HasPrefix(quoted, "'")
			}
			value, ok := o.single[strings.ToLower(strings.TrimSpace(name))]
			if !ok {
				if !has {
					return nil, false
				}
				value = fallback
			}
			for _, r := range value {
				out = append(out, cell{r: r})
			}
			continue
		}
		r := []rune(text[i:])[0]
		out = append(out, cell{r, r == '*' || r == '?'})
		i += len(string(r))
	}
	return out, true
}

func (o *oracle) matches(text, value string, variables bool) bool {
	p, ok := o.cells(text, variables)
	return ok && like(p, []rune(value))
}

func (o *oracle) equals(text, value string, variables, fold bool) bool {
	p, ok := o.cells(text, variables)
	if !ok {
		return false
	}
	plain := ""
	for _, c := range p {
		plain += string(c.r)
	}
	return plain == value || fold && strings.EqualFold(plain, value)
}

func (o *oracle) arnMatches(text, value string, variables bool) bool {
	p, ok := o.cells(text, variables)
	part := strings.Split(value, ":")
	if !ok || len(part) < 6 {
		return false
	}
	part = append(slices.Clone(part[:5]), strings.Join(part[5:], ":"))
	if len(p) == 1 && p[0].wild && p[0].r == '*' {
		return true
	}
	for i := range 6 {
		n := slices.IndexFunc(p, func(c cell) bool { return !c.wild && c.r == ':' })
		if i == 5 {
			n = len(p)
		}
		if n < 0 || !like(p[:n], []rune(part[i])) {
			return false
		}
		p = p[min(n+1, len(p)):]
	}
	return true
}

// typed compares as numbers, dates and so on. ok is false when the request's
// value is not of the type.
func typed(op, want, got string) (match, ok bool) {
	order := func(c int) bool {
		switch {
		case strings.HasSuffix(op, "LessThan"):
			return c < 0
		case strings.HasSuffix(op, "LessThanEquals"):
			return c <= 0
		case strings.HasSuffix(op, "GreaterThan"):
			return c > 0
		case strings.HasSuffix(op, "GreaterThanEquals"):
			return c >= 0
		}
		return c == 0
	}
	switch {
	case strings.HasPrefix(op, "Numeric"):
		g, err := strconv.ParseFloat(got, 64)
		w, bad := strconv.ParseFloat(want, 64)
		c := 0
		if g < w {
			c = -1
		} else if g > w {
			c = 1
		}
		return bad == nil && order(c), err == nil
	case strings.HasPrefix(op, "Date"):
		g, ok := when(got)
		w, fine := when(want)
		return fine && order(g.Compare(w)), ok
	case op == "Bool":
		g := strings.ToLower(got)
		return g == strings.ToLower(want), g == "true" || g == "false"
	case op == "BinaryEquals":
		g, err := base64.StdEncoding.DecodeString(got)
		w, bad := base64.StdEncoding.DecodeString(want)
		return bad == nil && bytes.Equal(g, w), err == nil
	}
	g := net.ParseIP(got)
	if !strings.Contains(want, "/") {
		return g.Equal(net.ParseIP(want)), g != nil
	}
	_, block, err := net.ParseCIDR(want)
	return err == nil && block.Contains(g), g != nil
}

func when(s string) (time.Time, bool) {
	if n, err := strconv.Atoi(s); err == nil && n >= 0 {
		return time.Unix(int64(n), 0), true
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// satisfies: does one value of the request satisfy the operator?
func (o *oracle) satisfies(op, value string, wants []string, variables bool) bool {
	negated := strings.Contains(op, "Not")
	base := strings.Replace(op, "Not", "", 1)
	isText := strings.HasPrefix(op, "String") || strings.HasPrefix(op, "Arn")
	if _, ok := typed(base, "0", value); !isText && !ok {
		return false
	}
	for _, want := range wants {
		var hit bool
		switch {
		case strings.HasPrefix(base, "StringLike"):
			hit = o.matches(want, value, variables)
		case strings.HasPrefix(base, "String"):
			hit = o.equals(want, value, variables, strings.HasSuffix(base, "IgnoreCase"))
		case strings.HasPrefix(base, "Arn"):
			hit = o.arnMatches(want, value, variables)
		default:
			hit, _ = typed(base, want, value)
		}
		if hit {
			return !negated
		}
	}
	return negated
}

func (o *oracle) condition(op, key string, wants []string, variables bool) bool {
	key = strings.ToLower(key)
	values := o.multi[key]
	if v, ok := o.single[key]; ok {
		values = []string{v}
	}
	if op == "Null" {
		for _, w := range wants {
			if (w == "true") == (len(values) == 0) {
				return true
			}
		}
		return false
	}
	all, every := strings.CutPrefix(op, "ForAllValues:")
	anyOp, some := strings.CutPrefix(all, "ForAnyValue:")
	base, ifExists := strings.CutSuffix(anyOp, "IfExists")
	negated := strings.Contains(base, "Not")
	if len(values) == 0 {
		switch {
		case ifExists:
			return true
		case every:
			return true
		case some:
			return false
		}
		return negated
	}
	hits := 0
	for _, v := range values {
		if o.satisfies(base, v, wants, variables) {
			hits++
		}
	}
	if every || !some && negated {
		return hits == len(values)
	}
	return hits > 0
}

// principal says how tightly a statement's Principal holds the caller: 0 not,
// 1 by account, 2 by role, 3 itself.
func (o *oracle) principalGrip(element any, denies bool) int {
	entries := map[string][]string{}
	if s, ok := element.(string); ok {
		entries["AWS"] = []string{s}
	} else {
		for k, v := range element.(map[string]any) {
			entries[k] = many(v)
		}
	}
	account := ""
	if f := strings.Split(o.principal, ":"); len(f) > 4 {
		account = f[4]
	}
	best := 0
	for _, v := range entries["Service"] {
		if v == o.service && v != "" {
			best = 3
		}
	}
	for _, v := range entries["Federated"] {
		if v == o.federated && v != "" {
			best = 3
		}
	}
	for _, v := range entries["AWS"] {
		switch {
		case o.federated != "" && v == "*" && denies:
			best = 3
		case o.federated != "":
		case v == "*" && o.role != "":
			best = max(best, 2)
		case v == "*":
			best = 3
		case o.service != "":
		case v == o.principal:
			best = 3
		case v == o.role:
			best = max(best, 2)
		case account != "" && (v == account || v == "arn:aws:iam::"+account+":root"):
			best = max(best, 1)
		}
	}
	return best
}

// spared: a Deny with NotPrincipal is for all but whom it names whole.
func (o *oracle) spared(element any) bool {
	if element == "*" {
		return true
	}
	named := many(element.(map[string]any)["AWS"])
	if o.service+o.federated != "" {
		return o.principalGrip(element, true) != 0
	}
	account := strings.Split(o.principal, ":")[4]
	has := func(who ...string) bool {
		return slices.ContainsFunc(append(who, "*"), func(w string) bool { return slices.Contains(named, w) })
	}
	return has(account, "arn:aws:iam::"+account+":root") && (strings.HasSuffix(o.principal, ":root") || has(o.principal)) && (o.role == "" || has(o.role))
}

func (o *oracle) statement(s map[string]any, variables bool) (grip int, applies bool) {
	action := strings.ToLower(o.action)
	hit := func(patterns []string, value string, lower, vars bool) bool {
		for _, p := range patterns {
			if lower {
				p = strings.ToLower(p)
			}
			if o.matches(p, value, vars) {
				return true
			}
		}
		return false
	}
	if a, ok := s["Action"]; ok && !hit(many(a), action, true, false) {
		return 0, false
	}
	if a, ok := s["NotAction"]; ok && hit(many(a), action, true, false) {
		return 0, false
	}
	if r, ok := s["Resource"]; ok && !hit(many(r), o.resource, false, variables) {
		return 0, false
	}
	if r, ok := s["NotResource"]; ok && hit(many(r), o.resource, false, variables) {
		return 0, false
	}
	if p, ok := s["Principal"]; ok {
		if grip = o.principalGrip(p, s["Effect"] == "Deny"); grip == 0 {
			return 0, false
		}
	}
	if p, ok := s["NotPrincipal"]; ok {
		if s["Effect"] == "Deny" && o.spared(p) || s["Effect"] == "Allow" && (o.federated != "" || o.principalGrip(p, false) != 0) {
			return 0, false
		}
		grip = 1
		if o.service+o.federated != "" {
			grip = 3
		}
	}
	conditions, _ := s["Condition"].(map[string]any)
	for op, keys := range conditions {
		for key, values := range keys.(map[string]any) {
			if !o.condition(op, key, many(values), variables) {
				return 0, false
			}
		}
	}
	return grip, true
}

// hear collects what the policies say.
func (o *oracle) hear(layer string, policies []oraclePolicy, all *[]spoke, grip *int) (allowed bool) {
	for _, p := range policies {
		list, ok := p.doc["Statement"].([]any)
		if !ok {
			list = []any{p.doc["Statement"]}
		}
		for i, raw := range list {
			s := raw.(map[string]any)
			g, applies := o.statement(s, p.doc["Version"] == "2012-10-17")
			if !applies {
				continue
			}
			*all = append(*all, spoke{layer, p.name, i, s["Effect"].(string)})
			if s["Effect"] == "Allow" {
				allowed = true
				*grip = max(*grip, g)
			}
		}
	}
	return allowed
}

// decide follows §6.5 step by step and answers "effect layer".
func (o *oracle) decide(in oracleInput) (string, []spoke) {
	var all []spoke
	var ignored, grip int
	resourceLayer := "resource-based policy"
	if in.trust {
		resourceLayer = "role trust policy"
	}
	scpAllowed := true
	for _, level := range in.scps {
		if !o.hear("service control policy", level, &all, &ignored) {
			scpAllowed = false
		}
	}
	o.hear(resourceLayer, in.resource, &all, &grip)
	identity := o.hear("identity-based policy", in.identity, &all, &ignored)
	boundary := o.hear("permissions boundary", in.boundary, &all, &ignored)
	session := o.hear("session policy", in.session, &all, &ignored)

	for _, layer := range []string{"service control policy", resourceLayer, "identity-based policy", "permissions boundary", "session policy"} {
		for _, s := range all {
			if s.layer == layer && s.effect == "Deny" {
				return "explicitDeny " + layer, all
			}
		}
	}
	if in.hasSCPs && (!scpAllowed || len(in.scps) == 0) {
		return "implicitDeny service control policy", all
	}
	outside := o.service+o.federated != ""
	account := ""
	if f := strings.Split(o.principal, ":"); len(f) > 4 {
		account = f[4]
	}
	foreign := !outside && o.owner != "" && o.owner != account
	if (outside || foreign || in.trust) && grip == 0 {
		return "implicitDeny " + resourceLayer, all
	}
	if foreign {
		grip = 1
	}
	switch {
	case grip == 3 || in.root:
	case grip < 2 && !identity:
		return "implicitDeny identity-based policy", all
	case in.hasBoundary && !boundary:
		return "implicitDeny permissions boundary", all
	case in.hasSession && !session:
		return "implicitDeny session policy", all
	}
	if grip >= 2 {
		return "allowed " + resourceLayer, all
	}
	return "allowed identity-based policy", all
}

func sortSpoke(all []spoke) {
	sort.Slice(all, func(i, j int) bool {
		a, b := all[i], all[j]
		if a.layer != b.layer {
			return a.layer < b.layer
		}
		if a.policy != b.policy {
			return a.policy < b.policy
		}
		return a.index < b.index
	})
}
