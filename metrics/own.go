package metrics

import "outcrop"

// OwnNamespace is where Outcrop tells of itself what AWS has no metric for.
const OwnNamespace = "Outcrop"

// The metrics of Outcrop.
const (
	TokensWithoutPrice  = "TokensWithoutPrice"  // of each record that has some, in the Region and by ModelId
	UsageAuditDifferent = "UsageAuditDifferent" // 1 while counts that must be equal differ, else 0; each minute
	UsageAuditFailed    = "UsageAuditFailed"    // 1 while an audit comes to no verdict, else 0; each minute
)

// unpriced adds up tokens whose cost is unknown.
func unpriced(minutes map[rowKey]*Block, r *outcrop.UsageRecord) {
	n := r.Quote.Unpriced(&r.Usage)
	if n == 0 {
		return
	}
	var block Block
	block.At(TokensWithoutPrice).Add(float64(n))
	lane := Lane{Account: r.Account, Region: r.Region, Namespace: OwnNamespace}
	minute := floor(known(r).Unix(), Minute.Seconds())
	addTo(minutes, rowKey{lane, Minute, minute}, &block)
	lane.Dimensions = NewDimensions(Dimension{DimModelID, r.MetricID})
	addTo(minutes, rowKey{lane, Minute, minute}, &block)
}
