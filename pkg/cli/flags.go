// Package cli is the command lines of the four programs: flags, help, exit codes, and nothing that a role does.
package cli

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imagefarm/imagefarm/pkg/recipe"
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

// bytes is a flag whose value is an amount, of bytes mostly, such as 64MiB, 500kB, 250M or 1048576.
func bytes(category, name, value string, takes span[int64], usage string) cli.Flag {
	f := text(category, name, value, usage)
	within := takes.validator("an amount", showBytes)
	f.Validator = func(s string) error {
		n, err := parseBytes(s)
		if err != nil {
			return err
		}
		return within(n)
	}
	return f
}

// span is which values a flag takes: from least on and, unless most is zero, to most.
type span[T int | int64 | time.Duration] struct{ least, most T }

func from[T int | int64 | time.Duration](least T) span[T] { return span[T]{least: least} }

func (s span[T]) to(most T) span[T] { return span[T]{s.least, most} }

// validator refuses what is outside of s; the words, which begin with itTakes, name what is inside.
func (s span[T]) validator(kind string, show func(T) string) func(T) error {
	return func(v T) error {
		switch {
		case v >= s.least && (s.most == 0 || v <= s.most):
			return nil
		case s.most == 0:
			return fmt.Errorf(itTakes+"%s of at least %s", kind, show(s.least))
		}
		return fmt.Errorf(itTakes+"%s from %s to %s", kind, show(s.least), show(s.most))
	}
}

// itTakes begins what plain says of a flag's value.
const itTakes = "it takes "

// What flags of several programs take.
const (
	maxSlots   = 1024
	maxMessage = int64(2 << 30)
)

// bytesOf returns the value of a bytes flag, which its validator has accepted.
func bytesOf(c *cli.Command, name string) int64 {
	n, _ := parseBytes(c.String(name))
	return n
}

var units = []struct {
	suffix string
	factor int64
}{
	{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"tib", 1 << 40},
	{"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"tb", 1e12}, {"b", 1}, {"k", 1e3}, {"m", 1e6}, {"g", 1e9}, {"", 1},
}

func parseBytes(s string) (int64, error) {
	lower := strings.ToLower(strings.TrimSpace(s))
	for _, u := range units {
		digits, ok := strings.CutSuffix(lower, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
		if err != nil || !(n >= 0 && n*float64(u.factor) <= 1<<50) { // NaN is none, either
			break
		}
		return int64(n * float64(u.factor)), nil
	}
	return 0, fmt.Errorf("%q is no amount such as 64MiB, 250M or 1000000", s)
}

// showBytes is n as one would type it.
func showBytes(n int64) string {
	for _, unit := range []string{"GiB", "MiB", "KiB"} {
		if size, _ := parseBytes("1" + unit); n > 0 && n%size == 0 {
			return strconv.FormatInt(n/size, 10) + unit
		}
	}
	return strconv.FormatInt(n, 10)
}

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

func recipeFlags() []cli.Flag {
	return []cli.Flag{
		text(whatToMake, "size", "", "thumbnails that fit in squares of these sizes, e.g. 64,128,256 (the default)"),
		texts(whatToMake, "variant", "an output as NAME=OPS, e.g. 'web=fit:1280x1280,format:webp'; may be given again"),
		texts(whatToMake, "preset", "file of NAME=OPS lines; may be given again"),
	}
}

// recipeOf returns the recipe that the flags ask for.
func recipeOf(c *cli.Command) (recipe.Recipe, error) {
	variants := slices.Clone(c.StringSlice("variant"))
	for _, path := range c.StringSlice("preset") {
		file, err := os.Open(path)
		if err != nil {
			return recipe.Recipe{}, usagef("--preset: %v", err)
		}
		more, err := recipe.ReadPreset(file)
		file.Close()
		if err != nil {
			return recipe.Recipe{}, usagef("--preset %s: %v", path, err)
		}
		if _, err := recipe.Parse(more...); err != nil { // here, where the file's name is known
			return recipe.Recipe{}, usagef("--preset %s: %v", path, err)
		}
		variants = append(variants, more...)
	}
	var all recipe.Recipe
	if size := c.String("size"); size != "" {
		r, err := recipe.ParseSizes(size)
		if err != nil {
			return recipe.Recipe{}, usagef("--size: %v", err)
		}
		all = r
	}
	if len(variants) > 0 {
		r, err := recipe.Parse(variants...)
		if err != nil {
			return recipe.Recipe{}, usagef("--variant: %v", err)
		}
		all.Variants = append(all.Variants, r.Variants...)
	}
	if len(all.Variants) == 0 {
		return recipe.Default(), nil
	}
	return recipe.ParseCanonical(all.String()) // sizes and variants together keep the rules of one recipe
}

// The ports of a farm.
const (
	controlPort = "5555"
	eventsPort  = "5556"
	tasksPort   = "5557"
	resultsPort = "5558"
)

// endpoint returns an endpoint from what was typed: a whole endpoint, host:port, or a host whose port is the usual one.
func endpoint(typed, port string) string {
	if strings.Contains(typed, "://") {
		return typed
	}
	if host, p, err := net.SplitHostPort(typed); err == nil {
		return "tcp://" + net.JoinHostPort(host, p)
	}
	return "tcp://" + net.JoinHostPort(strings.Trim(typed, "[]"), port)
}

// checkEndpoints refuses what can never be an endpoint between processes.
func checkEndpoints(endpoints ...string) error {
	for _, e := range endpoints {
		scheme, address, _ := strings.Cut(e, "://")
		switch scheme {
		case "ipc":
			if address == "" {
				return usagef("endpoint %q: ipc:// wants a path", e)
			}
		case "tcp":
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return usagef("endpoint %q: tcp:// wants HOST:PORT", e)
			}
			if _, err := strconv.ParseUint(port, 10, 16); err != nil && port != "*" {
				return usagef("endpoint %q: a port is a number up to 65535", e)
			}
		default:
			return usagef("endpoint %q: it begins with tcp:// or ipc://", e)
		}
	}
	return nil
}

// either returns the endpoint flag when it is given, else the host flag's with its usual port.
func either(c *cli.Command, endpointFlag, hostFlag, port string) string {
	if e := c.String(endpointFlag); e != "" {
		return endpoint(e, port)
	}
	return endpoint(c.String(hostFlag), port)
}
