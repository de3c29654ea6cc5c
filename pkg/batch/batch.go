// Package batch tells the system that this process computes and that nobody sits and waits for its every move.
//
// A farm is several processes on few processors: what receives, what transforms, what keeps the books. Each time a thread of
// one of them wakes, if only the Go runtime's monitor for a microsecond, an ordinary scheduler takes a processor from a
// transform at once, and with it what the caches hold of an image. Batch processes wait for the running one's slice to end,
// a few milliseconds, which prefetching hides. (sched(7), SCHED_BATCH; bench/isolated shows what it is worth.)
package batch
