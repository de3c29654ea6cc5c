package isolate

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// These ask for many gigabytes. What they touch before they are stopped is bounded by the wall, well within what any
// machine that builds this has.

func needWall(t *testing.T) {
	t.Helper()
	if raceDetector {
		t.Skip("with the race detector there is no wall")
	}
}

func TestImageThatAsksForGigabytesAtOnceHitsTheWall(t *testing.T) {
	needWall(t)
	e := newEngine(t, Config{Slots: 2, TaskMemory: 256 << 20})
	finish := gated(t, e)
	_, err := transform(t, e, "slice 4294967296")
	wantRejection(t, err, outcome.OutOfMemory, "wanted more than 256.0 MiB: fatal error: runtime: out of memory")
	finish()
}

func TestImageThatEatsPieceByPieceIsStopped(t *testing.T) {
	needWall(t)
	e := newEngine(t, Config{Slots: 2, TaskMemory: 256 << 20})
	finish := gated(t, e)
	_, err := transform(t, e, "pieces")
	wantRejection(t, err, outcome.OutOfMemory, "")
	finish()
	if _, err := transform(t, e, "slice 150000000"); err == nil || err.Error() == "" {
		t.Error("a transform within the limit did not run")
	} else if got, want := err.Error(), "isolate: poison: 150000000 bytes were there for the asking"; got != want {
		t.Errorf("a transform within the limit: %v", err)
	}
}

func TestImageBeyondTheLimitButBelowTheWallIsFoundByLooking(t *testing.T) {
	e := newEngine(t, Config{Slots: 1, TaskMemory: 128 << 20})
	if _, err := transform(t, e, "hello"); err != nil {
		t.Fatal(err)
	}
	_, err := transform(t, e, "creep 150000000")
	wantRejection(t, err, outcome.OutOfMemory, "MiB, the limit is 128.0 MiB")
	if s := e.Stats(); s.Starts < 2 || s.Ended[Memory] < 1 { // the second death may not have been counted yet
		t.Errorf("it was to have a second chance in a fresh child: %+v", s)
	}
}

func TestStatsTellsMemory(t *testing.T) {
	e := newEngine(t, Config{Slots: 1})
	finish := gated(t, e)
	defer finish()
	c := e.Stats().Children[0]
	if !c.Busy || c.Private < 1<<16 || c.Private > 1<<30 {
		t.Errorf("child %+v", c)
	}
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	if u, err := parseStatm(text); err != nil || u.private <= 0 || u.data <= 0 {
		t.Errorf("statm %q: %+v, %v", text, u, err)
	}
}

func TestOddStatmIsAnError(t *testing.T) {
	for _, text := range []string{"", "1 2 3", "1 2 x 4 5 6 7", "99999999999999999999 1 1 1 1 1 1"} {
		if u, err := parseStatm([]byte(text)); err == nil {
			t.Errorf("%q: %+v", text, u)
		}
	}
}

func TestPagesOfTheStartAreGivenBack(t *testing.T) {
	resident := func() (kilobytes int) {
		status, err := os.ReadFile("/proc/self/status")
		if err != nil {
			t.Skip(err)
		}
		for line := range strings.Lines(string(status)) {
			for _, name := range []string{"RssFile", "RssShmem"} { // the latter where the test is on a tmpfs
				var n int
				if _, err := fmt.Sscanf(line, name+": %d kB", &n); err == nil {
					kilobytes += n
				}
			}
		}
		if kilobytes == 0 {
			t.Skip("this kernel does not say how much of files is resident")
		}
		return kilobytes
	}
	before := resident()
	unmapStart()
	if after := resident(); after >= before {
		t.Errorf("%d KiB of files are resident, before it were %d", after, before)
	}
}
