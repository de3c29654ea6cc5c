package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/numfmt"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/printable"
	"github.com/imagefarm/imagefarm/pkg/report"
	"github.com/imagefarm/imagefarm/pkg/source"
	"github.com/imagefarm/imagefarm/pkg/ventilator"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// summary says what became of every image that a run found.
type summary struct {
	run         *wire.Run
	leftOut     ventilator.LeftOut
	ledgerFlags string // by which the operator's commands find the run's ledger
	strangers   bool   // --allow-strangers was given
	out         string // directory of the outputs, if the user has named none
}

func (s summary) print(w io.Writer) {
	r := s.run
	if r.State == outcome.DryRun {
		fmt.Fprintf(
			w,
			"%s found: %s to make, %s unchanged, %s rejected earlier, %s dead letters\n",
			numfmt.Counted(r.Found, "image"),
			numfmt.Count(r.Pending),
			numfmt.Count(r.Skipped),
			numfmt.Count(r.Rejected),
			numfmt.Count(r.Dead),
		)
		printLeftOut(w, s.leftOut)
		return
	}
	if r.HandedOut > 0 {
		fmt.Fprintf(w, "%s found: %s\n", numfmt.Counted(r.Found, "image"), handedOut(r))
	} else {
		fmt.Fprintf(w, "%s found = %s: %s\n", numfmt.Counted(r.Found, "image"), report.Accounts(r), balanceOf(r))
	}
	printMissing(w, r)
	if r.HandedOut == 0 {
		printSpeed(w, r)
	}
	if refused := r.Rejected + r.Dead; refused > 0 && r.HandedOut == 0 { // without a sink no ledger lists them
		fmt.Fprintf(w, "%s %s lists the rejected and dead", asCalled(os.Args[0], "farm rejects"), s.ledgerFlags)
		if earlier := r.Earlier - r.Skipped; earlier > 0 {
			fmt.Fprintf(w, ", %s of them from earlier runs; %s %s makes them due again", numfmt.Count(earlier),
				asCalled(os.Args[0], "farm retry"), s.ledgerFlags)
		}
		fmt.Fprintln(w)
	}
	if r.Redeliveries+r.Speculative > 0 {
		fmt.Fprintf(w, "%s deliveries, %s of them redeliveries, %s speculative\n", numfmt.Count(r.Deliveries),
			numfmt.Count(r.Redeliveries), numfmt.Count(r.Speculative))
	}
	if r.Strangers > 0 {
		fmt.Fprintf(w, "%s of the done come from workers that cannot echo task ids\n", numfmt.Count(r.Strangers))
	}
	if r.Unproven > 0 {
		fmt.Fprintf(w, "%s settled by results without a ticket, which any program on this machine can send "+
			"(--allow-strangers=false refuses them)\n", numfmt.Counted(r.Unproven, "image"))
	}
	if r.Partly > 0 {
		fmt.Fprintf(w, "%s of the done only in part: %s %s names the variants that could not be made\n",
			numfmt.Count(r.Partly), asCalled(os.Args[0], "farm report"), s.ledgerFlags)
	}
	if s.strangers {
		fmt.Fprintln(w, strangersAdmitted)
	}
	printLeftForNext(w, r)
	printLeftOut(w, s.leftOut)
	if s.out != "" {
		fmt.Fprintf(w, "outputs are in %s\n", s.out)
	}
}

// handedOut says what a run without a sink knows of its images.
func handedOut(r *wire.Run) string {
	s := numfmt.Count(r.HandedOut) + " handed out; what became of them is unknown"
	for _, part := range []struct {
		n    int64
		word string
	}{{r.Rejected, "rejected"}, {r.Dead, "dead"}, {r.Unsettled(), "not handed out"}} {
		if part.n > 0 {
			s += "; " + numfmt.Count(part.n) + " " + part.word
		}
	}
	return s
}

// namedLeftOut is how many unreadable files and directories the summary names.
const namedLeftOut = 10

