package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/nearest"
)

// mistypedVariables returns a note for each variable of environ, which is as of os.Environ, whose name is almost that
// of a flag's variable. The flags of all programs count, as one environment may serve all. Other names that begin with
// IMAGEFARM_ are somebody's own, such as those of a service in Kubernetes.
func mistypedVariables(environ []string) (notes []string) {
	var known []string
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if value == "" || !strings.HasPrefix(name, envName("")) || strings.HasSuffix(name, "_PORT") {
			continue
		}
		if known == nil {
			known = flagVariables()
		}
		if meant := nearest.Word(name, known); meant != "" && !slices.Contains(known, name) {
			notes = append(notes, fmt.Sprintf("%s is ignored, as no flag has that variable; did you mean %s?", name, meant))
		}
	}
	return notes
}

// flagVariables returns the variables of all flags of all programs.
func flagVariables() (names []string) {
	for _, program := range []*cli.Command{FarmProgram(), VentilatorProgram(), WorkerProgram(), SinkProgram()} {
		eachCommand(program, func(c *cli.Command) {
			for _, f := range c.Flags {
				names = append(names, envName(f.Names()[0]))
			}
		})
	}
	return names
}

// noteVariables prints the notes of mistypedVariables, unless --quiet.
func noteVariables(c *cli.Command) {
	for _, note := range mistypedVariables(os.Environ()) {
		notice(c, "%s", note)
	}
}
