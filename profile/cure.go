package profile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"outcrop"
	"outcrop/internal/slip"
)

// mostSlips in one id; more, and another was meant.
const mostSlips = 3

// shownNames are the Regions or profiles that one cure names at most.
const shownNames = 3

// leastPart is how long a text must be for the ids that contain it to be what
// was meant.
const leastPart = 5

// cure says what to do about a modelId that names nothing. It is empty where
// nothing better than AWS's own words is known.
func (r *resolution) cure() string {
	if name, ok := unexpanded(r.ref.Text); ok {
		return name + " was not replaced by its value: set the variable where the client starts, or write the ARN itself."
	}
	for _, cure := range []func() string{r.otherRegion, r.otherAccount, r.noSuchProfile, r.bareProfile, r.offeredElsewhere, r.meant} {
		if said := cure(); said != "" {
			return said
		}
	}
	return ""
}

func (r *resolution) otherRegion() string {
	there, of := r.ref.ARN.Region, r.ref.ARN.Account
	if there == "" || there == r.region || of != "" && of != r.account {
		return ""
	}
	return fmt.Sprintf("The ARN is of %s and the call is for %s: choose %s in the client, or name a profile of %s.", there, r.region, there, r.region)
}

func (r *resolution) otherAccount() string {
	if of := r.ref.ARN.Account; r.profileARN() && of != "" && of != r.account {
		return fmt.Sprintf("The ARN is of account %s and the caller is of %s, whose profiles have its own account in their ARNs.", of, r.account)
	}
	return ""
}

func (r *resolution) noSuchProfile() string {
	if r.ref.Kind == outcrop.RefApplicationProfile && owned(r.ref.ARN, r.account, r.region) {
		return fmt.Sprintf("There is no such application profile in %s, or no longer: list-inference-profiles --type-equals APPLICATION names those there are.", r.region)
	}
	return ""
}

func (r *resolution) profileARN() bool {
	return r.ref.Kind == outcrop.RefApplicationProfile || r.ref.Kind == outcrop.RefSystemProfile
}

// bareID has the form of an application profile's id.
var bareID = regexp.MustCompile(`^[a-z0-9]{12}$`)

// bareProfile does not look whether the profile exists: nobody has asked yet
// whether the caller may know.
func (r *resolution) bareProfile() string {
	if r.ref.Kind == outcrop.RefBare && bareID.MatchString(r.ref.ID) {
		return "An application profile is called by its ARN: " + string(outcrop.ApplicationProfileARN(r.region, r.account, r.ref.ID))
	}
	return ""
}

// offeredElsewhere is about ids that other Regions have, and this one has not.
func (r *resolution) offeredElsewhere() string {
	regions, model := r.regionsWith(r.ref.ID)
	if len(regions) == 0 || slices.Contains(regions, string(r.region)) {
		return ""
	}
	said := fmt.Sprintf("%s is not offered in %s but in %s.", r.ref.ID, r.region, some(regions))
	if here := r.profilesOf(model); len(here) > 0 {
		said += fmt.Sprintf(" In %s call %s.", r.region, some(here))
	}
	return said
}

// regionsWith lists the Regions that have a model or system-defined profile of
// this id, and the model.
func (r *resolution) regionsWith(id string) (regions []string, model outcrop.ModelID) {
	for _, info := range r.now.Regions() {
		if p, ok := r.now.SystemProfile(info.Region, id); ok {
			regions, model = append(regions, string(info.Region)), p.Model
		} else if _, ok := r.now.Model(info.Region, outcrop.ModelID(id)); ok {
			regions, model = append(regions, string(info.Region)), outcrop.ModelID(id)
		}
	}
	return regions, model
}

// profilesOf lists the ids that model can be called by in the Region.
func (r *resolution) profilesOf(model outcrop.ModelID) []string {
	var ids []string
	for _, p := range r.now.SystemProfiles(r.region) {
		if p.Model == model {
			ids = append(ids, p.ID)
		}
	}
	if m, ok := r.now.Model(r.region, model); ok && m.OnDemand() {
		ids = append(ids, string(model))
	}
	return ids
}

// meant is the nearest id of the Region that can be called, or those that
// contain what was written.
func (r *resolution) meant() string {
	known := r.callable()
	if near := slip.Within(min(mostSlips, len(r.ref.ID)/4), r.ref.ID, known); near != "" {
		return fmt.Sprintf("Did you mean %s?", near)
	}
	if len(r.ref.ID) < leastPart {
		return ""
	}
	around := slices.DeleteFunc(known, func(id string) bool { return !strings.Contains(id, strings.ToLower(r.ref.ID)) })
	if len(around) == 0 {
		return ""
	}
	return fmt.Sprintf("Did you mean %s?", some(around))
}

func (r *resolution) callable() []string {
	var ids []string
	for _, p := range r.now.SystemProfiles(r.region) {
		ids = append(ids, p.ID)
	}
	for _, m := range r.now.Models(r.region) {
		if m.OnDemand() {
			ids = append(ids, string(m.ID))
		}
	}
	return ids
}

// some of the names, as a sentence has them: the first few, and how many more.
func some(names []string) string {
	last := ""
	switch more := len(names) - shownNames; {
	case len(names) == 1:
		return names[0]
	case more > 0:
		names, last = names[:shownNames], fmt.Sprintf("%d more", more)
	default:
		names, last = names[:len(names)-1], names[len(names)-1]
	}
	return strings.Join(names, ", ") + " or " + last
}
