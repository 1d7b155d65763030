package catalog

import (
	"time"

	"outcrop"
)

// A SystemProfile is a system-defined profile as one source Region sees it.
// The same id has other destinations in other source Regions.
type SystemProfile struct {
	ID          string
	Name        string
	Description string
	Geography   outcrop.Geography
	Model       outcrop.ModelID
	Region      outcrop.Region // the source Region
	CreatedAt   time.Time      // when unknown: that of its siblings, or the model's launch
	UpdatedAt   time.Time
	Evidence    string // a code of data/provenance.tsv
	Retired     bool   // AWS lists it no more

	models       []outcrop.ARN
	destinations []outcrop.Destination
}

// Destinations is where a call may run: in AWS's order, and for a global
// profile the source Region before the others.
func (p *SystemProfile) Destinations() []outcrop.Destination { return p.destinations }

// For is the profile as account sees it. Its slices are shared.
func (p *SystemProfile) For(account outcrop.AccountID) *outcrop.InferenceProfile {
	return &outcrop.InferenceProfile{
		ARN:          outcrop.SystemProfileARN(p.Region, account, p.ID),
		ID:           p.ID,
		Name:         p.Name,
		Description:  p.Description,
		Kind:         outcrop.SystemDefined,
		Geography:    p.Geography,
		Model:        p.Model,
		Models:       p.models,
		Destinations: p.destinations,
		CreatedAt:    p.CreatedAt,
		UpdatedAt:    p.UpdatedAt,
	}
}

// place fills in the lists that For hands out. A global profile names two
// ARNs, the Region-less one first, though it may run in every commercial
// Region (reference/control-plane.md §2.2 item 6).
func (p *SystemProfile) place(destinations, global []outcrop.Region, partition string) {
	if p.Geography != outcrop.GlobalGeography {
		for _, r := range destinations {
			p.models = append(p.models, outcrop.FoundationModelARN(partition, r, p.Model))
			p.destinations = append(p.destinations, outcrop.Destination{Region: r, Model: p.Model})
		}
		return
	}
	p.models = []outcrop.ARN{
		outcrop.FoundationModelARN(partition, "", p.Model),
		outcrop.FoundationModelARN(partition, p.Region, p.Model),
	}
	p.destinations = make([]outcrop.Destination, 0, len(global)+1)
	p.destinations = append(p.destinations, outcrop.Destination{Region: p.Region, Model: p.Model})
	for _, r := range global {
		if r != p.Region {
			p.destinations = append(p.destinations, outcrop.Destination{Region: r, Model: p.Model})
		}
	}
}
