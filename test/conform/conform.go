// Package conform holds an endpoint, Outcrop or AWS itself, to the recorded
// behaviour of each operation.
package conform

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Check is one sentence of recorded behaviour and the way to see whether it
// holds.
type Check struct {
	Operation string // such as CreateInferenceProfile, or the name of a common rule
	Says      string // the behaviour
	Source    string // where it was recorded
	Needs     Need
	run       func(context.Context, *Subject) error
}

// A Need is what a check asks of an endpoint beside an answer. It matters on
// AWS only: an Outcrop gives all of it for nothing.
type Need uint8

// The needs.
const (
	Nothing Need = iota
	Spend        // AWS charges for it: tokens, or a fee for each request
	Own          // Outcrop's own decision, or a change that would outlast the run
)

// A Status says how a check ended.
type Status string

// The statuses.
const (
	Pass Status = "PASS"
	Fail Status = "FAIL"
	Skip Status = "SKIP"
)

// A Result is a check that was run.
type Result struct {
	Operation  string        `json:"operation"`
	Says       string        `json:"says"`
	Source     string        `json:"source"`
	Status     Status        `json:"status"`
	Reason     string        `json:"reason,omitempty"` // of a SKIP
	Mismatches []Mismatch    `json:"mismatches,omitempty"`
	Took       time.Duration `json:"nanoseconds"`
}

// A Mismatch is one thing that is not as it was recorded.
type Mismatch struct {
	What     string `json:"what"`
	Expected string `json:"expected"`
	Got      string `json:"got"`
}

func (m *Mismatch) Error() string {
	return fmt.Sprintf("%s: expected %s, got %s", m.What, m.Expected, m.Got)
}

// checkTimeout bounds one check. AWS answers a whole conversation in less.
const checkTimeout = time.Minute

// Run runs checks one after another and hands each result to tell. It ends
// early when ctx does.
func (s *Subject) Run(ctx context.Context, checks []Check, tell func(Result)) {
	for i := range checks {
		if ctx.Err() != nil {
			return
		}
		tell(s.result(ctx, &checks[i]))
	}
}

func (s *Subject) result(ctx context.Context, c *Check) Result {
	r := Result{Operation: c.Operation, Says: c.Says, Source: c.Source}
	started := time.Now()
	err := s.unmet(c.Needs)
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, checkTimeout)
		defer cancel()
		err = c.try(ctx, s)
	}
	r.Took = time.Since(started)
	var reason skipped
	switch {
	case err == nil:
		r.Status = Pass
	case errors.As(err, &reason):
		r.Status, r.Reason = Skip, string(reason)
	default:
		r.Status, r.Mismatches = Fail, mismatches(err)
	}
	return r
}

// try runs the check. An answer may lack what no answer should: what that
// breaks is the answer's fault.
func (c *Check) try(ctx context.Context, s *Subject) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &Mismatch{"the answer", "its members", fmt.Sprint(v)}
		}
	}()
	return c.run(ctx, s)
}

// unmet says why a check is left out.
func (s *Subject) unmet(n Need) error {
	switch {
	case !s.endpoint.AWS:
	case n == Own:
		return skipped("AWS does otherwise, or would keep the change")
	case n == Spend && !s.endpoint.Spend:
		return skipped("AWS charges for it: --spend allows it")
	}
	return nil
}

// skipped is the error of a check that cannot be made here.
type skipped string

func (s skipped) Error() string { return "skipped: " + string(s) }

// mismatches takes a joined error apart.
func mismatches(err error) []Mismatch {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []Mismatch
		for _, e := range joined.Unwrap() {
			all = append(all, mismatches(e)...)
		}
		return all
	}
	var m *Mismatch
	if errors.As(err, &m) {
		return []Mismatch{*m}
	}
	return []Mismatch{{What: "the call", Expected: "an answer", Got: err.Error()}}
}

// All are the checks of every operation, in the order of a profile's life.
func All() []Check {
	return slices.Concat(
		transportChecks(), authenticationChecks(), unknownOperationChecks(), getCallerIdentityChecks(),
		createInferenceProfileChecks(), getInferenceProfileChecks(), listInferenceProfilesChecks(), deleteInferenceProfileChecks(),
		tagResourceChecks(), untagResourceChecks(), listTagsForResourceChecks(),
		listFoundationModelsChecks(), getFoundationModelChecks(), getFoundationModelAvailabilityChecks(),
		listFoundationModelAgreementOffersChecks(), createFoundationModelAgreementChecks(), deleteFoundationModelAgreementChecks(),
		putUseCaseForModelAccessChecks(), getUseCaseForModelAccessChecks(),
		converseChecks(), converseStreamChecks(), invokeModelChecks(), invokeModelWithResponseStreamChecks(), countTokensChecks(),
		getCostAndUsageChecks(), getTagsChecks(), getDimensionValuesChecks(),
		listCostAllocationTagsChecks(), updateCostAllocationTagsStatusChecks(),
	)
}

// Operations names what checks are about, in their order.
func Operations(checks []Check) []string {
	var names []string
	for _, c := range checks {
		if len(names) == 0 || names[len(names)-1] != c.Operation {
			names = append(names, c.Operation)
		}
	}
	return names
}

// Select keeps the checks of the named operations, in any case of letters. No
// names keep all.
func Select(checks []Check, names []string) ([]Check, error) {
	if len(names) == 0 {
		return checks, nil
	}
	known := Operations(checks)
	for i, name := range names {
		at := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, name) })
		if at < 0 {
			return nil, fmt.Errorf("there are no checks of %q: the operations are %s", name, strings.Join(known, ", "))
		}
		names[i] = known[at]
	}
	return slices.DeleteFunc(slices.Clone(checks), func(c Check) bool { return !slices.Contains(names, c.Operation) }), nil
}

// same compares what was recorded with what is.
func same[T comparable](what string, expected, got T) error {
	if expected == got {
		return nil
	}
	return &Mismatch{what, fmt.Sprintf("%#v", expected), fmt.Sprintf("%#v", got)}
}

// holds is for what is more easily said than compared.
func holds(what string, ok bool, expected string, got any) error {
	if ok {
		return nil
	}
	return &Mismatch{what, expected, abridged(fmt.Sprint(got))}
}

// abridged keeps a table readable.
func abridged(text string) string {
	const most = 400
	text = cmp.Or(text, "nothing")
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
