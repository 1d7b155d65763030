package outcrop

import "time"

// ProfileKind tells AWS's two kinds of inference profile apart.
type ProfileKind string

// The two kinds, in AWS's spelling of InferenceProfileType.
const (
	SystemDefined ProfileKind = "SYSTEM_DEFINED"
	Application   ProfileKind = "APPLICATION"
)

// An InferenceProfile is a name that clients invoke in place of a model.
// A system-defined profile spreads calls over one Geography; an application
// profile copies a model or another profile and adds the Tags to bill by.
type InferenceProfile struct {
	ARN          ARN
	ID           string // us.amazon.nova-lite-v1:0, or 12 characters for an application profile
	Name         string
	Description  string // empty when not given
	Kind         ProfileKind
	Geography    Geography     // of the system-defined profile it is or copies; empty for a single Region
	Source       ARN           // what an application profile was copied from; empty for a system-defined one
	Model        ModelID       // the one foundation model behind it
	Models       []ARN         // as GetInferenceProfile lists them, in AWS's order; never empty
	Destinations []Destination // where a call may run, source Region included; never empty
	Tags         Tags
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// A ProfileClass says which price and which quota a call falls under.
type ProfileClass string

// The classes of AWS's price list and quotas.
const (
	InRegion    ProfileClass = "in-region"
	Geographic  ProfileClass = "geo"
	GlobalClass ProfileClass = "global"
)

// Class of a profile's or model's Geography.
func (g Geography) Class() ProfileClass {
	switch g {
	case "":
		return InRegion
	case GlobalGeography:
		return GlobalClass
	}
	return Geographic
}

// A Target is what a ModelRef resolved to: one model, the Destinations it may
// be served in, and the profile (if any) that is billed for it.
type Target struct {
	Ref          ModelRef
	Profile      *InferenceProfile // nil when a foundation model was named
	Model        FoundationModel
	Region       Region // the source Region: where the call was made, and whose price holds
	Geography    Geography
	Destinations []Destination
	Tags         Tags
	Defaults     *Defaults // of an application profile, applied where a call is silent; nil when it has none
}

// MetricID is the value CloudWatch shows as dimension ModelId
// (reference/runtime-metering-billing.md §5.2).
func (t *Target) MetricID() string {
	if t.Profile != nil {
		return t.Profile.ID
	}
	return string(t.Model.ID)
}

// ProfileARN is the profile's ARN, or empty when a model was named.
func (t *Target) ProfileARN() ARN {
	if t.Profile == nil {
		return ""
	}
	return t.Profile.ARN
}
