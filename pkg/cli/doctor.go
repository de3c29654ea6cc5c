package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/wasm"
	"github.com/imagefarm/imagefarm/pkg/isolate"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

func doctorCommand() *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "say what holds on this machine: sandbox, limits, codecs",
		Description: `Starts one child process as a worker would, and asks it which layers of its
sandbox hold. A line is "ok", "no" for what this machine lacks and the farm
works without, or "FAULT" for what keeps the farm from working; then the exit
status is 1.

   farm doctor --out ~/thumbnails`,
		Flags: []cli.Flag{
			outFlag(whereToGo, "check that `DIR` can be written"),
			number(limits, "slots", 0, span[int]{0, maxSlots},
				"concurrent transforms to check for (default: one per processor)"),
			yes(showing, "json", "print JSON"),
		},
		Action: runDoctor,
	}
}

// checkup is one line of the doctor's.
type checkup struct {
	State string `json:"state"` // stateOK, stateNo or stateFault
	About string `json:"about"`
	Says  string `json:"says"`
}

const (
	stateOK    = "ok"
	stateNo    = "no"    // the farm works without
	stateFault = "FAULT" // the farm does not work
)

func runDoctor(ctx context.Context, c *cli.Command) error {
	found := []checkup{
		{stateOK, "kernel", isolate.Kernel()},
		{stateOK, "processors", strconv.Itoa(runtime.GOMAXPROCS(0))},
		memoryCheckup(),
		filesCheckup(openFileLimit(), c.Int("slots"), runtime.GOMAXPROCS(0)),
	}
	found = append(found, outCheckup(placeOf(c.String("out"))))
	found = append(found, sandboxCheckups(ctx)...)
	found = append(found, codecCheckups(ctx)...)
	found = append(found, codeCacheCheckup())
	if err := printCheckups(stdout(), found, c.Bool("json")); err != nil {
		return err
	}
	for _, f := range found {
		if f.State == stateFault {
			return &exitError{code: ExitFault}
		}
	}
	return nil
}

func printCheckups(w io.Writer, found []checkup, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(found)
	}
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, f := range found {
		fmt.Fprintf(table, "%s\t%s\t%s\n", f.State, f.About, f.Says)
	}
	return table.Flush()
}

// memoryFinding says how much memory this process's control group may use.
func memoryCheckup() checkup {
	for _, file := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		const unlimited = 1 << 60 // the older kind of control groups has a number of this order for "none"
		n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err != nil || n >= unlimited {
			break
		}
		return checkup{stateOK, "memory limit", fmt.Sprintf("%s (%s)", showBytes(n), file)}
	}
	return checkup{stateOK, "memory limit", "none by a control group"}
}

// filesFinding says whether a limit of open files is enough for a run; a limit of 0 means none.
func filesCheckup(limit uint64, slots, processors int) checkup {
	if err := refuseFewFiles(limit, filesOfRun, slots, processors, true); err != nil {
		return checkup{stateFault, "open files", err.Error()}
	}
	if limit == 0 {
		return checkup{stateOK, "open files", "no limit"}
	}
	return checkup{stateOK, "open files", fmt.Sprintf("at most %d, of which peers get %d at each socket of a sink "+
		"and %d at a ventilator, and HTTP %d", limit, peerConns(limit, socketsOfSink), peerConns(limit, socketsOfVentilator),
		httpConns(limit))}
}

// outFinding says whether a directory of outputs can be written. It does not make the directory: it tries the
// nearest one above that exists.
func outCheckup(out string) checkup {
	dir := out
	for {
		_, err := os.Stat(dir)
		if !errors.Is(err, os.ErrNotExist) || filepath.Dir(dir) == dir {
			break
		}
		dir = filepath.Dir(dir)
	}
	f, err := os.CreateTemp(dir, ".imagefarm-doctor-*")
	if err != nil {
		return checkup{stateFault, "outputs", fmt.Sprintf("%s cannot be written: %v", dir, err)}
	}
	if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
		return checkup{stateFault, "outputs", fmt.Sprintf("%s cannot be written: %v", dir, err)}
	}
	if dir != out {
		return checkup{stateOK, "outputs", out + " can be made in " + dir}
	}
	return checkup{stateOK, "outputs", out + " can be written"}
}

// sandboxCheckups starts a child and says which layers of its sandbox hold.
func sandboxCheckups(ctx context.Context) []checkup {
	layers, err := askSandbox(ctx)
	if err != nil {
		return []checkup{{stateFault, "sandbox", err.Error()}}
	}
	var found []checkup
	for _, l := range layers {
		f := checkup{stateOK, "sandbox: " + l.Name, l.Does()}
		if l.Missing != "" {
			f.State, f.Says = stateNo, l.Missing
		}
		found = append(found, f)
	}
	return found
}

func askSandbox(ctx context.Context) ([]isolate.Layer, error) {
	s, err := json.Marshal(settings{Limits: engine.Limits{}})
	if err != nil {
		return nil, err
	}
	children, err := isolate.New(isolate.Config{Engine: engines()[0], Settings: s, Slots: 1, Env: []string{codecsEnv()}})
	if err != nil {
		return nil, err
	}
	err = beside(ctx, children.Run, func(ctx context.Context) error {
		_, err := children.Transform(ctx, []byte("no image"), recipe.Default())
		var expected *outcome.Rejection
		if errors.As(err, &expected) {
			return nil
		}
		return err
	})
	return children.Sandbox(), err
}

// codecCheckups has a line for each format.
func codecCheckups(ctx context.Context) []checkup {
	list, err := codecsOfChildren(ctx)
	if err != nil {
		return []checkup{{stateFault, "codecs", err.Error()}}
	}
	var found []checkup
	for _, c := range list.Codecs {
		says := "read by " + c.Reads
		if c.Writes != "" {
			says += ", written by " + c.Writes
		}
		found = append(found, checkup{stateOK, "codec: " + c.Format, says})
	}
	for _, a := range list.Absent {
		found = append(found, checkup{stateNo, "codec: " + a.Library, a.Why})
	}
	return found
}

// codeCacheCheckup says where the machine code of codecs in WebAssembly is kept.
func codeCacheCheckup() checkup {
	cache, err := openCodeCache(wasm.CheckCache)
	switch {
	case err != nil:
		return checkup{stateNo, "code cache", err.Error()}
	case cache == "":
		return checkup{stateNo, "code cache", "switched off: each child process translates codecs in WebAssembly itself"}
	}
	return checkup{stateOK, "code cache", "machine code of codecs in WebAssembly is kept in " + string(cache)}
}
