package cli

import "cmp"

// How many files a process opens, as measured: what it needs whatever it does, and what a slot adds whose transforms
// run in a child.
const (
	filesOfRun    = 30
	filesOfWorker = 20
	filesOfSlot   = 8
)

// refuseFewFiles refuses a limit of open files with which children could not be started. limit is 0 if there is none.
func refuseFewFiles(limit uint64, base, slots, processors int, isolated bool) error {
	slots = cmp.Or(slots, processors)
	need := uint64(base)
	if isolated {
		need += uint64(filesOfSlot * slots)
	}
	if limit == 0 || limit >= need {
		return nil
	}
	advice := "raise the limit (ulimit -n 1024)"
	if slots > 1 && isolated {
		advice += ", or lower --slots"
	}
	return usagef("this process may open %d files at once; with %d slots it needs %d: %s", limit, slots, need, advice)
}

// How many of its sockets accept peers.
const (
	socketsOfSink       = 3 // control, events and results
	socketsOfVentilator = 1 // tasks
)

// peerConns returns how many peers each of a process's sockets may accept when the process may open limit files: five
// eighths of them for all sockets. Two eighths are for HTTP, and one for the files of outputs and the ledger, for
// children, and for connections that this process makes. limit is 0 if there is none, and so is the result.
func peerConns(limit uint64, sockets int) int {
	const fewest, most = 8, 1024 + 128 // the least that zsock takes, and its default
	if limit == 0 {
		return 0
	}
	return int(min(most, max(fewest, limit/8*5/uint64(sockets))))
}

// tunnelConns returns how many connections a tunnel carries that may open limit files, at most want: five eighths of
// the files are for them. Connections that have not begun get another eighth and more. limit is 0 if there is none.
func tunnelConns(limit uint64, want int) int {
	const fewest, filesOfEach = 8, 2
	if limit == 0 {
		return want
	}
	return int(min(uint64(want), max(fewest, limit/8*5/filesOfEach)))
}

// httpConns returns how many connections an HTTP server may have in a process that may open limit files: an eighth of
// them, as each connection may read an output. limit is 0 if there is none.
func httpConns(limit uint64) int {
	const fewest, most = 16, 512
	if limit == 0 {
		return most
	}
	return int(min(most, max(fewest, limit/8)))
}
