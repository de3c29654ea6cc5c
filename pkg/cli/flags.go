// Package cli has the command lines of the four programs: flags, help, exit codes, and how roles are put together. The
// roles themselves are in packages of their own.
package cli

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/bucket"
	"github.com/imagefarm/imagefarm/pkg/shard"
)

// envName returns the environment variable of a flag.
func envName(flag string) string {
	return "IMAGEFARM_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func env(flag string) cli.ValueSourceChain { return cli.EnvVars(envName(flag)) }

func text(category, name, value, usage string) *cli.StringFlag {
	return &cli.StringFlag{Category: category, Name: name, Value: value, Usage: usage, Sources: env(name)}
}

// outFlag is --out of a command that always has outputs. It refuses URLs of other kinds, and the empty text, which a
// variable of a shell that is not set leaves, and which would name the working directory.
func outFlag(category, usage string) cli.Flag {
	f := text(category, "out", defaultOut, usage)
	f.Validator = func(s string) error {
		if s == "" {
			return errors.New(itTakes + "a directory, s3://… or tar:…; write . for the working directory")
		}
		if strings.Contains(s, "://") && !bucket.Is(s) && !shard.Is(s) {
			return errors.New(itTakes + "a directory, s3://… or tar:…")
		}
		return nil
	}
	return f
}

func texts(category, name, usage string) *cli.StringSliceFlag {
	return &cli.StringSliceFlag{Category: category, Name: name, Usage: usage, Sources: env(name)}
}

func number(category, name string, value int, takes span[int], usage string) *cli.IntFlag {
	return &cli.IntFlag{
		Category:    category,
		Name:        name,
		Value:       value,
		Usage:       usage,
		Sources:     env(name),
		HideDefault: value == 0,
		Validator:   takes.validator("a whole number", strconv.Itoa),
	}
}

func yes(category, name, usage string) *cli.BoolFlag {
	return &cli.BoolFlag{Category: category, Name: name, Usage: usage, Sources: env(name)}
}

func duration(category, name string, value time.Duration, takes span[time.Duration], usage string) *cli.DurationFlag {
	return &cli.DurationFlag{
		Category:    category,
		Name:        name,
		Value:       value,
		Usage:       usage,
		Sources:     env(name),
		HideDefault: value == 0,
		Validator:   takes.validator("a time", time.Duration.String),
	}
}

// Bounds of flags that several programs have.
const (
	maxSlots   = 1024
	maxMessage = int64(2 << 30)
)

// commonFlags are flags of every command. level describes the default of --log-level. http is the default of --http,
// and empty for a command that serves nothing.
func commonFlags(level, http string) []cli.Flag {
	flags := []cli.Flag{
		text(showing, "log-format", "text", "`FORMAT` of log lines: text or json"),
		text(showing, "log-level", "", "lowest `LEVEL` logged: debug, info, warn or error (default: "+level+")"),
		&cli.BoolFlag{
			Category: showing,
			Name:     "quiet",
			Aliases:  []string{"q"},
			Usage:    "print nothing but errors",
			Sources:  env("quiet"),
		},
	}
	if http != "" {
		flags = append(flags,
			text(whereToGo, "http", http, "`ADDRESS` of /metrics, /healthz, /readyz and a sink's page; empty: none"),
			texts(whereToGo, "http-host", "`NAME` by which browsers or a proxy ask; repeatable"),
			insecureFlag(),
			yes(whereToGo, "protect-metrics", "ask for a token at /metrics, too"),
			text(whereToGo, "debug-addr", "", "`ADDRESS` of pprof; empty: none"),
			duration(delivery, "drain-timeout", 30*time.Second, from[time.Duration](0),
				"longest drain after the first SIGINT or SIGTERM; 0: no limit"))
		flags = append(flags, tokenFlags()...)
	}
	return flags
}

func concat(lists ...[]cli.Flag) (all []cli.Flag) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}
