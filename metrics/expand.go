package metrics

import "strconv"

// rows widens grains: each counts in the Lanes of its Region, its model, and of
// its model's tiers, context window and pictures. others are counted as they are.
func rows(grains map[grain]*Block, others map[rowKey]*Block, now int64) []Row {
	sums := make(map[rowKey]*sum, 3*len(grains)+len(others))
	for key, block := range others {
		share(sums, key, block)
	}
	for g, block := range grains {
		for _, lane := range g.lanes() {
			share(sums, rowKey{lane, Minute, g.minute}, block)
		}
		if made := block.Of(OutputImageCount); made != nil && g.size != "" {
			share(sums, rowKey{g.pictures(), Minute, g.minute}, &Block{entries: []entry{{OutputImageCount, *made}}})
		}
	}
	return writeRows(sums, now)
}

// A sum is a Block that belongs to somebody else as long as it is alone: most
// models have one tier, and then their two Lanes have one Block.
type sum struct {
	block *Block
	own   bool
}

func share(sums map[rowKey]*sum, key rowKey, block *Block) {
	s := sums[key]
	if s == nil {
		sums[key] = &sum{block: block}
		return
	}
	if !s.own {
		first := s.block
		s.block, s.own = new(Block), true
		s.block.Merge(first)
	}
	s.block.Merge(block)
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

// shared makes sums of Blocks that stay as they are.
func shared(blocks map[rowKey]*Block) map[rowKey]*sum {
	sums := make(map[rowKey]*sum, len(blocks))
	for key, block := range blocks {
		sums[key] = &sum{block: block}
	}
	return sums
}

// writeRows writes minutes where they belong at now. What only longer Steps
// still keep is added up first, so that each Row comes once.
func writeRows(minutes map[rowKey]*sum, now int64) []Row {
	old := map[rowKey]*sum{}
	out := make([]Row, 0, len(minutes))
	written := map[*Block]Row{} // those that several Lanes have
	for key, s := range minutes {
		switch step, start, ok := key.step.Home(key.start, now); {
		case !ok:
		case step == key.step:
			out = append(out, key.row(s, written))
		default:
			share(old, rowKey{key.lane, step, start}, s.block)
		}
	}
	for key, s := range old {
		out = append(out, key.row(s, written))
	}
	return out
}

func (k *rowKey) row(s *sum, written map[*Block]Row) Row {
	r, ok := written[s.block]
	if !ok {
		r = Row{Block: s.block.Append(make([]byte, 0, 192)), Names: s.block.Names()}
		if !s.own {
			written[s.block] = r
		}
	}
	r.Lane, r.Step, r.Start = k.lane, k.step, k.start
	return r
}

// lanes are those that all samples of a grain count in.
func (g *grain) lanes() []Lane {
	region := Lane{g.account, g.region, Namespace, ""}
	model := Dimension{DimModelID, g.model}
	all := append(make([]Lane, 0, 4), region, region.with(model),
		region.with(model, Dimension{DimServiceTier, g.asked}, Dimension{DimResolvedTier, g.served}))
	if g.window != "" {
		all = append(all, region.with(model, Dimension{DimWindow, g.window}))
	}
	return all
}

// pictures is the lane that only the count of pictures is in, as on AWS.
func (g *grain) pictures() Lane {
	return Lane{g.account, g.region, Namespace, ""}.with(
		Dimension{DimModelID, g.model}, Dimension{DimImageSize, g.size}, Dimension{DimImageSteps, strconv.Itoa(g.steps)})
}

func (l Lane) with(dims ...Dimension) Lane {
	l.Dimensions = NewDimensions(dims...)
	return l
}
