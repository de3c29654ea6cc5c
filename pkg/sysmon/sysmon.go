// Package sysmon keeps the Go runtime's monitor thread from interrupting transforms.
//
// Every Go process has a monitor thread, sysmon, that checks the other threads. It wakes every 20 µs to 10 ms, and
// often for some milliseconds after each time that the process was idle. A farm is several processes with one
// transform for each processor, and most of these processes are idle most of the time. Their monitors wake tens of
// times for each image. Each time an ordinary scheduler takes a processor, and its caches, from a transform for a
// microsecond of checking.
//
// Deprioritize makes that one thread a batch thread (SCHED_BATCH in sched(7)): when it wakes, it waits until a
// processor is free. All other threads wake as promptly as before. Whole processes in SCHED_BATCH gain no more, and
// lose when anything else runs on the machine, because each hand-over of an image then waits, too. bench/isolated
// measures the effect: without Deprioritize, isolation costs about ten per cent.
package sysmon
