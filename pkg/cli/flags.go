// Package cli is the command lines of the four programs: flags, help, exit codes, and nothing that a role does.
package cli

import (
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

// env returns the environment variable of a flag: IMAGEFARM_ and its name in upper snake.
func env(flag string) cli.ValueSourceChain {
	return cli.EnvVars("IMAGEFARM_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_")))
}

func text(category, name, value, usage string) *cli.StringFlag {
	return &cli.StringFlag{Category: category, Name: name, Value: value, Usage: usage, Sources: env(name)}
}

func texts(category, name, usage string) *cli.StringSliceFlag {
	return &cli.StringSliceFlag{Category: category, Name: name, Usage: usage, Sources: env(name)}
}

func number(category, name string, value int, takes span[int], usage string) *cli.IntFlag {
	return &cli.IntFlag{Category: category, Name: name, Value: value, Usage: usage, Sources: env(name), HideDefault: value == 0,
		Validator: takes.validator("a whole number", strconv.Itoa)}
}

func yes(category, name, usage string) *cli.BoolFlag {
	return &cli.BoolFlag{Category: category, Name: name, Usage: usage, Sources: env(name)}
}

func duration(category, name string, value time.Duration, takes span[time.Duration], usage string) *cli.DurationFlag {
	return &cli.DurationFlag{Category: category, Name: name, Value: value, Usage: usage, Sources: env(name), HideDefault: value == 0,
		Validator: takes.validator("a time", time.Duration.String)}
}

// What flags of several programs take.
const (
	maxSlots   = 1024
	maxMessage = int64(2 << 30)
)

// The categories under which help lists flags.
const (
	whatToMake = "What to make"
	whatToTake = "Which images"
	whereToGo  = "Connections"
	delivery   = "Delivery"
	limits     = "Limits"
	showing    = "Showing"
)

func commonFlags(http string) []cli.Flag {
	flags := []cli.Flag{
		text(showing, "log-format", "text", "text or json"),
		text(showing, "log-level", "", "debug, info, warn or error (default: info; warn beside a bar and in farm run)"),
		&cli.BoolFlag{Category: showing, Name: "quiet", Aliases: []string{"q"}, Usage: "say nothing but errors", Sources: env("quiet")},
	}
	if http != "" {
		flags = append(flags,
			text(whereToGo, "http", http, "address of /metrics, /healthz and /readyz, and of a sink's page; empty: none"),
			texts(whereToGo, "http-host", "name by which a proxy on this machine asks, besides localhost; may be given again"),
			text(whereToGo, "debug-addr", "", "address of pprof; empty: none"),
			duration(delivery, "drain-timeout", 30*time.Second, from[time.Duration](0),
				"how long a first SIGINT or SIGTERM waits for what is under way; 0: as long as it takes"))
	}
	return flags
}

func concat(lists ...[]cli.Flag) (all []cli.Flag) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}
