package recipe

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// ReadPreset reads a preset: lines of 'name=ops', blank lines, and comments that begin with '#' at the start of a line
// or after a blank. ReadPreset returns the lines as Parse takes them, and does not parse them.
func ReadPreset(r io.Reader) ([]string, error) {
	var variants []string
	lines := bufio.NewScanner(io.LimitReader(r, 4*MaxText))
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if n == 1 {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		line = strings.TrimSpace(uncomment(line))
		if line == "" {
			continue
		}
		if len(variants) == MaxVariants {
			return nil, fmt.Errorf("preset line %d: more than %d variants", n, MaxVariants)
		}
		variants = append(variants, line)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("preset: %w", err)
	}
	if len(variants) == 0 {
		return nil, fmt.Errorf("preset: no line of the form name=ops")
	}
	return variants, nil
}

// uncomment removes a comment from the end of a line. A '#' inside a word belongs to a colour.
func uncomment(line string) string {
	for i := range len(line) {
		if line[i] == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t') {
			return line[:i]
		}
	}
	return line
}
