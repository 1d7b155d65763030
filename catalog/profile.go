package catalog

import (
	"sync"
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

	partition string
	regions   []outcrop.Region // that it names, in AWS's order; of a global profile, all that there are; shared
	once      sync.Once
	placed    places
}

// Places are the lists that For hands out. They are made when somebody first
// wants them: few of some thousand are ever asked for.
type places struct {
	models       []outcrop.ARN
	destinations []outcrop.Destination
}

// Destinations is where a call may run: in AWS's order, and for a global
// profile the source Region before the others.
func (p *SystemProfile) Destinations() []outcrop.Destination { return p.places().destinations }

// For is the profile as account sees it. Its slices are shared.
func (p *SystemProfile) For(account outcrop.AccountID) *outcrop.InferenceProfile {
	at := p.places()
	return &outcrop.InferenceProfile{
		ARN:          outcrop.SystemProfileARN(p.Region, account, p.ID),
		ID:           p.ID,
		Name:         p.Name,
		Description:  p.Description,
		Kind:         outcrop.SystemDefined,
		Geography:    p.Geography,
		Model:        p.Model,
		Models:       at.models,
		Destinations: at.destinations,
		CreatedAt:    p.CreatedAt,
		UpdatedAt:    p.UpdatedAt,
	}
}

func (p *SystemProfile) places() *places {
	p.once.Do(p.place)
	return &p.placed
}

// place makes the lists. A global profile names two ARNs, the Region-less one
// first, though it may run in every commercial Region
// (reference/control-plane.md §2.2 item 6).
func (p *SystemProfile) place() {
	at := &p.placed
	if p.Geography != outcrop.GlobalGeography {
		at.models = make([]outcrop.ARN, len(p.regions))
		at.destinations = make([]outcrop.Destination, len(p.regions))
		for i, r := range p.regions {
			at.models[i] = outcrop.FoundationModelARN(p.partition, r, p.Model)
			at.destinations[i] = outcrop.Destination{Region: r, Model: p.Model}
		}
		return
	}
	at.models = []outcrop.ARN{
		outcrop.FoundationModelARN(p.partition, "", p.Model),
		outcrop.FoundationModelARN(p.partition, p.Region, p.Model),
	}
	at.destinations = make([]outcrop.Destination, 0, len(p.regions)+1)
	at.destinations = append(at.destinations, outcrop.Destination{Region: p.Region, Model: p.Model})
	for _, r := range p.regions {
		if r != p.Region {
			at.destinations = append(at.destinations, outcrop.Destination{Region: r, Model: p.Model})
		}
	}
}
