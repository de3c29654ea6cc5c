package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

// printSummary says what became of every image that a run found.
func printSummary(w io.Writer, r *wire.Run, unreadable int64, ledgerFlag string) {
	if r.State == "dry run" {
		fmt.Fprintf(w, "%d images found: %d to make, %d unchanged, %d rejected earlier, %d dead letters\n",
			r.Found, r.Pending, r.Skipped, r.Rejected, r.Dead)
		return
	}
	balance := "balanced"
	switch n := r.Unsettled(); {
	case n != 0 && r.State == "interrupted":
		balance = fmt.Sprintf("%d were under way, the next run takes them", n)
	case n != 0:
		balance = fmt.Sprintf("NOT BALANCED: %d unaccounted for", n)
	}
	fmt.Fprintf(w, "%d images found = %d done + %d skipped + %d rejected + %d dead: %s\n",
		r.Found, r.Done, r.Skipped, r.Rejected, r.Dead, balance)
	for i, name := range r.Missing {
		if i == 10 {
			fmt.Fprintf(w, "  … and %d more\n", r.Unsettled()-10)
			break
		}
		fmt.Fprintf(w, "  unaccounted for: %s\n", name)
	}
	if images, bytes := r.PerSecond(r.Ended); images > 0 {
		took, working := r.Took(r.Ended), r.Working(r.Ended)
		fmt.Fprintf(w, "%d worked on in %s", r.Worked(), took.Round(10*time.Millisecond))
		if took-working > took/20 {
			fmt.Fprintf(w, ", %s of it with workers and not paused", working.Round(10*time.Millisecond))
		}
		fmt.Fprintf(w, ": %.1f img/s, %.1f MB/s in\n", images, bytes/1e6)
	}
	if refused := r.Rejected + r.Dead; refused > 0 {
		fmt.Fprintf(w, "farm rejects %s lists the rejected and dead", ledgerFlag)
		if earlier := r.Earlier - r.Skipped; earlier > 0 {
			fmt.Fprintf(w, ", %d of them from earlier runs; farm retry %s makes them due again", earlier, ledgerFlag)
		}
		fmt.Fprintln(w)
	}
	if r.Redeliveries+r.Speculative > 0 {
		fmt.Fprintf(w, "%d deliveries, %d of them redeliveries, %d speculative\n", r.Deliveries, r.Redeliveries, r.Speculative)
	}
	if r.Strangers > 0 {
		fmt.Fprintf(w, "%d of the done were taken on a stranger's word\n", r.Strangers)
	}
	if left := r.Total - r.Found; left > 0 && r.State != "finished" {
		fmt.Fprintf(w, "%d more images were left for the next run\n", left)
	}
	if unreadable > 0 {
		fmt.Fprintf(w, "%d files or directories could not be looked at; the log names them\n", unreadable)
	}
}
