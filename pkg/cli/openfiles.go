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