// printLeftOut says what a run did not take: one line of counts, and by name what is unreadable.
func printLeftOut(w io.Writer, left ventilator.LeftOut) {
	if len(left.Counts) == 0 {
		return
	}
	fmt.Fprintf(w, "left out: %s\n", left.Counts)
	for i, o := range left.Unreadable {
		if i == namedLeftOut {
			fmt.Fprintf(w, "  … and %s more\n", numfmt.Count(left.Counts[source.Unreadable]-namedLeftOut))
			break
		}
		fmt.Fprintf(w, "  unreadable: %s: %s\n", printable.Line(o.Location), printable.Line(o.Err.Error()))
	}
}

// printLeftForNext says how many images a run that ended early leaves, found or not.
func printLeftForNext(w io.Writer, r *wire.Run) {
	unreached, held := r.Total-r.Found, r.LeftOver()
	if r.State == outcome.Finished || unreached+held <= 0 {
		return
	}
	fmt.Fprintf(w, "left for the next run: %s", numfmt.Counted(unreached+held, "image"))
	if unreached > 0 && held > 0 {
		fmt.Fprintf(w, ", these %s and %s that were not reached", numfmt.Count(held), numfmt.Count(unreached))
	}
	fmt.Fprintln(w)
}

// namedMissing is how many images the summary names that hold up a run, or are unaccounted for.
const namedMissing = 10

// printMissing names the images that are unaccounted for, or that held up a run until it stalled. Those that a signal
// interrupted are as good as those that the run never found, and stay unnamed.
func printMissing(w io.Writer, r *wire.Run) {
	word := "unaccounted for"
	switch r.State {
	case outcome.Interrupted:
		return
	case outcome.Stalled:
		word = "not settled"
	}
	for i, name := range r.Missing {
		if i == namedMissing {
			fmt.Fprintf(w, "  … and %s more\n", numfmt.Count(r.Unsettled()-namedMissing))
			return
		}
		fmt.Fprintf(w, "  %s: %s\n", word, printable.Line(name))
	}
}

// balanceOf says whether every image found is accounted for.
func balanceOf(r *wire.Run) string {
	if n := r.Unaccounted(); n != 0 {
		return "NOT BALANCED: " + numfmt.Count(n) + " unaccounted for"
	}
	return "balanced"
}

// printSpeed prints the time and the throughput of a run that worked on at least one image.
func printSpeed(w io.Writer, r *wire.Run) {
	images, bytes := r.PerSecond(r.Ended)
	if images <= 0 {
		return
	}
	took, working := r.Took(r.Ended), r.Working(r.Ended)
	fmt.Fprintf(w, "%s worked on in %s", numfmt.Count(r.Worked()), numfmt.Time(took))
	if took-working > took/20 {
		fmt.Fprintf(w, ", %s working", numfmt.Time(working))
	}
	fmt.Fprintf(w, ": %s img/s, %s/s in\n", numfmt.Rate(images), numfmt.Bytes(bytes))
}

// notice prints a line for people on standard error, unless --quiet. Call it only before a bar is drawn.
func notice(c *cli.Command, format string, args ...any) {
	if !c.Bool("quiet") {
		fmt.Fprintf(stderr(), format+"\n", args...)
	}
}

// asCalled returns a command, such as "farm rejects", with the directory of arg0, as the user typed it: "bin/farm
// rejects". The other programs are in the same directory. It omits the directory of a program that `go run` built.
func asCalled(arg0, command string) string {
	if !strings.ContainsRune(arg0, filepath.Separator) || strings.Contains(arg0, "go-build") {
		return command
	}
	path := filepath.Join(filepath.Dir(arg0), command)
	if !strings.ContainsRune(path, filepath.Separator) {
		path = "./" + path // otherwise the shell would search its path
	}
	return path
}

// shellWord quotes text for a shell if necessary.
func shellWord(text string) string {
	plain := text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
			strings.ContainsRune("/._-+=:@,~", r))
	})
	if plain {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
