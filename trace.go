package outcrop

import "context"

type traceParentKey struct{}

// WithTraceParent makes a W3C traceparent go along with the requests to
// upstreams under ctx.
func WithTraceParent(ctx context.Context, traceParent string) context.Context {
	return context.WithValue(ctx, traceParentKey{}, traceParent)
}

// TraceParent is the W3C traceparent that belongs to ctx, or empty.
func TraceParent(ctx context.Context) string {
	s, _ := ctx.Value(traceParentKey{}).(string)
	return s
}
