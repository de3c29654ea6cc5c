package cli

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"
)

// What the library says of flags that it cannot read. Its words are made for programmers; these patterns find what matters.
var (
	unknownFlag = regexp.MustCompile(`^flag provided but not defined: -+(\S+)$`)
	badFlag     = regexp.MustCompile(`(?s)^invalid value (".*") for flag -+([a-z-]+): (.*)$`)
	badVariable = regexp.MustCompile(`(?s)^could not parse (".*") as .* value from environment variable "(\w+)" for flag ([a-z-]+): (.*)$`)
	noValue     = regexp.MustCompile(`^flag needs an argument: -+(\S+)$`)
)

// plain says in our words what is wrong with a command line: which flag, which value, what it takes.
func plain(c *cli.Command, err error) error {
	text := err.Error()
	if m := unknownFlag.FindStringSubmatch(text); m != nil {
		said := fmt.Sprintf("unknown flag --%s", m[1])
		if meant := cli.SuggestFlag(c.Flags, m[1], c.HideHelp); near(m[1], strings.TrimLeft(meant, "-")) {
			said += fmt.Sprintf("; did you mean %s?", meant)
		}
		return errors.New(said)
	}
	if m := badFlag.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("--%s %s: %s", m[2], m[1], takes(c, m[2], m[3]))
	}
	if m := badVariable.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("%s=%s: %s", m[2], strings.Trim(m[1], `"`), takes(c, m[3], m[4]))
	}
	if m := noValue.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("--%s needs a value", m[1])
	}
	return err
}

// near reports whether one word may be another mistyped: the library always finds a nearest one.
func near(typed, meant string) bool {
	return meant != "" && typed[0] == meant[0] && max(len(typed), len(meant))-min(len(typed), len(meant)) <= 2
}

// takes says what a flag takes; why is what the flag itself said of the value.
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
