package telemetry

// Buckets are the upper bounds, in seconds, of every histogram of durations: the same for all roles, so that one query
// compares them.
func Buckets() []float64 { return []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60} }
