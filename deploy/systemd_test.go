package deploy

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	urfave "github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/cli"
)

// A unit whose program does not know a flag cannot start.
func TestUnitsUseFlagsThatExist(t *testing.T) {
	programs := map[string]*urfave.Command{"sink": cli.SinkProgram(), "worker": cli.WorkerProgram()}
	for name, program := range programs {
		known := make(map[string]bool)
		for _, f := range program.Flags {
			for _, n := range f.Names() {
				known["--"+n] = true
			}
		}
		started := false
		for line := range strings.Lines(read(t, filepath.Join("systemd", "imagefarm-"+name+".service"))) {
			command, is := strings.CutPrefix(line, "ExecStart=")
			if !is {
				continue
			}
			words := strings.Fields(command)
			started = words[0] == "/usr/bin/"+name
			for _, w := range words[1:] {
				if flag, _, _ := strings.Cut(w, "="); strings.HasPrefix(flag, "--") && !known[flag] {
					t.Errorf("the unit of %s uses %s, which that program does not have", name, flag)
				}
			}
		}
		if !started {
			t.Errorf("the unit of %s does not start it", name)
		}
	}
}

// A unit with a wrong setting fails at once, instead of starting again every two seconds. A crash must have another
// status than that.
func TestUnitsDoNotRepeatUsageErrors(t *testing.T) {
	for _, name := range []string{"sink", "worker"} {
		unit := read(t, filepath.Join("systemd", "imagefarm-"+name+".service"))
		for _, line := range []string{
			fmt.Sprintf("RestartPreventExitStatus=%d", cli.ExitUsage), "Environment=GOTRACEBACK=crash", "Restart=on-failure",
		} {
			if !slices.Contains(strings.Split(unit, "\n"), line) {
				t.Errorf("the unit of %s lacks %s", name, line)
			}
		}
	}
}
