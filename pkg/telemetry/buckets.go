package telemetry

// Buckets returns the upper bounds, in seconds, of every histogram of durations. All roles use them, so that one query
// can compare the roles.
func Buckets() []float64 { return []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60} }
