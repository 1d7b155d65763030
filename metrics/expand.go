package metrics

import "maps"

// rows widens grains: each counts in its own Lane, in that of its model and in
// that of its Region, and in every Step that is still kept at now.
func rows(grains map[grain]*Block, now int64) []Row {
	sums := map[rowKey]*Block{}
	for g, block := range grains {
		for _, lane := range g.lanes() {
			addTo(sums, rowKey{lane, Minute, g.minute}, block)
		}
	}
	return widen(sums, now)
}

// widen adds up minutes to the longer Steps.
func widen(minutes map[rowKey]*Block, now int64) []Row {
	sums := maps.Clone(minutes)
	for _, step := range []Step{FiveMinutes, Hour} {
		wider := map[rowKey]*Block{}
		for key, block := range sums {
			if key.step == step-1 {
				addTo(wider, rowKey{key.lane, step, floor(key.start, step.Seconds())}, block)
			}
		}
		maps.Copy(sums, wider)
	}
	return writeRows(sums, now)
}

type rowKey struct {
	lane  Lane
	step  Step
	start int64
}

func addTo(sums map[rowKey]*Block, key rowKey, block *Block) {
	sum := sums[key]
	if sum == nil {
		sum = new(Block)
		sums[key] = sum
	}
	sum.Merge(block)
}

func writeRows(sums map[rowKey]*Block, now int64) []Row {
	out := make([]Row, 0, len(sums))
	for key, block := range sums {
		if key.step.kept(key.start, now) {
			out = append(out, Row{Lane: key.lane, Step: key.step, Start: key.start, Block: block.Append(nil), Names: block.Names()})
		}
	}
	return out
}

func (g *grain) lanes() [3]Lane {
	lane := Lane{g.account, g.region, Namespace, ""}
	region, model, tier := lane, lane, lane
	model.Dimensions = NewDimensions(Dimension{DimModelID, g.model})
	tier.Dimensions = NewDimensions(Dimension{DimModelID, g.model}, Dimension{DimServiceTier, g.asked}, Dimension{DimResolvedTier, g.served})
	return [3]Lane{region, model, tier}
}
