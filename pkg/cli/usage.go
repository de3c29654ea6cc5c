package cli

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/nearest"
)

// plain rewords an error of the library, which is written for programmers: which flag is wrong, which value it has, and
// what it takes.
func plain(c *cli.Command, err error) error {
	matches := func(pattern string) []string { return regexp.MustCompile(pattern).FindStringSubmatch(err.Error()) }
	if m := matches(`^flag provided but not defined: -+(\S+)$`); m != nil {
		dashes := "--"
		if len(m[1]) == 1 {
			dashes = "-"
		}
		said := fmt.Sprintf("unknown flag %s%s", dashes, m[1])
		if meant := nearest.Word(m[1], flagNames(c)); meant != "" {
			said += fmt.Sprintf("; did you mean --%s?", meant)
		}
		return errors.New(said)
	}
	if m := matches(`(?s)^invalid value (".*") for flag -+([a-z-]+): (.*)$`); m != nil {
		return fmt.Errorf("--%s %s: %s", m[2], m[1], takes(c, m[2], m[3]))
	}
	if m := matches(
		`(?s)^could not parse (".*") as .* value from environment variable "(\w+)" for flag ([a-z-]+): (.*)$`,
	); m != nil {
		return fmt.Errorf("%s=%s: %s", m[2], strings.Trim(m[1], `"`), takes(c, m[3], m[4]))
	}
	if m := matches(`^flag needs an argument: -+(\S+)$`); m != nil {
		return fmt.Errorf("--%s needs a value", m[1])
	}
	return err
}

// flagNames returns the long names of c's flags.
func flagNames(c *cli.Command) []string {
	names := []string{"help"}
	for _, f := range c.Flags {
		for _, name := range f.Names() {
			if len(name) > 1 {
				names = append(names, name)
			}
		}
	}
	return names
}

// noCommand returns the error for an unknown command, with the command that was probably meant.
func noCommand(c *cli.Command, name string) error {
	if slices.Contains([]string{"ventilator", "worker", "sink"}, name) {
		return usagef("no command %q; the %[1]s is a program of its own, called %[1]s", name)
	}
	if name == "version" {
		return usagef("no command %q; did you mean --version?", name)
	}
	var known []string
	for _, row := range commandRows(c) {
		known = append(known, row[0])
	}
	if meant := nearest.Word(name, known); meant != "" {
		return usagef("no command %q; did you mean %s?", name, meant)
	}
	return usagef("no command %q; there are %s", name, strings.Join(known, ", "))
}

// takes says which values a flag takes. why is the flag's own error about the value.
func takes(c *cli.Command, name, why string) string {
	if strings.HasPrefix(why, itTakes) {
		return why
	}
	what := why
	eachCommand(c, func(c *cli.Command) {
		for _, f := range c.Flags {
			if !slices.Contains(f.Names(), name) {
				continue
			}
			switch f.(type) {
			case *cli.IntFlag:
				what = itTakes + "a whole number, such as 4"
			case *cli.DurationFlag:
				what = itTakes + "a time with its unit, such as 30s, 5m or 1h30m"
			case *cli.BoolFlag:
				what = itTakes + "true or false, or nothing for true"
			}
		}
	})
	return what
}
