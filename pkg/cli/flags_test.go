package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v3"
)

// Flags that count or measure refuse other values, and say what they take.
func TestFlagsRefuseNegativeNumbersAndTimes(t *testing.T) {
	for _, program := range []*cli.Command{FarmProgram(), VentilatorProgram(), WorkerProgram(), SinkProgram()} {
		eachCommand(program, func(c *cli.Command) {
			for _, f := range c.Flags {
				name, refused := f.Names()[0], ""
				switch f := f.(type) {
				case *cli.IntFlag:
					refused = "-1"
				case *cli.DurationFlag:
					refused = "-5s"
				case *cli.StringFlag:
					if f.Validator == nil || name == "out" {
						continue
					}
					refused = "NaN" // a number to the parser of numbers
				default:
					continue
				}
				if err := f.Set(name, refused); err == nil {
					t.Errorf("%s %s: --%s takes %s", program.Name, c.Name, name, refused)
				} else if refused != "NaN" && !strings.HasPrefix(err.Error(), itTakes) {
					t.Errorf("%s %s: --%s %s: %v", program.Name, c.Name, name, refused, err)
				}
			}
		})
	}
}

func TestSpanErrorsNameTheRange(t *testing.T) {
	for _, c := range []struct {
		flag        cli.Flag
		value, want string
	}{
		{number(limits, "slots", 0, from(0).to(8), ""), "9", "it takes a whole number from 0 to 8"},
		{number(limits, "slots", 0, from(1), ""), "0", "it takes a whole number of at least 1"},
		{duration(limits, "lease", 0, from[time.Duration](0), ""), "-1ns", "it takes a time of at least 0s"},
		{bytes(limits, "memory", "", from[int64](64<<20), ""), "1MB", "it takes an amount of at least 64MiB"},
		{bytes(limits, "memory", "", from[int64](1).to(3<<30), ""), "0", "it takes an amount from 1 to 3GiB"},
	} {
		if err := c.flag.Set(c.flag.Names()[0], c.value); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, not %q", c.value, err, c.want)
		}
	}
}
