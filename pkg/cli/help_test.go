package cli

import (
	"strings"
	"testing"

	"github.com/urfave/cli/v3"
)

func TestHelpFitsATerminal(t *testing.T) {
	for _, p := range programs() {
		setCompletion(p)
		eachCommandPath(p, "", func(c *cli.Command, path string) {
			for line := range strings.Lines(helpText(c, path, true)) {
				if n := len([]rune(strings.TrimRight(line, "\n"))); n > helpWidth && !c.Hidden {
					t.Errorf("%s --help has a line of %d columns: %s", path, n, line)
				}
			}
		})
	}
}
