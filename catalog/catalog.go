// Package catalog knows which Regions, foundation models and system-defined
// inference profiles exist, as dated data that an overlay folder may extend.
package catalog

import (
	"slices"

	"outcrop"
)

// A Catalog is one immutable state of the data. What its methods return is
// shared: callers read it and do not write to it.
type Catalog struct {
	regions  []RegionInfo // by name
	byRegion map[outcrop.Region]RegionInfo
	global   []outcrop.Region
	models   map[outcrop.ModelID]*modelRow
	listed   map[outcrop.Region][]*outcrop.FoundationModel
	profiles map[outcrop.Region][]*SystemProfile // in AWS's order
	byID     map[profileKey]*SystemProfile
}

type profileKey struct {
	region outcrop.Region
	id     string
}

// A RegionInfo describes a Region.
type RegionInfo struct {
	Region              outcrop.Region
	Name                string              // "US East (N. Virginia)"
	Geography           string              // where it lies: "United States"; not the prefix of a profile
	Partition           string              // "aws", "aws-us-gov", "aws-cn", "aws-eusc"
	OptIn               bool                // accounts switch it on before they use it
	ControlPlane        bool                // has the Bedrock control plane
	ApplicationProfiles bool                // offers application inference profiles
	Global              bool                // a destination of global profiles
	Prefixes            []outcrop.Geography // geographies whose profiles can be called here, sorted
}

// Regions lists all known Regions by name, with or without Bedrock.
func (c *Catalog) Regions() []RegionInfo { return c.regions }

// Region describes r.
func (c *Catalog) Region(r outcrop.Region) (RegionInfo, bool) {
	info, ok := c.byRegion[r]
	return info, ok
}

// GlobalDestinations lists where calls of global profiles may run besides
// their source Region: every commercial Region.
func (c *Catalog) GlobalDestinations() []outcrop.Region { return c.global }

// Models lists the foundation models of r as ListFoundationModels does, by id.
func (c *Catalog) Models(r outcrop.Region) []*outcrop.FoundationModel { return c.listed[r] }

// Model finds a model among those listed in r.
func (c *Catalog) Model(r outcrop.Region, id outcrop.ModelID) (*outcrop.FoundationModel, bool) {
	row, ok := c.models[id]
	if !ok || !slices.Contains(row.Regions, r) {
		return nil, false
	}
	return &row.FoundationModel, true
}

// AnyModel finds a model wherever it is listed, or was. Profiles outlive the
// listing of their model (reference/control-plane.md §2.2 item 8), so this is
// how the model behind a profile is found.
func (c *Catalog) AnyModel(id outcrop.ModelID) (*outcrop.FoundationModel, bool) {
	row, ok := c.models[id]
	if !ok {
		return nil, false
	}
	return &row.FoundationModel, true
}

// SystemProfiles lists the profiles that can be called in r in AWS's order:
// by time of update, then by id.
func (c *Catalog) SystemProfiles(r outcrop.Region) []*SystemProfile { return c.profiles[r] }

// SystemProfile finds a profile by id as it is seen in r. A profile whose id
// exists in other Regions only is not found: it neither lists nor resolves.
func (c *Catalog) SystemProfile(r outcrop.Region, id string) (*SystemProfile, bool) {
	p, ok := c.byID[profileKey{r, id}]
	return p, ok
}
