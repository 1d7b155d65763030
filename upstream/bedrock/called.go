package bedrock

import (
	"slices"
	"strings"

	"outcrop"
	"outcrop/catalog"
)

// called is what the Attempt's model is called in its Region. Attempt.Model is
// not asked: the name depends on the Region.
func (u *Upstream) called(a outcrop.Attempt) (string, error) {
	if name, ok, err := u.mapped(a); ok || err != nil {
		return name, err
	}
	d := a.Destination
	if u.config.Catalog == nil {
		return string(d.Model), nil
	}
	c := u.config.Catalog()
	m, listed := c.Model(d.Region, d.Model)
	if listed && m.OnDemand() {
		return string(d.Model), nil
	}
	if p := within(c, a); p != nil {
		return p.ID, nil
	}
	if !listed {
		return string(d.Model), nil // AWS may have it by now; it says so itself when not
	}
	return "", u.host.Failed(a, 0, "The model %s is not offered on demand in %s, and no system-defined profile of %s keeps inside the Regions that this call may go to. "+
		"Tell the operator to map the model under models.", d.Model, d.Region, d.Region)
}

// mapped is what the operator has said the model is called.
func (u *Upstream) mapped(a outcrop.Attempt) (name string, ok bool, err error) {
	name, ok = u.config.Models[a.Destination.Model]
	if !ok {
		return "", false, nil
	}
	name = strings.ReplaceAll(name, regionMark, string(a.Destination.Region))
	if p, isARN := outcrop.ParseARN(name); isARN && outcrop.Region(p.Region) != a.Destination.Region {
		return "", true, u.host.Failed(a, 0, "The model %s is mapped to an ARN of another Region than %s. Tell the operator to write {region} in it, or to limit the upstream's regions.",
			a.Destination.Model, a.Destination.Region)
	}
	return name, true, nil
}

// within finds the system-defined profile of the Attempt's Region that crosses
// the fewest Regions and none but the Target's own: a call must not leave its
// caller's Destinations, and AWS chooses among a profile's as it likes.
func within(c *catalog.Catalog, a outcrop.Attempt) *catalog.SystemProfile {
	allowed := []outcrop.Destination{a.Destination}
	if a.Target != nil {
		allowed = a.Target.Destinations
	}
	outside := func(d outcrop.Destination) bool { return !slices.Contains(allowed, d) }
	var best *catalog.SystemProfile
	for _, p := range c.SystemProfiles(a.Destination.Region) {
		if p.Model != a.Destination.Model || slices.ContainsFunc(p.Destinations(), outside) {
			continue
		}
		if best == nil || narrower(p, best) {
			best = p
		}
	}
	return best
}

func narrower(p, q *catalog.SystemProfile) bool {
	n, m := len(p.Destinations()), len(q.Destinations())
	return n < m || n == m && p.ID < q.ID
}
