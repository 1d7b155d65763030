package iam

// An evaluation is one Decide at work.
type evaluation struct {
	req      Request
	action   string // lower case
	resource string // "*" when there is none
	caller   caller
	steps    int // work done in matching; tests bound it
}

// A text is one pattern of a policy, ready to be held against values: compiled
// once when it has no variables, else for each request.
type text struct {
	template template // nil when static
	glob     glob
}

func compileText(s string, variables bool) text {
	t := parseTemplate(s, variables)
	if !t.static() {
		return text{template: t}
	}
	p, _ := t.pattern(nil)
	return text{glob: compileGlob(p)}
}

func (t *text) match(s string, e *evaluation) bool {
	if t.template == nil {
		return t.glob.match(s, &e.steps)
	}
	p, ok := t.template.pattern(&e.req.Context)
	if !ok {
		return false
	}
	e.steps += len(p)
	g := compileGlob(p)
	return g.match(s, &e.steps)
}

// anyText says whether one of the texts matches s.
func anyText(texts []text, s string, e *evaluation) bool {
	for i := range texts {
		if texts[i].match(s, e) {
			return true
		}
	}
	return false
}

// arnParts is how many parts an ARN has: it is split at the first five colons
// and the sixth part may hold more of them.
const arnParts = 6

// An arnText is an ARN pattern, matched part by part, so that no wildcard
// reaches over the first five colons (reference/control-plane.md §6.5).
type arnText struct {
	template template // nil when static
	globs    *[arnParts]glob
}

func compileARN(s string, variables bool) arnText {
	t := parseTemplate(s, variables)
	if !t.static() {
		return arnText{template: t}
	}
	p, _ := t.pattern(nil)
	return arnText{globs: compileARNPattern(p)}
}

// compileARNPattern is nil for a pattern that has no six parts: it matches no
// ARN. A lone * is taken for six of them.
func compileARNPattern(p pattern) *[arnParts]glob {
	var globs [arnParts]glob
	if len(p) == 1 && p[0] == star {
		for i := range globs {
			globs[i] = compileGlob(p)
		}
		return &globs
	}
	for i := range arnParts - 1 {
		colon := 0
		for colon < len(p) && p[colon] != ':' {
			colon++
		}
		if colon == len(p) {
			return nil
		}
		globs[i], p = compileGlob(p[:colon]), p[colon+1:]
	}
	globs[arnParts-1] = compileGlob(p)
	return &globs
}

func (t *arnText) match(s string, e *evaluation) bool {
	globs := t.globs
	if t.template != nil {
		p, ok := t.template.pattern(&e.req.Context)
		if !ok {
			return false
		}
		e.steps += len(p)
		globs = compileARNPattern(p)
	}
	part, ok := splitARN(s)
	if globs == nil || !ok {
		return false
	}
	for i := range globs {
		if !globs[i].match(part[i], &e.steps) {
			return false
		}
	}
	return true
}
