package routing

import (
	"slices"

	"outcrop"
)

// A Lane is one configured Upstream and what it can serve.
type Lane struct {
	Upstream string
	Regions  []outcrop.Region                          // empty: every Region
	Models   map[outcrop.ModelID]outcrop.UpstreamModel // nil: every model, by its own id
	Weight   int                                       // share beside other lanes that are as good; 0 stands for 1
	Config   uint32                                    // handed back in every Attempt
}

// serves says whether the lane can serve d, and what it calls the model.
func (l *Lane) serves(d outcrop.Destination) (outcrop.UpstreamModel, bool) {
	if len(l.Regions) > 0 && !slices.Contains(l.Regions, d.Region) {
		return "", false
	}
	if l.Models == nil {
		return outcrop.UpstreamModel(d.Model), true
	}
	name, ok := l.Models[d.Model]
	return name, ok
}

func (l *Lane) weight() float64 { return float64(max(l.Weight, 1)) }

// A State is what an operator, or an active check, has said about an upstream.
type State uint8

// The states of an upstream. A drained one gets no new calls; a down one only
// when nothing else is left.
const (
	Enabled State = iota
	Drained
	Down
)

func (s State) String() string { return [...]string{"enabled", "drained", "down"}[s] }
