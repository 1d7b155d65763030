package gateway

// refused tells of a call that was turned away before it had a record, so that
// metrics count it. A client that went away was not turned away.
func (g *Gateway) refused(call *Call, err error) {
	if err != nil && g.Refused != nil {
		g.Refused(call.Caller, call.target, err)
	}
}
