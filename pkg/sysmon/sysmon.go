// Package sysmon keeps the Go runtime's monitor from taking processors from transforms.
//
// Every Go process has a thread, sysmon, that looks after the others: from 20 µs to 10 ms apart, and often for milliseconds
// after each time that the process had nothing to do. A farm is several processes, one transform to a processor, and most of
// them have next to nothing to do most of the time: so their monitors wake tens of times for each image, and each time an
// ordinary scheduler takes a processor, and its caches, from a transform at once, for a microsecond of looking around.
//
// Deprioritize makes that one thread a batch thread (sched(7), SCHED_BATCH): when it wakes it waits for its turn, as long as others
// compute. Everything else wakes as promptly as ever. To make whole processes batch gains no more, and they lose where
// anything else runs on the machine, since then each hand-over of an image waits for its turn, too. `bench/isolated`
// measures what it is worth: without it, isolation costs about ten per cent.
package sysmon
